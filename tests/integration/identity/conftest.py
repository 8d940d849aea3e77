"""The service identity with real databases and a real NATS, called over gRPC."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from datetime import UTC, datetime

import asyncpg
import pytest
from integration.identity.running_identity import (
    OFFICES,
    Identity,
)
from integration.identity.setting_up import ORGANISATIONS, Databases, Workbench, running
from support.outside_identity import MemoryAccounts, MemoryTelephones
from zhibu_identity.__main__ import KEY_MIGRATIONS
from zhibu_identity.answers import AnswerSealer
from zhibu_identity.keys.index_keys import PROVINCE as PROVINCE_INDEX
from zhibu_identity.keys.master import MasterKeys
from zhibu_identity.keys.vault import open_vault
from zhibu_identity.models import metadata
from zhibu_identity.parts import Parts
from zhibu_kit.db import Database
from zhibu_kit.ids import new_ulid
from zhibu_kit.projections import OrganisationProjection
from zhibu_kit.testing.clock import FixedClock
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_stack.engines import Postgres

MakeDatabases = Callable[[], Awaitable[Databases]]


@pytest.fixture(scope="module")
async def make_databases(service_database: DatabaseMaker, postgres: Postgres) -> AsyncGenerator[MakeDatabases]:
    """Give the maker of fresh pairs of databases with some organisations and officers in them."""
    connections: list[asyncpg.Connection] = []

    async def make() -> Databases:
        main = await service_database("identity")
        keys = await service_database("identity_keys", directory=KEY_MIGRATIONS, kit=False)
        owner: asyncpg.Connection = await asyncpg.connect(postgres.dsn(main.name))
        keys_owner: asyncpg.Connection = await asyncpg.connect(postgres.dsn(keys.name))
        connections.extend((owner, keys_owner))
        await owner.executemany("insert into kit_organisation values ($1, $2, $3, $4, $5, true, 1)", ORGANISATIONS)
        for officer, (office, organisation_id) in OFFICES.items():
            await owner.execute(
                "insert into kit_grant values ($1, $2, $3, $4, $5, '', $6, $7, false, 1)",
                new_ulid(),
                officer.account_id,
                officer.member_id,
                office,
                organisation_id,
                datetime(2026, 1, 1, tzinfo=UTC),
                datetime(2036, 1, 1, tzinfo=UTC),
            )
        master_key = base64.b64encode(os.urandom(32)).decode()
        return Databases(main=main, keys=keys, owner=owner, keys_owner=keys_owner, master_key=master_key)

    yield make
    for connection in connections:
        await connection.close()


@pytest.fixture(scope="module")
async def databases(make_databases: MakeDatabases) -> Databases:
    return await make_databases()


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture(scope="module")
def issuer(clock: FixedClock) -> Generator[TokenIssuer]:
    with TokenIssuer(clock=clock) as issuer:
        yield issuer


@pytest.fixture(scope="module")
async def identity(
    databases: Databases, nats: NatsServer, issuer: TokenIssuer, clock: FixedClock
) -> AsyncGenerator[Identity]:
    """The running service, with its jobs."""
    async with running(databases, nats, issuer, clock) as started:
        yield started


@pytest.fixture(scope="module")
async def workbench_databases(make_databases: MakeDatabases) -> Databases:
    return await make_databases()


@pytest.fixture
async def workbench(workbench_databases: Databases) -> AsyncGenerator[Workbench]:
    databases = workbench_databases
    # Emptying two databases takes a tenth of the time that making them does.
    tables = ", ".join([*metadata.tables, "kit_outbox", "kit_request"])
    await databases.owner.execute(f"truncate {tables} cascade")
    await databases.keys_owner.execute("truncate member_key, signing_key cascade")
    clock = FixedClock()
    vault = await open_vault(databases.keys.app_url, MasterKeys.parse(databases.master_key))
    province = await vault.index_key(PROVINCE_INDEX)
    database = Database(databases.main.app_url, service="identity", clock=clock, sealer=AnswerSealer(province))
    accounts, telephones = MemoryAccounts(), MemoryTelephones()
    parts = Parts(
        database=database,
        vault=vault,
        province=province,
        clock=clock,
        organisations=OrganisationProjection(database),
        accounts=accounts,
        telephones=telephones,
        synthetic_allowed=True,
    )
    yield Workbench(
        databases=databases, parts=parts, accounts=accounts, telephones=telephones, clock=clock, vault=vault
    )
    await vault.close()
    await database.close()

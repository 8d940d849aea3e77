"""The service identity with real databases and a real NATS, called over gRPC."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import asyncpg
import grpc.aio
import pytest
from integration.identity.running_identity import (
    LINQU,
    LINQU_BRANCH,
    OFFICES,
    PROVINCE,
    QINGZHOU,
    QINGZHOU_BRANCH,
    WEIFANG,
    Identity,
)
from support.identity_stream import prepare_identity_stream, wait_until_ready
from support.outside_identity import MemoryAccounts, MemoryTelephones
from zhibu_identity.__main__ import KEY_MIGRATIONS
from zhibu_identity.answers import AnswerSealer
from zhibu_identity.assembly import assemble, keep_open, make_parts
from zhibu_identity.keys.master import MasterKeys
from zhibu_identity.keys.vault import PROVINCE as PROVINCE_INDEX
from zhibu_identity.keys.vault import Vault, open_vault
from zhibu_identity.parts import Parts
from zhibu_identity.settings import IdentitySettings
from zhibu_kit.app import Assembly, Runtime
from zhibu_kit.db import Database
from zhibu_kit.ids import new_ulid
from zhibu_kit.projections import OrganisationProjection
from zhibu_kit.testing.clock import FixedClock
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.services import start_service
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.engines import Postgres

ORGANISATIONS = (
    (PROVINCE, "", 1, "山东省", PROVINCE),
    (WEIFANG, PROVINCE, 2, "潍坊市", WEIFANG),
    (LINQU, WEIFANG, 3, "临朐县", LINQU),
    (QINGZHOU, WEIFANG, 3, "青州市", QINGZHOU),
    ("370724101", LINQU, 4, "辛寨街道", LINQU),
    (LINQU_BRANCH, LINQU, 5, "临朐县第一党支部", LINQU),
    (QINGZHOU_BRANCH, QINGZHOU, 5, "青州市第一党支部", QINGZHOU),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """identity's two databases, and connections that see all of them whatever the policies say."""

    main: ServiceDatabase
    keys: ServiceDatabase
    owner: asyncpg.Connection
    keys_owner: asyncpg.Connection
    master_key: str


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


@asynccontextmanager
async def running(
    databases: Databases, nats: NatsServer, issuer: TokenIssuer, clock: FixedClock, *, profile: str = "development"
) -> AsyncGenerator[Identity]:
    """Run the service while the block runs."""
    accounts, telephones = MemoryAccounts(), MemoryTelephones()
    made: list[Parts] = []

    async def build(runtime: Runtime[IdentitySettings]) -> Assembly:
        vault = await open_vault(databases.keys.app_url, MasterKeys.parse(databases.master_key))
        runtime.background.start("connections", keep_open(vault.close))
        made.append(await make_parts(runtime, vault=vault, accounts=accounts, telephones=telephones))
        return await assemble(runtime, made[0])

    await prepare_identity_stream(nats)
    async with (
        start_service(
            "identity",
            build,
            database=databases.main,
            nats=nats,
            issuer=issuer,
            settings=IdentitySettings,
            clock=clock,
            profile=profile,
        ) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        await wait_until_ready(service)
        yield Identity(
            channel=channel, issuer=issuer, clock=clock, parts=made[0], accounts=accounts, telephones=telephones
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """The use cases without the running service: nothing happens unless the test does it."""

    databases: Databases
    parts: Parts
    accounts: MemoryAccounts
    telephones: MemoryTelephones
    clock: FixedClock
    vault: Vault

    def cut_at(self, step: str) -> Parts:
        """Return parts with which the power goes off at a step, the first time."""
        armed = [True]

        def reached(at: str) -> None:
            if at == step and armed:
                armed.clear()
                raise PowerCutError(step)

        return replace(self.parts, reached=reached)


class PowerCutError(BaseException):
    """The process is gone: nothing that it would have done afterwards is done."""


@pytest.fixture
async def workbench(make_databases: MakeDatabases) -> AsyncGenerator[Workbench]:
    databases = await make_databases()
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

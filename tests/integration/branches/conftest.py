"""The service branches with a real database and a real NATS, called over gRPC."""

from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime

import asyncpg
import grpc.aio
import pytest
from integration.branches.party import Party
from integration.branches.running_branches import LINQU_ADMIN, LINQU_APPROVER, PROVINCE_ADMIN, Branches
from support.identity_stream import prepare_identity_stream, wait_until_ready
from zhibu.branches.v1 import organisation_pb2, organisation_service_pb2_grpc
from zhibu_branches.__main__ import build
from zhibu_branches.settings import BranchesSettings
from zhibu_kit.db import Database
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.services import start_service
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.engines import Postgres


@pytest.fixture(scope="module")
def issuer() -> Generator[TokenIssuer]:
    with TokenIssuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
async def database(service_database: DatabaseMaker) -> ServiceDatabase:
    return await service_database("branches")


@pytest.fixture(scope="module")
async def owner(database: ServiceDatabase, postgres: Postgres) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that sees everything: the superuser's, for looking at rows whatever the policies say."""
    connection: asyncpg.Connection = await asyncpg.connect(postgres.dsn(database.name))
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def app_connection(database: ServiceDatabase) -> AsyncGenerator[asyncpg.Connection]:
    """A connection as the running service has it."""
    connection: asyncpg.Connection = await asyncpg.connect(database.app_url)
    yield connection
    await connection.close()


async def _give_office(owner: asyncpg.Connection, account_id: str, office: str, organisation_id: str) -> None:
    """Write a grant as identity's event would have written it."""
    await owner.execute(
        "insert into kit_grant values ($1, $2, '', $3, $4, '', $5, $6, false, 1)",
        new_ulid(),
        account_id,
        office,
        organisation_id,
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2036, 1, 1, tzinfo=UTC),
    )


@pytest.fixture(scope="module")
async def branches(
    database: ServiceDatabase, owner: asyncpg.Connection, nats: NatsServer, issuer: TokenIssuer
) -> AsyncGenerator[Branches]:
    """The service with the province, Weifang, Linqu and Qingzhou."""
    await _give_office(owner, PROVINCE_ADMIN, "province_admin", "37")
    await _give_office(owner, LINQU_ADMIN, "county_admin", "370724")
    await _give_office(owner, LINQU_APPROVER, "county_approver", "370724")
    await prepare_identity_stream(nats)
    async with (
        nats.heartbeats(),
        start_service(
            "branches", build, database=database, nats=nats, issuer=issuer, settings=BranchesSettings
        ) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        await wait_until_ready(service)
        started = Branches(
            stub=organisation_service_pb2_grpc.OrganisationServiceStub(channel), issuer=issuer, channel=channel
        )
        await started.create("37", organisation_pb2.ORGANISATION_LEVEL_CITY, "潍坊市", code="3707")
        await started.create("3707", organisation_pb2.ORGANISATION_LEVEL_COUNTY, "临朐县", code="370724")
        await started.create("3707", organisation_pb2.ORGANISATION_LEVEL_COUNTY, "青州市", code="370781")
        yield started


@pytest.fixture(scope="module")
async def party(branches: Branches, database: ServiceDatabase) -> AsyncGenerator[Party]:
    """Members, branches and the use cases below the RPCs, beside the running service."""
    own = Database(database.app_url, service="branches")
    yield Party(branches=branches, database=own)
    await own.close()

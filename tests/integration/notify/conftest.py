"""The service notify with a real database, a real NATS and a real message centre, called over gRPC."""

from collections.abc import AsyncGenerator, Generator

import asyncpg
import grpc.aio
import pytest
from integration.notify.running_notify import Notify, Smsc
from support.identity_stream import prepare_identity_stream, wait_until_ready
from zhibu.notify.v1 import code_service_pb2_grpc
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.services import start_service
from zhibu_notify.__main__ import build
from zhibu_notify.settings import NotifySettings
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.engines import Postgres

NUMBER_KEY = "7a" * 32


@pytest.fixture(scope="module")
def issuer() -> Generator[TokenIssuer]:
    with TokenIssuer() as issuer:
        yield issuer


@pytest.fixture(scope="module")
async def database(service_database: DatabaseMaker) -> ServiceDatabase:
    return await service_database("notify")


@pytest.fixture(scope="module")
async def everything(database: ServiceDatabase, postgres: Postgres) -> AsyncGenerator[asyncpg.Connection]:
    """A connection that sees every row, whatever the policies say."""
    connection: asyncpg.Connection = await asyncpg.connect(postgres.dsn(database.name))
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def smsc() -> AsyncGenerator[Smsc]:
    smsc = Smsc()
    await smsc.start()
    yield smsc
    await smsc.stop()


@pytest.fixture(scope="module")
async def running(
    database: ServiceDatabase, nats: NatsServer, issuer: TokenIssuer, smsc: Smsc
) -> AsyncGenerator[Notify]:
    await prepare_identity_stream(nats)
    async with (
        nats.heartbeats(),
        start_service(
            "notify",
            build,
            database=database,
            nats=nats,
            issuer=issuer,
            settings=NotifySettings,
            notify_number_key=NUMBER_KEY,
            notify_smsc_port=smsc.running.smpp_port,
            notify_submit_timeout_s=2.5,
        ) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        await wait_until_ready(service)
        stub = code_service_pb2_grpc.CodeServiceStub(channel)
        yield Notify(service=service, stub=stub, issuer=issuer, smsc=smsc)


@pytest.fixture
def notify(running: Notify) -> Generator[Notify]:
    """The service with a well-behaved message centre, before and after each test."""
    running.smsc.running.faults.reset()
    yield running
    running.smsc.running.faults.reset()

"""A service with everything that can go wrong in one, and a Prometheus that watches it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import grpc.aio
import pytest
from integration.kit_data.records import MIGRATIONS, SUBJECT, Mirror
from support.prometheus import Watch, watching
from zhibu.testing.v1.probe_service_pb2_grpc import ProbeServiceStub
from zhibu_kit.app import Assembly, Runtime
from zhibu_kit.background import Job
from zhibu_kit.consumers import Consumer
from zhibu_kit.db import Database, Transaction
from zhibu_kit.errors import UNAVAILABLE, ServiceError
from zhibu_kit.events import EventContext
from zhibu_kit.nats_permissions import parse_subjects
from zhibu_kit.service_tokens import ServiceTokens
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.probe import PROBE_SERVICE, ProbeServicer
from zhibu_kit.testing.services import start_service
from zhibu_stack.databases import ServiceDatabase

README = f"""
## Publishes
- `{SUBJECT}`

## Consumes
- `{SUBJECT}`
- `zhibu.audit.v1.rows_wanted`
- `zhibu.branches.v1.organisation_changed`
- `zhibu.identity.v1.access_revoked`
- `zhibu.identity.v1.deny_list_heartbeat`
- `zhibu.identity.v1.grant_changed`
"""
SUBJECTS = [
    parse_subjects(README, service="testing"),
    parse_subjects("## Publishes\n- `zhibu.identity.v1.grant_changed`\n", service="identity"),
    parse_subjects("## Publishes\n- `zhibu.branches.v1.organisation_changed`\n", service="branches"),
    parse_subjects("## Publishes\n- `zhibu.audit.v1.rows_wanted`\n", service="audit"),
]


@dataclass
class Trouble:
    """What goes wrong now."""

    job: bool = False
    peer_of_consumer: bool = False
    asks_keycloak: bool = False
    mirror: Mirror = field(default_factory=Mirror)

    async def work(self) -> None:
        """Do the work of a job."""
        if self.job:
            raise RuntimeError("this job fails")

    async def handle(self, transaction: Transaction, event: Any, context: EventContext) -> None:
        """Take an event, with somebody's help."""
        if self.peer_of_consumer:
            raise UNAVAILABLE()
        await self.mirror.handle(transaction, event, context)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The service, what it is made of, and who watches it."""

    watch: Watch
    trouble: Trouble
    stub: ProbeServiceStub
    probe: ProbeServicer
    # The service's own connections, and some beside them.
    own: Database
    database: Database
    made: ServiceDatabase
    nats: NatsServer
    issuer: TokenIssuer
    heart: Heart


class Heart:
    """identity's heartbeats, which can stop."""

    def __init__(self, nats: NatsServer) -> None:
        self._nats = nats
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        await self._stack.enter_async_context(self._nats.heartbeats())

    async def stop(self) -> None:
        await self._stack.aclose()


@pytest.fixture(scope="module")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    server = NatsServer(tmp_path_factory.mktemp("nats"), SUBJECTS)
    server.start()
    try:
        await server.prepare()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
async def world(
    service_database: DatabaseMaker, nats: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[World]:
    made = await service_database("testing", directory=MIGRATIONS)
    trouble, probe, own = Trouble(), ProbeServicer(), asyncio.get_running_loop().create_future()
    consumer = Consumer(name="records", event=trouble.mirror.consumer().event, handle=trouble.handle)

    async def build(runtime: Runtime[Any]) -> Assembly:
        own.set_result(runtime.database)

        async def ask_keycloak() -> None:
            if trouble.asks_keycloak:
                # Each time as a process does that has no token yet.
                tokens = ServiceTokens(runtime.http, runtime.settings, clock=runtime.clock, telemetry=runtime.telemetry)
                try:
                    await tokens.token()
                except ServiceError:
                    return

        return Assembly(
            servicers={PROBE_SERVICE: probe},
            consumers=[consumer],
            jobs=[
                Job(name="brittle", run=trouble.work, every_s=0.5),
                Job(name="asking Keycloak", run=ask_keycloak, every_s=0.5),
            ],
        )

    database, heart = Database(made.app_url, service="testing"), Heart(nats)
    await heart.start()
    try:
        with TokenIssuer() as issuer:
            async with (
                start_service("testing", build, database=made, nats=nats, issuer=issuer) as running,
                grpc.aio.insecure_channel(running.address) as channel,
                watching(tmp_path_factory.mktemp("prometheus"), {"zhibu-testing": running.health_address}) as watch,
            ):
                await watch.until_quiet()
                yield World(
                    watch=watch,
                    trouble=trouble,
                    stub=ProbeServiceStub(channel),
                    probe=probe,
                    own=await own,
                    database=database,
                    made=made,
                    nats=nats,
                    issuer=issuer,
                    heart=heart,
                )
    finally:
        await heart.stop()
        await database.close()

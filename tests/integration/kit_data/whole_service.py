"""A whole service for tests: the probe's contract over real records, with its database, its NATS user and a consumer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc.aio
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from integration.kit_data.records import COUNTY, HEARD, MIGRATIONS, RECORD, SUBJECT, Mirror, change_record, rows
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import func, select
from zhibu.branches.v1.branches_events_pb2 import OrganisationChanged
from zhibu.identity.v1.identity_events_pb2 import GrantChanged
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu.testing.v1.probe_service_pb2_grpc import ProbeServiceStub
from zhibu_kit import offices
from zhibu_kit.app import Assembly, RunningService, Runtime
from zhibu_kit.call import Call
from zhibu_kit.db import Database
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.events import EventContext, event_type_of, key_of, version_of
from zhibu_kit.ids import new_ulid
from zhibu_kit.nats_permissions import parse_subjects
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.probe import PROBE_SERVICE
from zhibu_kit.testing.services import start_service
from zhibu_kit.testing.waiting import wait_until

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
OFFICE = offices.Office(
    name="tester",
    zh="测试员",
    en="Tester",
    levels=(offices.COUNTY,),
    permissions=frozenset({"testing.records.read", "testing.records.write"}),
)
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


# The text of a record that the service cannot take, because of a mistake in it.
BREAKS = "break"


class Records:
    """Writes and reads records; every other RPC of the contract is there, and does nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def UpdateRecord(self, request: pb.UpdateRecordRequest, call: Call) -> pb.UpdateRecordResponse:
        async with self._database.write(call, request, pb.UpdateRecordResponse) as write:
            if write.replayed is not None:
                return write.replayed
            if request.record.text == BREAKS:
                raise RuntimeError("a mistake of the service")
            version = (await write.scalar(select(func.max(RECORD.c.version))) or 0) + 1
            await change_record(write, request.record_id, version=version, text=request.record.text)
            return write.reply(pb.UpdateRecordResponse(etag=str(version)))

    async def GetRecord(self, request: pb.GetRecordRequest, call: Call) -> pb.GetRecordResponse:
        async with self._database.read(call, request) as read:
            # No filter by county: the wall is the database's.
            row = await read.one_or_none(select(RECORD).where(RECORD.c.record_id == request.record_id))
            if row is None:
                raise NOT_FOUND(noun="record")
            return read.reply(pb.GetRecordResponse(record=pb.Record(text=row.text)), subjects=["member-9"])

    def __getattr__(self, name: str) -> Callable[..., object]:
        if PROBE_SERVICE.methods_by_name[name].server_streaming:

            async def stream(request: Message, call: Call) -> AsyncGenerator[Message]:
                return
                yield

            return stream

        async def unary(request: Message, call: Call) -> Any:
            return None

        return unary


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    running: RunningService
    stub: ProbeServiceStub
    database: Database
    mirror: Mirror
    spans: InMemorySpanExporter
    issuer: TokenIssuer

    def metadata(self, account_id: str = "account-1", *, sampled: bool = True) -> list[tuple[str, str]]:
        token = self.issuer.token(account_id, member_id="member-1", county_code=COUNTY, scope="openid zhibu-write")
        traceparent = f"00-{TRACE_ID}-00f067aa0ba902b7-{'01' if sampled else '00'}"
        return [("authorization", f"Bearer {token}"), ("traceparent", traceparent)]

    async def update(self, record_id: str, text: str, *, request_id: str = "", account_id: str = "account-1") -> Any:
        request = pb.UpdateRecordRequest(
            organisation_id=COUNTY, record_id=record_id, record=pb.Record(text=text), request_id=request_id
        )
        call: Awaitable[Any] = self.stub.UpdateRecord(request, metadata=self.metadata(account_id), timeout=10)  # pyright: ignore[reportAssignmentType, reportCallIssue, reportArgumentType] - the stubs know synchronous channels
        return await call


@asynccontextmanager
async def running_nats(directory: Path) -> AsyncGenerator[NatsServer]:
    server = NatsServer(directory, SUBJECTS)
    server.start()
    try:
        await server.prepare()
        async with server.heartbeats():
            yield server
    finally:
        server.stop()


@asynccontextmanager
async def running_world(service_database: DatabaseMaker, nats: NatsServer) -> AsyncGenerator[World]:
    """Run the service; an approver of Linqu may use it as soon as the events have told it so."""
    mirror, spans = Mirror(), InMemorySpanExporter()
    made = await service_database("testing", directory=MIGRATIONS)
    telemetry = Telemetry("testing", sample_ratio=0.0, span_processor=SimpleSpanProcessor(spans))

    async def build(runtime: Runtime[Any]) -> Assembly:
        return Assembly(servicers={PROBE_SERVICE: Records(runtime.database)}, consumers=[mirror.consumer()])

    offices.OFFICES["tester"] = OFFICE
    await tell_of_tree_and_grant(nats)
    database = Database(made.app_url, service="testing")
    try:
        with TokenIssuer() as issuer:
            async with (
                start_service(
                    "testing", build, database=made, nats=nats, issuer=issuer, telemetry=telemetry
                ) as running,
                grpc.aio.insecure_channel(running.address) as channel,
            ):
                world = World(
                    running=running,
                    stub=ProbeServiceStub(channel),
                    database=database,
                    mirror=mirror,
                    spans=spans,
                    issuer=issuer,
                )
                await wait_until(lambda: is_admitted(world), timeout_s=20)
                yield world
    finally:
        del offices.OFFICES["tester"]
        await database.close()


async def is_admitted(world: World) -> bool:
    try:
        await world.update("first", "")
    except grpc.aio.AioRpcError as error:
        if error.code() not in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAVAILABLE):
            raise
        return False
    return True


async def heard(world: World, record_id: str) -> bool:
    return any(row[0] == record_id for row in await rows(world.database, HEARD))


async def tell_of_tree_and_grant(nats: NatsServer) -> None:
    """Publish as branches and identity would."""
    now = datetime.now(UTC)
    starts_at, ends_at = Timestamp(), Timestamp()
    starts_at.FromDatetime(now - timedelta(days=1))
    ends_at.FromDatetime(now + timedelta(days=1))
    grant = GrantChanged(
        grant_id="g1",
        account_id="account-1",
        member_id="member-1",
        office="tester",
        organisation_id=COUNTY,
        county_code=COUNTY,
        starts_at=starts_at,
        ends_at=ends_at,
        version=1,
    )
    county = OrganisationChanged(organisation_id=COUNTY, county_code=COUNTY, active=True, version=1)
    for service, event in (("identity", grant), ("branches", county)):
        bus = await nats.connect(service)
        context = EventContext(
            event_id=new_ulid(),
            subject=event_type_of(event.DESCRIPTOR).subject,
            key=key_of(event),
            version=version_of(event),
            county_code=COUNTY,
            traceparent="",
            occurred_at=now,
        )
        headers = context.headers(event_type=event.DESCRIPTOR.full_name, source=service)
        await bus.publish(context.subject, event.SerializeToString(), headers)
        await bus.close()

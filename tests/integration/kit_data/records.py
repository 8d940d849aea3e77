"""Two services for tests: `testing` owns records and tells of them, `mirror` listens and keeps what it heard."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf.message import Message
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu.testing.v1.testing_events_pb2 import RecordChanged
from zhibu_kit.bus import Bus
from zhibu_kit.call import Call
from zhibu_kit.clock import SystemClock
from zhibu_kit.consumers import Consumer, ConsumerRunner
from zhibu_kit.db import Database, Role, Scope, Transaction
from zhibu_kit.events import EventContext
from zhibu_kit.method import method_of
from zhibu_kit.nats_permissions import parse_subjects
from zhibu_kit.notifications import Notifications
from zhibu_kit.outbox import OutboxRelay
from zhibu_kit.prepared import Prepared
from zhibu_kit.principal import Grant, Principal
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.testing.clock import DEFAULT_START

MIGRATIONS = Path(__file__).parent / "migrations"
COUNTY = "370724"
OTHER_COUNTY = "370725"
EVERY_COUNTY = Scope.of(COUNTY, OTHER_COUNTY)
SUBJECT = "zhibu.testing.v1.record_changed"

# As the READMEs of two services would list it.
SUBJECTS = [
    parse_subjects(f"## Publishes\n- `{SUBJECT}`\n\n## Consumes\n", service="testing"),
    parse_subjects(f"## Publishes\n\n## Consumes\n- `{SUBJECT}`: to remember it\n", service="mirror"),
]

TABLES = MetaData()
RECORD = Table(
    "record",
    TABLES,
    Column("record_id", Text, primary_key=True),
    Column("county_code", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
)
HEARD = Table(
    "heard",
    TABLES,
    Column("record_id", Text, primary_key=True),
    Column("county_code", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
)

_serial = itertools.count(1)


def telemetry(service: str = "testing") -> Telemetry:
    return Telemetry(service, sample_ratio=0.0)


async def change_record(
    transaction: Transaction, record_id: str, *, version: int, text: str = "", county_code: str = COUNTY
) -> None:
    """Write a record and emit the event that tells of it."""
    values = {"county_code": county_code, "text": text, "version": version}
    await transaction.execute(
        insert(RECORD)
        .values(record_id=record_id, **values)
        .on_conflict_do_update(index_elements=["record_id"], set_=values)
    )
    transaction.emit(
        RecordChanged(record_id=record_id, county_code=county_code, text=text, version=version),
        county_code=county_code,
    )


async def change(database: Database, record_id: str, *, version: int, text: str = "") -> None:
    async with database.transaction(Scope.of(COUNTY)) as transaction:
        await change_record(transaction, record_id, version=version, text=text)


async def rows(database: Database, table: Table) -> list[tuple[str, str, int]]:
    """Return what is in a table, of every county."""
    statement = select(table.c.record_id, table.c.text, table.c.version).order_by(table.c.record_id)
    async with database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
        return [(row.record_id, row.text, row.version) for row in await transaction.all(statement)]


async def snapshot(transaction: Transaction) -> AsyncIterator[tuple[Message, str]]:
    for row in await transaction.all(select(RECORD)):
        yield (
            RecordChanged(record_id=row.record_id, county_code=row.county_code, text=row.text, version=row.version),
            row.county_code,
        )


_HEARD_NOW = {name: bindparam(name) for name in ("county_code", "text", "version")}
_HEAR = Prepared(
    insert(HEARD)
    .values(record_id=bindparam("record_id"), times=1, **_HEARD_NOW)
    .on_conflict_do_update(index_elements=["record_id"], set_={**_HEARD_NOW, "times": HEARD.c.times + 1})
)


@dataclass
class Mirror:
    """Keeps what it heard; raises instead for the texts in `poison`."""

    poison: set[str] = field(default_factory=set[str])
    together: bool = False
    seen: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    async def handle(self, transaction: Transaction, event: RecordChanged, context: EventContext) -> None:
        assert (context.key, context.version) == (event.record_id, event.version)
        await _HEAR.execute(
            transaction,
            record_id=event.record_id,
            county_code=event.county_code,
            text=event.text,
            version=event.version,
        )
        if event.text in self.poison:
            raise RuntimeError("this text cannot be handled")
        self.seen.append((event.record_id, event.version))

    def consumer(self) -> Consumer:
        return Consumer(name="records", event=RecordChanged, handle=self.handle, together=self.together)

    def runner(self, database: Database, bus: Bus) -> ConsumerRunner:
        return ConsumerRunner(
            self.consumer(),
            database=database,
            bus=bus,
            telemetry=telemetry("mirror"),
            clock=SystemClock(),
            back_off_s=(0.01, 0.01, 0.02),
        )


def relay_of(database: Database, bus: Bus, *, notifications: Notifications | None = None) -> OutboxRelay:
    return OutboxRelay(
        database,
        bus,
        notifications=notifications or Notifications(database.url),
        telemetry=telemetry(),
        clock=SystemClock(),
    )


def call_of(
    method: str, *, account_id: str | None = "account-1", scope: Scope | None = None, request_id: str = ""
) -> Call:
    """Return an authorised call of an RPC of the probe service, by a county approver of Linqu."""
    grant = Grant(
        office="county_approver",
        organisation_id=COUNTY,
        permissions=frozenset({"testing.records.read", "testing.records.write"}),
    )
    principal = Principal(
        account_id=account_id or "",
        client_id="zhibu-web",
        issued_at=DEFAULT_START,
        expires_at=DEFAULT_START,
        member_id="member-1",
        county_code=COUNTY,
        grants=(grant,),
    )
    return Call(
        method=method_of(pb.DESCRIPTOR.services_by_name["ProbeService"].methods_by_name[method]),
        principal=principal if account_id else None,
        organisation_id=COUNTY,
        scope=scope or Scope.of(COUNTY),
        language="zh-CN",
        request_id=request_id or f"request-{next(_serial)}",
        trace_id="0af7651916cd43dd8448eb211c80319c",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    )

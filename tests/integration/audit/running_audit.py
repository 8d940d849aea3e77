"""The service audit in a test: what its database holds, what it asked for, and how rows are put in its way."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from support.lane_rows import publish
from support.services import log_settings
from zhibu.audit.v1.audit_events_pb2 import RowsWanted
from zhibu.audit.v1.audit_rows_pb2 import AuditRow
from zhibu_audit.assembly import build
from zhibu_audit.incidents import Incident, Signer
from zhibu_audit.settings import AuditSettings
from zhibu_audit.signing import sign_incident
from zhibu_kit.app import RunningService
from zhibu_kit.bus import Bus
from zhibu_kit.clock import SystemClock
from zhibu_kit.db import Database, Role
from zhibu_kit.etag import etag_of
from zhibu_kit.scope import Scope
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.services import start_service
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.engines import Postgres

FIRST = Signer(account_id="account-a", member_id="a" * 26)
SECOND = Signer(account_id="account-b", member_id="b" * 26)


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """A running audit, with a connection that sees every row of its database and a bus that may publish anything."""

    service: RunningService
    everything: asyncpg.Connection
    bus: Bus
    database: ServiceDatabase

    async def publish(self, lane: str, rows: Sequence[AuditRow], *, per_message: int = 200) -> None:
        await publish(self.bus, lane, rows, per_message=per_message)

    async def number(self, statement: str, *values: object) -> int:
        """Ask for one number."""
        number = await self.everything.fetchval(statement, *values)
        assert isinstance(number, int)
        return number

    async def lane(self, lane: str) -> Mapping[str, Any]:
        return await self.everything.fetchrow("select * from lane where lane = $1", lane) or {}

    async def sequence(self, lane: str) -> int:
        return (await self.lane(lane)).get("sequence", 0)

    async def wait_for(self, lane: str, sequence: int, *, timeout_s: float = 40.0) -> None:
        """Wait until a lane is in the log up to a number."""

        async def is_there() -> bool:
            return await self.sequence(lane) == sequence

        await wait_until(is_there, timeout_s)

    async def incidents(self, lane: str) -> list[asyncpg.Record]:
        return await self.everything.fetch("select * from incident where lane = $1 order by created_at", lane)

    async def wait_for_incident(self, lane: str, *, timeout_s: float = 40.0, **values: Any) -> asyncpg.Record:
        """Wait for an incident with these values."""

        async def found() -> asyncpg.Record | None:
            for incident in await self.incidents(lane):
                if all(incident[name] == value for name, value in values.items()):
                    return incident
            return None

        incident = await wait_until(found, timeout_s)
        assert incident is not None
        return incident

    async def leaves(self, lane: str | None = None) -> list[bytes]:
        """Return the leaves in their order, and see that they lie dense."""
        rows = await self.everything.fetch("select entry_index, lane, leaf from entry order by entry_index")
        assert [row["entry_index"] for row in rows] == list(range(len(rows)))
        return [row["leaf"] for row in rows if lane in (None, row["lane"])]

    async def wanted(self, lane: str) -> list[int]:
        """Return from which numbers on rows were asked for, in the order of asking."""
        rows = await self.everything.fetch(
            "select payload from kit_outbox where subject = 'zhibu.audit.v1.rows_wanted' and key = $1 order by version",
            lane,
        )
        return [RowsWanted.FromString(row["payload"]).from_sequence for row in rows]

    async def sign(self, incident: asyncpg.Record, signer: Signer, *, statement: str = "数据库已丢失。") -> Incident:
        """Sign as an officer does, with the version that stands now."""
        database = Database(self.database.app_url, service="audit")
        version = await self.number("select version from incident where incident_id = $1", incident["incident_id"])
        try:
            async with database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
                return await sign_incident(
                    transaction,
                    incident["incident_id"],
                    signer=signer,
                    statement=statement,
                    etag=etag_of(version),
                    now=SystemClock().now(),
                )
        finally:
            await database.close()


@asynccontextmanager
async def running_audit(
    database: ServiceDatabase,
    *,
    postgres: Postgres,
    nats: NatsServer,
    issuer: TokenIssuer,
    directory: Path,
    **settings: Any,
) -> AsyncGenerator[Audit]:
    """Run audit on a database; its log lies in the directory, where a key is made unless there is one."""
    log: dict[str, Any] = {
        "audit_directory": directory / "log",
        "audit_key_file": directory / "log.key",
        "audit_origin": "log.test/county",
    }
    if not (directory / "log.key").exists():
        log = log_settings(directory)
    bus = await nats.connect("admin")
    everything: asyncpg.Connection = await asyncpg.connect(postgres.dsn(database.name))
    try:
        async with (
            nats.heartbeats(),
            start_service(
                "audit",
                build,
                database=database,
                nats=nats,
                issuer=issuer,
                settings=AuditSettings,
                **{**log, **settings},
            ) as service,
        ):
            yield Audit(service=service, everything=everything, bus=bus, database=database)
    finally:
        await everything.close()
        await bus.close()

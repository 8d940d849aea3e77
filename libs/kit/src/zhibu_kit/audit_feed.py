"""The feed: publishes a service's numbered audit rows to the log, in their order, again and again until they are taken.

It follows the numbering and nothing waits for it: a log or a NATS that is away lets rows pile up in the table where they
are kept anyway. `fed_sequence` says how far JetStream has acknowledged; a process that dies before it is moved, and a log
that asks (`RowsWanted`), have rows published twice, which their numbers make harmless. docs/decisions/0016-audit-feed.md.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import nats.errors
from opentelemetry.metrics import Observation
from sqlalchemy import func, select, update
from zhibu.audit.v1 import audit_events_pb2

from zhibu_kit import tables
from zhibu_kit.audit_messages import MAX_ROWS, Packed, pack, read_pieces
from zhibu_kit.bus import Bus
from zhibu_kit.clock import Clock
from zhibu_kit.consumer import Consumer
from zhibu_kit.db import Database, Role
from zhibu_kit.errors import ServiceError
from zhibu_kit.events import EventContext
from zhibu_kit.ids import new_ulid
from zhibu_kit.metrics import gauge
from zhibu_kit.nats_permissions import AUDIT_ROWS_SUBJECT
from zhibu_kit.scope import Scope
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.transaction import Transaction

log = logging.getLogger("zhibu.audit_feed")

# The numbering wakes the feed; should that be lost, and while NATS is away, it looks by itself this often.
EVERY_S: Final = 3.0
# Messages on their way at once. JetStream takes them in this order unless one fails, and then they come again.
IN_FLIGHT: Final = 4
# Rows published in one transaction.
ROUND_ROWS: Final = MAX_ROWS * IN_FLIGHT
# A run that catches up ends after this and begins anew, so that it is never taken for one that hangs.
RUN_S: Final = 60.0
_LOCK: Final = 0x46454544

UNFED_ROWS: Final = gauge("zhibu.audit.unfed_rows", "Numbered audit rows that the log's stream has not taken yet.")
UNFED_AGE: Final = gauge(
    "zhibu.audit.unfed_age", "Age of the oldest numbered audit row that the log's stream has not taken yet.", unit="s"
)
_FEED_FROM: Final = "select kit_feed_audit_from($1)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How one transaction of the feed ended: how many rows left, and whether more wait that can leave now."""

    fed: int
    more: bool


class AuditFeed:
    """Publishes the audit rows of one service."""

    def __init__(self, database: Database, bus: Bus, *, telemetry: Telemetry, clock: Clock) -> None:
        """Feed from a database to a bus."""
        self._database = database
        self._bus = bus
        self._clock = clock
        self._subject = f"{AUDIT_ROWS_SUBJECT}.{database.service}"
        self._unfed_rows = 0
        self._unfed_age_s = 0.0
        telemetry.observe(UNFED_ROWS, lambda: [Observation(self._unfed_rows)])
        telemetry.observe(UNFED_AGE, lambda: [Observation(self._unfed_age_s)])

    async def feed(self) -> bool:
        """Publish what waits; return False when there is more, which a new run should take at once."""
        ends_at_s = time.monotonic() + RUN_S
        try:
            while await self._bus.is_ready():
                if not (await self.feed_once()).more:
                    return True
                if time.monotonic() > ends_at_s:
                    return False
        except (ServiceError, OSError) as error:
            log.warning("Audit rows wait", extra={"fields": {"error": type(error).__name__}})
        return True

    async def feed_once(self) -> Round:
        """Publish one round of rows, unless another process is at it."""
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            head = await transaction.one(
                select(
                    tables.audit_head.c.sequence,
                    tables.audit_head.c.fed_sequence,
                    func.pg_try_advisory_xact_lock(_LOCK).label("locked"),
                )
            )
            if not head.locked or head.fed_sequence >= head.sequence:
                return Round(fed=0, more=False)
            until = min(head.sequence, head.fed_sequence + ROUND_ROWS)
            fed, failed = await self._publish(transaction, head.fed_sequence, until)
            # Unless the log has asked for rows meanwhile: then they are published from there, these again with them.
            await transaction.execute(
                update(tables.audit_head)
                .where(tables.audit_head.c.fed_sequence == head.fed_sequence)
                .values(fed_sequence=fed)
            )
        return Round(fed=fed - head.fed_sequence, more=not failed)

    async def measure(self) -> None:
        """Look how far the feed is behind."""
        head = tables.audit_head.c
        oldest = (
            select(tables.audit.c.occurred_at)
            .where(tables.audit.c.sequence > head.fed_sequence)
            .order_by(tables.audit.c.sequence)
            .limit(1)
        )
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            found = await transaction.one(
                select((head.sequence - head.fed_sequence).label("rows"), oldest.scalar_subquery().label("oldest"))
            )
        self._unfed_rows = found.rows
        age_s = (self._clock.now() - found.oldest).total_seconds() if found.oldest else 0.0
        self._unfed_age_s = max(0.0, age_s)

    async def _publish(self, transaction: Transaction, after: int, until: int) -> tuple[int, bool]:
        """Publish the rows behind `after`; return up to where JetStream has all of them, and whether one failed."""
        fed = after
        flight: list[Packed] = []
        async with (
            aclosing(read_pieces(transaction, after, until)) as pieces,
            aclosing(pack(self._database.service, pieces)) as messages,
        ):
            async for message in messages:
                flight.append(message)
                if len(flight) < IN_FLIGHT:
                    continue
                fed, failed = await self._fly(flight, fed)
                if failed:
                    return fed, True
                flight = []
        fed, failed = await self._fly(flight, fed)
        # Numbers without a row are for the log to find, which stops the lane at them.
        return (fed, True) if failed else (until, False)

    async def _fly(self, flight: list[Packed], fed: int) -> tuple[int, bool]:
        taken = await asyncio.gather(*(self._is_taken(message) for message in flight))
        for message, is_taken in zip(flight, taken, strict=True):
            if not is_taken:
                return fed, True
            fed = message.whole_until
        return fed, False

    async def _is_taken(self, message: Packed) -> bool:
        message_id = new_ulid()
        headers = {
            # A new one each time: what is published again must not be taken for a repetition and left out.
            "Nats-Msg-Id": message_id,
            "ce-specversion": "1.0",
            "ce-id": message_id,
            "ce-source": f"/zhibu/{self._database.service}",
            "ce-type": "zhibu.audit.v1.AuditRows",
            "content-type": "application/protobuf",
        }
        try:
            await self._bus.publish(self._subject, message.payload, headers)
        except (nats.errors.Error, OSError) as error:
            fields = {"from": message.first, "error": type(error).__name__}
            log.warning("Audit rows were not acknowledged", extra={"fields": fields})
            return False
        return True


def rows_wanted_consumer(service: str) -> Consumer:
    """What has rows published again when the log asks this service for them."""

    async def handle(transaction: Transaction, event: audit_events_pb2.RowsWanted, context: EventContext) -> None:
        if event.lane == service:
            await _feed_from(transaction, event.from_sequence)

    return Consumer(name="audit_rows_wanted", event=audit_events_pb2.RowsWanted, handle=handle)


async def feed_from(database: Database, from_sequence: int) -> int:
    """Have the running service publish rows again, from a number on; return how many wait for it now."""
    head = tables.audit_head.c
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await _feed_from(transaction, from_sequence)
        return int(await transaction.scalar(select(head.sequence - head.fed_sequence)))


async def _feed_from(transaction: Transaction, from_sequence: int) -> None:
    await (await transaction.raw()).execute(_FEED_FROM, from_sequence)

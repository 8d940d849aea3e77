"""The relay: from the outbox to JetStream, in order for each key, until every event has been acknowledged.

One shard is worked on by one relay at a time (an advisory lock for the transaction), so that two relays side by side keep
the order of a key. What is published is marked, never remembered as "everything up to position n": positions are drawn
before commit, so a lower one may appear later. An event that is not acknowledged holds up its own key and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import nats.errors
from opentelemetry.metrics import Observation
from sqlalchemy import ColumnElement, Row, exists, func, literal, select, update

from zhibu_kit import tables
from zhibu_kit.bus import Bus
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.errors import ServiceError
from zhibu_kit.events import SHARDS, EventContext
from zhibu_kit.metrics import counter, gauge
from zhibu_kit.notifications import OUTBOX_CHANNEL, Notifications
from zhibu_kit.scope import Scope
from zhibu_kit.telemetry import Telemetry

log = logging.getLogger("zhibu.outbox")

# Events published in one transaction of the relay.
BATCH: Final = 100
# Shards worked on side by side; each takes a connection to the database.
PARALLEL_SHARDS: Final = 4
# After this the relay begins no other event of the batch, so that a transaction never stays open for long.
BATCH_S: Final = 10.0
# Commits wake the relay; should a wake-up be lost with its process, it looks by itself this often.
POLL_S: Final = 1.0
# Another relay is at a shard in which events wait: look again soon, they may have come too late for it.
LOCKED_S: Final = 0.05
# After an event was not acknowledged, its key waits this long, doubled up to the second figure.
RETRY_MIN_S: Final = 0.2
RETRY_MAX_S: Final = 10.0
# While NATS or the database is away, it is asked for this often.
AWAY_S: Final = 1.0
# The age of the oldest event is looked up this often at most.
GAUGE_S: Final = 5.0
_LOCK_CLASS: Final = 0x4F424F58

AGE: Final = gauge("zhibu.outbox.age", "Age of the oldest unpublished event.", unit="s")
PUBLISHED: Final = counter("zhibu.outbox.published", "Events published and acknowledged.")
FAILED: Final = counter(
    "zhibu.outbox.failed",
    "Attempts at publishing that came to nothing.",
    labels={"because": "`refused` (an event was not acknowledged), `away` (NATS or the database was not there)"},
)

_WAITING: Final = tables.outbox.c.published_at.is_(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How one look at the outbox ended: how many events left, and after how long to look again unasked."""

    published: int
    again_s: float


class OutboxRelay:
    """Publishes the events of one service's outbox."""

    def __init__(
        self, database: Database, bus: Bus, *, notifications: Notifications, telemetry: Telemetry, clock: Clock
    ) -> None:
        """Relay from a database to a bus; `run` does the work."""
        self._database = database
        self._bus = bus
        self._clock = clock
        self._woken = notifications.event(OUTBOX_CHANNEL)
        self.oldest_s = 0.0
        self._measured_at_s = -GAUGE_S
        telemetry.observe(AGE, lambda: [Observation(self.oldest_s)])
        self._published = telemetry.counter(PUBLISHED)
        self._failed = telemetry.counter(FAILED)

    async def run(self) -> None:
        """Relay for ever."""
        while True:
            self._woken.clear()
            try:
                again_s = (await self.relay_once()).again_s
            except (nats.errors.Error, ServiceError, OSError) as error:
                self._failed.add(1, {"because": "away"})
                log.warning("Events wait in the outbox", extra={"fields": {"error": type(error).__name__}})
                await asyncio.sleep(AWAY_S)
            else:
                await self._wait(again_s)

    async def relay_once(self) -> Round:
        """Publish what waits now.

        Raises:
            nats.errors.Error: when NATS is not there at all.
        """
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            await self._measure(transaction)
            waiting = [shard for (shard,) in await transaction.all(self._shards())]
        if waiting and not await self._bus.is_ready():
            raise nats.errors.ConnectionClosedError
        rounds = await self._relay_shards(waiting)
        return Round(
            published=sum(one.published for one in rounds), again_s=min([POLL_S, *(one.again_s for one in rounds)])
        )

    def _due(self) -> ColumnElement[bool]:
        """Rows that may be published now: those of a key that is held up may not, whatever their own turn."""
        ahead = tables.outbox.alias("ahead")
        held_up = exists().where(
            ahead.c.shard == tables.outbox.c.shard,
            ahead.c.key == tables.outbox.c.key,
            ahead.c.published_at.is_(None),
            ahead.c.next_attempt_at > self._clock.now(),
        )
        return _WAITING & ~held_up

    def _shards(self) -> Any:
        """Ask for each shard whether anything waits there: a few looks into an index, however many events wait."""
        shards = select(func.generate_series(0, SHARDS - 1).label("shard")).subquery()
        return select(shards.c.shard).where(
            select(literal(1)).where(tables.outbox.c.shard == shards.c.shard, self._due()).exists()
        )

    async def _relay_shards(self, waiting: Sequence[int]) -> list[Round]:
        """Work on shards side by side: most of the time JetStream is waited for, and each key's order stays its shard's."""
        shards = iter(waiting)

        async def work() -> list[Round]:
            return [await self._relay_shard(shard) for shard in shards]

        ended = await asyncio.gather(*(work() for _ in range(PARALLEL_SHARDS)), return_exceptions=True)
        rounds: list[Round] = []
        for some in ended:
            if isinstance(some, BaseException):
                raise some
            rounds += some
        return rounds

    async def _relay_shard(self, shard: int) -> Round:
        total = 0
        while True:
            async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
                if not await transaction.scalar(select(func.pg_try_advisory_xact_lock(_LOCK_CLASS, shard))):
                    return Round(published=total, again_s=LOCKED_S)
                rows = await transaction.all(
                    select(tables.outbox)
                    .where(tables.outbox.c.shard == shard, self._due())
                    .order_by(tables.outbox.c.position)
                    .limit(BATCH)
                )
                published, failed = await self._publish(rows)
                await self._mark(transaction, published, failed)
            total += len(published)
            if failed:
                return Round(published=total, again_s=RETRY_MIN_S)
            if len(rows) < BATCH and len(published) == len(rows):
                return Round(published=total, again_s=POLL_S)

    async def _publish(self, rows: Sequence[Row[Any]]) -> tuple[list[int], list[int]]:
        """Publish keys side by side and the events of a key one after another.

        Returns the positions that were acknowledged, and those that were not; what lies behind one of these is in neither.
        """
        by_key: defaultdict[str, list[Row[Any]]] = defaultdict(list)
        for row in rows:
            by_key[row.key].append(row)
        ends_at_s = time.monotonic() + BATCH_S
        published: list[int] = []
        failed: list[int] = []

        async def publish_key(of_key: Sequence[Row[Any]]) -> None:
            for row in of_key:
                if time.monotonic() > ends_at_s:
                    return
                if not await self._is_acknowledged(row):
                    failed.append(row.position)
                    return
                published.append(row.position)

        async with asyncio.TaskGroup() as group:
            for of_key in by_key.values():
                group.create_task(publish_key(of_key))
        return published, failed

    async def _is_acknowledged(self, row: Row[Any]) -> bool:
        context = EventContext(
            event_id=row.event_id,
            subject=row.subject,
            key=row.key,
            version=row.version,
            county_code=row.county_code,
            traceparent=row.traceparent,
            occurred_at=row.occurred_at,
        )
        headers = context.headers(event_type=row.event_type, source=self._database.service)
        try:
            await self._bus.publish(row.subject, bytes(row.payload), headers)
        except (nats.errors.Error, OSError) as error:
            fields = {"event_id": row.event_id, "subject": row.subject, "error": type(error).__name__}
            log.warning("An event was not acknowledged", extra={"fields": fields})
            return False
        return True

    async def _mark(self, transaction: Transaction, published: list[int], failed: list[int]) -> None:
        columns, now = tables.outbox.c, self._clock.now()
        if published:
            await transaction.execute(
                update(tables.outbox)
                .where(columns.position.in_(published))
                .values(published_at=now, next_attempt_at=None)
            )
            self._published.add(len(published))
        if failed:
            self._failed.add(len(failed), {"because": "refused"})
            await transaction.execute(
                update(tables.outbox)
                .where(columns.position.in_(failed))
                .values(attempts=columns.attempts + 1, next_attempt_at=_next_attempt_at(now))
            )

    async def _measure(self, transaction: Transaction) -> None:
        if time.monotonic() - self._measured_at_s < GAUGE_S:
            return
        self._measured_at_s = time.monotonic()
        oldest = await transaction.scalar(select(func.min(tables.outbox.c.occurred_at)).where(_WAITING))
        self.oldest_s = (self._clock.now() - oldest).total_seconds() if oldest else 0.0

    async def _wait(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            return


def _next_attempt_at(now: datetime) -> Any:
    """Return when a row that was not acknowledged may be tried again: 0.2 s after the first time, up to 10 s."""
    attempts = func.least(tables.outbox.c.attempts, 6)
    wait = func.least(RETRY_MIN_S * func.power(2, attempts), RETRY_MAX_S)
    return literal(now) + func.make_interval(0, 0, 0, 0, 0, 0, wait)

"""The relay: from the outbox to JetStream, in order for each key, until every event has been acknowledged.

One shard is worked on by one relay at a time (an advisory lock for the transaction), so that two relays side by side keep
the order of a key. What is published is marked, never remembered as "everything up to position n": positions are drawn
before commit, so a lower one may appear later.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import nats.errors
from opentelemetry.metrics import CallbackOptions, Observation
from sqlalchemy import Row, delete, func, select, update

from zhibu_kit import tables
from zhibu_kit.bus import Bus
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.errors import ServiceError
from zhibu_kit.events import SHARDS, EventContext
from zhibu_kit.notifications import Notifications
from zhibu_kit.scope import Scope
from zhibu_kit.telemetry import Telemetry

log = logging.getLogger("zhibu.outbox")

CHANNEL: Final = "kit_outbox"
# Events published in one transaction of the relay.
BATCH: Final = 100
# NOTIFY wakes the relay; should one be missed, it looks by itself this often.
POLL_S: Final = 2.0
# After NATS or the database failed, wait this long, doubled up to the second figure.
RETRY_MIN_S: Final = 0.2
RETRY_MAX_S: Final = 10.0
# Published rows are kept this long, for looking into what was sent.
KEEP: Final = timedelta(days=7)
_LOCK_CLASS: Final = 0x4F424F58


class OutboxRelay:
    """Publishes the events of one service's outbox."""

    def __init__(
        self, database: Database, bus: Bus, *, notifications: Notifications, telemetry: Telemetry, clock: Clock
    ) -> None:
        """Relay from a database to a bus; `run` does the work."""
        self._database = database
        self._bus = bus
        self._clock = clock
        self._woken = notifications.event(CHANNEL)
        self._oldest_s = 0.0
        telemetry.meter.create_observable_gauge(
            "zhibu.outbox.age", unit="s", description="Age of the oldest unpublished event.", callbacks=[self._age]
        )
        self._published = telemetry.meter.create_counter(
            "zhibu.outbox.published", description="Events published and acknowledged."
        )

    async def run(self) -> None:
        """Relay for ever."""
        retry_s = RETRY_MIN_S
        while True:
            try:
                self._woken.clear()
                complete = await self.relay_once()
            except (nats.errors.Error, ServiceError, OSError, TimeoutError) as error:
                log.warning("Events wait in the outbox", extra={"fields": {"error": type(error).__name__}})
                complete = False
            if complete:
                retry_s = RETRY_MIN_S
                await self._wait(POLL_S)
            else:
                await asyncio.sleep(retry_s)
                retry_s = min(retry_s * 2, RETRY_MAX_S)

    async def relay_once(self) -> bool:
        """Publish what waits now; return False when something could not be published and must be tried again."""
        complete = True
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            oldest = await transaction.scalar(
                select(func.min(tables.outbox.c.occurred_at)).where(tables.outbox.c.published_at.is_(None))
            )
            waiting = await transaction.all(
                select(tables.outbox.c.shard).where(tables.outbox.c.published_at.is_(None)).distinct()
            )
        self._oldest_s = (self._clock.now() - oldest).total_seconds() if oldest else 0.0
        for row in waiting:
            complete &= await self._relay_shard(row.shard)
        return complete

    async def purge(self) -> None:
        """Remove rows that were published long ago."""
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            await transaction.execute(
                delete(tables.outbox).where(tables.outbox.c.published_at < self._clock.now() - KEEP)
            )

    async def _relay_shard(self, shard: int) -> bool:
        assert 0 <= shard < SHARDS
        while True:
            async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
                if not await transaction.scalar(select(func.pg_try_advisory_xact_lock(_LOCK_CLASS, shard))):
                    # Another relay is at it, and takes up what has come since before it lets go.
                    return True
                rows = await transaction.all(
                    select(tables.outbox)
                    .where(tables.outbox.c.shard == shard, tables.outbox.c.published_at.is_(None))
                    .order_by(tables.outbox.c.position)
                    .limit(BATCH)
                )
                published = await self._publish(rows)
                await self._mark(transaction, published)
            if len(published) < len(rows):
                return False
            if len(rows) < BATCH:
                return True

    async def _publish(self, rows: Sequence[Row[Any]]) -> list[int]:
        """Publish keys side by side and the events of a key one after another; return the positions acknowledged."""
        by_key: defaultdict[str, list[Row[Any]]] = defaultdict(list)
        for row in rows:
            by_key[row.key].append(row)
        results = await asyncio.gather(*(self._publish_key(of_key) for of_key in by_key.values()))
        return [position for positions in results for position in positions]

    async def _publish_key(self, rows: Sequence[Row[Any]]) -> list[int]:
        published: list[int] = []
        for row in rows:
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
            except (nats.errors.Error, TimeoutError) as error:
                log.warning(
                    "An event was not acknowledged",
                    extra={"fields": {"event_id": row.event_id, "error": type(error).__name__}},
                )
                break
            published.append(row.position)
        return published

    async def _mark(self, transaction: Transaction, positions: list[int]) -> None:
        if positions:
            await transaction.execute(
                update(tables.outbox)
                .where(tables.outbox.c.position.in_(positions))
                .values(published_at=self._clock.now())
            )
            self._published.add(len(positions))

    async def _wait(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            return

    def _age(self, options: CallbackOptions) -> list[Observation]:
        return [Observation(self._oldest_s)]

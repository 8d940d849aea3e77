"""The data half of a running service: database, bus, relay, consumers, projections, the audit chain and its feed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from nats.aio.client import Client
from opentelemetry.metrics import Observation

from zhibu_kit import audit_chain, audit_feed, dead_letters, lag, tables
from zhibu_kit.access import ContractError
from zhibu_kit.audit_feed import AuditFeed, rows_wanted_consumer
from zhibu_kit.background import Background, Job
from zhibu_kit.bus import Bus, connect
from zhibu_kit.clock import Clock
from zhibu_kit.consumers import PARALLEL_EVENTS, Consumer, ConsumerRunner
from zhibu_kit.db import Database
from zhibu_kit.health import Check
from zhibu_kit.lag import Lag
from zhibu_kit.notifications import AUDIT_FEED_CHANNEL, DEAD_LETTER_CHANNEL, Notifications
from zhibu_kit.outbox import OutboxRelay
from zhibu_kit.projections import GrantProjection, OrganisationProjection
from zhibu_kit.settings import ServiceSettings
from zhibu_kit.telemetry import Telemetry

# A request id gives its stored answer for this long.
KEEP_REQUESTS: Final = timedelta(hours=24)
# JetStream delivers an event again for as long as its streams keep it, which is 14 days.
KEEP_INBOX: Final = timedelta(days=30)
# Published rows are kept as long as JetStream keeps events, so that `reconcile` can publish them again.
KEEP_PUBLISHED: Final = timedelta(days=14)
CLEAN_UP_S: Final = 3600.0


class PostgresBacking:
    """Database, events and projections of one service."""

    def __init__(
        self, *, database: Database, bus: Bus, notifications: Notifications, telemetry: Telemetry, clock: Clock
    ) -> None:
        """Put the parts together; `start` sets them going."""
        self.database = database
        self.bus = bus
        self.notifications = notifications
        self.organisations = OrganisationProjection(database)
        self.grants = GrantProjection(database, clock=clock)
        self.refusals = database
        self.nats: Client | None = bus.client
        self.checks: Mapping[str, Check] = {"database": database.is_ready, "nats": bus.is_ready}
        self._telemetry = telemetry
        self._clock = clock
        self._dead_letters = 0
        self._unnumbered_age_s = 0.0
        telemetry.observe(dead_letters.WAITING, lambda: [Observation(self._dead_letters)])
        telemetry.observe(audit_chain.UNNUMBERED_AGE, lambda: [Observation(self._unnumbered_age_s)])
        self._lag = Lag(bus, telemetry)
        database.observe(telemetry)
        self.relay = OutboxRelay(database, bus, notifications=notifications, telemetry=telemetry, clock=clock)
        self._feed = AuditFeed(database, bus, telemetry=telemetry, clock=clock)

    def start(self, background: Background, consumers: Sequence[Consumer]) -> None:
        """Start relay, consumers, projections and the kit's own jobs as background tasks."""
        runners = self._runners(consumers)
        background.start("notifications", self.notifications.run())
        background.start("outbox relay", self.relay.run())
        for runner in runners.values():
            background.start(f"consumer {runner.consumer.name}", runner.run())

        async def number() -> None:
            if await audit_chain.number_audit_rows(self.database):
                self.notifications.wake(AUDIT_FEED_CHANNEL)

        async def look_at_audit() -> None:
            self._unnumbered_age_s = await audit_chain.unnumbered_age_s(self.database, now=self._clock.now())
            await self._feed.measure()

        async def look_at_consumers() -> None:
            await self._lag.measure(runners.values())

        async def replay() -> None:
            await dead_letters.replay_requested(self.database, runners, clock=self._clock)
            self._dead_letters = await dead_letters.count_dead_letters(self.database)

        async def clean() -> None:
            await clean_up(self.database, now=self._clock.now())

        replay_woken = self.notifications.event(DEAD_LETTER_CHANNEL)
        feed_woken = self.notifications.event(AUDIT_FEED_CHANNEL)

        async def feed() -> None:
            if not await self._feed.feed():
                feed_woken.set()

        background.start_job(Job(name="audit chain", run=number, every_s=audit_chain.EVERY_S))
        background.start_job(Job(name="audit feed", run=feed, every_s=audit_feed.EVERY_S, woken=feed_woken))
        background.start_job(Job(name="unnumbered audit rows", run=look_at_audit, every_s=audit_chain.LOOK_S))
        background.start_job(Job(name="consumer lag", run=look_at_consumers, every_s=lag.EVERY_S))
        background.start_job(Job(name="dead letters", run=replay, every_s=dead_letters.POLL_S, woken=replay_woken))
        background.start_job(Job(name="clean up", run=clean, every_s=CLEAN_UP_S))

    def _runners(self, consumers: Sequence[Consumer]) -> dict[str, ConsumerRunner]:
        events = [consumer.event.DESCRIPTOR.full_name for consumer in consumers]
        twice = sorted({name for name in events if events.count(name) > 1})
        if twice:
            # A durable consumer is named after its event, by which NATS permissions are exact.
            raise ContractError(f"more than one consumer of {', '.join(twice)}")
        # The kit itself follows grants and the tree, and hears when the log wants rows; a service that does too comes after
        # it, in the same transaction. Access hangs on the first two, so they do not queue with the others.
        own = {consumer.event.DESCRIPTOR.full_name: consumer for consumer in consumers}
        projections: list[Consumer] = []
        wanted = rows_wanted_consumer(self.database.service)
        for projection in (self.organisations.consumer(), self.grants.consumer(), wanted):
            more = own.pop(projection.event.DESCRIPTOR.full_name, None)
            projections.append(projection.then(more.handle) if more else projection)
        gate = asyncio.Semaphore(PARALLEL_EVENTS)
        gated = [(projection, None) for projection in projections] + [(consumer, gate) for consumer in own.values()]
        return {
            consumer.name: ConsumerRunner(
                consumer, database=self.database, bus=self.bus, telemetry=self._telemetry, clock=self._clock, gate=gate
            )
            for consumer, gate in gated
        }

    async def close(self) -> None:
        """Close connections; called after everything that uses them has stopped."""
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self.bus.close()
        await self.database.close()


async def clean_up(database: Database, *, now: datetime) -> None:
    """Remove what has been kept for long enough; several processes may do so at once."""
    await database.purge(tables.request, tables.request.c.created_at < now - KEEP_REQUESTS)
    await database.purge(tables.inbox, tables.inbox.c.received_at < now - KEEP_INBOX)
    await database.purge(tables.outbox, tables.outbox.c.published_at < now - KEEP_PUBLISHED)


async def open_postgres_backing(
    name: str, settings: ServiceSettings, telemetry: Telemetry, clock: Clock
) -> PostgresBacking:
    """Connect to PostgreSQL and NATS as the settings say."""
    bus = await connect(settings.nats_url, user=settings.nats_user, password=settings.nats_password, name=name)
    notifications = Notifications(settings.database_url)
    return PostgresBacking(
        database=Database(settings.database_url, service=name, clock=clock, notifications=notifications),
        bus=bus,
        notifications=notifications,
        telemetry=telemetry,
        clock=clock,
    )

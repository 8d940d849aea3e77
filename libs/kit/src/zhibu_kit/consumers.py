"""Consumers: each event changes a service once, in order for each key, or ends as a dead letter.

JetStream delivers at least once and, with several processes, out of order. The inbox row stands in the handler's own
transaction, so a second delivery changes nothing; an event older than what the consumer has seen of its key is left out.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import nats.errors
from google.protobuf.message import DecodeError, Message
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from opentelemetry.trace import SpanKind
from sqlalchemy.dialects.postgresql import insert

from zhibu_kit import tables
from zhibu_kit.bus import Bus
from zhibu_kit.clock import Clock
from zhibu_kit.consumer import HANDLED, Consumer
from zhibu_kit.db import Database
from zhibu_kit.effects import Effects
from zhibu_kit.errors import ServiceError
from zhibu_kit.events import EventContext, durable_of, event_type_of, stream_of
from zhibu_kit.ids import new_ulid
from zhibu_kit.redelivery import is_away, signs_of_life
from zhibu_kit.scope import Scope
from zhibu_kit.telemetry import Telemetry

__all__ = ["Consumer", "ConsumerRunner"]

log = logging.getLogger("zhibu.consumers")

BATCH: Final = 32
BATCH_TOGETHER: Final = 200
# Keys worked on side by side; each takes a connection to the database.
PARALLEL_KEYS: Final = 4
# What all consumers of a process do at the same time. Fewer than the database has connections: the calls need some too,
# however many events wait.
PARALLEL_EVENTS: Final = 6
FETCH_TIMEOUT_S: Final = 5.0
# JetStream that does not say within this whether a consumer exists is busy; the consumer is not lost for that.
ASK_TIMEOUT_S: Final = 5.0
# Without a sign of life for this long, JetStream delivers again; the messages of a batch give signs until they are done.
ACK_WAIT_S: Final = 30.0
PROGRESS_S: Final = 10.0
HANDLER_TIMEOUT_S: Final = 120.0
# After so many failures an event waits so long; after one more it is set aside as a dead letter.
BACK_OFF_S: Final = (0.1, 0.5, 2.0, 5.0, 10.0)
# While what a handler needs is away (its database, a peer), the event is tried again this often, without end.
AWAY_S: Final = 5.0
RETRY_S: Final = 1.0


class _Taken(NamedTuple):
    message: Msg
    event: Message
    context: EventContext


class ConsumerRunner:
    """Runs one consumer of one service."""

    def __init__(
        self,
        consumer: Consumer,
        *,
        database: Database,
        bus: Bus,
        telemetry: Telemetry,
        clock: Clock,
        gate: asyncio.Semaphore | None = None,
        fetch_timeout_s: float = FETCH_TIMEOUT_S,
        ask_timeout_s: float = ASK_TIMEOUT_S,
        ack_wait_s: float = ACK_WAIT_S,
        progress_s: float = PROGRESS_S,
        away_s: float = AWAY_S,
        back_off_s: Sequence[float] = BACK_OFF_S,
    ) -> None:
        """Prepare; `run` does the work. `gate` is shared by the consumers of a process and bounds what they do at once."""
        self._gate = gate or asyncio.Semaphore(PARALLEL_KEYS)
        self._fetch_timeout_s = fetch_timeout_s
        self._ask_timeout_s = ask_timeout_s
        self._ack_wait_s = ack_wait_s
        self._progress_s = progress_s
        self._away_s = away_s
        self._back_off_s = back_off_s
        self.consumer = consumer
        self._database = database
        self.effects = Effects(consumer, database=database, telemetry=telemetry, clock=clock)
        self._bus = bus
        self._telemetry = telemetry
        self._clock = clock
        self._subject = event_type_of(consumer.event.DESCRIPTOR).subject
        self.stream = stream_of(self._subject)
        self.durable = durable_of(database.service, self._subject)
        self._handled = telemetry.counter(HANDLED)

    async def run(self) -> None:
        """Consume for ever; a lost stream or consumer is taken up again when it is there."""
        while True:
            try:
                await self._consume()
            except (nats.errors.Error, ServiceError, OSError) as error:
                fields = {"consumer": self.consumer.name, "error": type(error).__name__}
                log.warning("A consumer was interrupted", extra={"fields": fields})
            await asyncio.sleep(RETRY_S)

    async def _consume(self) -> None:
        subscription = await self._subscribe()
        try:
            while True:
                await self._take_batch(subscription)
        finally:
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def _subscribe(self) -> JetStreamContext.PullSubscription:
        config = ConsumerConfig(
            name=self.durable,
            durable_name=self.durable,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self._ack_wait_s,
            filter_subject=self._subject,
            max_ack_pending=BATCH * 8,
        )
        await self._bus.jetstream.add_consumer(self.stream, config)
        return await self._bus.jetstream.pull_subscribe_bind(self.durable, self.stream)

    async def _take_batch(self, subscription: JetStreamContext.PullSubscription) -> None:
        try:
            count = BATCH_TOGETHER if self.consumer.takes_many else BATCH
            messages = await subscription.fetch(count, timeout=self._fetch_timeout_s)
        except TimeoutError:
            # Nothing came. nats-py says so with its own TimeoutError, and with Python's, from which its own is derived, when the
            # server's answer to a pull comes at the very end of the wait: one wait in twenty.
            await self._check_that_it_is_there()
            return
        unsettled = {id(message): message for message in messages}
        progress = asyncio.create_task(signs_of_life(unsettled, every_s=self._progress_s))
        try:
            if self.consumer.takes_many:
                await self._take_together(unsettled)
            results = await self._take_each(unsettled)
        finally:
            progress.cancel()
            await asyncio.gather(progress, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                # JetStream delivers again what was not settled.
                raise result

    async def _take_each(self, unsettled: dict[int, Msg]) -> list[BaseException | None]:
        """Take messages one by one, those of a key in their order."""
        by_key: defaultdict[str, deque[Msg]] = defaultdict(deque)
        for message in unsettled.values():
            by_key[(message.headers or {}).get("zhibu-key", "")].append(message)
        keys = iter(by_key.values())

        async def work() -> None:
            for of_key in keys:
                for message in of_key:
                    self._handled.add(1, {"consumer": self.consumer.name, "outcome": await self._take(message)})
                    del unsettled[id(message)]

        return await asyncio.gather(*(work() for _ in range(PARALLEL_KEYS)), return_exceptions=True)

    async def _take_together(self, unsettled: dict[int, Msg]) -> None:
        """Take the first message of each key together, a county at a time, then the second of each, and so on.

        Where that does not work, the messages of the keys are left, so that each is taken by itself.
        """
        by_key: defaultdict[str, deque[_Taken]] = defaultdict(deque)
        left: set[str] = set()
        for message in unsettled.values():
            try:
                context = self._context_of(message)
                event = self.consumer.event.FromString(message.data)
            except (ValueError, DecodeError):
                # What follows under its key waits for it.
                left.add((message.headers or {}).get("zhibu-key", ""))
                continue
            if context.key not in left:
                by_key[context.key].append(_Taken(message, event, context))
        while by_key:
            of_county: defaultdict[str, list[_Taken]] = defaultdict(list)
            for of_key in by_key.values():
                first = of_key.popleft()
                of_county[first.context.county_code].append(first)
            for county_code, taken in of_county.items():
                if len(taken) == 1 or not await self._took(county_code, taken, unsettled):
                    left |= {one.context.key for one in taken}
            by_key = defaultdict(deque, {key: of_key for key, of_key in by_key.items() if of_key and key not in left})

    async def _took(self, county_code: str, taken: Sequence[_Taken], unsettled: dict[int, Msg]) -> bool:
        """Take messages of different keys in one transaction; False when one of them could not be handled."""
        try:
            with self._telemetry.operation(f"consume {self.consumer.name}", kind=SpanKind.CONSUMER):
                async with self._gate, asyncio.timeout(HANDLER_TIMEOUT_S):
                    outcomes = await self.effects.apply_many(county_code, [(one.event, one.context) for one in taken])
        except Exception as error:  # noqa: BLE001 - taken by itself, each ends in a retry or a dead letter of its own
            fields = {"consumer": self.consumer.name, "error": type(error).__name__}
            log.warning("Events are taken one by one", extra={"fields": fields})
            return False
        for one in taken:
            await one.message.ack()
            self._handled.add(1, {"consumer": self.consumer.name, "outcome": outcomes[one.context.event_id]})
            del unsettled[id(one.message)]
        return True

    async def _check_that_it_is_there(self) -> None:
        """Ask for our consumer, because a wiped stream is as silent as one without events.

        Raises:
            nats.errors.Error: when it is gone, or NATS says that it cannot know; the consumer must be taken up again.
        """
        try:
            await self._bus.jetstream.consumer_info(self.stream, self.durable, timeout=self._ask_timeout_s)
        except TimeoutError:
            # No answer is no news. Giving the subscription up would lose what was sent to it for the whole ack_wait.
            log.debug("JetStream is slow to answer", extra={"fields": {"consumer": self.consumer.name}})

    async def _take(self, message: Msg) -> str:
        try:
            context = self._context_of(message)
            event = self.consumer.event.FromString(message.data)
        except (ValueError, DecodeError) as error:
            await self._set_aside(message, reason=type(error).__name__)
            return "dead"
        try:
            with self._telemetry.operation(
                f"consume {self.consumer.name}", kind=SpanKind.CONSUMER, header=context.traceparent or None
            ):
                async with self._gate, asyncio.timeout(HANDLER_TIMEOUT_S):
                    outcome = await self.effects.apply(event, context)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises must end in a retry or a dead letter
            return await self._failed(message, error)
        await message.ack()
        return outcome

    def _context_of(self, message: Msg) -> EventContext:
        """Read the headers.

        Raises:
            ValueError: when they are not ours, or tell of another event than the one consumed.
        """
        headers = message.headers or {}
        if headers.get("ce-type") != self.consumer.event.DESCRIPTOR.full_name:
            raise ValueError("the header ce-type names another event")
        return EventContext.of(message.subject, headers)

    async def _failed(self, message: Msg, error: Exception) -> str:
        deliveries = message.metadata.num_delivered or 1
        if is_away(error):
            log.warning("An event waits for what its handler needs", extra={"fields": {"consumer": self.consumer.name}})
            await message.nak(delay=self._away_s)
            return "away"
        log.error(
            "An event could not be handled",
            exc_info=error,
            extra={"fields": {"consumer": self.consumer.name, "deliveries": deliveries}},
        )
        if deliveries > len(self._back_off_s):
            await self._set_aside(message, reason=type(error).__name__)
            return "dead"
        await message.nak(delay=self._back_off_s[deliveries - 1])
        return "failed"

    async def _set_aside(self, message: Msg, *, reason: str) -> None:
        """Keep the event as a dead letter, tell the operators, and let the others go on."""
        headers = dict(message.headers or {})
        dead_letter_id = new_ulid()
        row = {
            "dead_letter_id": dead_letter_id,
            "consumer": self.consumer.name,
            "event_id": headers.get("ce-id", ""),
            "subject": message.subject,
            "headers": headers,
            "payload": message.data,
            "reason": reason,
            "failed_at": self._clock.now(),
        }
        async with self._database.transaction(Scope.none()) as transaction:
            await transaction.execute(insert(tables.dead_letter).values(row).on_conflict_do_nothing())
        service = self._database.service
        with suppress(nats.errors.Error):
            # The row is the truth; this message wakes whoever watches.
            notice = {"Nats-Msg-Id": dead_letter_id, "zhibu-consumer": self.consumer.name, "zhibu-reason": reason}
            await self._bus.publish(f"zhibu.dead.{service}", dead_letter_id.encode(), notice)
        await message.term()

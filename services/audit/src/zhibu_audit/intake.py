"""Takes the messages of one lane in: several in one transaction, acknowledged after it, those that came too early held back."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import nats.errors
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from zhibu_kit.bus import Bus
from zhibu_kit.errors import ServiceError
from zhibu_kit.events import durable_of, stream_of
from zhibu_kit.redelivery import signs_of_life
from zhibu_kit.telemetry import Telemetry

from zhibu_audit.arrivals import Arrival, read_rows
from zhibu_audit.figures import ROWS
from zhibu_audit.lanes import subject_of
from zhibu_audit.rules import Verdict
from zhibu_audit.taking import Taken, Taker

log = logging.getLogger("zhibu.audit.intake")

# Messages of one transaction; each has at most half a megabyte.
BATCH: Final = 16
# Messages that came too early and are kept in memory. What comes beyond them is let go: it is asked for again with the rest.
HELD_MESSAGES: Final = 32
FETCH_TIMEOUT_S: Final = 5.0
# While rows are missing the lane is looked at this often, so that what another process took is seen.
WAITING_S: Final = 0.5
ACK_WAIT_S: Final = 30.0
PROGRESS_S: Final = 10.0
ASK_TIMEOUT_S: Final = 5.0
RETRY_S: Final = 1.0

_SETTLED: Final = frozenset({Verdict.NEXT, Verdict.KNOWN, Verdict.LOST})


class LaneIntake:
    """Takes one lane in, for ever."""

    def __init__(self, lane: str, taker: Taker, *, bus: Bus, telemetry: Telemetry) -> None:
        """Prepare; `run` does the work."""
        self._lane = lane
        self._taker = taker
        self._bus = bus
        self._telemetry = telemetry
        self._rows = telemetry.counter(ROWS)
        self._subject = subject_of(lane)
        self._stream, self._durable = stream_of(self._subject), durable_of("audit", self._subject)
        self._held: dict[int, tuple[Msg, list[Arrival]]] = {}
        self._messages: dict[int, Msg] = {}
        # What came while this process was away is asked for once, because nothing new may come for long.
        self._ask = True

    async def run(self) -> None:
        """Take rows for ever; a lost stream or database is taken up again when it is there."""
        while True:
            try:
                await self._consume()
            except (nats.errors.Error, ServiceError, OSError) as error:
                fields = {"lane": self._lane, "error": type(error).__name__}
                log.warning("A lane was interrupted", extra={"fields": fields})
            await asyncio.sleep(RETRY_S)

    async def _consume(self) -> None:
        subscription = await self._subscribe()
        self._forget()
        signs = asyncio.create_task(signs_of_life(self._messages, every_s=PROGRESS_S))
        try:
            waits = False
            while True:
                await self._fetch(subscription, timeout_s=WAITING_S if waits or self._held else FETCH_TIMEOUT_S)
                waits = await self._take()
        finally:
            signs.cancel()
            await asyncio.gather(signs, return_exceptions=True)
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def _subscribe(self) -> JetStreamContext.PullSubscription:
        config = ConsumerConfig(
            name=self._durable,
            durable_name=self._durable,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_S,
            filter_subject=self._subject,
            max_ack_pending=4 * (HELD_MESSAGES + BATCH),
        )
        await self._bus.jetstream.add_consumer(self._stream, config)
        return await self._bus.jetstream.pull_subscribe_bind(self._durable, self._stream)

    async def _fetch(self, subscription: JetStreamContext.PullSubscription, *, timeout_s: float) -> None:
        if self._ask:
            timeout_s = WAITING_S
        try:
            messages = await subscription.fetch(BATCH, timeout=timeout_s)
        except TimeoutError:
            await self._check_that_it_is_there()
            return
        for message in messages:
            try:
                arrivals = read_rows(self._lane, message.data)
            except DecodeError:
                # Nobody but the service itself may publish here, so this is a fault that repeating does not mend.
                log.error("A message of a lane cannot be read", extra={"fields": {"lane": self._lane}})  # noqa: TRY400
                await message.term()
                continue
            self._held[id(message)] = (message, arrivals)
            self._messages[id(message)] = message

    async def _take(self) -> bool:
        """Take what is held; return whether rows are missing."""
        held = list(self._held.values())
        arrivals = [arrival for _, of_message in held for arrival in of_message]
        with self._telemetry.operation(f"take rows of {self._lane}"):
            taken = await self._taker.take(self._lane, arrivals, ask=self._ask)
        if taken.verdicts is None:
            await self._let_go(held[HELD_MESSAGES:], delay_s=ACK_WAIT_S)
            return True
        self._ask = False
        self._count(taken)
        at = 0
        left: list[tuple[Msg, list[Arrival]]] = []
        for message, of_message in held:
            verdicts = set(taken.verdicts[at : at + len(of_message)])
            at += len(of_message)
            if verdicts <= _SETTLED or Verdict.CONFLICT in verdicts:
                await self._acknowledge(message)
            else:
                left.append((message, of_message))
        # The earliest are kept: they are what goes on first.
        left.sort(key=lambda one: one[1][0].row.sequence)
        for message, _ in left[HELD_MESSAGES:]:
            await self._acknowledge(message)
        return taken.waits

    async def _acknowledge(self, message: Msg) -> None:
        del self._held[id(message)], self._messages[id(message)]
        await message.ack()

    async def _let_go(self, held: Sequence[tuple[Msg, list[Arrival]]], *, delay_s: float) -> None:
        """Give messages back, to be delivered again later."""
        for message, _ in held:
            del self._held[id(message)], self._messages[id(message)]
            await message.nak(delay=delay_s)

    def _forget(self) -> None:
        """Forget what was held under an earlier subscription: it is delivered again."""
        self._held.clear()
        self._messages.clear()

    def _count(self, taken: Taken) -> None:
        for verdict in Verdict:
            count = sum(1 for one in taken.verdicts or () if one is verdict)
            if count and verdict is not Verdict.AHEAD:
                self._rows.add(count, {"lane": self._lane, "outcome": verdict})

    async def _check_that_it_is_there(self) -> None:
        """Ask for our consumer, because a wiped stream is as silent as one without rows.

        Raises:
            nats.errors.Error: when it is gone.
        """
        with suppress(TimeoutError):
            await self._bus.jetstream.consumer_info(self._stream, self._durable, timeout=ASK_TIMEOUT_S)

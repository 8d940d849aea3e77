"""What an event does to a service, once: its inbox rows and what the handler writes are one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from google.protobuf.message import Message
from opentelemetry.trace import SpanKind

from zhibu_kit.clock import Clock
from zhibu_kit.consumer import Consumer
from zhibu_kit.db import Database
from zhibu_kit.events import EventContext
from zhibu_kit.inbox import enter_inbox
from zhibu_kit.scope import Scope
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.transaction import Transaction


class Effects:
    """The effects of one consumer's events."""

    def __init__(self, consumer: Consumer, *, database: Database, telemetry: Telemetry, clock: Clock) -> None:
        """Write them into this database."""
        self._consumer = consumer
        self._database = database
        self._telemetry = telemetry
        self._clock = clock

    async def apply(self, event: Message, context: EventContext) -> str:
        """Handle one event once; return "done", "duplicate" or "stale"."""
        async with self._database.transaction(Scope.of_county(context.county_code)) as transaction:
            outcomes = await enter_inbox(transaction, self._consumer.name, [context], now=self._clock.now())
            outcome = outcomes[context.event_id]
            if outcome == "done":
                await self._consumer.handle(transaction, event, context)
            return outcome

    async def apply_many(self, county_code: str, events: Sequence[tuple[Message, EventContext]]) -> Mapping[str, str]:
        """Handle events of different keys of one county, all of them or none; return each one's outcome by its id."""
        async with self._database.transaction(Scope.of_county(county_code)) as transaction:
            outcomes = await enter_inbox(
                transaction, self._consumer.name, [context for _, context in events], now=self._clock.now()
            )
            fresh = [(event, context) for event, context in events if outcomes[context.event_id] == "done"]
            if fresh and self._consumer.handle_many is not None:
                await self._consumer.handle_many(transaction, [event for event, _ in fresh])
            elif fresh:
                await self._handle_in_turn(transaction, fresh)
            return outcomes

    async def _handle_in_turn(self, transaction: Transaction, events: Sequence[tuple[Message, EventContext]]) -> None:
        """Handle events one after another, each within its own trace."""
        for event, context in events:
            with self._telemetry.operation(
                f"consume {self._consumer.name}", kind=SpanKind.CONSUMER, header=context.traceparent or None
            ):
                await self._consumer.handle(transaction, event, context)

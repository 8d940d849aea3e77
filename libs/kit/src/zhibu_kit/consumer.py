"""What a service does when an event arrives."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from zhibu_kit.events import EventContext
from zhibu_kit.metrics import counter
from zhibu_kit.transaction import Transaction

Handle = Callable[[Transaction, Any, EventContext], Awaitable[None]]
HandleMany = Callable[[Transaction, Sequence[Any]], Awaitable[None]]

HANDLED: Final = counter(
    "zhibu.consumer.handled",
    "Events that a consumer has taken.",
    labels={
        "consumer": "name of the consumer",
        "outcome": "`done`, `duplicate`, `stale`, `failed` (tried again), `away` (waits for something), `dead`",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """What a service does when an event arrives. `handle` runs in the transaction of the inbox row.

    `handle_many` does the same with events of different keys of one county, whose inbox rows are in its transaction; what
    it emits belongs to the trace of the whole, not to that of one event. `together` says that events of different keys of a
    county may be handled one after another in one transaction, which saves most of what an event costs: for handlers that
    only write a few rows of the event's own key. When one of them fails, each is taken by itself.
    """

    name: str
    event: type[Message]
    handle: Handle
    handle_many: HandleMany | None = None
    together: bool = False

    @property
    def takes_many(self) -> bool:
        """Whether several events may be handled in one transaction."""
        return self.together or self.handle_many is not None

    def then(self, handle: Handle) -> Consumer:
        """Return a consumer that does more with the same event, in the same transaction: both are done, or neither."""
        first = self.handle

        async def both(transaction: Transaction, event: Message, context: EventContext) -> None:
            await first(transaction, event, context)
            await handle(transaction, event, context)

        return Consumer(name=self.name, event=self.event, handle=both)

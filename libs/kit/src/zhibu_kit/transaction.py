"""One transaction: statements, and the events that leave with its commit."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import asyncpg
from google.protobuf.message import Message
from sqlalchemy import CursorResult, Executable, Row
from sqlalchemy.ext.asyncio import AsyncConnection

from zhibu_kit.clock import Clock
from zhibu_kit.context import current_context
from zhibu_kit.events import event_type_of, key_of, shard_of, version_of
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope

# Below what JetStream takes, so that an event which was committed can always be published.
MAX_EVENT_BYTES: Final = 256 * 1024


_EVENT_COLUMNS: Final = {
    "event_id": "text",
    "shard": "smallint",
    "key": "text",
    "version": "bigint",
    "subject": "text",
    "event_type": "text",
    "county_code": "text",
    "payload": "bytea",
    "traceparent": "text",
    "occurred_at": "timestamptz",
}
# The kit's own statements of every call go to asyncpg as they are: Core would cost more than the database.
INSERT_EVENTS: Final = (
    f"insert into kit_outbox ({', '.join(_EVENT_COLUMNS)}) select * from unnest("  # noqa: S608 - constants
    + ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(_EVENT_COLUMNS.values(), 1))
    + ")"
)

_WIDEN: Final = """
select set_config('zhibu.counties', concat_ws(',', nullif(current_setting('zhibu.counties', true), ''), nullif($1, '')), true)"""


_WIDEN_TO: Final = """
select set_config('zhibu.counties', concat_ws(',', nullif(current_setting('zhibu.counties', true), ''),
  nullif(array_to_string({}, ','), '')), true)"""


class Role(StrEnum):
    """As whom a transaction runs; everything but APP is put on knowingly."""

    APP = "app"
    RELAY = "relay"
    PROVINCE = "province"


class Transaction:
    """One transaction: statements, and the events that leave with its commit."""

    def __init__(self, connection: AsyncConnection, *, clock: Clock) -> None:
        """Wrap a connection in which the transaction has begun."""
        self.connection = connection
        self._clock = clock
        self._events: list[dict[str, Any]] = []
        self._raw: asyncpg.Connection | None = None
        self.has_emitted = False

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run a statement; a list of parameter sets runs it once for each."""
        result = await self.connection.execute(statement, parameters)
        assert isinstance(result, CursorResult)
        return result

    async def one(self, statement: Executable) -> Row[Any]:
        """Return the only row; anything else is a fault of ours."""
        return (await self.connection.execute(statement)).one()

    async def one_or_none(self, statement: Executable) -> Row[Any] | None:
        """Return the only row, or None."""
        return (await self.connection.execute(statement)).one_or_none()

    async def all(self, statement: Executable) -> Sequence[Row[Any]]:
        """Return all rows; the statement bounds them."""
        return (await self.connection.execute(statement)).all()

    async def scalar(self, statement: Executable) -> Any:
        """Return the first column of the first row, or None."""
        return (await self.connection.execute(statement)).scalar()

    async def widen(self, scope: Scope) -> None:
        """Show the counties of another scope too, until the transaction ends.

        For what one county's work does to another's rows: the handler that calls this says whose they are.
        """
        await (await self.raw()).execute(_WIDEN, scope.setting())

    async def widen_to(self, counties: str, *values: Any) -> None:
        """Show the counties, too, that an expression gives (an array of text, or null), as `widen` does, in one round trip.

        The expression is a constant of the caller's; its parameters are $1 and following.
        """
        await (await self.raw()).execute(_WIDEN_TO.format(counties), *values)

    async def raw(self) -> asyncpg.Connection:
        """Return the asyncpg connection of this transaction, for measured hot paths."""
        if self._raw is None:
            connection = await self.connection.get_raw_connection()
            driver = connection.driver_connection
            assert isinstance(driver, asyncpg.Connection)
            self._raw = driver
        return self._raw

    def emit(self, event: Message, *, county_code: str) -> None:
        """Let an event leave with the commit. Lock the aggregate's row first: that is what orders events of one key.

        Raises:
            TypeError: when the message is no event.
            ValueError: when it names no aggregate, or is too large to be published.
        """
        event_type = event_type_of(event.DESCRIPTOR)
        key, payload = key_of(event), event.SerializeToString(deterministic=True)
        if not key or len(payload) > MAX_EVENT_BYTES:
            raise ValueError(f"{event_type.name} cannot be published: key {key!r}, {len(payload)} bytes")
        context = current_context()
        self._events.append(
            {
                "event_id": new_ulid(),
                "shard": shard_of(key),
                "key": key,
                "version": version_of(event),
                "subject": event_type.subject,
                "event_type": event_type.name,
                "county_code": county_code,
                "payload": payload,
                "traceparent": context.traceparent if context else "",
                "occurred_at": self._clock.now(),
            }
        )

    async def flush(self) -> None:
        """Write the events collected so far; the end of the transaction does this by itself."""
        if self._events:
            await (await self.raw()).execute(INSERT_EVENTS, *self._take_events())

    def _take_events(self) -> list[list[Any]]:
        """Return what INSERT_EVENTS wants for the events collected so far, which are then written by the caller."""
        events, self._events = self._events, []
        self.has_emitted = self.has_emitted or bool(events)
        return [[event[name] for event in events] for name in _EVENT_COLUMNS]

"""The database of one service: transactions under a scope and a role, writes that are idempotent and audited.

SQLAlchemy Core builds and runs every statement; hot paths may take the asyncpg connection below it (`raw`).
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any, Final, Generic, Protocol, TypeVar

import asyncpg
from google.protobuf.message import Message
from sqlalchemy import CursorResult, Executable, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from zhibu_kit import tables
from zhibu_kit.audit import audit_row
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock, SystemClock
from zhibu_kit.context import current_context
from zhibu_kit.errors import REQUEST_ID_REUSED, UNAVAILABLE, ServiceError
from zhibu_kit.events import event_type_of, key_of, shard_of, version_of
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope

# Connections of one process; more would only queue inside PostgreSQL.
POOL_SIZE: Final = 10
POOL_OVERFLOW: Final = 5
# A call that cannot get a connection within this is refused instead of piling up.
POOL_TIMEOUT_S: Final = 5.0
STATEMENT_TIMEOUT_S: Final = 15
LOCK_TIMEOUT_S: Final = 5
IDLE_IN_TRANSACTION_TIMEOUT_S: Final = 60
CONNECT_TIMEOUT_S: Final = 5
# Conditions that pass: serialization failure, deadlock, lock not available, cancelled by time-out, server going down.
_PASSING: Final = frozenset({"40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "53300", "08006", "08003"})
ANONYMOUS: Final = "anonymous"

M = TypeVar("M", bound=Message)
R = TypeVar("R", bound=Message)


class Role(StrEnum):
    """As whom a transaction runs; everything but APP is put on knowingly."""

    APP = "app"
    RELAY = "relay"
    PROVINCE = "province"


class Sealer(Protocol):
    """Encrypts stored answers that may hold personal data; identity brings one, the others store ids only."""

    def seal(self, plain: bytes) -> bytes:
        """Return the encrypted bytes."""
        ...

    def open(self, sealed: bytes) -> bytes:
        """Return the plain bytes."""
        ...


class Transaction:
    """One transaction: statements, and the events that leave with its commit."""

    def __init__(self, connection: AsyncConnection, *, clock: Clock) -> None:
        """Wrap a connection in which the transaction has begun."""
        self.connection = connection
        self._clock = clock
        self._events: list[dict[str, Any]] = []

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

    async def raw(self) -> asyncpg.Connection:
        """Return the asyncpg connection of this transaction, for measured hot paths."""
        connection = await self.connection.get_raw_connection()
        driver = connection.driver_connection
        assert isinstance(driver, asyncpg.Connection)
        return driver

    def emit(self, event: Message, *, county_code: str) -> None:
        """Let an event leave with the commit. Lock the aggregate's row first: that is what orders events of one key."""
        event_type = event_type_of(event.DESCRIPTOR)
        key = key_of(event)
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
                "payload": event.SerializeToString(deterministic=True),
                "traceparent": context.traceparent if context else "",
                "occurred_at": self._clock.now(),
            }
        )

    async def flush(self) -> None:
        """Write the events collected so far; the end of the transaction does this by itself."""
        events, self._events = self._events, []
        if events:
            await self.connection.execute(insert(tables.outbox).inline(), events)


class Read(Transaction):
    """A reading in answer to a call; `reply` leaves an audit row where the contract says so."""

    def __init__(self, connection: AsyncConnection, *, clock: Clock, call: Call, request: Message) -> None:
        """Begin a reading for a call."""
        super().__init__(connection, clock=clock)
        self._call = call
        self._request = request
        self._audit: dict[str, Any] | None = None

    def reply(self, response: M, *, subjects: Sequence[str] = ()) -> M:
        """Return the answer; `subjects` are the identifiers of those whose personal data it shows."""
        audited = self._call.method.audited
        if audited is not None:
            self._audit = audit_row(
                self._call,
                self._request,
                outcome="read" if audited.reading else "done",
                occurred_at=self._clock.now(),
                subjects=subjects,
            )
        return response

    async def flush(self) -> None:
        """Write events and the audit row."""
        await super().flush()
        if self._audit is not None:
            await self.connection.execute(insert(tables.audit).inline(), self._audit)


class Write(Read, Generic[R]):
    """A write in answer to a call: done once for each request id, with its audit row in the same transaction.

    `replayed` holds the stored answer when the same request was answered before; return it and do nothing else.
    """

    def __init__(
        self, connection: AsyncConnection, *, clock: Clock, call: Call, request: Message, sealer: Sealer | None
    ) -> None:
        """Begin a write for a call."""
        super().__init__(connection, clock=clock, call=call, request=request)
        self.replayed: R | None = None
        self._request_id: str = getattr(request, "request_id", "")
        self._sealer = sealer
        self._response: Message | None = None

    def reply(self, response: M, *, subjects: Sequence[str] = ()) -> M:
        """Return the answer, to be stored for the request id with the commit."""
        self._response = response
        return super().reply(response, subjects=subjects)

    async def flush(self) -> None:
        """Write events, the audit row and the answer."""
        if self.replayed is not None:
            return
        await super().flush()
        if self._request_id and self._response is not None:
            plain = self._response.SerializeToString(deterministic=True)
            await self.connection.execute(
                update(tables.request)
                .where(*self._request_row())
                .values(response=self._sealer.seal(plain) if self._sealer else plain)
            )

    async def claim_request(self, response_type: type[R]) -> None:
        """Take the request id, or find the answer that it already has; a second caller waits here for the first.

        Raises:
            ServiceError: REQUEST_ID_REUSED when the id came with another body before.
        """
        if not self._request_id:
            return
        body_hash = hashlib.sha256(self._request.SerializeToString(deterministic=True)).digest()
        claimed = await self.connection.execute(
            insert(tables.request)
            .values(
                caller=self._caller(),
                method=self._call.method.name,
                request_id=self._request_id,
                body_hash=body_hash,
                created_at=self._clock.now(),
            )
            .on_conflict_do_nothing()
        )
        if claimed.rowcount:
            return
        row = (
            await self.connection.execute(
                select(tables.request.c.body_hash, tables.request.c.response).where(*self._request_row())
            )
        ).one_or_none()
        if row is None:
            # The first one was rolled back between the two statements; the caller tries again.
            raise UNAVAILABLE()
        if bytes(row.body_hash) != body_hash:
            raise REQUEST_ID_REUSED()
        stored = bytes(row.response or b"")
        self.replayed = response_type.FromString(self._sealer.open(stored) if self._sealer else stored)

    def _caller(self) -> str:
        return self._call.principal.account_id if self._call.principal else ANONYMOUS

    def _request_row(self) -> tuple[Any, ...]:
        columns = tables.request.c
        return (
            columns.caller == self._caller(),
            columns.method == self._call.method.name,
            columns.request_id == self._request_id,
        )


class Database:
    """The connections of one service to its database."""

    def __init__(
        self,
        url: str,
        *,
        service: str,
        clock: Clock | None = None,
        sealer: Sealer | None = None,
        pool_size: int = POOL_SIZE,
    ) -> None:
        """Connect lazily, as the role `<service>_app`."""
        self.service = service
        self.url = url
        self.sealer = sealer
        self._clock = clock or SystemClock()
        self._engine: AsyncEngine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=pool_size,
            max_overflow=POOL_OVERFLOW,
            pool_timeout=POOL_TIMEOUT_S,
            connect_args={
                "timeout": CONNECT_TIMEOUT_S,
                "server_settings": {
                    "application_name": f"zhibu-{service}",
                    "statement_timeout": f"{STATEMENT_TIMEOUT_S}s",
                    "lock_timeout": f"{LOCK_TIMEOUT_S}s",
                    "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_TIMEOUT_S}s",
                    "timezone": "UTC",
                },
            },
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def is_ready(self) -> bool:
        """Return whether the database answers now."""
        try:
            async with self._begin() as connection:
                await connection.execute(select(1))
        except ServiceError:
            return False
        return True

    @asynccontextmanager
    async def transaction(self, scope: Scope, *, role: Role = Role.APP) -> AsyncGenerator[Transaction]:
        """Open a transaction that sees the counties of the scope; it commits at the end, or rolls back on an error.

        Raises:
            ServiceError: UNAVAILABLE when the database cannot serve it now.
        """
        async with self._begin() as connection:
            await self._enter(connection, scope, role)
            transaction = Transaction(connection, clock=self._clock)
            yield transaction
            await transaction.flush()

    @asynccontextmanager
    async def read(self, call: Call, request: Message, *, role: Role = Role.APP) -> AsyncGenerator[Read]:
        """Open a reading for a call, under the call's scope."""
        async with self._begin() as connection:
            await self._enter(connection, call.scope, role)
            reading = Read(connection, clock=self._clock, call=call, request=request)
            yield reading
            await reading.flush()

    @asynccontextmanager
    async def write(
        self, call: Call, request: Message, response_type: type[R], *, role: Role = Role.APP
    ) -> AsyncGenerator[Write[R]]:
        """Open a write for a call, under the call's scope, once for each request id."""
        async with self._begin() as connection:
            await self._enter(connection, call.scope, role)
            write: Write[R] = Write(connection, clock=self._clock, call=call, request=request, sealer=self.sealer)
            await write.claim_request(response_type)
            yield write
            await write.flush()

    async def audit_refusal(self, call: Call, request: Message | None, reason: str) -> None:
        """Commit the audit row of a refused attempt, in a transaction of its own."""
        async with self._begin() as connection:
            row = audit_row(call, request, outcome="refused", occurred_at=self._clock.now(), reason=reason)
            await connection.execute(insert(tables.audit).inline(), row)

    async def _enter(self, connection: AsyncConnection, scope: Scope, role: Role) -> None:
        """Put on scope and role, for this transaction only, in one round trip."""
        settings = [func.set_config("zhibu.counties", scope.setting(), True)]
        if role is not Role.APP:
            settings.append(func.set_config("role", f"{self.service}_{role}", True))
        await connection.execute(select(*settings))

    @asynccontextmanager
    async def _begin(self) -> AsyncGenerator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (PoolTimeoutError, OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError) as error:
            raise UNAVAILABLE() from error
        except DBAPIError as error:
            if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
                raise UNAVAILABLE() from error
            if getattr(error.orig, "sqlstate", None) in _PASSING:
                raise UNAVAILABLE() from error
            raise

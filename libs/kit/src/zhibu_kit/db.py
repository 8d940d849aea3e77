"""The database of one service: transactions under a scope and a role, writes that are idempotent and audited.

SQLAlchemy Core builds and runs every statement; hot paths may take the asyncpg connection below it (`raw`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, cast

import asyncpg
from google.protobuf.message import Message
from sqlalchemy import ColumnElement, Executable, Row, Table, delete, func, select, tuple_
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from zhibu_kit.audit import INSERT_AUDIT, audit_row
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock, SystemClock
from zhibu_kit.connections import observe_connections
from zhibu_kit.errors import UNAVAILABLE, ServiceError
from zhibu_kit.notifications import OUTBOX_CHANNEL, Notifications
from zhibu_kit.scope import Scope
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.transaction import Role, Transaction
from zhibu_kit.write import R, Read, Sealer, Write

__all__ = ["Database", "Read", "Role", "Scope", "Sealer", "Transaction", "Write"]

# Connections of one process; more would only queue inside PostgreSQL.
POOL_SIZE: Final = 10
POOL_OVERFLOW: Final = 5
# A call that cannot get a connection within this is refused instead of piling up.
POOL_TIMEOUT_S: Final = 5.0
STATEMENT_TIMEOUT_S: Final = 15
LOCK_TIMEOUT_S: Final = 5
IDLE_IN_TRANSACTION_TIMEOUT_S: Final = 60
CONNECT_TIMEOUT_S: Final = 5
# Rows removed in one transaction.
PURGE_ROWS: Final = 10_000
# Conditions that pass: serialization failure, deadlock, lock not available, cancelled by time-out, server going down,
# idle in a transaction for too long, too many connections, connection lost.
_PASSING: Final = frozenset(
    {"40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "25P03", "53300", "08000", "08003", "08006"}
)

_ENTER: Final = "select set_config('zhibu.counties', $1, true)"
_ENTER_AS: Final = "select set_config('zhibu.counties', $1, true), set_config('role', $2, true)"


class Database:
    """The connections of one service to its database.

    `sealer` encrypts what is stored of requests and answers. `notifications` is the relay's ear in this process: with it
    a commit wakes the relay directly, without it by NOTIFY.
    """

    def __init__(
        self,
        url: str,
        *,
        service: str,
        clock: Clock | None = None,
        sealer: Sealer | None = None,
        notifications: Notifications | None = None,
        pool_size: int = POOL_SIZE,
    ) -> None:
        """Connect lazily, as the role `<service>_app`."""
        self.service = service
        self.url = url
        self.sealer = sealer
        self.notifications = notifications
        self._clock = clock or SystemClock()
        self._engine: AsyncEngine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1),
            pool_size=pool_size,
            max_overflow=POOL_OVERFLOW,
            pool_timeout=POOL_TIMEOUT_S,
            # Parameters are personal data; errors and logs are not.
            hide_parameters=True,
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

        # Shares the pool; each statement is a transaction of its own.
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._connections_limit = pool_size + POOL_OVERFLOW

    def observe(self, telemetry: Telemetry) -> None:
        """Tell in the process's metrics how many connections are in use."""
        used = cast("QueuePool", self._engine.pool).checkedout
        observe_connections(telemetry, self.service, used=used, limit=self._connections_limit)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def is_ready(self) -> bool:
        """Return whether the database answers now."""
        try:
            await self.look_up(select(1))
        except ServiceError:
            return False
        return True

    async def look_up(self, statement: Executable) -> Sequence[Row[Any]]:
        """Return rows in one round trip, outside of any transaction.

        For tables without a county, such as the kit's projections: there is no scope, so the others show nothing.
        """
        with _refusing_what_passes():
            connection = await self._connect(self._autocommit)
            try:
                return (await connection.execute(statement)).all()
            finally:
                await connection.close()

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
            await self._announce(transaction)
        self._wake(transaction)

    @asynccontextmanager
    async def read(self, call: Call, request: Message, *, role: Role = Role.APP) -> AsyncGenerator[Read]:
        """Open a reading for a call, under the call's scope."""
        async with self._begin() as connection:
            await self._enter(connection, call.scope, role)
            reading = Read(connection, clock=self._clock, call=call, request=request)
            yield reading
            await reading.finish()
            await self._announce(reading)
        self._wake(reading)

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
            await write.finish()
            await self._announce(write)
        self._wake(write)

    async def audit_refusal(self, call: Call, request: Message | None, reason: str) -> None:
        """Commit the audit row of a refused attempt, in a transaction of its own."""
        async with self._begin() as connection:
            row = audit_row(call, request, outcome="refused", occurred_at=self._clock.now(), reason=reason)
            await connection.exec_driver_sql(INSERT_AUDIT, tuple(row.values()))

    async def purge(self, table: Table, old: ColumnElement[bool]) -> int:
        """Remove old rows of a kit table, a bounded number in each transaction; return how many there were."""
        removed = 0
        while True:
            key = tuple_(*table.primary_key.columns)
            batch = select(*table.primary_key.columns).where(old).limit(PURGE_ROWS)
            async with self.transaction(Scope.none(), role=Role.RELAY) as transaction:
                count = (await transaction.execute(delete(table).where(key.in_(batch)))).rowcount
            removed += count
            if count < PURGE_ROWS:
                return removed

    async def _enter(self, connection: AsyncConnection, scope: Scope, role: Role) -> None:
        """Put on scope and role, for this transaction only, in one round trip."""
        if role is Role.APP:
            await connection.exec_driver_sql(_ENTER, (scope.setting(),))
        else:
            await connection.exec_driver_sql(_ENTER_AS, (scope.setting(), f"{self.service}_{role}"))

    async def _announce(self, transaction: Transaction) -> None:
        """Tell the relay of another process about new events.

        Not in a running service, which has its own relay: NOTIFY holds a lock over the whole database until the commit is
        on disk, so all writes would run one after another.
        """
        if transaction.has_emitted and self.notifications is None:
            await transaction.execute(select(func.pg_notify(OUTBOX_CHANNEL, "")))

    def _wake(self, transaction: Transaction) -> None:
        if transaction.has_emitted and self.notifications is not None:
            self.notifications.wake(OUTBOX_CHANNEL)

    @asynccontextmanager
    async def _begin(self) -> AsyncGenerator[AsyncConnection]:
        with _refusing_what_passes():
            connection = await self._connect(self._engine)
            try:
                async with connection.begin():
                    yield connection
            finally:
                await connection.close()

    @staticmethod
    async def _connect(engine: AsyncEngine) -> AsyncConnection:
        try:
            return await engine.connect()
        except (PoolTimeoutError, OSError, asyncpg.PostgresError) as error:
            # Whatever it is, down to a wrong password, the service cannot work now and perhaps later.
            raise UNAVAILABLE() from error


@contextmanager
def _refusing_what_passes() -> Generator[None]:
    """Turn failures that pass by themselves into UNAVAILABLE, so that the caller tries again; leave the others."""
    try:
        yield
    except DBAPIError as error:
        passing = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
        if passing or getattr(error.orig, "sqlstate", None) in _PASSING:
            raise UNAVAILABLE() from error
        raise
    except asyncpg.PostgresError as error:
        # From statements that were run on the raw connection.
        if getattr(error, "sqlstate", None) in _PASSING:
            raise UNAVAILABLE() from error
        raise
    except (asyncpg.InterfaceError, ConnectionError) as error:
        raise UNAVAILABLE() from error

"""Connections to the key database: transactions that see one county, or, for jobs, all of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, cast

import asyncpg
from zhibu_kit.connections import observe_connections
from zhibu_kit.errors import UNAVAILABLE, ServiceError
from zhibu_kit.telemetry import Telemetry

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy

MOST_CONNECTIONS: Final = 10
STATEMENT_TIMEOUT_S: Final = 5.0
# Conditions that pass: the database is down, restarts, is full of connections, or waits too long for a lock.
_PASSING: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
)
_JOBS: Final = "identity_keys_relay"


class KeyDatabase:
    """The connections of one process."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        """Use an open pool; `connect` makes one."""
        self._pool = pool

    @classmethod
    async def connect(cls, url: str) -> KeyDatabase:
        """Connect as the role of the service."""
        settings = {"application_name": "zhibu-identity-keys", "statement_timeout": "5000", "lock_timeout": "3000"}
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=MOST_CONNECTIONS,
            command_timeout=STATEMENT_TIMEOUT_S,
            server_settings=settings,
        )
        return cls(pool)

    def observe(self, telemetry: Telemetry) -> None:
        """Tell in the process's metrics how many connections are in use."""
        pool = self._pool
        observe_connections(
            telemetry, "identity_keys", used=lambda: pool.get_size() - pool.get_idle_size(), limit=MOST_CONNECTIONS
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    async def is_ready(self) -> bool:
        """Say whether the key database answers."""
        try:
            async with self.begin() as connection:
                return await connection.fetchval("SELECT true") is True
        except ServiceError:
            return False

    @asynccontextmanager
    async def county(self, county_code: str) -> AsyncGenerator[Connection]:
        """Open a transaction which sees one county."""
        async with self.begin() as connection:
            await connection.execute("SELECT set_config('zhibu.counties', $1, true)", county_code)
            yield connection

    @asynccontextmanager
    async def jobs(self) -> AsyncGenerator[Connection]:
        """Open a transaction of a job, which sees every county."""
        async with self.begin() as connection:
            await connection.execute(f"SET LOCAL ROLE {_JOBS}")
            yield connection

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[Connection]:
        """Open a transaction.

        Raises:
            ServiceError: UNAVAILABLE when the key database cannot serve it now.
        """
        try:
            connection = await self._pool.acquire(timeout=STATEMENT_TIMEOUT_S)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            # Whatever it is, down to a wrong password, nobody can be served now and perhaps later.
            raise UNAVAILABLE() from error
        try:
            async with connection.transaction():
                yield cast("Connection", connection)
        except _PASSING as error:
            raise UNAVAILABLE() from error
        finally:
            await self._pool.release(connection)

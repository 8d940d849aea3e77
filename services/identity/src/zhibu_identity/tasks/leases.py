"""Keeping what is worked on from others while the work takes long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

from zhibu_kit.errors import ServiceError

# So long after a worker died another one takes over. A counter fences whoever lost a lease and does not know it yet.
LEASE: Final = timedelta(seconds=20)
# A slow database may make a worker miss two of three.
KEEP_EVERY_S: Final = 5.0
# A process that is told to stop does not wait longer for its database; the lease ends by itself then.
GIVE_BACK_S: Final = 1.5


@asynccontextmanager
async def kept(
    keep: Callable[[], Awaitable[None]], *, give_back: Callable[[], Awaitable[None]]
) -> AsyncGenerator[None]:
    """Renew a lease by `keep` while the block runs; `give_back` ends it when the block is told to stop, as on SIGTERM."""
    keeping = asyncio.create_task(_keep_on(keep))
    try:
        yield
    except asyncio.CancelledError:
        # First, or it could be renewed after it was given back.
        await _end(keeping)
        with suppress(ServiceError, TimeoutError):
            async with asyncio.timeout(GIVE_BACK_S):
                await give_back()
        raise
    finally:
        await _end(keeping)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _keep_on(keep: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(KEEP_EVERY_S)
        # A database that is away now may be there the next time; while a step holds the row, nobody else can take it either.
        with suppress(ServiceError):
            await keep()

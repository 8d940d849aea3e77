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


@asynccontextmanager
async def kept(keep: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
    """Renew a lease by `keep` while the block runs."""
    keeping = asyncio.create_task(_keep_on(keep))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def _keep_on(keep: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(KEEP_EVERY_S)
        # A database that is away now may be there the next time; while a step holds the row, nobody else can take it either.
        with suppress(ServiceError):
            await keep()

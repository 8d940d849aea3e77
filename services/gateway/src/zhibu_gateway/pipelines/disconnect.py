"""Notices that the client has gone, while we have nothing to ask it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from zhibu_gateway.web.exchange import Exchange


@asynccontextmanager
async def watching(exchange: Exchange) -> AsyncGenerator[asyncio.Task[None]]:
    """Gives a task that ends when the client has gone; the request's body, if any, is thrown away."""
    task = asyncio.create_task(_gone(exchange), name="client gone")
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _gone(exchange: Exchange) -> None:
    while (await exchange.receive())["type"] != "http.disconnect":
        pass

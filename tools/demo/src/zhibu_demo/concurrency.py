"""Many steps at once, without a crowd."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def together(steps: Iterable[Coroutine[Any, Any, None]], *, at_once: int = 8) -> None:
    """Run the steps, at most `at_once` at a time; the first failure ends the others."""
    slots = asyncio.Semaphore(at_once)

    async def within(step: Coroutine[Any, Any, None]) -> None:
        async with slots:
            await step

    async with asyncio.TaskGroup() as group:
        for step in steps:
            group.create_task(within(step))

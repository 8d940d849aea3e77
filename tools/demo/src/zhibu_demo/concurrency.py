"""Many steps at once, without a crowd."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def together(steps: Iterable[Coroutine[Any, Any, None]], *, at_once: int = 8) -> None:
    """Run the steps, at most `at_once` at a time; the first failure ends the others."""
    slots = asyncio.Semaphore(at_once)
    given = list(steps)

    async def within(step: Coroutine[Any, Any, None]) -> None:
        async with slots:
            await step

    try:
        async with asyncio.TaskGroup() as group:
            for step in given:
                group.create_task(within(step))
    finally:
        # Those that a failure left unbegun; of the others this is nothing.
        for step in given:
            step.close()

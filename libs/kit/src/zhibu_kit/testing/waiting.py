"""Waiting in tests: for a condition to become true, with a limit, never for a time to pass."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar, cast, overload

# It costs nothing when all is well; a slow machine under load needs more than it seems.
LIMIT_S: Final = 30.0
# What is waited for happens in another task or process; between two looks those get the machine.
LOOK_EVERY_S: Final = 0.01

T = TypeVar("T")


@overload
async def wait_until(condition: Callable[[], Awaitable[T]], timeout_s: float = LIMIT_S) -> T: ...
@overload
async def wait_until(condition: Callable[[], T], timeout_s: float = LIMIT_S) -> T: ...
async def wait_until(condition: Callable[[], T | Awaitable[T]], timeout_s: float = LIMIT_S) -> T:
    """Return the first truthy answer of a condition, which may be asynchronous.

    Raises:
        AssertionError: with the last answer, when none came in time.
    """
    ends_at_s = time.monotonic() + timeout_s
    while True:
        answer = condition()
        value = cast("T", await answer) if inspect.isawaitable(answer) else answer
        if value:
            return value
        if time.monotonic() > ends_at_s:
            raise AssertionError(f"not within {timeout_s:g} s; the last answer was {value!r}")
        await asyncio.sleep(LOOK_EVERY_S)

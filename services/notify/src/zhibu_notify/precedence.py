"""Codes before notices: who sends notices asks here before every few, and waits while a code is on its way.

Codes and notices have sessions of their own with the message centre. What they still share (its patience with us, this
process, the database) goes to the codes first.
"""

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

# A message centre that slows codes down gets no notices for this long.
HOLD_S: Final = 2.0


class Precedence:
    """Shared by the sender of codes and the sender of notices."""

    def __init__(self) -> None:
        """Begin with no code on its way."""
        self._under_way = 0
        self._none = asyncio.Event()
        self._none.set()
        self._held_until_s = 0.0

    @contextmanager
    def code(self) -> Generator[None]:
        """A code is on its way while the block runs."""
        self._under_way += 1
        self._none.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._none.set()

    def hold(self) -> None:
        """Codes were told to slow down: no notices for a while."""
        self._held_until_s = time.monotonic() + HOLD_S

    async def give_way(self, *, limit_s: float) -> None:
        """Waits until no code is on its way, for a limited time: notices must not starve under a storm of codes."""
        held_s = self._held_until_s - time.monotonic()
        if held_s > 0:
            await asyncio.sleep(held_s)
        try:
            async with asyncio.timeout(limit_s):
                await self._none.wait()
        except TimeoutError:
            return

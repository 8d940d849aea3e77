"""How fast notices go out: so many a second, less while the message centre wants it so."""

import asyncio
import time
from typing import Final

_SLOWEST_PER_S: Final = 1.0
_SLOW_DOWN: Final = 0.5
_SPEED_UP: Final = 1.05


class Pace:
    """Spreads messages over time; a long pause earns no burst."""

    def __init__(self, per_s: float) -> None:
        """Begin at full speed."""
        self._full_per_s = per_s
        self._per_s = per_s
        self._next_at_s = 0.0

    async def take(self, count: int) -> None:
        """Waits until so many may go."""
        now_s = time.monotonic()
        starts_at_s = max(now_s, self._next_at_s)
        self._next_at_s = starts_at_s + count / self._per_s
        if starts_at_s > now_s:
            await asyncio.sleep(starts_at_s - now_s)

    def slow_down(self) -> None:
        """The message centre took less than it was given."""
        self._per_s = max(self._per_s * _SLOW_DOWN, min(_SLOWEST_PER_S, self._full_per_s))

    def speed_up(self) -> None:
        """The message centre took everything."""
        self._per_s = min(self._per_s * _SPEED_UP, self._full_per_s)

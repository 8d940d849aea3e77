"""How many visitors' sessions one network address may open: each is a row, and nobody needs to be logged in for one.

Counted in each process by itself: the bound keeps the table small, it does not have to be exact.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

# Many people share one address of a village's or a mobile network; nobody opens so many within a minute by hand.
PER_ADDRESS_PER_MINUTE: Final = 60
WINDOW_S: Final = 60.0
MAX_ADDRESSES: Final = 10_000


class TooManyVisitorsError(Exception):
    """One address opens sessions faster than people do."""


class VisitorLimit:
    """Counts new sessions by address and minute."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Begin with nobody counted."""
        self._monotonic = monotonic
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many addresses are remembered."""
        return len(self._counts)

    def count(self, address: str) -> None:
        """Count one more session of an address.

        Raises:
            TooManyVisitorsError: it has had its share of this minute.
        """
        key, now_s = _network(address), self._monotonic()
        started_at_s, count = self._counts.get(key, (now_s, 0))
        if now_s - started_at_s >= WINDOW_S:
            started_at_s, count = now_s, 0
        if count >= PER_ADDRESS_PER_MINUTE:
            raise TooManyVisitorsError
        self._counts[key] = (started_at_s, count + 1)
        self._counts.move_to_end(key)
        if len(self._counts) > MAX_ADDRESSES:
            self._counts.popitem(last=False)


def _network(address: str) -> str:
    """Return what one household or company has: with IPv6 that is a /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(int(parsed) >> 64) if isinstance(parsed, IPv6Address) else address

"""Counts calls in a sliding minute, in this process and, as far as they are known, in the others.

Each process counts its own calls only and tells the others its totals, so nothing is lost or counted twice whatever the
order in which news arrive. The window is the usual approximation: the calls of this calendar minute, and of the last one
the share that still lies within sixty seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

WINDOW_S: Final = 60
# Callers counted one by one in a minute; more share counters, so that a flood of addresses cannot fill the memory.
MAX_KEYS: Final = 200_000
_OVERFLOW_KEYS: Final = 1024
# A count below this part of its limit decides nothing, and is not told to the others.
_TOLD_FROM: Final = 8
SHARDS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a call may go on, and what the caller is told about the limit."""

    allowed: bool
    limit: int
    remaining: int
    # Seconds after which a refused call may be tried again, or after which the window begins anew.
    wait_s: int


@dataclass(slots=True)
class _Count:
    calls: int
    limit: int


class Counts:
    """The counters of one process."""

    def __init__(self, *, secret: bytes) -> None:
        """Keys leave the process only as keyed hashes: an address is personal. All processes have the same secret."""
        self._hash_key = blake2b(secret, digest_size=32).digest()
        self._minute = 0
        self._own: dict[str, _Count] = {}
        self._before: dict[str, int] = {}
        # Totals that others told, by process and shard, for the present minute; and their sums.
        self._told: dict[tuple[str, int], Mapping[str, int]] = {}
        self._others: dict[str, int] = {}
        self._dirty: set[int] = set()

    def count(self, key: str, *, limit: int, now_s: float) -> Verdict:
        """Counts a call, unless the limit is reached already."""
        self._roll(int(now_s) // WINDOW_S)
        hashed = self._key_of(key)
        own = self._own.get(hashed)
        calls = (own.calls if own else 0) + self._others.get(hashed, 0)
        elapsed_s = now_s % WINDOW_S
        before = self._before.get(hashed, 0)
        used = calls + before * (1 - elapsed_s / WINDOW_S)
        if used + 1 > limit:
            return Verdict(allowed=False, limit=limit, remaining=0, wait_s=_wait_s(calls, before, limit, elapsed_s))
        if own is None:
            self._own[hashed] = own = _Count(0, limit)
        own.calls += 1
        self._dirty.add(_shard_of(hashed))
        return Verdict(
            allowed=True, limit=limit, remaining=max(0, int(limit - used - 1)), wait_s=max(1, int(WINDOW_S - elapsed_s))
        )

    def take_news(self, now_s: float) -> tuple[int, dict[int, dict[str, int]]]:
        """Gives the minute and, by shard, the totals that have changed since the last time and that matter to others."""
        self._roll(int(now_s) // WINDOW_S)
        dirty, self._dirty = self._dirty, set()
        news: dict[int, dict[str, int]] = {shard: {} for shard in dirty}
        if dirty:
            for key, count in self._own.items():
                shard = news.get(_shard_of(key))
                if shard is not None and count.calls >= max(1, count.limit // _TOLD_FROM):
                    shard[key] = count.calls
        return self._minute, {shard: totals for shard, totals in news.items() if totals}

    def tell_all_again(self) -> None:
        """Makes everything news again, for others who may have lost it."""
        self._dirty = set(range(SHARDS))

    def hear(self, process: str, shard: int, minute: int, totals: Mapping[str, int], *, now_s: float) -> None:
        """Takes in what another process told; news about another minute come too late to matter."""
        self._roll(int(now_s) // WINDOW_S)
        if minute != self._minute:
            return
        told = self._told.get((process, shard), {})
        for key, calls in totals.items():
            # Totals only grow within a minute, so an older message that arrives late changes nothing.
            gained = calls - told.get(key, 0)
            if gained > 0:
                self._others[key] = self._others.get(key, 0) + gained
        self._told[process, shard] = {**told, **{key: max(calls, told.get(key, 0)) for key, calls in totals.items()}}

    def _roll(self, minute: int) -> None:
        if minute == self._minute:
            return
        following = minute == self._minute + 1
        self._before = dict(self._others) if following else {}
        if following:
            for key, count in self._own.items():
                self._before[key] = self._before.get(key, 0) + count.calls
        self._minute = minute
        self._own, self._others, self._told, self._dirty = {}, {}, {}, set()

    def _key_of(self, key: str) -> str:
        hashed = blake2b(key.encode(), key=self._hash_key, digest_size=8).hexdigest()
        if hashed in self._own or len(self._own) < MAX_KEYS:
            return hashed
        return f"~{int(hashed[:4], 16) % _OVERFLOW_KEYS}"


def _shard_of(hashed: str) -> int:
    return ord(hashed[-1]) % SHARDS


def _wait_s(calls: int, before: int, limit: int, elapsed_s: float) -> int:
    """Gives the seconds until one more call would fit, if nobody calls meanwhile."""
    room = limit - calls - 1
    if room >= 0 and before > 0:
        # Within this minute: the last one's share must shrink to the room.
        return max(1, int(WINDOW_S * (1 - room / before) - elapsed_s) + 1)
    # Only in the next minute, of which this one's calls take a shrinking share.
    into_next_s = WINDOW_S * (1 - (limit - 1) / calls) if calls else 0
    return max(1, int(WINDOW_S - elapsed_s + max(0.0, into_next_s)) + 1)

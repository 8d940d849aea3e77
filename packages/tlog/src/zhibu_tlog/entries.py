"""Entry bundles (c2sp.org/tlog-tiles): entries one after the other, each behind its length in two bytes, big-endian."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.tiles import TILE_WIDTH

LONGEST_ENTRY_BYTES: Final = 2**16 - 1
_LENGTH_BYTES: Final = 2
LONGEST_BUNDLE_BYTES: Final = TILE_WIDTH * (_LENGTH_BYTES + LONGEST_ENTRY_BYTES)


def encode_entries(entries: Iterable[bytes]) -> bytes:
    """Write entries as a bundle.

    Raises:
        ValueError: when an entry is longer than the format can say.
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > LONGEST_ENTRY_BYTES:
            raise ValueError(f"an entry has at most {LONGEST_ENTRY_BYTES} bytes, not {len(entry)}")
        parts += (len(entry).to_bytes(_LENGTH_BYTES, "big"), entry)
    return b"".join(parts)


def decode_entries(data: bytes, count: int) -> list[bytes]:
    """Read a bundle of `count` entries, no fewer and no more.

    Raises:
        MalformedError: when it is cut off or has something behind.
    """
    entries: list[bytes] = []
    at = 0
    for _ in range(count):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data):
            raise MalformedError(f"the bundle ends within entry {len(entries)} of {count}")
        entries.append(data[start:at])
    if at != len(data):
        raise MalformedError(f"the bundle has {len(data) - at} bytes behind its {count} entries")
    return entries

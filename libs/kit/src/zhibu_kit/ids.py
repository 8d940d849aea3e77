"""Identifiers: ULIDs in lower case, which sort by the time of their making."""

from __future__ import annotations

from typing import Final

from ulid import ULID

from zhibu_kit.clock import Clock, SystemClock

ULID_PATTERN: Final = "^[0-7][0-9abcdefghjkmnpqrstvwxyz]{25}$"
_SYSTEM_CLOCK: Final = SystemClock()


def new_ulid(clock: Clock | None = None) -> str:
    """Return a new ULID of 26 lower-case characters, dated by the given clock (the system's by default)."""
    return str(ULID.from_datetime((clock or _SYSTEM_CLOCK).now())).lower()

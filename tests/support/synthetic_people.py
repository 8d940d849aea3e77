"""Synthetic people for tests: numbers that belong to nobody."""

from __future__ import annotations

import itertools
from datetime import date

from zhibu_identity.rules.check_digits import resident_check_character

_SERIAL = itertools.count(1)
BIRTH = date(1980, 5, 17)


def new_resident_number(birth: date = BIRTH, *, area: str = "990724") -> str:
    """Return a resident number that no test has used before."""
    serial = next(_SERIAL)
    # Another area for each 900: the day of birth stays what the caller asked for, however many people there are.
    first_17 = f"{int(area) + serial // 900}{birth:%Y%m%d}{serial % 900 + 1:03d}"
    return first_17 + resident_check_character(first_17)


def new_telephone() -> str:
    """Return a telephone that no test has used before."""
    return f"1200{next(_SERIAL):07d}"

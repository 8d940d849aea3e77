"""Resident identity numbers (GB 11643-1999), as far as a slip of the finger can be told at once.

Whether the number is the person's own is for the county to judge.
"""

from __future__ import annotations

import re
from typing import Final

_FORM: Final = re.compile(r"^[0-9]{17}[0-9X]$", re.ASCII)
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK: Final = "10X98765432"
# Full-width digits and letters come from Chinese keyboards; blanks from copying off the card.
_NORMAL: Final = str.maketrans("０１２３４５６７８９ｘＸx", "0123456789XXX", " 　-")


def normalised(entered: str) -> str:
    """Return a number as it is written on the card, whatever keyboard it came from."""
    return entered.translate(_NORMAL)


def has_form(number: str) -> bool:
    """Say whether this is 17 digits and a digit or X."""
    return bool(_FORM.match(number))


def check_digit_fits(number: str) -> bool:
    """Say whether the last character is the one that the others demand."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _WEIGHTS, strict=True))
    return number[17] == _CHECK[total % 11]

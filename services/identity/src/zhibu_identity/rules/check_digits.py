"""Check digits: ISO 7064 MOD 11-2 as GB 11643 uses it, and Damm's for the numbers that we make ourselves."""

from __future__ import annotations

from typing import Final

_WEIGHTS: Final = tuple(2 ** (17 - position) % 11 for position in range(17))
_MOD_11_2: Final = "10X98765432"

# Damm's quasigroup of order 10 (H. M. Damm, 2004): it finds each wrong digit and each swap of two neighbours.
_DAMM: Final = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def resident_check_character(first_17: str) -> str:
    """Return the last character of a resident number (GB 11643-1999, 3.3), from its first 17 digits."""
    return _MOD_11_2[sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]


def damm_digit(digits: str) -> str:
    """Return the check digit that goes behind these digits."""
    interim = 0
    for digit in digits:
        interim = _DAMM[interim][int(digit)]
    return str(interim)


def damm_holds(digits: str) -> bool:
    """Say whether digits that end in their check digit are unharmed."""
    return digits.isascii() and digits.isdigit() and damm_digit(digits) == "0"

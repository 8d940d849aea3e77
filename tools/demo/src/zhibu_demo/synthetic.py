"""Numbers that no real person can have, so that everybody in the demonstration is provably synthetic.

A resident number (GB 11643-1999) begins with an area code of GB/T 2260; none begins with 99. A mobile telephone of the
mainland begins with 13 to 19; none begins with 12. A production profile refuses both.
"""

from datetime import date
from typing import Final

UNASSIGNED_AREA: Final = "99"
UNASSIGNED_TELEPHONE_PREFIX: Final = "12"

# ISO 7064 MOD 11-2 as GB 11643-1999 applies it: weights of the 17 digits, and the check characters by remainder.
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS: Final = "10X98765432"


def resident_number(area: str, birth_date: date, sequence: int) -> str:
    """Make a resident number with a valid check character in an unassigned area.

    `area` is six digits that begin with 99; `sequence` (0 to 999) is odd for men and even for women.

    Raises:
        ValueError: the area might be a real one, or a part does not fit its place.
    """
    if not (area.startswith(UNASSIGNED_AREA) and len(area) == 6 and area.isascii() and area.isdigit()):
        raise ValueError("synthetic people live in areas that begin with 99")
    if not 0 <= sequence <= 999:
        raise ValueError("the sequence has three digits")
    body = f"{area}{birth_date:%Y%m%d}{sequence:03d}"
    return body + check_character(body)


def check_character(body: str) -> str:
    """Return the eighteenth character of a resident number from its first seventeen."""
    return _CHECK_CHARACTERS[sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, body, strict=True)) % 11]


def telephone(number: int) -> str:
    """Make a telephone number with an unassigned prefix.

    Raises:
        ValueError: the number has more than nine digits.
    """
    if not 0 <= number <= 999_999_999:
        raise ValueError("nine digits follow the prefix")
    return f"{UNASSIGNED_TELEPHONE_PREFIX}{number:09d}"

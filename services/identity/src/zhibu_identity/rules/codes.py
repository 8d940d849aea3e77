"""Secrets that people copy by hand: short enough to type, long enough that nobody guesses them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

# No 0 O, 1 I L, 2 Z, 5 S, 8 B: whatever can be taken for another when it is written by hand.
ALPHABET: Final = "34679ACDEFGHJKMNPQRTUVWXY"
# 25^10 is 2^46; wrong tries are counted per case.
CASE_CODE_LENGTH: Final = 10
# Keycloak's password policy asks for 8; it counts wrong tries itself.
ACTIVATION_CODE_LENGTH: Final = 10
# Nobody counts wrong tries of this one, so it is long: 25^28 is 2^130.
BOOTSTRAP_CODE_LENGTH: Final = 28
ONE_TIME_CODE_DIGITS: Final = 6

# Picks one of the characters at random: secrets.choice in service.
Choose = Callable[[str], str]


def make_code(length: int, choose: Choose) -> str:
    """Return a code of letters and digits without look-alikes."""
    return "".join(choose(ALPHABET) for _ in range(length))


def make_one_time_code(choose: Choose) -> str:
    """Return a code of six digits, as it arrives by SMS."""
    return "".join(choose("0123456789") for _ in range(ONE_TIME_CODE_DIGITS))


def normalise_code(text: str) -> str:
    """Return a code as it was made: upper case, without the blanks and strokes that people put in."""
    return "".join(character for character in text.upper() if character not in " -\u3000")

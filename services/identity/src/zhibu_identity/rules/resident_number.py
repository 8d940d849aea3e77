"""The resident identity number (公民身份号码), GB 11643-1999: 6 digits of area, 8 of birth, 3 of order, 1 check character."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final

from zhibu_identity.rules.check_digits import resident_check_character

# Party charter, article 1: 年满十八岁.
LEAST_AGE_YEARS: Final = 18
# Nobody alive was born earlier; a year before it is a slip of the finger.
EARLIEST_BIRTH: Final = date(1900, 1, 1)
# First two digits of the area: the province-level divisions of GB/T 2260, and 83 of the residence permits for
# residents of Taiwan. The rest is not checked: numbers keep the codes of divisions that were dissolved long ago.
PROVINCE_CODES: Final = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "71",
        "81",
        "82",
        "83",
    ]
)
# GB/T 2260 assigns no code above 82, and the numbers of foreigners' permanent residence cards have a 9 and then the
# code of a province, none of which begins with 9: an area that begins with 99 belongs to nobody.
SYNTHETIC_AREA_PREFIX: Final = "99"

_SHAPE: Final = re.compile(r"^[0-9]{17}[0-9X]$", re.ASCII)


class ResidentNumberFault(Enum):
    """What is wrong with a resident number."""

    SHAPE = "shape"
    CHECK_CHARACTER = "check_character"
    BIRTH_DATE = "birth_date"
    AREA = "area"
    SYNTHETIC = "synthetic"
    UNDER_AGE = "under_age"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentNumber:
    """A number that passed every check, with an upper-case X."""

    value: str
    birth_date: date
    synthetic: bool


def read_resident_number(text: str, *, today: date, synthetic_allowed: bool) -> ResidentNumber | ResidentNumberFault:
    """Check a resident number as of a day in Shanghai.

    Cases: full-width digits and blanks are read as what they stand for; a lower-case x is an X.
    """
    value = normalise_resident_number(text)
    if not _SHAPE.match(value):
        return ResidentNumberFault.SHAPE
    if resident_check_character(value[:17]) != value[17]:
        return ResidentNumberFault.CHECK_CHARACTER
    birth_date = _birth_date(value)
    if birth_date is None or birth_date < EARLIEST_BIRTH or birth_date > today:
        return ResidentNumberFault.BIRTH_DATE
    synthetic = value.startswith(SYNTHETIC_AREA_PREFIX)
    if synthetic and not synthetic_allowed:
        return ResidentNumberFault.SYNTHETIC
    if not synthetic and value[:2] not in PROVINCE_CODES:
        return ResidentNumberFault.AREA
    if years_between(birth_date, today) < LEAST_AGE_YEARS:
        return ResidentNumberFault.UNDER_AGE
    return ResidentNumber(value=value, birth_date=birth_date, synthetic=synthetic)


def normalise_resident_number(text: str) -> str:
    """Return the number as it is stored and searched: ASCII digits, upper-case X, no blanks."""
    return "".join(text.translate(_FULL_WIDTH).split()).upper()


def years_between(birth_date: date, today: date) -> int:
    """Return the completed years of age; who was born on 29 February completes one on 1 March of other years."""
    had_birthday = (today.month, today.day) >= (birth_date.month, birth_date.day)
    return today.year - birth_date.year - (0 if had_birthday else 1)


def _birth_date(value: str) -> date | None:
    try:
        return date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        return None


_FULL_WIDTH: Final = {ord("０") + digit: str(digit) for digit in range(10)} | {ord("Ｘ"): "X", ord("ｘ"): "X"}

"""The numbers that we give: of a case and of an e-ID. Both begin with the county, so they say where to look."""

from __future__ import annotations

import re
from typing import Final

from zhibu_identity.rules.check_digits import damm_digit, damm_holds

_COUNTY: Final = re.compile(r"^[0-9]{6}$", re.ASCII)
_CASE_NUMBER: Final = re.compile(r"^([0-9]{6})-([0-9]{2})-([0-9]{6,9})-([0-9])$", re.ASCII)
_EID_NUMBER: Final = re.compile(r"^[0-9]{16}$", re.ASCII)
# Seven digits for the e-IDs that one county issues in one year.
MOST_EIDS_PER_COUNTY_AND_YEAR: Final = 9_999_999
MOST_CASES_PER_COUNTY_AND_YEAR: Final = 999_999_999


def case_number_of(county_code: str, year: int, *, sequence: int) -> str:
    """Return a case number such as 370724-26-000123-7: county, year, sequence in the year, check digit."""
    _check(county_code, sequence, most=MOST_CASES_PER_COUNTY_AND_YEAR)
    digits = f"{county_code}{year % 100:02d}{sequence:06d}"
    return f"{county_code}-{year % 100:02d}-{sequence:06d}-{damm_digit(digits)}"


def find_county_of_case(case_number: str) -> str | None:
    """Return the county that decides a case, None when the number cannot be right."""
    match = _CASE_NUMBER.match(case_number)
    return match.group(1) if match and damm_holds("".join(match.groups())) else None


def eid_number_of(county_code: str, year: int, *, sequence: int) -> str:
    """Return the serial number of an e-ID, 16 digits: county, year, sequence in the year, check digit."""
    _check(county_code, sequence, most=MOST_EIDS_PER_COUNTY_AND_YEAR)
    digits = f"{county_code}{year % 100:02d}{sequence:07d}"
    return digits + damm_digit(digits)


def normalise_eid_number(text: str) -> str:
    """Return a serial number as people type it, without blanks and strokes."""
    return text.replace(" ", "").replace("-", "")


def find_county_of_eid(eid_number: str) -> str | None:
    """Return the county that issued an e-ID, None when the number cannot be right."""
    return eid_number[:6] if _EID_NUMBER.match(eid_number) and damm_holds(eid_number) else None


def _check(county_code: str, sequence: int, *, most: int) -> None:
    if not _COUNTY.match(county_code) or not 1 <= sequence <= most:
        raise ValueError("a county has six digits, and a sequence begins with 1 and ends where its digits end")

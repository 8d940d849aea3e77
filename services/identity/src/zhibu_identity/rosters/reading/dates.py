"""Dates as rosters write them.

A date of which only the month is known counts from the first of that month: 1979.03 is read as 1979-03-01. Terms and party
ages count in months and years, and documents of the time often give no day; whoever knows the day writes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from zhibu_identity.rosters.reading.cells import Cell, folded
from zhibu_identity.rosters.reading.problems import Reason

EARLIEST: Final = date(1900, 1, 1)
# Spreadsheets count days from here (1900-02-29, which never was, included); 1920 to 2064 are serials, not years.
_SERIAL_ZERO: Final = date(1899, 12, 30)
_SERIALS: Final = range(7_306, 60_000)
_SEPARATED: Final = re.compile(
    r"^(\d{4})[年./\-—–_,、·](\d{1,2})(?:[月./\-—–_,、·](?:(\d{1,2})(?:日|号)?)?)?(?:[T日]?\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?$"
)
_TOGETHER: Final = re.compile(r"^(\d{4})(\d{2})(\d{2})?$")
_YEAR: Final = re.compile(r"^(\d{4})年?$")
_WORDS: Final = str.maketrans("〇零○一二三四五六七八九", "000123456789")
_CHINESE_DIGITS: Final = frozenset("〇零○一二三四五六七八九十")


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterDate:
    """A day, and whether the roster named it or the month alone."""

    day: date
    month_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DateFault:
    """Why a cell is no date."""

    reason: Reason
    value: str
    remedy: str = ""


def read_date(cell: Cell, *, today: date, two_digit_months: bool) -> RosterDate | DateFault | None:
    """Return the date in a cell, None when it is empty.

    `two_digit_months` says that the column writes months with two digits, so that the number 1979.1 was 1979.10 before
    the spreadsheet dropped the 0; otherwise nobody can tell it from January.
    """
    text = folded(cell).rstrip("。；;,，")
    if not text or text in {"-", "—", "--", "/", "无", "暂无"}:
        return None
    found = _read(cell, text, two_digit_months=two_digit_months)
    if isinstance(found, DateFault):
        return found
    if found.day > today:
        return DateFault(reason=Reason.DATE_IN_FUTURE, value=found.day.isoformat())
    return found


def shows_two_digit_months(cell: Cell) -> bool:
    """Say whether a number like 1979.03 shows that its column writes months with two digits."""
    return isinstance(cell, float) and bool(re.match(r"^(19|20)\d{2}\.0[1-9]$", repr(cell)))


def _read(cell: Cell, text: str, *, two_digit_months: bool) -> RosterDate | DateFault:
    unreadable = DateFault(reason=Reason.DATE_UNREADABLE, value=text[:20])
    if isinstance(cell, date):
        return _day(cell.year, cell.month, cell.day) or unreadable
    if isinstance(cell, float) and (match := re.match(r"^(\d{4})\.(\d{1,2})$", text)):
        if match[2] == "1":
            if not two_digit_months:
                return DateFault(reason=Reason.DATE_AMBIGUOUS, value=text, remedy=match[1])
            return _month(match[1], "10") or unreadable
        return _month(match[1], match[2]) or unreadable
    if _YEAR.match(text) and text.rstrip("年")[:2] in {"19", "20"}:
        return DateFault(reason=Reason.DATE_YEAR_ONLY, value=text[:4])
    if text.isascii() and text.isdigit() and int(text) in _SERIALS:
        return RosterDate(day=_SERIAL_ZERO + timedelta(days=int(text)), month_only=False)
    if _CHINESE_DIGITS & set(text):
        text = _in_digits(text)
    match = _SEPARATED.match(text) or _TOGETHER.match(text)
    if match is None:
        return unreadable
    found = _month(match[1], match[2]) if match[3] is None else _day(int(match[1]), int(match[2]), int(match[3]))
    return found or unreadable


def _month(year: str, month: str) -> RosterDate | None:
    found = _day(int(year), int(month), 1)
    return None if found is None else RosterDate(day=found.day, month_only=True)


def _day(year: int, month: int, day: int) -> RosterDate | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return RosterDate(day=found, month_only=False) if found >= EARLIEST else None


def _in_digits(text: str) -> str:
    """Return 一九七九年十二月三日 as 1979年12月3日."""

    def number(match: re.Match[str]) -> str:
        word = match[0]
        if "十" not in word:
            return word.translate(_WORDS)
        tens, _, ones = word.partition("十")
        return (tens.translate(_WORDS) or "1") + (ones.translate(_WORDS) or "0")

    return re.sub("[〇零○一二三四五六七八九十]+", number, text)

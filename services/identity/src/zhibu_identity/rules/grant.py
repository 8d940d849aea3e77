"""Who may give which office to whom, and for how long."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Final
from zoneinfo import ZoneInfo

# The longest term of a committee is five years; a sixth lets a grant outlive a late election.
LONGEST_TERM_YEARS: Final = 6
SHANGHAI: Final = ZoneInfo("Asia/Shanghai")


class GrantFault(Enum):
    """Why an office cannot be given."""

    UNKNOWN_OFFICE = "unknown_office"
    WRONG_LEVEL = "wrong_level"
    NOT_HELD = "not_held"
    TERM_ENDED = "term_ended"
    TERM_REVERSED = "term_reversed"
    TERM_TOO_LONG = "term_too_long"
    OTHER_COUNTY = "other_county"


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeShape:
    """What counts of an office when it is given: at which levels it can be held, and what it may do."""

    levels: AbstractSet[str]
    permissions: AbstractSet[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """From the first instant of the first day to the first instant after the last day, in Shanghai."""

    starts_at: datetime
    ends_at: datetime


def find_office_fault(
    office: OfficeShape | None, *, level: str, held_permissions: AbstractSet[str]
) -> GrantFault | None:
    """Say why an office cannot be given at an organisation of a level by somebody who may do certain things there."""
    if office is None:
        return GrantFault.UNKNOWN_OFFICE
    if level not in office.levels:
        return GrantFault.WRONG_LEVEL
    return None if office.permissions <= held_permissions else GrantFault.NOT_HELD


def read_term(first_day: date, last_day: date, *, today: date) -> Term | GrantFault:
    """Return the term from one day to another, both included."""
    if last_day < today:
        return GrantFault.TERM_ENDED
    if last_day < first_day:
        return GrantFault.TERM_REVERSED
    if last_day > latest_end(first_day):
        return GrantFault.TERM_TOO_LONG
    return Term(starts_at=_midnight(first_day), ends_at=_midnight(last_day + timedelta(days=1)))


def latest_end(first_day: date) -> date:
    """Return the last day of the longest term; a term that begins on 29 February may end on 1 March."""
    try:
        return first_day.replace(year=first_day.year + LONGEST_TERM_YEARS)
    except ValueError:
        return date(first_day.year + LONGEST_TERM_YEARS, 3, 1)


def find_reach_fault(
    *, organisation_id: str, organisation_county: str | None, member_county: str, member_ancestors: AbstractSet[str]
) -> GrantFault | None:
    """Say whether a member's county lies outside of what an organisation is responsible for.

    `member_ancestors` are the organisations at and above the member's county. Without this a county could find out which
    serial numbers of other counties exist.
    """
    if organisation_county is not None:
        return None if organisation_county == member_county else GrantFault.OTHER_COUNTY
    return None if organisation_id in member_ancestors else GrantFault.OTHER_COUNTY


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=SHANGHAI)

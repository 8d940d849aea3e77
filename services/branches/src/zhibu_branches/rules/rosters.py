"""What one row of a committed roster changes, or why it cannot be applied.

A roster tells what a department wrote down once; what stands here may rest on a later decision. So a row fills in and goes
forward, empty cells take nothing away, and what would take a status back is a conflict for a person to judge. A row is
applied as a whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from zhibu_branches.rules.decisions import DecisionRefusal, Standings, check_new_record
from zhibu_branches.rules.members import Occupation, PartyStatus, Standing


class Conflict(StrEnum):
    """Why a row cannot be applied; the values are the reasons that callers see."""

    MEMBER_ELSEWHERE = "MEMBER_ELSEWHERE"
    RECORD_ENDED = "ROSTER_RECORD_ENDED"
    BRANCH_UNKNOWN = "ROSTER_BRANCH_UNKNOWN"
    STATUS_UNKNOWN = "ROSTER_STATUS_UNKNOWN"
    STATUS_BEHIND = "ROSTER_STATUS_BEHIND"
    STATUS_NEEDS_DECISION = "ROSTER_STATUS_NEEDS_DECISION"
    DATE_IN_FUTURE = "ROSTER_DATE_IN_FUTURE"
    DATES_OUT_OF_ORDER = "ROSTER_DATES_OUT_OF_ORDER"
    DATE_NOT_FITTING_STATUS = "ROSTER_DATE_NOT_FITTING_STATUS"
    MEMBER_TWICE = "ROSTER_MEMBER_TWICE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a roster; None where it says nothing."""

    member_id: str
    row_number: int
    branch_id: str
    status: PartyStatus | None
    applied_date: date | None
    admitted_date: date | None
    confirmed_date: date | None
    occupation: Occupation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a member stands after a row: the record's branch and what decisions change of it."""

    branch_id: str
    standings: Standings


def judge_row(row: Row, present: Outcome | None, *, today: date) -> Outcome | Conflict:
    """What a row leads to, for a member of this county (present) or somebody new; equal to present: nothing changes."""
    if present is not None and present.standings.standing is not Standing.PRESENT:
        return Conflict.RECORD_ENDED
    before = None if present is None else present.standings
    status = row.status or (_status_by_dates(row) if before is None else before.status)
    if status is None:
        return Conflict.STATUS_UNKNOWN
    if before is not None and status is not before.status:
        if PartyStatus.UNDER_PROBATION in (status, before.status):
            return Conflict.STATUS_NEEDS_DECISION
        if status < before.status:
            return Conflict.STATUS_BEHIND
    applied = row.applied_date or (before.applied_date if before else None)
    admitted = row.admitted_date or (before.admitted_date if before else None)
    confirmed = row.confirmed_date or (before.confirmed_date if before else None)
    since = _since(status, applied=applied, admitted=admitted, confirmed=confirmed)
    if before is not None and status is before.status:
        since = _kept_since(before) or since or before.status_date
    standings = Standings(
        status=status,
        status_date=since,
        applied_date=applied,
        admitted_date=admitted,
        confirmed_date=confirmed,
        occupation=row.occupation or (before.occupation if before else Occupation.UNKNOWN),
        standing=Standing.PRESENT,
    )
    match check_new_record(standings, today=today):
        # Many old rosters have no dates of admission; a decision would need one.
        case None | DecisionRefusal.ADMISSION_DATE_WANTED:
            return Outcome(branch_id=row.branch_id, standings=standings)
        case DecisionRefusal.DATE_IN_FUTURE:
            return Conflict.DATE_IN_FUTURE
        case DecisionRefusal.DATE_NOT_FITTING_STATUS:
            return Conflict.DATE_NOT_FITTING_STATUS
        case _:
            return Conflict.DATES_OUT_OF_ORDER


def _status_by_dates(row: Row) -> PartyStatus | None:
    """The status that a row's dates speak of when it does not name one."""
    if row.confirmed_date is not None:
        return PartyStatus.FULL
    if row.admitted_date is not None:
        return PartyStatus.PROBATIONARY
    return PartyStatus.APPLICANT if row.applied_date is not None else None


def _kept_since(before: Standings) -> date | None:
    """The day on which a status began by a decision, such as the end of a probation: no roster changes that."""
    told = _since(
        before.status, applied=before.applied_date, admitted=before.admitted_date, confirmed=before.confirmed_date
    )
    return None if before.status_date == told else before.status_date


def _since(status: PartyStatus, *, applied: date | None, admitted: date | None, confirmed: date | None) -> date | None:
    match status:
        case PartyStatus.APPLICANT:
            return applied
        case PartyStatus.PROBATIONARY:
            return admitted
        case PartyStatus.FULL:
            return confirmed
        case _:
            return None

"""What a recorded decision may change of a member's record, and in which order the dates of a record stand.

Sources: Constitution of the Party (党章) chapters I and VII; 中国共产党发展党员工作细则.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from zhibu_branches.rules.members import MEMBERS, Occupation, PartyStatus, RestoreReason, Standing


class DecisionRefusal(StrEnum):
    """What is wrong with a decision or with the dates of a record."""

    NOTHING_CHANGES = "nothing_changes"
    DATE_IN_FUTURE = "date_in_future"
    DATE_BEFORE_STATUS = "date_before_status"
    DATES_OUT_OF_ORDER = "dates_out_of_order"
    STATUS_NOT_REACHABLE = "status_not_reachable"
    STANDING_NOT_FITTING = "standing_not_fitting"
    DOCUMENT_WANTED = "document_wanted"
    STATUS_WITH_STANDING = "status_with_standing"
    ADMISSION_DATE_WANTED = "admission_date_wanted"
    DATE_NOT_FITTING_STATUS = "date_not_fitting_status"
    RECORD_ENDED = "record_ended"
    RECORD_OPEN = "record_open"
    DATE_BEFORE_END = "date_before_end"
    RESTORE_NOT_FITTING = "restore_not_fitting"


# From which status a decision leads to which: step by step into the Party, and from full membership into probation and
# back. Whoever is not taken further ends by a standing, not by a step back.
_NEXT: Final[Mapping[PartyStatus, frozenset[PartyStatus]]] = {
    PartyStatus.APPLICANT: frozenset({PartyStatus.ACTIVIST}),
    PartyStatus.ACTIVIST: frozenset({PartyStatus.DEVELOPMENT_TARGET}),
    PartyStatus.DEVELOPMENT_TARGET: frozenset({PartyStatus.PROBATIONARY}),
    PartyStatus.PROBATIONARY: frozenset({PartyStatus.FULL}),
    PartyStatus.FULL: frozenset({PartyStatus.UNDER_PROBATION}),
    PartyStatus.UNDER_PROBATION: frozenset({PartyStatus.FULL}),
}
# Only who was admitted can leave or be expelled; only who was not can be no longer followed.
_OF_MEMBERS: Final = frozenset({Standing.LEFT, Standing.EXPELLED})
# Which ends a reason opens again; what was recorded by mistake can be any of them. The dead do not return, and who moved
# away was never struck off.
_RESTORES: Final[Mapping[RestoreReason, frozenset[Standing]]] = {
    RestoreReason.REINSTATED: frozenset({Standing.LEFT, Standing.EXPELLED}),
    RestoreReason.RETURNED: frozenset({Standing.MOVED_OUT, Standing.WITHDRAWN}),
    RestoreReason.ENTERED_WRONGLY: frozenset(Standing) - {Standing.PRESENT},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """The part of a record that decisions change."""

    status: PartyStatus
    status_date: date | None
    applied_date: date | None
    admitted_date: date | None
    confirmed_date: date | None
    occupation: Occupation
    standing: Standing
    end_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a document decides; None leaves a thing as it is."""

    decision_date: date
    status: PartyStatus | None = None
    occupation: Occupation | None = None
    standing: Standing | None = None
    has_document: bool = False


def apply_decision(record: Standings, decision: Decision, *, today: date) -> Standings | DecisionRefusal:
    """The record after a decision, or why it cannot be recorded."""
    if record.standing is not Standing.PRESENT:
        return DecisionRefusal.RECORD_ENDED
    if decision.decision_date > today:
        return DecisionRefusal.DATE_IN_FUTURE
    status = decision.status if decision.status is not record.status else None
    occupation = decision.occupation if decision.occupation is not record.occupation else None
    standing = decision.standing if decision.standing is not record.standing else None
    if status is None and occupation is None and standing is None:
        return DecisionRefusal.NOTHING_CHANGES
    if status is not None and standing is not None:
        return DecisionRefusal.STATUS_WITH_STANDING
    if (status is not None or standing is not None) and not decision.has_document:
        return DecisionRefusal.DOCUMENT_WANTED
    changed = record
    if status is not None or standing is not None:
        known = (record.status_date, record.applied_date, record.admitted_date, record.confirmed_date)
        if any(day is not None and decision.decision_date < day for day in known):
            return DecisionRefusal.DATE_BEFORE_STATUS
    if status is not None:
        reached = _reach(record, status, decision.decision_date)
        if reached is None:
            return DecisionRefusal.STATUS_NOT_REACHABLE
        changed = reached
    if standing is not None:
        if (record.status in MEMBERS and standing is Standing.WITHDRAWN) or (
            record.status not in MEMBERS and standing in _OF_MEMBERS
        ):
            return DecisionRefusal.STANDING_NOT_FITTING
        changed = _with(changed, standing=standing, end_date=decision.decision_date)
    return changed if occupation is None else _with(changed, occupation=occupation)


def restore_record(
    record: Standings, reason: RestoreReason, *, decision_date: date, today: date
) -> Standings | DecisionRefusal:
    """The record open again, as it stood when it ended, or why it cannot be."""
    if record.standing is Standing.PRESENT:
        return DecisionRefusal.RECORD_OPEN
    if record.standing not in _RESTORES[reason]:
        return DecisionRefusal.RESTORE_NOT_FITTING
    if decision_date > today:
        return DecisionRefusal.DATE_IN_FUTURE
    if record.end_date is not None and decision_date < record.end_date:
        return DecisionRefusal.DATE_BEFORE_END
    return replace(record, standing=Standing.PRESENT, end_date=None)


def check_new_record(record: Standings, *, today: date) -> DecisionRefusal | None:
    """What is wrong with the record of somebody whom a branch takes up, or None.

    Somebody admitted has a date of admission; who is full for longer than records go back may lack that of confirmation.
    """
    days = [record.applied_date, record.admitted_date, record.confirmed_date]
    known = [day for day in days if day is not None]
    if any(day > today for day in (*known, record.status_date) if day is not None):
        return DecisionRefusal.DATE_IN_FUTURE
    if known != sorted(known):
        return DecisionRefusal.DATES_OUT_OF_ORDER
    if record.status in MEMBERS and record.admitted_date is None:
        return DecisionRefusal.ADMISSION_DATE_WANTED
    if record.status not in MEMBERS and (record.admitted_date or record.confirmed_date):
        return DecisionRefusal.DATE_NOT_FITTING_STATUS
    if record.status is PartyStatus.PROBATIONARY and record.confirmed_date is not None:
        return DecisionRefusal.DATE_NOT_FITTING_STATUS
    if (
        record.status_date is not None
        and record.admitted_date is not None
        and record.status_date < record.admitted_date
    ):
        return DecisionRefusal.DATES_OUT_OF_ORDER
    return None


def can_reach(before: PartyStatus, after: PartyStatus) -> bool:
    """Whether steps of the way lead from one status to another; rosters may be several steps ahead."""
    seen = {before}
    waiting = [before]
    while waiting:
        for status in _NEXT[waiting.pop()] - seen:
            seen.add(status)
            waiting.append(status)
    return after in seen


def _reach(record: Standings, status: PartyStatus, day: date) -> Standings | None:
    if status not in _NEXT[record.status]:
        return None
    changed = _with(record, status=status, status_date=day)
    match record.status, status:
        case (_, PartyStatus.PROBATIONARY):
            return _with(changed, admitted_date=day)
        case (PartyStatus.PROBATIONARY, PartyStatus.FULL):
            return _with(changed, confirmed_date=day)
        case _:
            return changed


def _with(
    record: Standings,
    *,
    status: PartyStatus | None = None,
    status_date: date | None = None,
    admitted_date: date | None = None,
    confirmed_date: date | None = None,
    occupation: Occupation | None = None,
    standing: Standing | None = None,
    end_date: date | None = None,
) -> Standings:
    """The record with what is given; a None leaves a thing as it is."""
    return Standings(
        status=status or record.status,
        status_date=status_date or record.status_date,
        applied_date=record.applied_date,
        admitted_date=admitted_date or record.admitted_date,
        confirmed_date=confirmed_date or record.confirmed_date,
        occupation=record.occupation if occupation is None else occupation,
        standing=standing or record.standing,
        end_date=end_date or record.end_date,
    )

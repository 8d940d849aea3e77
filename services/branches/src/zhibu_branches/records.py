"""The member's record: taken up in a branch, changed by decisions, with its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.errors import ErrorKind, ServiceError, field_error
from zhibu_kit.ids import new_ulid
from zhibu_kit.prepared import Prepared

from zhibu_branches import errors
from zhibu_branches.committees.posts import end_posts_of
from zhibu_branches.member_events import record_changed
from zhibu_branches.member_queries import record_from
from zhibu_branches.memberships import (
    NewRecord,
    Record,
    end_memberships,
    lock_branches,
    memberships_of,
    open_record,
    record_of,
)
from zhibu_branches.models import member_decision, member_record
from zhibu_branches.rules import committees
from zhibu_branches.rules.decisions import (
    Decision,
    DecisionRefusal,
    Standings,
    apply_decision,
    check_new_record,
)
from zhibu_branches.rules.members import DecisionSource, EndReason, Occupation, PartyStatus, RestoreReason, Standing
from zhibu_branches.unplaced import find_unplaced

T = TypeVar("T")

# Entries of a history that are shown: the newest. Nobody has more in a life.
DECISIONS_MAX: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionEntry:
    """One entry of a record's history; None where the decision left something as it was."""

    decision_id: str
    member_id: str
    county_code: str
    branch_id: str
    decision_date: date
    status: PartyStatus | None
    occupation: Occupation | None
    standing: Standing | None
    document_number: str
    document_id: str
    source: DecisionSource
    made_by_member_id: str
    create_time: datetime
    # Why it opened an ended record again; None for all other decisions.
    restore_reason: RestoreReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a decision rests on, and who recorded it."""

    number: str
    document_id: str = ""
    made_by_member_id: str


async def take_up(
    transaction: Transaction, new: NewRecord, *, document: Document, today: date, now: datetime
) -> tuple[Record, DecisionEntry]:
    """Opens the record of a person in a physical branch, with the first entry of its history.

    Raises:
        ServiceError: as open_record does, or a field error on what stands out of order.
    """
    refusal = check_new_record(_standings_of_new(new), today=today)
    if refusal is DecisionRefusal.DATE_IN_FUTURE:
        raise field_error("status_date", errors.DATE_IN_FUTURE)
    if refusal is not None:
        raise refused(refusal)
    record = await open_record(transaction, new, start_date=today, now=now)
    entry = DecisionEntry(
        decision_id=new_ulid(),
        member_id=new.member_id,
        county_code=record.county_code,
        branch_id=record.branch_id,
        decision_date=new.status_date or today,
        status=new.status,
        occupation=new.occupation,
        standing=Standing.PRESENT,
        document_number=document.number,
        document_id=document.document_id,
        source=DecisionSource.RECORDED,
        made_by_member_id=document.made_by_member_id,
        create_time=now,
    )
    await insert_entry(transaction, entry)
    return record, entry


async def place_member(
    transaction: Transaction, new: NewRecord, *, document: Document, today: date, now: datetime
) -> tuple[Record, DecisionEntry]:
    """Takes up somebody who has an e-ID and whom no branch holds yet.

    Raises:
        ServiceError: as take_up does, or MEMBER_NOT_UNPLACED.
    """
    await lock_branches(transaction, [new.branch_id])
    if await record_of(transaction, new.member_id) is not None:
        raise errors.MEMBER_HAS_RECORD()
    if await find_unplaced(transaction, new.member_id) is None:
        raise errors.MEMBER_NOT_UNPLACED()
    return await take_up(transaction, new, document=document, today=today, now=now)


async def record_decision(
    transaction: Transaction, record: Record, decision: Decision, *, document: Document, today: date, now: datetime
) -> tuple[Record, DecisionEntry]:
    """Changes a locked record by a decision; a standing other than present ends every membership of the member.

    The scope must show all counties in which the member has something (memberships.show_all_of).

    Raises:
        ServiceError: MEMBER_NOT_PRESENT and the other refusals of rules.decisions.
    """
    outcome = apply_decision(standings_of(record), decision, today=today)
    if isinstance(outcome, DecisionRefusal):
        raise refused(outcome)
    if outcome.standing is not Standing.PRESENT:
        await end_memberships(
            transaction,
            await memberships_of(transaction, record.member_id),
            end_date=decision.decision_date,
            reason=EndReason.RECORD_ENDED,
            now=now,
        )
    row = await transaction.one(
        update(member_record)
        .where(member_record.c.member_id == record.member_id)
        .values(
            status=outcome.status,
            status_date=outcome.status_date,
            admitted_date=outcome.admitted_date,
            confirmed_date=outcome.confirmed_date,
            occupation=outcome.occupation,
            standing=outcome.standing,
            end_date=outcome.end_date,
            version=member_record.c.version + 1,
            update_time=now,
        )
        .returning(member_record)
    )
    changed = record_from(row)
    transaction.emit(record_changed(changed, source=DecisionSource.RECORDED), county_code=changed.county_code)
    if record.status is PartyStatus.FULL and changed.status is not PartyStatus.FULL:
        # Probation within the Party takes every post away (《中国共产党纪律处分条例》): only full members hold posts.
        await end_posts_of(
            transaction,
            record.member_id,
            end_date=decision.decision_date,
            reason=committees.EndReason.DISMISSED,
            now=now,
        )
    entry = DecisionEntry(
        decision_id=new_ulid(),
        member_id=record.member_id,
        county_code=record.county_code,
        branch_id=record.branch_id,
        decision_date=decision.decision_date,
        status=_if_changed(outcome.status, record.status),
        occupation=_if_changed(outcome.occupation, record.occupation),
        standing=_if_changed(outcome.standing, record.standing),
        document_number=document.number,
        document_id=document.document_id,
        source=DecisionSource.RECORDED,
        made_by_member_id=document.made_by_member_id,
        create_time=now,
    )
    await insert_entry(transaction, entry)
    return changed, entry


async def decisions_of(transaction: Transaction, member_id: str) -> list[DecisionEntry]:
    """A record's history, the newest first."""
    return [_entry_of(row) for row in await _DECISIONS.all(transaction, member_id=member_id)]


_DECISIONS: Final = Prepared(
    select(member_decision)
    .where(member_decision.c.member_id == bindparam("member_id"))
    .order_by(member_decision.c.decision_id.desc())
    .limit(DECISIONS_MAX)
)


def standings_of(record: Record) -> Standings:
    """The part of a record that decisions change."""
    return Standings(
        status=record.status,
        status_date=record.status_date,
        applied_date=record.applied_date,
        admitted_date=record.admitted_date,
        confirmed_date=record.confirmed_date,
        occupation=record.occupation,
        standing=record.standing,
        end_date=record.end_date,
    )


def _standings_of_new(new: NewRecord) -> Standings:
    return Standings(
        status=new.status,
        status_date=new.status_date,
        applied_date=new.applied_date,
        admitted_date=new.admitted_date,
        confirmed_date=new.confirmed_date,
        occupation=new.occupation,
        standing=Standing.PRESENT,
    )


async def insert_entry(transaction: Transaction, entry: DecisionEntry) -> None:
    """Adds an entry to a record's history."""
    await transaction.execute(
        insert(member_decision).values(
            decision_id=entry.decision_id,
            member_id=entry.member_id,
            county_code=entry.county_code,
            branch_id=entry.branch_id,
            decision_date=entry.decision_date,
            status=entry.status or 0,
            occupation=entry.occupation or 0,
            standing=entry.standing or 0,
            document_number=entry.document_number,
            document_id=entry.document_id,
            source=entry.source,
            made_by_member_id=entry.made_by_member_id,
            create_time=entry.create_time,
            restore_reason=entry.restore_reason or 0,
        )
    )


def _entry_of(row: Row[Any]) -> DecisionEntry:
    return DecisionEntry(
        decision_id=row.decision_id,
        member_id=row.member_id,
        county_code=row.county_code,
        branch_id=row.branch_id,
        decision_date=row.decision_date,
        status=PartyStatus(row.status) if row.status else None,
        occupation=Occupation(row.occupation) if row.occupation else None,
        standing=Standing(row.standing) if row.standing else None,
        document_number=row.document_number,
        document_id=row.document_id,
        source=DecisionSource(row.source),
        made_by_member_id=row.made_by_member_id,
        create_time=row.create_time,
        restore_reason=RestoreReason(row.restore_reason) if row.restore_reason else None,
    )


def _if_changed(after: T, before: T) -> T | None:
    return None if after == before else after


# Without a field: about the record as a whole.
_REFUSALS: Final[Mapping[DecisionRefusal, tuple[str, ErrorKind]]] = {
    DecisionRefusal.NOTHING_CHANGES: ("", errors.DECISION_CHANGES_NOTHING),
    DecisionRefusal.RECORD_ENDED: ("", errors.MEMBER_NOT_PRESENT),
    DecisionRefusal.RECORD_OPEN: ("", errors.MEMBER_PRESENT),
    DecisionRefusal.RESTORE_NOT_FITTING: ("reason", errors.RESTORE_NOT_FITTING),
    DecisionRefusal.DATE_BEFORE_END: ("decision_date", errors.DATE_BEFORE_END),
    DecisionRefusal.STATUS_NOT_REACHABLE: ("", errors.STATUS_NOT_REACHABLE),
    DecisionRefusal.STANDING_NOT_FITTING: ("", errors.STANDING_NOT_FITTING),
    DecisionRefusal.DATE_IN_FUTURE: ("decision_date", errors.DATE_IN_FUTURE),
    DecisionRefusal.DATE_BEFORE_STATUS: ("decision_date", errors.DATE_BEFORE_STATUS),
    DecisionRefusal.DATES_OUT_OF_ORDER: ("admitted_date", errors.DATES_OUT_OF_ORDER),
    DecisionRefusal.DOCUMENT_WANTED: ("document_number", errors.DOCUMENT_WANTED),
    DecisionRefusal.STATUS_WITH_STANDING: ("standing", errors.STATUS_WITH_STANDING),
    DecisionRefusal.ADMISSION_DATE_WANTED: ("admitted_date", errors.ADMISSION_DATE_WANTED),
    DecisionRefusal.DATE_NOT_FITTING_STATUS: ("status", errors.DATE_NOT_FITTING_STATUS),
}


def refused(refusal: DecisionRefusal) -> ServiceError:
    """What callers are told of a refusal."""
    field, kind = _REFUSALS[refusal]
    return field_error(field, kind) if field else kind()

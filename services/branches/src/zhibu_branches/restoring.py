"""An ended record is opened again by a decision: in one branch, with its history."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from zhibu_kit.db import Transaction
from zhibu_kit.errors import field_error
from zhibu_kit.ids import new_ulid

from zhibu_branches import errors
from zhibu_branches.member_events import record_changed
from zhibu_branches.memberships import Record, reopen_record
from zhibu_branches.models import erased_member
from zhibu_branches.queries import Organisation
from zhibu_branches.records import DecisionEntry, Document, insert_entry, refused, standings_of
from zhibu_branches.rules.decisions import DecisionRefusal, restore_record
from zhibu_branches.rules.members import DecisionSource, RestoreReason, Standing


async def restore_member(
    transaction: Transaction,
    record: Record,
    reason: RestoreReason,
    *,
    branch: Organisation,
    decision_date: date,
    document: Document,
    today: date,
    now: datetime,
) -> tuple[Record, DecisionEntry]:
    """Opens a locked record again in a locked branch of its county; what ended with it stays ended.

    Raises:
        ServiceError: MEMBER_ERASED, MEMBER_PRESENT, RESTORE_NOT_FITTING and what the branch refuses.
    """
    if not document.number:
        raise field_error("document_number", errors.DOCUMENT_WANTED)
    erased = select(erased_member.c.member_id).where(erased_member.c.member_id == record.member_id)
    if await transaction.scalar(erased) is not None:
        raise errors.MEMBER_ERASED()
    outcome = restore_record(standings_of(record), reason, decision_date=decision_date, today=today)
    if isinstance(outcome, DecisionRefusal):
        raise refused(outcome)
    restored = await reopen_record(transaction, record, branch=branch, start_date=decision_date, now=now)
    transaction.emit(record_changed(restored, source=DecisionSource.RECORDED), county_code=restored.county_code)
    entry = DecisionEntry(
        decision_id=new_ulid(),
        member_id=restored.member_id,
        county_code=restored.county_code,
        branch_id=restored.branch_id,
        decision_date=decision_date,
        status=None,
        occupation=None,
        standing=Standing.PRESENT,
        document_number=document.number,
        document_id=document.document_id,
        source=DecisionSource.RECORDED,
        made_by_member_id=document.made_by_member_id,
        create_time=now,
        restore_reason=reason,
    )
    await insert_entry(transaction, entry)
    return restored, entry

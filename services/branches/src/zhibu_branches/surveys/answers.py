"""What is known of members' computers and networks: stated, reported, countersigned, disputed.

Locks are taken in the order of `locks`: records, answers, then the branch's survey.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.errors import ETAG_MISMATCH, field_errors, field_violation
from zhibu_kit.ids import new_ulid

from zhibu_branches.member_queries import Record, records_of
from zhibu_branches.models import member_record
from zhibu_branches.rules.members import MEMBERS, Standing
from zhibu_branches.rules.surveys import Answer, AnswerState, after_report
from zhibu_branches.surveys import errors
from zhibu_branches.surveys.counting import recount
from zhibu_branches.surveys.events import answer_reported
from zhibu_branches.surveys.tables import survey_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAnswer:
    """What is known of a member of a branch; answer is None, and revision empty, when nobody said anything."""

    member_id: str
    branch_id: str
    answer: Answer | None = None
    revision: str = ""
    answer_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a branch says of one of its members."""

    member_id: str
    has_device: bool
    has_network: bool


async def find_answer(transaction: Transaction, record: Record, *, lock: bool = False) -> KnownAnswer:
    """What is known of the member of a record."""
    statement = select(survey_answer).where(survey_answer.c.member_id == record.member_id)
    row = await transaction.one_or_none(statement.with_for_update() if lock else statement)
    return _known(record.member_id, record.branch_id, row)


async def state_answer(
    transaction: Transaction, record: Record, *, has_device: bool, has_network: bool, now: datetime
) -> KnownAnswer:
    """Writes down what a member says; the record is locked."""
    present = await find_answer(transaction, record, lock=True)
    stated = Answer(has_device=has_device, has_network=has_network, state=AnswerState.STATED)
    if present.answer == stated:
        return present
    return await _say(transaction, record, stated, now=now)


async def countersign(
    transaction: Transaction, record: Record, *, agreed: bool, etag: str, now: datetime
) -> KnownAnswer:
    """Confirms or disputes what the branch reported about the member of this record, which is locked.

    Raises:
        ServiceError: NOTHING_TO_COUNTERSIGN, ETAG_MISMATCH.
    """
    present = await find_answer(transaction, record, lock=True)
    if present.answer is None or present.answer.state is not AnswerState.REPORTED:
        raise errors.NOTHING_TO_COUNTERSIGN()
    if present.revision != etag:
        raise ETAG_MISMATCH(etag=present.revision)
    state = AnswerState.COUNTERSIGNED if agreed else AnswerState.DISPUTED
    signed = Answer(has_device=present.answer.has_device, has_network=present.answer.has_network, state=state)
    return await _say(transaction, record, signed, now=now)


async def report_answers(
    transaction: Transaction, branch_id: str, reports: Sequence[Report], *, signed_list_number: str = "", now: datetime
) -> list[KnownAnswer]:
    """Writes down what a branch knows of its members, all of it or nothing; returns what stands now, in the order given.

    With the number of a list that the members signed by hand the answers count, and nobody is asked to countersign.

    Raises:
        ServiceError: a field error on each report of somebody who is no member of this branch, or is named twice.
    """
    member_ids = [report.member_id for report in reports]
    # Locked: whoever moves at this moment takes no report of the old branch along.
    records = await records_of(transaction, sorted(set(member_ids)), lock=True)
    _check_reports(reports, records, branch_id)
    rows = await transaction.all(
        select(survey_answer)
        .where(survey_answer.c.member_id == func.any(member_ids))
        .order_by(survey_answer.c.member_id)
        .with_for_update()
    )
    present = {row.member_id: row for row in rows}
    known: list[KnownAnswer] = []
    for report in reports:
        before = _known(report.member_id, branch_id, present.get(report.member_id))
        after = after_report(
            before.answer,
            has_device=report.has_device,
            has_network=report.has_network,
            signed=bool(signed_list_number),
        )
        if after is before.answer:
            known.append(before)
            continue
        record = records[report.member_id]
        report_id = new_ulid()
        known.append(
            await _write(
                transaction, record, after, report_id=report_id, signed_list_number=signed_list_number, now=now
            )
        )
        # What is only reported does not count, and overwrites nothing that counts: the rate stays.
        if signed_list_number:
            continue
        event = answer_reported(
            report_id=report_id,
            member_id=report.member_id,
            branch_id=branch_id,
            county_code=record.county_code,
            report_time=now,
        )
        transaction.emit(event, county_code=record.county_code)
    if signed_list_number:
        await recount(transaction, [branch_id], now=now)
    return known


async def list_answers(
    transaction: Transaction, branch_id: str, *, after: str | None, count_max: int
) -> list[KnownAnswer]:
    """The members of a branch who count, each with what is known, by member, after the given one."""
    statement = (
        select(member_record.c.member_id.label("of_member"), survey_answer)
        .outerjoin(survey_answer, survey_answer.c.member_id == member_record.c.member_id)
        .where(
            member_record.c.branch_id == branch_id,
            member_record.c.standing == Standing.PRESENT,
            member_record.c.status.in_(sorted(MEMBERS)),
        )
    )
    if after is not None:
        statement = statement.where(member_record.c.member_id > after)
    rows = await transaction.all(statement.order_by(member_record.c.member_id).limit(count_max))
    return [_known(row.of_member, branch_id, row if row.member_id else None) for row in rows]


def _check_reports(reports: Sequence[Report], records: dict[str, Record], branch_id: str) -> None:
    seen: set[str] = set()
    wrong: list[tuple[int, Any]] = []
    for at, report in enumerate(reports):
        record = records.get(report.member_id)
        if record is None or record.branch_id != branch_id or record.standing is not Standing.PRESENT:
            wrong.append((at, errors.NOT_OF_THIS_BRANCH))
        elif report.member_id in seen:
            wrong.append((at, errors.NAMED_TWICE))
        seen.add(report.member_id)
    if wrong:
        raise field_errors(field_violation(f"reports[{at}].member_id", kind) for at, kind in wrong)


async def _say(transaction: Transaction, record: Record, answer: Answer, *, now: datetime) -> KnownAnswer:
    """Writes down the member's own word, and counts the branch."""
    known = await _write(transaction, record, answer, report_id=None, now=now)
    if record.status in MEMBERS:
        await recount(transaction, [record.branch_id], now=now)
    return known


async def _write(
    transaction: Transaction,
    record: Record,
    answer: Answer,
    *,
    report_id: str | None,
    now: datetime,
    signed_list_number: str = "",
) -> KnownAnswer:
    """Writes an answer; without another report_id the last one stays."""
    values: dict[str, Any] = {
        "county_code": record.county_code,
        "has_device": answer.has_device,
        "has_network": answer.has_network,
        "state": answer.state,
        "revision": new_ulid(),
        "answer_time": now,
        "signed_list_number": signed_list_number,
    }
    if report_id is not None:
        values["report_id"] = report_id
    row = await transaction.one(
        insert(survey_answer)
        .values({"member_id": record.member_id, "report_id": "", **values})
        .on_conflict_do_update(index_elements=["member_id"], set_=values)
        .returning(survey_answer)
    )
    return _known(record.member_id, record.branch_id, row)


def _known(member_id: str, branch_id: str, row: Row[Any] | None) -> KnownAnswer:
    if row is None:
        return KnownAnswer(member_id=member_id, branch_id=branch_id)
    return KnownAnswer(
        member_id=member_id,
        branch_id=branch_id,
        answer=Answer(has_device=row.has_device, has_network=row.has_network, state=AnswerState(row.state)),
        revision=row.revision,
        answer_time=row.answer_time,
    )

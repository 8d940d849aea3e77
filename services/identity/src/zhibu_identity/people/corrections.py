"""Corrections: what members say is wrong in their own record, and what officers answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import Row, select, update
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.errors import NOT_FOUND, field_error
from zhibu_kit.ids import new_ulid
from zhibu_kit.paging import Page

from zhibu_identity.errors import (
    CORRECTION_ENDED,
    CORRECTION_OPEN,
    EDUCATION_UNKNOWN,
    REPLY_NOTE_NEEDED,
    VALUE_LENGTH,
)
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.models import correction, person
from zhibu_identity.parts import Parts
from zhibu_identity.people import events as person_events
from zhibu_identity.people.changes import Corrected, correct_person, get_person_key
from zhibu_identity.people.reach import Reach
from zhibu_identity.people.records import PersonDetails, PersonRecord
from zhibu_identity.rules.person import EDUCATIONS, KEPT_BY_BRANCHES, Field, fits, read_education

NOUN: Final = "correction"
MOST_OF_MEMBER: Final = 200


class CorrectionState(IntEnum):
    """Where a correction stands; the numbers are the contract's."""

    OPEN = 1
    DONE = 2
    REFUSED = 3
    WITHDRAWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One correction as stored; what it says is sealed."""

    correction_id: str
    county_code: str
    member_id: str
    field: Field
    wanted_value: bytes
    reason: bytes
    state: CorrectionState
    reply_note: bytes | None
    decided_by_member_id: str | None
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionText:
    """What is sealed, opened."""

    wanted_value: str
    reason: str
    reply_note: str


def open_text(record: Correction, key: MemberKey | None) -> CorrectionText:
    """Open what is sealed; empty when the person's key was destroyed."""

    def text(name: str, sealed: bytes | None) -> str:
        return "" if key is None or sealed is None else key.open(sealed, place=f"correction.{name}")

    return CorrectionText(
        wanted_value=text("wanted_value", record.wanted_value),
        reason=text("reason", record.reason),
        reply_note=text("reply_note", record.reply_note),
    )


def current_value(field: Field, details: PersonDetails) -> str:
    """Return what the record says now; empty for what branches keeps."""
    match field:
        case Field.REAL_NAME:
            return details.real_name
        case Field.RESIDENT_NUMBER:
            return details.resident_number
        case Field.ETHNICITY:
            return details.ethnicity
        case Field.EDUCATION:
            return EDUCATIONS[details.education][0] if details.education in EDUCATIONS else ""
        case Field.WORK_UNIT:
            return details.work_unit
        case Field.ADDRESS:
            return details.address
        case Field.PARTY_STATUS | Field.OCCUPATION | Field.BRANCH:
            return ""


async def request_correction(
    transaction: Transaction, parts: Parts, record: PersonRecord, *, field: Field, wanted_value: str, reason: str
) -> Correction:
    """Store a member's wish.

    Raises:
        ServiceError: a field error; CORRECTION_OPEN when one about this field waits already; PERSON_ERASED.
    """
    if field is Field.EDUCATION and read_education(wanted_value) is None:
        raise field_error("wanted_value", EDUCATION_UNKNOWN)
    if not fits(field, wanted_value):
        raise field_error("wanted_value", VALUE_LENGTH)
    key, now = await get_person_key(parts, record), parts.clock.now()
    made = Correction(
        correction_id=new_ulid(parts.clock),
        county_code=record.county_code,
        member_id=record.member_id,
        field=field,
        wanted_value=key.seal(wanted_value.strip(), place="correction.wanted_value"),
        reason=key.seal(reason, place="correction.reason"),
        state=CorrectionState.OPEN,
        reply_note=None,
        decided_by_member_id=None,
        created_at=now,
        updated_at=now,
        version=1,
    )
    values = {name: getattr(made, name) for name in correction.c.keys()}  # noqa: SIM118 - a ColumnCollection is no dict
    stored = await transaction.execute(
        insert(correction)
        .values(values | {"field": int(field), "state": int(made.state)})
        .on_conflict_do_nothing(index_elements=["member_id", "field"], index_where=sql("state = 1"))
    )
    if stored.rowcount != 1:
        # Nothing that a member has asked for is replaced without being taken back: an officer may be at it.
        raise CORRECTION_OPEN()
    transaction.emit(person_events.correction_changed(made, branch_id=record.branch_id), county_code=record.county_code)
    return made


async def withdraw_correction(
    transaction: Transaction, parts: Parts, record: Correction, *, person_record: PersonRecord
) -> Correction:
    """Take a locked correction back.

    Raises:
        ServiceError: CORRECTION_ENDED.
    """
    return await _end(transaction, parts, record, person_record=person_record, state=CorrectionState.WITHDRAWN)


async def decide_correction(
    transaction: Transaction,
    parts: Parts,
    record: Correction,
    *,
    person_record: PersonRecord,
    accept: bool,
    reply_note: str,
    officer_member_id: str,
) -> Correction:
    """Answer a locked correction of a locked person; accepting one of a field that we keep corrects it.

    Raises:
        ServiceError: CORRECTION_ENDED, REPLY_NOTE_NEEDED, what correcting refuses, PERSON_ERASED.
    """
    if record.state is not CorrectionState.OPEN:
        raise CORRECTION_ENDED()
    if not accept and not reply_note.strip():
        raise field_error("reply_note", REPLY_NOTE_NEEDED)
    key = await get_person_key(parts, person_record)
    if accept and record.field not in KEPT_BY_BRANCHES:
        wanted = open_text(record, key).wanted_value
        person_record, _ = await correct_person(transaction, parts, person_record, wish_of(record.field, wanted))
    return await _end(
        transaction,
        parts,
        record,
        person_record=person_record,
        state=CorrectionState.DONE if accept else CorrectionState.REFUSED,
        reply_note=key.seal(reply_note, place="correction.reply_note") if reply_note else None,
        officer_member_id=officer_member_id,
    )


async def finish_correction(
    transaction: Transaction, parts: Parts, correction_id: str, *, person_record: PersonRecord, officer_member_id: str
) -> None:
    """Note that an officer has corrected what a member asked for.

    Raises:
        ServiceError: NOT_FOUND when it is not this person's; CORRECTION_ENDED.
    """
    record = await get_correction(transaction, correction_id, lock=True)
    if record.member_id != person_record.member_id:
        raise NOT_FOUND(noun=NOUN)
    await _end(
        transaction,
        parts,
        record,
        person_record=person_record,
        state=CorrectionState.DONE,
        officer_member_id=officer_member_id,
    )


def wish_of(field: Field, wanted: str) -> Corrected:
    """Return what an accepted correction changes."""
    match field:
        case Field.REAL_NAME:
            return Corrected(real_name=wanted)
        case Field.RESIDENT_NUMBER:
            return Corrected(resident_number=wanted)
        case Field.ETHNICITY:
            return Corrected(ethnicity=wanted)
        case Field.EDUCATION:
            return Corrected(education=read_education(wanted) or 0)
        case Field.WORK_UNIT:
            return Corrected(work_unit=wanted)
        case Field.ADDRESS:
            return Corrected(address=wanted)
        case Field.PARTY_STATUS | Field.OCCUPATION | Field.BRANCH:
            return Corrected()


async def get_correction(transaction: Transaction, correction_id: str, *, lock: bool = False) -> Correction:
    """Return a correction within the transaction's scope.

    Raises:
        ServiceError: NOT_FOUND.
    """
    statement = select(correction).where(correction.c.correction_id == correction_id)
    row = await transaction.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise NOT_FOUND(noun=NOUN)
    return record_of(row)


async def list_of_member(transaction: Transaction, member_id: str) -> list[Correction]:
    """Return a member's corrections, newest first."""
    rows = await transaction.all(
        select(correction)
        .where(correction.c.member_id == member_id)
        .order_by(correction.c.correction_id.desc())
        .limit(MOST_OF_MEMBER)
    )
    return [record_of(row) for row in rows]


async def list_open(transaction: Transaction, reach: Reach, *, page: Page) -> list[Correction]:
    """Return a page of the open corrections of people whom a reach holds, oldest first, and one more."""
    statement = (
        select(correction)
        .join(person, person.c.member_id == correction.c.member_id)
        .where(
            correction.c.county_code == reach.county_code,
            correction.c.state == int(CorrectionState.OPEN),
            reach.holds(),
        )
    )
    if page.after is not None:
        statement = statement.where(correction.c.correction_id > page.after[0])
    rows = await transaction.all(statement.order_by(correction.c.correction_id).limit(page.size + 1))
    return [record_of(row) for row in rows]


async def _end(
    transaction: Transaction,
    parts: Parts,
    record: Correction,
    *,
    person_record: PersonRecord,
    state: CorrectionState,
    reply_note: bytes | None = None,
    officer_member_id: str | None = None,
) -> Correction:
    if record.state is not CorrectionState.OPEN:
        raise CORRECTION_ENDED()
    row = await transaction.one(
        update(correction)
        .where(correction.c.correction_id == record.correction_id)
        .values(
            state=int(state),
            reply_note=reply_note,
            decided_by_member_id=officer_member_id,
            updated_at=parts.clock.now(),
            version=record.version + 1,
        )
        .returning(correction)
    )
    ended = record_of(row)
    transaction.emit(
        person_events.correction_changed(ended, branch_id=person_record.branch_id), county_code=ended.county_code
    )
    return ended


def record_of(row: Row[Any] | Sequence[Any]) -> Correction:
    """Return a correction as a row of its table holds it."""
    values: dict[str, Any] = dict(zip(correction.c.keys(), row, strict=True))
    values["field"] = Field(values["field"])
    values["state"] = CorrectionState(values["state"])
    return Correction(**values)

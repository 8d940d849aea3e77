"""Correcting a person's record, and giving a person another telephone.

The key database is told first and last: a corrected resident number is taken there before the record changes, so that
nobody else can; search terms follow the committed record by a task, whatever happened in between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from zhibu_kit.clock import today_in_shanghai
from zhibu_kit.db import Transaction
from zhibu_kit.errors import FieldViolation, field_error, field_errors, field_violation
from zhibu_kit.scope import Scope

from zhibu_identity import faults
from zhibu_identity.eids.records import change_eid, find_living_eid, open_holder
from zhibu_identity.errors import NUMBER_HELD, PERSON_ERASED, VALUE_LENGTH
from zhibu_identity.keys.numbers import NumberKind
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.parts import Parts
from zhibu_identity.people import events as person_events
from zhibu_identity.people.records import (
    PersonDetails,
    PersonRecord,
    change_person,
    find_person,
    open_details,
    seal_details,
)
from zhibu_identity.rules.person import Field, fits
from zhibu_identity.rules.real_name import RealName, read_real_name
from zhibu_identity.rules.resident_number import ResidentNumber, read_resident_number
from zhibu_identity.rules.search_terms import terms_of_person
from zhibu_identity.rules.telephone import find_telephone_fault
from zhibu_identity.tasks.queue import Task, TaskKind, add_task, finish_task
from zhibu_identity.telephones.former import keep_former

# What is taken in the key database and not committed within this is put right again.
SETTLE_AFTER: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """What is to stand in the record; empty fields (0) stay as they are."""

    real_name: str = ""
    resident_number: str = ""
    ethnicity: str = ""
    education: int = 0
    work_unit: str = ""
    address: str = ""


async def get_person_key(parts: Parts, record: PersonRecord) -> MemberKey:
    """Return the key of a person.

    Raises:
        ServiceError: PERSON_ERASED when it was destroyed.
    """
    key = await parts.vault.find_member_key(record.member_id, record.county_code)
    if key is None:
        raise PERSON_ERASED()
    return key


async def correct_person(
    transaction: Transaction, parts: Parts, record: PersonRecord, wish: Corrected
) -> tuple[PersonRecord, PersonDetails]:
    """Correct a locked person's record, and the e-ID with it.

    Raises:
        ServiceError: field errors; NUMBER_HELD when somebody else has the resident number; PERSON_ERASED.
    """
    key = await get_person_key(parts, record)
    before = open_details(record.details, key)
    after = _checked(parts, before, wish)
    if after == before:
        return record, before
    if after.resident_number != before.resident_number:
        await _take_number(parts, record, after.resident_number)
        parts.reached("number taken")
    return await _store(transaction, parts, record, key=key, details=after), after


async def change_telephone(
    transaction: Transaction, parts: Parts, record: PersonRecord, telephone: str
) -> tuple[PersonRecord, PersonDetails]:
    """Give a locked person another telephone; log-in codes go there from the commit on, and both are told.

    Where record and e-ID had different ones, both have this one afterwards; told is the one to which the codes went, if it
    is another.

    Raises:
        ServiceError: a field error; PERSON_ERASED.
    """
    fault = find_telephone_fault(telephone, synthetic_allowed=parts.synthetic_allowed)
    if fault is not None:
        raise field_error("telephone", faults.TELEPHONE[fault])
    key = await get_person_key(parts, record)
    before = open_details(record.details, key)
    eid = await find_living_eid(transaction, record.member_id, lock=True)
    of_eid = before.telephone if eid is None else open_holder(eid, key).telephone
    if before.telephone == of_eid == telephone:
        return record, before
    details = replace(before, telephone=telephone)
    changed = await _store(transaction, parts, record, key=key, details=details, eid_telephone=telephone)
    former = of_eid if of_eid not in ("", telephone) else before.telephone
    replaced = former not in ("", telephone)
    if replaced:
        await keep_former(transaction, changed, former, key=key)
    transaction.emit(person_events.telephone_changed(changed, replaced=replaced), county_code=changed.county_code)
    return changed, details


async def index_member(parts: Parts, task: Task) -> None:
    """Make a person findable by what the record says now, and no longer by what it said before."""
    async with parts.database.transaction(task.scope) as transaction:
        # Locked, so that a correction under way is waited for instead of being undone here.
        record = await find_person(transaction, task.member_id, lock=True)
        key = await parts.vault.find_member_key(task.member_id, task.county_code)
        if record is not None and key is not None:
            details = open_details(record.details, key)
            await index_details(parts, record, details)
            if details.resident_number:
                await parts.vault.numbers.settle(details.resident_number, record.member_id)
        parts.reached("member indexed")
        await finish_task(transaction, task, now=parts.clock.now())


async def index_details(parts: Parts, record: PersonRecord, details: PersonDetails) -> None:
    """Enter a person's terms and numbers in the key database, instead of earlier ones."""
    terms = terms_of_person(details.real_name, resident_number=details.resident_number, telephone=details.telephone)
    await parts.vault.search.put_terms(record.member_id, record.county_code, terms)
    numbers = ((NumberKind.RESIDENT, details.resident_number), (NumberKind.TELEPHONE, details.telephone))
    await parts.vault.numbers.put(
        record.member_id, record.county_code, [(kind, number) for kind, number in numbers if number]
    )


def _checked(parts: Parts, before: PersonDetails, wish: Corrected) -> PersonDetails:
    """Return the details with what was wished for, or tell of every fault at once."""
    violations: list[FieldViolation] = []
    after = before
    if wish.real_name:
        name = read_real_name(wish.real_name)
        if isinstance(name, RealName):
            after = replace(after, real_name=name.value)
        else:
            violations.append(field_violation("real_name", faults.REAL_NAME[name]))
    if wish.resident_number:
        number = read_resident_number(
            wish.resident_number, today=today_in_shanghai(parts.clock), synthetic_allowed=parts.synthetic_allowed
        )
        if isinstance(number, ResidentNumber):
            after = replace(after, resident_number=number.value)
        else:
            violations.append(field_violation("resident_number", faults.RESIDENT_NUMBER[number]))
    texts = ((Field.ETHNICITY, "ethnicity"), (Field.WORK_UNIT, "work_unit"), (Field.ADDRESS, "address"))
    for field, name in texts:
        text: str = getattr(wish, name)
        if text and not fits(field, text):
            violations.append(field_violation(name, VALUE_LENGTH))
        elif text:
            after = replace(after, **{name: text.strip()})
    if wish.education:
        after = replace(after, education=wish.education)
    if violations:
        raise field_errors(violations)
    return after


async def _take_number(parts: Parts, record: PersonRecord, resident_number: str) -> None:
    """Take a number before the record says so.

    Should the correction not be committed, a task puts back what the record still says.
    """
    async with parts.database.transaction(Scope.of(record.county_code)) as transaction:
        await add_task(
            transaction,
            TaskKind.INDEX_MEMBER,
            county_code=record.county_code,
            member_id=record.member_id,
            due_at=parts.clock.now() + SETTLE_AFTER,
        )
    if not await parts.vault.numbers.correct(resident_number, record.member_id, record.county_code):
        raise field_error("resident_number", NUMBER_HELD)


async def _store(
    transaction: Transaction,
    parts: Parts,
    record: PersonRecord,
    *,
    key: MemberKey,
    details: PersonDetails,
    eid_telephone: str | None = None,
) -> PersonRecord:
    """Store a person's details. Where log-in codes go changes only with `eid_telephone`, never by the way."""
    now = parts.clock.now()
    changed = await change_person(transaction, record, now=now, values={"details": seal_details(details, key)})
    eid = await find_living_eid(transaction, record.member_id, lock=True)
    if eid is not None:
        await change_eid(
            transaction,
            eid,
            now=now,
            values={
                "real_name": key.seal(details.real_name, place="eid.real_name"),
                "resident_number": key.seal(details.resident_number, place="eid.resident_number"),
                **({} if eid_telephone is None else {"telephone": key.seal(eid_telephone, place="eid.telephone")}),
            },
        )
    await add_task(
        transaction,
        TaskKind.INDEX_MEMBER,
        county_code=record.county_code,
        member_id=record.member_id,
        due_at=now,
    )
    return changed

"""An application of somebody whom a roster names: noticed when it is filed, made one with the person when it is approved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import update
from zhibu_kit.db import Transaction

from zhibu_identity.applications.records import Application, open_details
from zhibu_identity.eids.records import find_living_eid
from zhibu_identity.keys.numbers import NumberKind
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.models import application
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import PersonRecord, find_people


async def find_on_roster(
    transaction: Transaction, parts: Parts, resident_number: str, *, county_code: str, but_member_id: str
) -> PersonRecord | None:
    """Return the person of a roster, or of a branch, of the county who has this number and no e-ID."""
    here = await parts.vault.numbers.find_here(NumberKind.RESIDENT, [resident_number], county_code=county_code)
    others = [member_id for member_id in here.get(resident_number, ()) if member_id != but_member_id]
    for person in (await find_people(transaction, others)).values() if others else ():
        if person.listed and await find_living_eid(transaction, person.member_id) is None:
            return person
    return None


async def link(
    transaction: Transaction, parts: Parts, record: Application, *, key: MemberKey
) -> tuple[Application, MemberKey]:
    """Make a locked application that of the person whom a roster names, if there is one: sealed with that person's key.

    The key under which it was filed stays for as long as it is needed by nobody: the numbers under it are given back.
    """
    number = open_details(record, key).resident_number
    person = await find_on_roster(
        transaction, parts, number, county_code=record.county_code, but_member_id=record.member_id
    )
    own = await parts.vault.find_member_key(person.member_id, record.county_code) if person is not None else None
    if person is None or own is None:
        return record, key
    values: dict[str, Any] = {"member_id": person.member_id}
    for name in ("real_name", "resident_number", "telephone", "question", "answer", "refusal_note", "undo_reason"):
        sealed = getattr(record, name)
        place = f"application.{name}"
        values[name] = None if sealed is None else own.seal(key.open(sealed, place=place), place=place)
    await transaction.execute(
        update(application).where(application.c.application_id == record.application_id).values(values)
    )
    return replace(record, **values), own

"""People of e-IDs that were issued before there were people's rows: made once, from what the e-IDs hold."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import distinct_on
from zhibu_kit.db import Role
from zhibu_kit.scope import Scope

from zhibu_identity.eids.records import Eid, RevocationReason, open_holder
from zhibu_identity.eids.records import record_of as eid_of
from zhibu_identity.models import eid, person
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import PersonDetails, insert_people, new_person, seal_details

PER_RUN: Final = 500


async def fill_in_people(parts: Parts) -> int:
    """Make the rows of people that are missing, some at a time; return how many there were."""
    missing = (
        select(eid)
        .where(
            ~exists().where(person.c.member_id == eid.c.member_id),
            # Whom only a wrong approval made known is forgotten with it (people.forget_person).
            eid.c.revocation_reason != int(RevocationReason.WRONGLY_ISSUED),
        )
        .ext(distinct_on(eid.c.county_code, eid.c.member_id))
        .order_by(eid.c.county_code, eid.c.member_id, eid.c.eid_id.desc())
        .limit(PER_RUN)
    )
    async with parts.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        found = [eid_of(row) for row in await transaction.all(missing)]
    for county_code, of_county in groupby(found, key=lambda one: one.county_code):
        await _fill_in(parts, county_code, list(of_county))
    return len(found)


async def _fill_in(parts: Parts, county_code: str, eids: list[Eid]) -> None:
    keys = await parts.vault.member_keys([one.member_id for one in eids], county_code)
    now = parts.clock.now()
    records = []
    for one in eids:
        key = keys.get(one.member_id)
        holder = open_holder(one, key)
        details = PersonDetails(
            real_name=holder.real_name, resident_number=holder.resident_number, telephone=holder.telephone
        )
        records.append(
            new_person(
                member_id=one.member_id,
                county_code=county_code,
                branch_id="",
                # Whoever was erased stays erased.
                details=b"" if key is None else seal_details(details, key),
                in_roster=False,
                now=now,
            )
        )
    async with parts.database.transaction(Scope.of(county_code)) as transaction:
        await insert_people(transaction, records)

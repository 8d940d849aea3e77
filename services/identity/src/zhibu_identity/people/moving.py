"""A member whose physical branch lies in another county: key, tokens, e-ID and account go there too.

The key goes first. Cut off anywhere, the task does it again from the beginning; until it is done, neither county reads the
record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Row, Table, select, update
from zhibu_kit.db import Role, Transaction
from zhibu_kit.scope import Scope

from zhibu_identity.eids.records import EidState, change_eid, find_living_eid, open_number
from zhibu_identity.eids.records import record_of as eid_of
from zhibu_identity.grants.post_offices import give_offices
from zhibu_identity.grants.records import as_province
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.models import (
    account_task,
    correction,
    document,
    document_chunk,
    eid,
    erasure_proposal,
    former_telephone,
    office_grant,
    person,
)
from zhibu_identity.parts import Parts
from zhibu_identity.people.changes import index_details
from zhibu_identity.people.places import physical_place_of
from zhibu_identity.people.records import PersonRecord, change_person, find_person, open_details
from zhibu_identity.people.records import record_of as person_of
from zhibu_identity.recoveries.recovering import end_waiting
from zhibu_identity.rosters.models import roster_fact
from zhibu_identity.signing_models import card
from zhibu_identity.tasks.queue import Task, finish_task

# Nobody has had more e-IDs.
MOST_EIDS: Final = 100


async def move_member(parts: Parts, task: Task) -> None:
    """Take everything about a member to the county of the physical branch.

    Raises:
        AccountsError: when Keycloak does not do it now.
    """
    async with parts.database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
        row = await transaction.one_or_none(select(person).where(person.c.member_id == task.member_id))
        place = await transaction.one_or_none(physical_place_of(task.member_id))
        eids = await transaction.all(select(eid).where(eid.c.member_id == task.member_id).limit(MOST_EIDS))
    if row is not None and place is not None and place.county_code != row.county_code:
        record = person_of(row)
        await _move(parts, task, record, eids, to_county=place.county_code)
        return
    async with parts.database.transaction(task.scope) as transaction:
        await finish_task(transaction, task, now=parts.clock.now())


async def _move(parts: Parts, task: Task, record: PersonRecord, eids: Sequence[Row[Any]], *, to_county: str) -> None:
    member_id, from_county = record.member_id, record.county_code
    # An attempt that was cut off may have moved the key already.
    key = await parts.vault.find_member_key(member_id, f"{from_county},{to_county}")
    if key is not None:
        await parts.vault.move_member(member_id, from_county=from_county, to_county=to_county)
        parts.reached("key moved")
        await _index_there(parts, record, eids, key=key, to_county=to_county)
        parts.reached("member indexed there")
    for one in eids:
        if one.state != int(EidState.REVOKED):
            await parts.accounts.set_county(one.account_id, to_county)
    parts.reached("account moved")
    async with parts.database.transaction(Scope.of(from_county, to_county)) as transaction:
        await _move_rows(transaction, parts, task, from_county=from_county, to_county=to_county)
        await finish_task(transaction, task, now=parts.clock.now())
        parts.reached("rows moved, not committed")


async def _index_there(
    parts: Parts, record: PersonRecord, eids: Sequence[Row[Any]], *, key: MemberKey, to_county: str
) -> None:
    """Make the member findable in the new county, under its key."""
    there = replace(record, county_code=to_county)
    await index_details(parts, there, open_details(record.details, key))
    for one in eids:
        await parts.vault.search.add_eid_term(record.member_id, to_county, open_number(eid_of(one), key))


async def _move_rows(transaction: Transaction, parts: Parts, task: Task, *, from_county: str, to_county: str) -> None:
    member_id, now = task.member_id, parts.clock.now()
    record = await find_person(transaction, member_id, lock=True)
    place = await transaction.one_or_none(physical_place_of(member_id))
    if record is None or record.county_code != from_county or place is None or place.county_code != to_county:
        # Moved on meanwhile: the membership that says so has brought a task of its own.
        return
    # Officers of the old county do not go on with what they began; what that leaves to be done goes along with the tasks.
    # Before the e-ID is locked, as whoever confirms does: in another order the two would wait for each other.
    await end_waiting(transaction, parts, member_id)
    await change_person(transaction, record, now=now, values={"county_code": to_county, "branch_id": place.branch_id})
    living = await find_living_eid(transaction, member_id, lock=True)
    await transaction.execute(update(eid).where(eid.c.member_id == member_id).values(county_code=to_county))
    if living is not None:
        await change_eid(
            transaction,
            living,
            now=now,
            values={"county_code": to_county, "organisation_id": to_county, "branch_id": place.branch_id},
        )
    await transaction.execute(
        update(document_chunk)
        .where(
            document_chunk.c.document_id.in_(select(document.c.document_id).where(document.c.member_id == member_id))
        )
        .values(county_code=to_county)
    )
    # Cards too: revoking the e-ID revokes them where it stands.
    for table in (card, document, correction, former_telephone, erasure_proposal, roster_fact):
        await _set_county(transaction, table, member_id, to_county)
    await transaction.execute(
        update(account_task)
        .where(
            account_task.c.member_id == member_id,
            account_task.c.done_at.is_(None),
            account_task.c.task_id != task.task_id,
        )
        .values(county_code=to_county)
    )
    async with as_province(transaction):
        await transaction.execute(
            update(office_grant).where(office_grant.c.member_id == member_id).values(member_county_code=to_county)
        )
    await give_offices(transaction, [member_id], now=now)


async def _set_county(transaction: Transaction, table: Table, member_id: str, county_code: str) -> None:
    await transaction.execute(update(table).where(table.c.member_id == member_id).values(county_code=county_code))

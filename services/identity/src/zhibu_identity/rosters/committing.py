"""Committing a roster: all of it or nothing, in one transaction of the main database, however many rows it has.

Before it, five hundred people a time, come what that transaction cannot undo: keys, search terms and numbers in the key
database (unconfirmed, so that they are swept when the commit never comes) and what the people's rows will hold, sealed.
The transaction then only moves rows from one table to another. Cut off anywhere, it goes on where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, func, select, text, update
from zhibu.identity.v1 import roster_events_pb2, roster_pb2
from zhibu_kit.db import Transaction
from zhibu_kit.ids import new_ulid

from zhibu_identity.counts.stale import mark_stale
from zhibu_identity.eids.records import EidState, find_holders
from zhibu_identity.eids.records import record_of as eid_of
from zhibu_identity.events import eid_changed, timestamp
from zhibu_identity.keys.numbers import NumberKind
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.models import eid
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import PersonDetails, PersonRecord, find_people, open_details, seal_details
from zhibu_identity.rosters.differences import merged
from zhibu_identity.rosters.models import roster, roster_row
from zhibu_identity.rosters.payloads import open_row
from zhibu_identity.rosters.reading.fields import Occupation, Status
from zhibu_identity.rosters.reading.people import Person
from zhibu_identity.rosters.records import (
    Difference,
    Roster,
    RosterState,
    begin_checking,
    change_roster,
    find_roster,
    notify,
    renew_lease,
)
from zhibu_identity.rules.search_terms import Term, terms_of_person

ROWS_PER_STEP: Final = 500
# Entries of one event: below what one message may hold.
ENTRIES_PER_PART: Final = 500
_IMPORTED: Final = (int(Difference.NEW), int(Difference.CHANGED))

_INSERT_PEOPLE: Final = text(
    """
INSERT INTO person (member_id, county_code, branch_id, details, in_roster, version, created_at, updated_at)
SELECT member_id, county_code, branch_id, details, true, 1, :now, :now FROM roster_row
WHERE roster_id = :roster_id AND difference = 1 AND position >= :first AND position < :after"""
)
# People are changed in one order everywhere, so that two who change many at once do not wait for each other.
_LOCK_PEOPLE: Final = text(
    """
SELECT count(*) FROM (
    SELECT 1 FROM person JOIN roster_row USING (member_id)
    WHERE roster_id = :roster_id AND difference = 2 AND person.version = roster_row.person_version
    ORDER BY member_id FOR UPDATE OF person
) AS locked"""
)
# An e-ID that was issued since a row was prepared says what the record said then: of two who want both to say the same, one
# begins anew. Batches lock the people too before they issue, and an application's e-ID brings its telephone along.
_EID_SINCE: Final = text(
    """
SELECT EXISTS (
    SELECT 1 FROM roster_row JOIN eid USING (member_id)
    WHERE roster_id = :roster_id AND difference = 2 AND needs_no_eid AND eid.state <> 3
)"""
)
_UPDATE_PEOPLE: Final = text(
    """
UPDATE person SET details = roster_row.details, in_roster = true, version = version + 1, updated_at = :now
FROM roster_row
WHERE roster_id = :roster_id AND difference = 2 AND position >= :first AND position < :after
  AND person.member_id = roster_row.member_id"""
)
_NAME_PEOPLE: Final = text(
    """
UPDATE person SET in_roster = true, version = version + 1, updated_at = :now
FROM roster_row
WHERE roster_id = :roster_id AND difference = 3 AND person.member_id = roster_row.member_id AND NOT in_roster"""
)
# What a roster does not say stays as it was said before.
_KEEP_FACTS: Final = text(
    """
INSERT INTO roster_fact AS fact (member_id, county_code, status, applied_date, admitted_date, confirmed_date, occupation)
SELECT member_id, county_code, status, applied_date, admitted_date, confirmed_date, occupation FROM roster_row
WHERE roster_id = :roster_id AND difference IN (1, 2) AND position >= :first AND position < :after
ON CONFLICT (member_id) DO UPDATE SET
    county_code = excluded.county_code,
    status = coalesce(nullif(excluded.status, 0), fact.status),
    applied_date = coalesce(nullif(excluded.applied_date, ''), fact.applied_date),
    admitted_date = coalesce(nullif(excluded.admitted_date, ''), fact.admitted_date),
    confirmed_date = coalesce(nullif(excluded.confirmed_date, ''), fact.confirmed_date),
    occupation = coalesce(nullif(excluded.occupation, 0), fact.occupation)"""
)
_STALE: Final = text(
    """
SELECT DISTINCT county_code, branch_id FROM (
    SELECT county_code, branch_id FROM roster_row WHERE roster_id = :roster_id AND difference IN (1, 2)
    UNION ALL
    SELECT person.county_code, person.branch_id FROM person JOIN roster_row USING (member_id)
    WHERE roster_id = :roster_id AND difference IN (2, 3)
) AS touched"""
)
# Rows moved by one statement, well within the time that a statement may take.
_ROWS_PER_STATEMENT: Final = 10_000


class RecordsChangedError(Exception):
    """The records changed since the roster was checked: it is checked anew, and committed by an officer who has seen it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What a person's row will hold, opened."""

    row: Row[Any]
    details: PersonDetails
    version: int | None = None
    # Whether it was made for somebody without an e-ID and would have to change one.
    needs_no_eid: bool = False
    eid_real_name: bytes | None = None


async def commit(parts: Parts, record: Roster) -> None:
    """Commit a leased roster to its end.

    Raises:
        LeaseLostError: when somebody else has it.
        ServiceError: when a database does not answer now.
    """
    key = await parts.vault.find_member_key(record.roster_id, record.county_code)
    assert key is not None, "the key is destroyed with what it sealed, and only then"
    try:
        while await _prepare(parts, record, key):
            parts.reached("rows prepared")
        await _commit(parts, record)
    except RecordsChangedError:
        await check_anew(parts, record)
        return
    parts.reached("roster committed")


async def settle(parts: Parts, record: Roster) -> None:
    """Do what follows a commit in the key database: new keys are confirmed, changed people are found by what they are now.

    Raises:
        LeaseLostError: when somebody else has it.
    """
    after = -1
    while True:
        async with parts.database.transaction(record.scope) as transaction:
            await renew_lease(transaction, record, now=parts.clock.now())
            rows = await transaction.all(
                select(roster_row.c.position, roster_row.c.member_id, roster_row.c.difference)
                .where(
                    roster_row.c.roster_id == record.roster_id,
                    roster_row.c.difference.in_(_IMPORTED),
                    roster_row.c.position > after,
                )
                .order_by(roster_row.c.position)
                .limit(ROWS_PER_STEP)
            )
        if not rows:
            break
        after = rows[-1].position
        new = [row.member_id for row in rows if row.difference == int(Difference.NEW)]
        await parts.vault.confirm_many(new, record.county_code)
        changed = [row.member_id for row in rows if row.difference == int(Difference.CHANGED)]
        async with parts.database.transaction(record.scope) as transaction:
            people = await find_people(transaction, changed)
        keys = await parts.vault.member_keys(people, record.county_code)
        details = {
            member_id: open_details(people[member_id].details, keys[member_id])
            for member_id in people
            if member_id in keys
        }
        await _index(parts, record.county_code, details)
        parts.reached("people settled")
    async with parts.database.transaction(record.scope) as transaction:
        await renew_lease(
            transaction, record, now=parts.clock.now(), values={"settled": True, "attempts": 0, "leased_until": None}
        )


async def _prepare(parts: Parts, record: Roster, key: MemberKey) -> bool:
    """Make keys and sealed details for the next rows; False when none is left."""
    async with parts.database.transaction(record.scope) as transaction:
        await renew_lease(transaction, record, now=parts.clock.now())
        rows = await transaction.all(
            select(roster_row)
            .where(
                roster_row.c.roster_id == record.roster_id,
                roster_row.c.details.is_(None),
                roster_row.c.difference.in_(_IMPORTED),
            )
            .order_by(roster_row.c.position)
            .limit(ROWS_PER_STEP)
        )
        if not rows:
            return False
        # Identifiers are stored before keys are made under them: an attempt that follows finds them.
        members = {row.position: row.member_id or new_ulid(parts.clock) for row in rows}
        await _set(
            transaction,
            record,
            {row.position: members[row.position] for row in rows if row.member_id is None},
            column="member_id",
            kind="text",
        )
        known = [row.member_id for row in rows if row.difference == int(Difference.CHANGED)]
        people = await find_people(transaction, known)
        holders = await find_holders(transaction, known) if known else frozenset[str]()
    parts.reached("members named")
    new = [members[row.position] for row in rows if row.difference == int(Difference.NEW)]
    keys = await _keys_of(parts, record, new=new, known=known)
    made = await asyncio.to_thread(_made, rows, key, members=members, people=people, holders=holders, keys=keys)
    of_new = {member_id: made[member_id].details for member_id in new}
    await _index(parts, record.county_code, of_new)
    await _take_numbers(parts, record, of_new)
    parts.reached("keys made")
    sealed = await asyncio.to_thread(
        lambda: {each.row.position: seal_details(each.details, keys[member_id]) for member_id, each in made.items()}
    )
    async with parts.database.transaction(record.scope) as transaction:
        await renew_lease(
            transaction, record, now=parts.clock.now(), values={"committed_count": roster.c.committed_count + len(rows)}
        )
        await _set(transaction, record, sealed, column="details", kind="bytea")
        versions = {each.row.position: each.version for each in made.values() if each.version is not None}
        await _set(transaction, record, versions, column="person_version", kind="bigint")
        needing = {each.row.position: True for each in made.values() if each.needs_no_eid}
        await _set(transaction, record, needing, column="needs_no_eid", kind="boolean")
        names = {each.row.position: each.eid_real_name for each in made.values() if each.eid_real_name is not None}
        await _set(transaction, record, names, column="eid_real_name", kind="bytea")
        await notify(transaction)
    return True


def _made(
    rows: Sequence[Row[Any]],
    key: MemberKey,
    *,
    members: Mapping[int, str],
    people: Mapping[str, PersonRecord],
    holders: Collection[str],
    keys: Mapping[str, MemberKey],
) -> dict[str, _Made]:
    made: dict[str, _Made] = {}
    for row in rows:
        member_id = members[row.position]
        said = open_row(row.payload, key).person
        if row.difference == int(Difference.NEW):
            made[member_id] = _Made(row=row, details=merged(PersonDetails(), said))
            continue
        person = people.get(member_id)
        if person is None or member_id not in keys:
            # Erased, or moved to another county, since the roster was checked.
            raise RecordsChangedError
        made[member_id] = _changed(row, said, person, key=keys[member_id], has_eid=member_id in holders)
    return made


def _changed(row: Row[Any], said: Person, person: PersonRecord, *, key: MemberKey, has_eid: bool) -> _Made:
    """Return what the row of a known person will hold; record and e-ID say the same of name and telephone.

    Raises:
        RecordsChangedError: when the row would change the telephone of an e-ID that was issued since the check.
    """
    before = open_details(person.details, key)
    details = merged(before, said)
    renamed, moved = details.real_name != before.real_name, details.telephone != before.telephone
    if has_eid and moved:
        raise RecordsChangedError
    return _Made(
        row=row,
        details=details,
        version=person.version,
        needs_no_eid=not has_eid and (renamed or moved),
        eid_real_name=key.seal(details.real_name, place="eid.real_name") if has_eid and renamed else None,
    )


async def _keys_of(parts: Parts, record: Roster, *, new: Sequence[str], known: Sequence[str]) -> dict[str, MemberKey]:
    keys = await parts.vault.member_keys([*new, *known], record.county_code)
    missing = [member_id for member_id in new if member_id not in keys]
    if missing:
        keys |= await parts.vault.create_members(missing, record.county_code, now=parts.clock.now())
    return keys


async def _index(parts: Parts, county_code: str, people: Mapping[str, PersonDetails]) -> None:
    if not people:
        return
    terms = await asyncio.to_thread(lambda: {member_id: _terms(details) for member_id, details in people.items()})
    await parts.vault.search.put_terms_of_many(county_code, terms)
    await parts.vault.numbers.put_of_many(
        county_code, {member_id: _numbers(details) for member_id, details in people.items()}
    )


def _terms(details: PersonDetails) -> frozenset[Term]:
    return terms_of_person(details.real_name, resident_number=details.resident_number, telephone=details.telephone)


def _numbers(details: PersonDetails) -> list[tuple[NumberKind, str]]:
    numbers = [(NumberKind.RESIDENT, details.resident_number), (NumberKind.TELEPHONE, details.telephone)]
    return [(kind, number) for kind, number in numbers if number]


async def _take_numbers(parts: Parts, record: Roster, people: Mapping[str, PersonDetails]) -> None:
    """Take the numbers of new people, which only one in the province can: of two who commit the same person, one gives up.

    An approved application holds its number too, so that it and a roster never make two people of one.
    """
    if not people:
        return
    numbers = {member_id: details.resident_number for member_id, details in people.items()}
    held = await parts.vault.numbers.hold_many(numbers)
    elsewhere = await parts.vault.numbers.find_elsewhere(
        NumberKind.RESIDENT, set(numbers.values()), county_code=record.county_code
    )
    if elsewhere or len(held) < len(numbers):
        raise RecordsChangedError


async def _set(transaction: Transaction, record: Roster, values: Mapping[int, Any], *, column: str, kind: str) -> None:
    if values:
        await (await transaction.raw()).execute(
            f"UPDATE roster_row SET {column} = given.value FROM unnest($2::integer[], $3::{kind}[]) AS given (position, value)"  # noqa: S608 - our own names
            " WHERE roster_id = $1 AND roster_row.position = given.position",
            record.roster_id,
            list(values),
            list(values.values()),
        )


async def _commit(parts: Parts, record: Roster) -> None:
    now = parts.clock.now()
    async with parts.database.transaction(record.scope) as transaction:
        await renew_lease(transaction, record, now=now)
        locked = await find_roster(transaction, record.roster_id, lock=True)
        assert locked is not None, "the lease holds"
        given: dict[str, Any] = {"roster_id": record.roster_id, "now": now}
        connection = transaction.connection
        unchanged = (await connection.execute(_LOCK_PEOPLE, given)).scalar()
        if unchanged != locked.changed_count or (await connection.execute(_EID_SINCE, given)).scalar():
            raise RecordsChangedError
        stale = {(row.county_code, row.branch_id) for row in await connection.execute(_STALE, given)}
        last = await transaction.scalar(
            select(func.max(roster_row.c.position)).where(roster_row.c.roster_id == record.roster_id)
        )
        for first in range(0, (last or 0) + 1, _ROWS_PER_STATEMENT):
            within = {**given, "first": first, "after": first + _ROWS_PER_STATEMENT}
            for statement in (_INSERT_PEOPLE, _UPDATE_PEOPLE, _KEEP_FACTS):
                await connection.execute(statement, within)
        await connection.execute(_NAME_PEOPLE, given)
        await _rename_eids(transaction, locked, now=now)
        await mark_stale(transaction, stale)
        entry_count = await _emit(transaction, locked, now=now)
        # A roster that changes nothing leaves nothing to apply.
        state = RosterState.COMMITTED if entry_count else RosterState.APPLIED
        await change_roster(
            transaction, locked, now=now, state=state, values={"committed_at": now, "settled": not entry_count}
        )
        parts.reached("roster written, not committed")


async def _rename_eids(transaction: Transaction, record: Roster, *, now: datetime) -> None:
    """Have the e-IDs of people whose name changes say it too; their cards are made anew when they are next shown."""
    rows = await transaction.all(
        update(eid)
        .where(
            roster_row.c.roster_id == record.roster_id,
            roster_row.c.eid_real_name.is_not(None),
            eid.c.member_id == roster_row.c.member_id,
            eid.c.state != int(EidState.REVOKED),
        )
        .values(real_name=roster_row.c.eid_real_name, version=eid.c.version + 1)
        .returning(eid)
    )
    for row in rows:
        transaction.emit(eid_changed(eid_of(row), at=now), county_code=record.county_code)


async def _emit(transaction: Transaction, record: Roster, *, now: datetime) -> int:
    """Tell of the roster and, in parts, of its entries; return how many these are."""
    entry_count = record.new_count + record.changed_count
    part_count = -(-entry_count // ENTRIES_PER_PART)
    if not entry_count:
        return 0
    transaction.emit(
        roster_events_pb2.RosterCommitted(
            roster_id=record.roster_id,
            organisation_id=record.organisation_id,
            county_code=record.county_code,
            committed_by_member_id=record.committed_by_member_id or "",
            entry_count=entry_count,
            part_count=part_count,
            version=1,
            change_time=timestamp(now),
        ),
        county_code=record.county_code,
    )
    after = -1
    for part in range(1, part_count + 1):
        rows = await transaction.all(
            select(roster_row)
            .where(
                roster_row.c.roster_id == record.roster_id,
                roster_row.c.difference.in_(_IMPORTED),
                roster_row.c.position > after,
            )
            .order_by(roster_row.c.position)
            .limit(ENTRIES_PER_PART)
        )
        after = rows[-1].position
        transaction.emit(
            roster_events_pb2.RosterEntriesCommitted(
                part_key=f"{record.roster_id}/{part}",
                roster_id=record.roster_id,
                county_code=record.county_code,
                part=part,
                entries=[_entry(row) for row in rows],
                version=1,
                part_count=part_count,
                entry_count=entry_count,
                organisation_id=record.organisation_id,
                change_time=timestamp(now),
            ),
            county_code=record.county_code,
        )
    return entry_count


def _entry(row: Row[Any]) -> roster_pb2.RosterEntry:
    return roster_pb2.RosterEntry(
        member_id=row.member_id,
        row_number=row.row_number,
        branch_id=row.branch_id,
        status=Status(row.status).name if row.status else "",
        applied_date=row.applied_date,
        admitted_date=row.admitted_date,
        confirmed_date=row.confirmed_date,
        occupation=Occupation(row.occupation).name if row.occupation else "",
    )


async def check_anew(parts: Parts, record: Roster) -> None:
    """Give up this commit and check the roster anew; the keys that were made for it are destroyed right after.

    Should it not come to that, the sweep of unconfirmed keys does it.

    Raises:
        LeaseLostError: when somebody else has it, who may have committed these very people: their keys stay.
    """
    new_people = select(roster_row.c.member_id).where(
        roster_row.c.roster_id == record.roster_id,
        roster_row.c.difference == int(Difference.NEW),
        roster_row.c.member_id.is_not(None),
    )
    async with parts.database.transaction(record.scope) as transaction:
        await renew_lease(transaction, record, now=parts.clock.now())
        locked = await find_roster(transaction, record.roster_id, lock=True)
        assert locked is not None, "the lease holds"
        abandoned = [row.member_id for row in await transaction.all(new_people)]
        await begin_checking(transaction, locked, now=parts.clock.now())
    parts.reached("commit given up")
    for member_id in abandoned:
        await parts.vault.erase(member_id)


async def note_applied(transaction: Transaction, roster_id: str, *, now: datetime) -> None:
    """Note that branches has looked at every row of a roster."""
    await transaction.execute(
        update(roster)
        .where(roster.c.roster_id == roster_id, roster.c.state == int(RosterState.COMMITTED))
        .values(state=int(RosterState.APPLIED), updated_at=now, version=roster.c.version + 1)
    )
    await notify(transaction)

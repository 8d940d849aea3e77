"""People: who the members are, one row for each, whatever tells it sealed as one value under the person's own key.

A person is made by an approved application or by a roster, in hundreds. Key and search tokens come first, in the key
database, unconfirmed until the row here is committed; `erasure.sweep_unconfirmed` looks after those that never were.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ARRAY, Boolean, LargeBinary, Row, Select, Text, bindparam, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.scope import Scope

from zhibu_identity.counts.stale import mark_stale
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.models import person
from zhibu_identity.rules.person import birth_date_of

NOUN: Final = "person"
PLACE: Final = "person.details"
FIRST_VERSION: Final = 1
# Standing of a record that a branch looks after, or of which branches has said nothing; others are closed.
OPEN_STANDINGS: Final = (0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDetails:
    """What is sealed, opened. Empty (0) where nothing is known, and everywhere when the person's key was erased."""

    real_name: str = ""
    resident_number: str = ""
    telephone: str = ""
    ethnicity: str = ""
    education: int = 0
    work_unit: str = ""
    address: str = ""

    @property
    def birth_date(self) -> date | None:
        """The date of birth, as the resident number says."""
        return birth_date_of(self.resident_number)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord:
    """One person as stored."""

    member_id: str
    county_code: str
    branch_id: str
    details: bytes
    in_roster: bool
    party_status: int
    standing: int
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def closed(self) -> bool:
        """Whether the record ended: died, left, expelled, moved out."""
        return self.standing not in OPEN_STANDINGS

    @property
    def listed(self) -> bool:
        """Whether a branch or a roster counts on the person: whoever applies with the same number is this one."""
        return not self.closed and (self.in_roster or bool(self.branch_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChange:
    """What a roster changes of a person; the branch is branches' to change, by event."""

    member_id: str
    details: bytes
    in_roster: bool


def new_person(
    *, member_id: str, county_code: str, branch_id: str, details: bytes, in_roster: bool, now: datetime
) -> PersonRecord:
    """Return the record of a person who was not known before."""
    return PersonRecord(
        member_id=member_id,
        county_code=county_code,
        branch_id=branch_id,
        details=details,
        in_roster=in_roster,
        party_status=0,
        standing=0,
        version=FIRST_VERSION,
        created_at=now,
        updated_at=now,
    )


def seal_details(details: PersonDetails, key: MemberKey) -> bytes:
    """Return the sealed value of what a person's row keeps."""
    return key.seal(json.dumps(asdict(details), ensure_ascii=False, separators=(",", ":")), place=PLACE)


def open_details(sealed: bytes, key: MemberKey | None) -> PersonDetails:
    """Open what is sealed; a field that this version does not know is left out. Empty when the person was erased."""
    if key is None or not sealed:
        return PersonDetails()
    values = json.loads(key.open(sealed, place=PLACE))
    return PersonDetails(**{name: values[name] for name in _DETAIL_NAMES if name in values})


async def get_person(transaction: Transaction, member_id: str, *, lock: bool = False) -> PersonRecord:
    """Return a person within the transaction's scope.

    Raises:
        ServiceError: NOT_FOUND.
    """
    found = await find_person(transaction, member_id, lock=lock)
    if found is None:
        raise NOT_FOUND(noun=NOUN)
    return found


async def find_person(transaction: Transaction, member_id: str, *, lock: bool = False) -> PersonRecord | None:
    """Return a person, None when there is none within the transaction's scope."""
    statement: Select[Any] = select(person).where(person.c.member_id == member_id)
    row = await transaction.one_or_none(statement.with_for_update() if lock else statement)
    return None if row is None else record_of(row)


async def find_people(
    transaction: Transaction, member_ids: Collection[str], *, lock: bool = False
) -> dict[str, PersonRecord]:
    """Return those of these people who are within the transaction's scope, by member."""
    wanted = cast(bindparam("member_ids", list(member_ids)), ARRAY(Text))
    statement = select(person).where(person.c.member_id == func.any(wanted)).order_by(person.c.member_id)
    rows = await transaction.all(statement.with_for_update() if lock else statement)
    return {row.member_id: record_of(row) for row in rows}


async def find_counties(database: Database, member_ids: Collection[str]) -> dict[str, str]:
    """Return in which counties people are, wherever that is, by member."""
    if not member_ids:
        return {}
    async with database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
        rows = await transaction.all(
            select(person.c.member_id, person.c.county_code).where(person.c.member_id.in_(member_ids))
        )
    return {row.member_id: row.county_code for row in rows}


async def insert_people(transaction: Transaction, records: Sequence[PersonRecord]) -> frozenset[str]:
    """Store new people; return the members of those who were not there before: doing it twice changes nothing."""
    if not records:
        return frozenset()
    values = [{name: getattr(record, name) for name in person.c.keys()} for record in records]  # noqa: SIM118 - a ColumnCollection is no dict
    rows = await transaction.all(insert(person).values(values).on_conflict_do_nothing().returning(person.c.member_id))
    await mark_stale(transaction, {(record.county_code, record.branch_id) for record in records})
    return frozenset(row.member_id for row in rows)


async def update_people(transaction: Transaction, changes: Sequence[PersonChange], *, now: datetime) -> int:
    """Change the details of people whose rows are locked (`find_people`); return how many there were."""
    if not changes:
        return 0
    given = func.unnest(
        cast(bindparam("ids", [change.member_id for change in changes]), ARRAY(Text)),
        cast(bindparam("sealed", [change.details for change in changes]), ARRAY(LargeBinary)),
        cast(bindparam("rostered", [change.in_roster for change in changes]), ARRAY(Boolean)),
    ).table_valued("member_id", "details", "in_roster", name="given")
    rows = await transaction.all(
        update(person)
        .where(person.c.member_id == given.c.member_id)
        .values(details=given.c.details, in_roster=given.c.in_roster, version=person.c.version + 1, updated_at=now)
        .returning(person.c.county_code, person.c.branch_id)
    )
    await mark_stale(transaction, {(row.county_code, row.branch_id) for row in rows})
    return len(rows)


async def know_person(
    transaction: Transaction, record: PersonRecord, *, key: MemberKey, details: PersonDetails, now: datetime
) -> tuple[PersonRecord, PersonDetails] | None:
    """Store a person whom an approved application makes known; return somebody known whom it changed, and how they were.

    Whom a roster made known keeps what the roster says but for the telephone: the applicant has proven theirs, and the
    e-ID's codes go there. Whoever was known by an approval that was undone has by now what the application says.
    """
    if await insert_people(transaction, [record]):
        return None
    known = await get_person(transaction, record.member_id, lock=True)
    before = open_details(known.details, key)
    if known.in_roster:
        after = replace(before, telephone=details.telephone)
    else:
        after = replace(
            before,
            real_name=details.real_name,
            resident_number=details.resident_number,
            telephone=details.telephone,
        )
    if after == before:
        return None
    changed = await change_person(transaction, known, now=now, values={"details": seal_details(after, key)})
    return changed, before


async def forget_person(transaction: Transaction, member_id: str) -> None:
    """Remove a person whom only an approval made known that is undone."""
    await transaction.execute(
        delete(person).where(person.c.member_id == member_id, person.c.in_roster.is_(False), person.c.branch_id == "")
    )


async def change_person(
    transaction: Transaction, record: PersonRecord, *, now: datetime, values: dict[str, Any]
) -> PersonRecord:
    """Change a locked person; the version rises and the sums of the branch (or both branches) are counted anew."""
    row = await transaction.one(
        update(person)
        .where(person.c.member_id == record.member_id)
        .values(version=record.version + 1, updated_at=now, **values)
        .returning(person)
    )
    changed = record_of(row)
    await mark_stale(transaction, {(record.county_code, record.branch_id), (changed.county_code, changed.branch_id)})
    return changed


async def set_standings(transaction: Transaction, standings: Mapping[str, tuple[int, int]], *, now: datetime) -> None:
    """Have locked people's rows say status and standing (by member), as `change_person` does each."""
    ordered = sorted(standings.items())
    rows = await (await transaction.raw()).fetch(
        "update person set party_status = given.party_status, standing = given.standing, version = version + 1,"
        " updated_at = $4 from unnest($1::text[], $2::smallint[], $3::smallint[]) as given (member_id, party_status, standing)"
        " where person.member_id = given.member_id returning person.county_code, person.branch_id",
        [member_id for member_id, _ in ordered],
        [party_status for _, (party_status, _) in ordered],
        [standing for _, (_, standing) in ordered],
        now,
    )
    await mark_stale(transaction, {(row["county_code"], row["branch_id"]) for row in rows})


def record_of(row: Row[Any] | Sequence[Any]) -> PersonRecord:
    """Return a person as a row of its table holds it."""
    values: dict[str, Any] = dict(zip(person.c.keys(), row, strict=True))
    return PersonRecord(**values)


_DETAIL_NAMES: Final = frozenset(field.name for field in fields(PersonDetails))

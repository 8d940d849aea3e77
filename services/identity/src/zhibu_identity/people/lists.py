"""Lists of people: by branch, and by name within a branch; and those whom a search finds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pypinyin import lazy_pinyin
from sqlalchemy import ARRAY, Row, Select, Text, and_, bindparam, cast, exists, func, literal, select, tuple_
from zhibu_kit.db import Transaction
from zhibu_kit.errors import INVALID_PAGE_TOKEN, field_error
from zhibu_kit.paging import Page

from zhibu_identity.eids.records import EidState, find_living_eid, open_holder
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.keys.vault import Vault
from zhibu_identity.models import eid, person
from zhibu_identity.people.reach import Reach
from zhibu_identity.people.records import OPEN_STANDINGS, PersonDetails, PersonRecord, open_details
from zhibu_identity.people.records import record_of as person_of

# A branch has a hundred members at most; one that was filled by mistake is not sorted by name.
MOST_SORTED: Final = 2_000
# The state stands in the statement itself: with a parameter, PostgreSQL could not use the index of living e-IDs in the plan
# that it keeps for a statement which is repeated.
_LIVING: Final = and_(
    eid.c.member_id == person.c.member_id,
    eid.c.state != literal(int(EidState.REVOKED), literal_execute=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPerson:
    """A person with the living e-ID, if there is one."""

    record: PersonRecord
    details: PersonDetails
    eid_id: str
    eid_state: int
    # Of the e-ID, when it is not the record's; in lists empty.
    eid_telephone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage:
    """A page, and the sort key of its last row when another one follows."""

    people: Sequence[ListedPerson]
    next_after: tuple[str, ...] | None


async def list_people(
    transaction: Transaction, vault: Vault, reach: Reach, *, page: Page, without_eid: bool = False
) -> PeoplePage:
    """Return a page of those whose record is open. People of one branch come by name, others by branch."""
    statement = _open_people(reach, without_eid=without_eid)
    if reach.is_one_branch:
        return await _page_of_branch(transaction, vault, reach, statement, page=page)
    return await _page_by_branch(transaction, vault, statement, page=page)


async def count_people(transaction: Transaction, reach: Reach, *, without_eid: bool = False) -> int:
    """Return how many there are in all pages."""
    statement = select(func.count()).select_from(person).where(reach.holds(), person.c.standing.in_(OPEN_STANDINGS))
    # Joined, e-IDs would be looked through for everybody, only to count the same people.
    return int(await transaction.scalar(statement.where(~exists().where(_LIVING)) if without_eid else statement))


async def find_listed(
    transaction: Transaction, vault: Vault, reach: Reach, *, member_ids: Collection[str], page: Page
) -> PeoplePage:
    """Return a page of those of these people whom the reach holds, also when their record is closed."""
    if not member_ids:
        return PeoplePage(people=[], next_after=None)
    # One array, so that the statement is the same however many were found.
    wanted = cast(bindparam("member_ids", list(member_ids)), ARRAY(Text))
    statement = _people().where(reach.holds_each(), person.c.member_id == func.any(wanted))
    return await _page_by_branch(transaction, vault, statement, page=page)


async def load_listed(transaction: Transaction, record: PersonRecord, key: MemberKey | None) -> ListedPerson:
    """Return one person as lists show them."""
    living = await find_living_eid(transaction, record.member_id)
    details = open_details(record.details, key)
    telephone = open_holder(living, key).telephone if living else ""
    return ListedPerson(
        record=record,
        details=details,
        eid_id=living.eid_id if living else "",
        eid_state=int(living.state) if living else 0,
        eid_telephone=telephone if telephone != details.telephone else "",
    )


def name_order(details: PersonDetails) -> tuple[list[str], str]:
    """Return what sorts people as telephone books do."""
    return name_order_of(details.real_name)


def name_order_of(real_name: str) -> tuple[list[str], str]:
    """Return what sorts names as telephone books do: by their syllables, then by their characters."""
    return lazy_pinyin(real_name), real_name


async def _page_by_branch(transaction: Transaction, vault: Vault, statement: Select[Any], *, page: Page) -> PeoplePage:
    if page.after is not None:
        statement = statement.where(tuple_(person.c.branch_id, person.c.member_id) > tuple_(*page.after))
    rows = await transaction.all(statement.order_by(person.c.branch_id, person.c.member_id).limit(page.size + 1))
    shown = rows[: page.size]
    people = await _open(vault, shown)
    last = people[-1] if len(rows) > page.size else None
    # Within a branch by name, as far as one page shows it.
    return PeoplePage(
        people=sorted(people, key=lambda one: (one.record.branch_id, name_order(one.details))),
        next_after=_after(last) if last else None,
    )


async def _page_of_branch(
    transaction: Transaction, vault: Vault, reach: Reach, statement: Select[Any], *, page: Page
) -> PeoplePage:
    rows = await transaction.all(statement.order_by(person.c.member_id).limit(MOST_SORTED + 1))
    if len(rows) > MOST_SORTED:
        return await _page_by_branch(transaction, vault, statement, page=page)
    people = sorted(await _open(vault, rows), key=_order_of)
    at = 0
    if page.after is not None:
        # The token names the last member, not the name: tokens stand in URLs. Whose record has ended meanwhile still has an
        # order; who is elsewhere by now has none here, because where a name stands among others tells of it.
        last = await _open(
            vault, await transaction.all(_people().where(reach.holds(), person.c.member_id == page.after[-1]))
        )
        if not last:
            raise field_error("page_token", INVALID_PAGE_TOKEN)
        at = bisect_right(people, max(map(_order_of, last)), key=_order_of)
    shown = people[at : at + page.size]
    more = at + page.size < len(people)
    return PeoplePage(people=shown, next_after=_after(shown[-1]) if more else None)


def _order_of(listed: ListedPerson) -> tuple[list[str], str, str]:
    return *name_order(listed.details), listed.record.member_id


def _after(last: ListedPerson) -> tuple[str, ...]:
    return last.record.branch_id, last.record.member_id


def _people() -> Select[Any]:
    return select(person, eid.c.eid_id, eid.c.state).select_from(person.outerjoin(eid, _LIVING))


def _open_people(reach: Reach, *, without_eid: bool) -> Select[Any]:
    statement = _people().where(reach.holds(), person.c.standing.in_(OPEN_STANDINGS))
    return statement.where(eid.c.eid_id.is_(None)) if without_eid else statement


async def _open(vault: Vault, rows: Sequence[Row[Any]]) -> list[ListedPerson]:
    width = len(person.c)
    keys: Mapping[str, MemberKey] = await vault.keys_in({row.member_id: row.county_code for row in rows})
    return [
        ListedPerson(
            record=(record := person_of(row[:width])),
            details=open_details(record.details, keys.get(record.member_id)),
            eid_id=row.eid_id or "",
            eid_state=row.state or 0,
        )
        for row in rows
    ]

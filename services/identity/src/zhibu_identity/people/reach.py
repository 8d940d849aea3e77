"""Which people the officers of an organisation see: those whom its branches hold, physically or virtually."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, exists, select
from zhibu_kit import tables
from zhibu_kit.db import Transaction
from zhibu_kit.errors import NOT_FOUND

from zhibu_identity.models import member_place, person
from zhibu_identity.organisations import Level, find_organisation
from zhibu_identity.people.records import NOUN, PersonRecord, find_person

# A township has some hundreds of branches.
MOST_BRANCHES: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """People of a whole county (or of a city's or the province's own staff), or of some branches."""

    county_code: str
    # None for the whole county.
    branch_ids: tuple[str, ...] | None

    @property
    def is_one_branch(self) -> bool:
        """Whether it is a single branch, whose people fit on a page or two."""
        return self.branch_ids is not None and len(self.branch_ids) == 1

    def holds(self) -> ColumnElement[bool]:
        """Return the condition on `person`. It names branches and counties itself, whatever the role of the transaction."""
        if self.branch_ids is None:
            return person.c.county_code == self.county_code
        # Two indexes instead of one OR, for which PostgreSQL would read all people of the province.
        physical = select(person.c.member_id).where(
            person.c.county_code == self.county_code, person.c.branch_id.in_(self.branch_ids)
        )
        placed = select(member_place.c.member_id).where(
            member_place.c.branch_id.in_(self.branch_ids), member_place.c.active
        )
        return person.c.member_id.in_(physical.union(placed))

    def holds_each(self) -> ColumnElement[bool]:
        """Return the same condition, for statements that name the people: each is looked up, not everybody read first."""
        if self.branch_ids is None:
            return person.c.county_code == self.county_code
        physical = (person.c.county_code == self.county_code) & person.c.branch_id.in_(self.branch_ids)
        placed = exists().where(
            member_place.c.member_id == person.c.member_id,
            member_place.c.branch_id.in_(self.branch_ids),
            member_place.c.active,
        )
        return physical | placed


async def reach_of(transaction: Transaction, organisation_id: str) -> Reach:
    """Return whom an organisation's officers see.

    Raises:
        ServiceError: NOT_FOUND when there is no such organisation.
    """
    organisation = await find_organisation(transaction, organisation_id)
    if organisation is None:
        raise NOT_FOUND(noun="organisation")
    match organisation.level:
        case Level.BRANCH:
            branch_ids = (organisation_id,)
        case Level.TOWNSHIP:
            branch_ids = await _branches_below(transaction, organisation_id)
        case _:
            branch_ids = None
    return Reach(county_code=organisation.scope_code, branch_ids=branch_ids)


async def get_person_within(
    transaction: Transaction, organisation_id: str, member_id: str, *, lock: bool = False
) -> PersonRecord:
    """Return a person whom an organisation's officers see.

    Raises:
        ServiceError: NOT_FOUND when there is none, or one of others.
    """
    reach = await reach_of(transaction, organisation_id)
    found = await find_person(transaction, member_id, lock=lock)
    if found is None:
        raise NOT_FOUND(noun=NOUN)
    there = select(person.c.member_id).where(person.c.member_id == member_id, reach.holds_each())
    if await transaction.scalar(there) is None:
        raise NOT_FOUND(noun=NOUN)
    return found


async def _branches_below(transaction: Transaction, organisation_id: str) -> tuple[str, ...]:
    table = tables.organisation
    below = (
        select(table.c.organisation_id, table.c.level)
        .where(table.c.organisation_id == organisation_id)
        .cte("below", recursive=True)
    )
    # UNION, not UNION ALL: a tree that was wrongly moved into itself ends too.
    below = below.union(
        select(table.c.organisation_id, table.c.level).where(table.c.parent_id == below.c.organisation_id)
    )
    statement = select(below.c.organisation_id).where(below.c.level == int(Level.BRANCH)).limit(MOST_BRANCHES)
    return tuple(row.organisation_id for row in await transaction.all(statement))

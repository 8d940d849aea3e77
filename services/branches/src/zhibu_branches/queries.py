"""Reading the organisation tree. It is public, so these functions take no principal."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, Select, func, select, tuple_
from zhibu_kit.db import Transaction

from zhibu_branches.models import organisation
from zhibu_branches.rules.tree import Level, Place, query_tokens, search_form

# Rows read at once when all of them are wanted.
_BATCH: Final = 1000
_COUNTY_DIGITS: Final = 6

_child = organisation.alias("child")
_child_count = (
    select(func.count())
    .where(_child.c.parent_id == organisation.c.organisation_id, _child.c.active)
    .correlate(organisation)
    .scalar_subquery()
    .label("child_count")
)
_with_count = select(organisation, _child_count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """One organisation as it stands now; parent_id is None for the province alone."""

    place: Place
    parent_id: str | None
    name: str
    active: bool
    version: int
    child_count: int
    virtual: bool
    start_date: date
    successor_id: str | None
    term_years: int


async def find_organisation(transaction: Transaction, organisation_id: str) -> Organisation | None:
    """The organisation with this identifier, dissolved or not."""
    row = await transaction.one_or_none(_with_count.where(organisation.c.organisation_id == organisation_id))
    return None if row is None else organisation_from(row)


async def list_children(
    transaction: Transaction, *, parent_id: str | None, after: str | None, count_max: int
) -> list[Organisation]:
    """Active organisations directly below one (None: the province itself) by identifier, after the given one."""
    statement = _with_count.where(organisation.c.active)
    if parent_id is None:
        statement = statement.where(organisation.c.parent_id.is_(None))
    else:
        statement = statement.where(organisation.c.parent_id == parent_id)
    if after is not None:
        statement = statement.where(organisation.c.organisation_id > after)
    return await _all(transaction, statement.order_by(organisation.c.organisation_id).limit(count_max))


async def search_organisations(
    transaction: Transaction,
    *,
    query: str,
    county_code: str,
    level: Level | None,
    after: tuple[int, str] | None,
    count_max: int,
) -> list[Organisation]:
    """Active organisations with this part in their name, the higher ones first, after the given level and identifier.

    county_code may be that of a city or the province too, or empty.
    """
    form = search_form(query)
    if not form:
        return []
    # The tokens use the index; the comparison afterwards drops names that have the pairs in another order.
    statement = _with_count.where(
        organisation.c.active,
        organisation.c.name_tokens.contains(sorted(query_tokens(query))),
        func.strpos(organisation.c.name_form, form) > 0,
    )
    if len(county_code) == _COUNTY_DIGITS:
        statement = statement.where(organisation.c.county_code == county_code)
    elif county_code:
        statement = statement.where(organisation.c.county_code.startswith(county_code, autoescape=True))
    if level is not None:
        statement = statement.where(organisation.c.level == level)
    if after is not None:
        statement = statement.where(tuple_(organisation.c.level, organisation.c.organisation_id) > after)
    return await _all(
        transaction, statement.order_by(organisation.c.level, organisation.c.organisation_id).limit(count_max)
    )


async def stream_organisations(transaction: Transaction) -> AsyncGenerator[tuple[Organisation, datetime]]:
    """Every organisation with the time of its last change, dissolved ones too, parents before children."""
    after = (0, "")
    while True:
        rows = await transaction.all(
            _with_count.where(tuple_(organisation.c.level, organisation.c.organisation_id) > after)
            .order_by(organisation.c.level, organisation.c.organisation_id)
            .limit(_BATCH)
        )
        for row in rows:
            yield organisation_from(row), row.update_time
        if len(rows) < _BATCH:
            return
        after = (rows[-1].level, rows[-1].organisation_id)


async def _all(transaction: Transaction, statement: Select[Any]) -> list[Organisation]:
    rows: Sequence[Row[Any]] = await transaction.all(statement)
    return [organisation_from(row) for row in rows]


def organisation_from(row: Row[Any]) -> Organisation:
    """The organisation of a row of the table with its child_count."""
    return Organisation(
        place=place_of(row),
        parent_id=row.parent_id,
        name=row.name,
        active=row.active,
        version=row.version,
        child_count=row.child_count,
        virtual=row.virtual,
        start_date=row.start_date,
        successor_id=row.successor_id,
        term_years=row.term_years,
    )


def place_of(row: Row[Any]) -> Place:
    """Where the organisation of a row stands."""
    return Place(
        organisation_id=row.organisation_id,
        level=Level(row.level),
        county_code=row.county_code,
        ancestor_ids=tuple(row.ancestor_ids),
    )

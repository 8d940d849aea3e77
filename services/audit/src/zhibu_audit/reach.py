"""Which entries of the log an organisation's officers see: those of the organisation and below it, all of them at the province."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, literal, select
from sqlalchemy.sql.expression import true
from zhibu_kit import tables
from zhibu_kit.db import Role
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.ports import OrganisationTree
from zhibu_kit.projections import MAX_DEPTH

from zhibu_audit.models import entry

# The tree is province > city > county > whatever lies below.
_PROVINCE_DEPTH: Final = 1
_CITY_DEPTH: Final = 2
_COUNTY_DEPTH: Final = 3


# The county of an entry that is of one county only, as the index has it.
_ONE_COUNTY: Final[ColumnElement[Any]] = entry.c.county_codes[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaysIn:
    """An expression of the entries, and a statement of one column that gives the values to look for."""

    column: ColumnElement[Any]
    values: Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """As whom the entries are read, and which of those that this role sees.

    The service's own role sees the county of the call, by row-level security; the province's sees every county, and what
    belongs to none.
    """

    role: Role
    within: ColumnElement[bool] = field(default_factory=true)
    # Where a search has to look one by one, so that each look is short: a column or expression, and the values of it.
    ways_in: WaysIn | None = None
    is_whole: bool = False


async def reach_of(organisations: OrganisationTree, organisation_id: str) -> Reach:
    """Say what is seen by the officers of an organisation on which the access check has passed.

    Raises:
        ServiceError: NOT_FOUND when it has gone in the meantime.
    """
    ancestry = await organisations.ancestry(organisation_id)
    if ancestry is None:
        raise NOT_FOUND(noun="organisation")
    match len(ancestry.organisation_ids):
        case depth if depth == _PROVINCE_DEPTH:
            return Reach(role=Role.PROVINCE, is_whole=True)
        case depth if depth == _CITY_DEPTH:
            counties = select(tables.organisation.c.county_code.label("value")).where(
                tables.organisation.c.parent_id == organisation_id, tables.organisation.c.county_code != ""
            )
            return Reach(
                role=Role.PROVINCE,
                within=entry.c.county_codes.bool_op("&&")(func.array(counties.scalar_subquery())),
                ways_in=WaysIn(column=_ONE_COUNTY, values=counties),
            )
        case depth if depth == _COUNTY_DEPTH:
            county = select(literal(ancestry.county_code).label("value"))
            return Reach(role=Role.APP, ways_in=WaysIn(column=_ONE_COUNTY, values=county))
        case _:
            below = _subtree(organisation_id)
            return Reach(
                role=Role.APP,
                within=entry.c.organisation_id.in_(below),
                ways_in=WaysIn(column=entry.c.organisation_id, values=below),
            )


def names_statement(organisation_ids: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """Return the statement that gives names of organisations, dissolved ones too."""
    table = tables.organisation.c
    return select(table.organisation_id, table.name).where(table.organisation_id.in_(organisation_ids))


def _subtree(organisation_id: str) -> Select[*tuple[Any, ...]]:
    table = tables.organisation
    start = select(table.c.organisation_id, literal(1).label("depth")).where(table.c.organisation_id == organisation_id)
    tree = start.cte("subtree", recursive=True)
    below = select(table.c.organisation_id, tree.c.depth + 1).where(
        table.c.parent_id == tree.c.organisation_id, tree.c.depth < MAX_DEPTH
    )
    return select(tree.union_all(below).c.organisation_id.label("value"))

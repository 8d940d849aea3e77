"""The tree as of a day, and how an organisation stood over time. Public, as the tree itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, or_, select
from zhibu_kit.db import Transaction

from zhibu_branches.models import organisation
from zhibu_branches.models import organisation_version as table
from zhibu_branches.queries import Organisation, organisation_from
from zhibu_branches.rules.tree import Place

# Versions of one organisation that are shown, the newest.
VERSIONS_MAX: Final = 200
# The tree has five levels; moves and sector committees may add a few.
_DEPTH_MAX: Final = 12

_below = table.alias("below")


async def organisation_as_of(transaction: Transaction, organisation_id: str, day: date) -> Organisation | None:
    """How an organisation stood at the end of a day; None when it was not there yet."""
    row = await transaction.one_or_none(
        _select(day).where(table.c.organisation_id == organisation_id, _holds(table, day))
    )
    if row is None:
        return None
    (found,) = await _placed(transaction, [row], day)
    return found


async def children_as_of(
    transaction: Transaction, *, parent_id: str | None, day: date, after: str | None, count_max: int
) -> list[Organisation]:
    """What stood directly below an organisation (None: the province itself) at the end of a day, by identifier."""
    parent = table.c.parent_id.is_(None) if parent_id is None else table.c.parent_id == parent_id
    statement = _select(day).where(parent, table.c.active, _holds(table, day))
    if after is not None:
        statement = statement.where(table.c.organisation_id > after)
    rows = await transaction.all(statement.order_by(table.c.organisation_id).limit(count_max))
    return await _placed(transaction, rows, day)


async def versions_of(transaction: Transaction, organisation_id: str) -> Sequence[Row[Any]]:
    """The versions of an organisation, the newest first."""
    return await transaction.all(
        select(table)
        .where(table.c.organisation_id == organisation_id)
        .order_by(table.c.start_date.desc())
        .limit(VERSIONS_MAX)
    )


def _select(day: date) -> Any:
    count = (
        select(func.count())
        .where(_below.c.parent_id == table.c.organisation_id, _below.c.active, _holds(_below, day))
        .correlate(table)
        .scalar_subquery()
        .label("child_count")
    )
    now = organisation.c
    return select(
        now.organisation_id,
        now.level,
        now.county_code,
        now.ancestor_ids,
        now.version,
        now.virtual,
        now.start_date,
        now.term_years,
        table.c.parent_id,
        table.c.name,
        table.c.active,
        table.c.successor_id,
        count,
    ).join_from(table, organisation, organisation.c.organisation_id == table.c.organisation_id)


def _holds(versions: Any, day: date) -> ColumnElement[bool]:
    return (versions.c.start_date <= day) & or_(versions.c.end_date.is_(None), versions.c.end_date >= day)


async def _placed(transaction: Transaction, rows: Sequence[Row[Any]], day: date) -> list[Organisation]:
    """Organisations with the way up that they had that day."""
    found = [organisation_from(row) for row in rows]
    above: dict[str, str | None] = {}
    waiting = {one.parent_id for one in found if one.parent_id}
    for _ in range(_DEPTH_MAX):
        if not waiting:
            break
        parents = await transaction.all(
            select(table.c.organisation_id, table.c.parent_id).where(
                table.c.organisation_id == func.any(sorted(waiting)), _holds(table, day)
            )
        )
        above |= {row.organisation_id: row.parent_id for row in parents}
        waiting = {row.parent_id for row in parents if row.parent_id and row.parent_id not in above}
    return [replace(one, place=_with_ancestors(one.place, _way_up(one.parent_id, above))) for one in found]


def _way_up(parent_id: str | None, above: dict[str, str | None]) -> tuple[str, ...]:
    way: list[str] = []
    while parent_id is not None and len(way) < _DEPTH_MAX:
        way.append(parent_id)
        parent_id = above.get(parent_id)
    return tuple(reversed(way))


def _with_ancestors(place: Place, ancestor_ids: tuple[str, ...]) -> Place:
    return replace(place, ancestor_ids=ancestor_ids)

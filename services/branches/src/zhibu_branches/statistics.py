"""Sums downward: what an organisation and all below it hold, without persons.

The counts of each branch and each county are kept as members change (table `tally`, migration 0003), so a county is the sum
of its branches' rows and the province that of its counties; nobody's record is read. What few people make up is hidden by
zhibu_kit.small_cells, from the province down, so that the answers about an organisation and about those above it fit together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, select, text
from zhibu_kit.db import Database, Role, Scope, Transaction
from zhibu_kit.small_cells import NOT_TOLD, hidden_below, hidden_of_top

from zhibu_branches.models import organisation
from zhibu_branches.queries import Organisation
from zhibu_branches.rules.members import MEMBERS, Occupation, PartyStatus
from zhibu_branches.rules.tree import Level
from zhibu_branches.tallies import (
    APART,
    Counts,
    counts_inside,
    counts_of_cities,
    counts_of_counties,
    counts_of_county,
    sum_of,
)

# Organisations directly below one that are shown.
BELOW_MAX: Final = 500
_BEFORE: Final = tuple(status for status in PartyStatus if status not in MEMBERS)
_OF_PARTY: Final = tuple(status for status in PartyStatus if status in MEMBERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The sums of one organisation and all below it; NOT_TOLD for groups that are not told.

    The ungrouped are members of counties with few people: of the members, but in no group.
    """

    organisation_id: str
    name: str
    member_count: int
    physical_branch_count: int
    virtual_branch_count: int
    online_branch_count: int
    virtual_member_count: int
    ungrouped_member_count: int
    by_status: Mapping[str, int]
    by_occupation: Mapping[str, int]
    by_admission: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """One organisation with what it and everything below it hold, and which groups of each part are hidden."""

    organisation_id: str
    name: str
    counts: Counts
    hidden: dict[str, frozenset[int]] = field(default_factory=dict[str, frozenset[int]])


async def statistics_of(transaction: Transaction, found: Organisation) -> tuple[Sums, list[Sums]]:
    """The sums of an organisation, and of each one directly below it by identifier. Reads as the province's role."""
    cities = await counts_of_cities(transaction)
    parts = _parts(cities.values())
    way = (*found.place.ancestor_ids, found.place.organisation_id)
    names = await _names(transaction, way)
    node = _top(parts, way[0], names[way[0]], sum_of(cities.values()))
    below = await _below(transaction, way[:1], cities)
    _hide(parts, node, below)
    for depth, organisation_id in enumerate(way[1:], 2):
        node = next((one for one in below if one.organisation_id == organisation_id), None) or _Node(
            organisation_id=organisation_id, name=names.get(organisation_id, ""), counts={}
        )
        if _level_of(found, depth) is Level.COUNTY and APART in node.counts:
            counts = await counts_of_county(transaction, organisation_id)
            parts = _parts([counts])
            node = _top(parts, organisation_id, node.name, counts)
        below = await _below(transaction, way[:depth], await _counts_below(transaction, found, depth, way))
        _hide(parts, node, below)
    return _sums(parts, node), [_sums(parts, one) for one in below[:BELOW_MAX]]


def _top(parts: Mapping[str, Sequence[tuple[str, str]]], organisation_id: str, name: str, counts: Counts) -> _Node:
    """What nothing above bounds: the province, and a county that is counted in no group above it."""
    hidden = {part: hidden_of_top(_row(counts, keys)) for part, keys in parts.items()}
    return _Node(organisation_id=organisation_id, name=name, counts=counts, hidden=hidden)


async def _counts_below(
    transaction: Transaction, found: Organisation, depth: int, way: tuple[str, ...]
) -> Mapping[str, Counts]:
    """The counts of what stands directly below the organisation at a depth of the way down."""
    match _level_of(found, depth):
        case Level.PROVINCE:
            raise AssertionError("nothing leads to the province")
        case Level.CITY:
            return await counts_of_counties(transaction, way[depth - 1])
        case Level.COUNTY | Level.TOWNSHIP:
            return await counts_inside(transaction, found.place.county_code, way=way[:depth])
        case Level.BRANCH:
            return {}


async def _below(transaction: Transaction, way: tuple[str, ...], counts: Mapping[str, Counts]) -> list[_Node]:
    """What stands directly below the organisation at the end of a way, by identifier, each with everything below it."""
    rows = await transaction.all(
        select(organisation.c.organisation_id, organisation.c.name)
        .where(organisation.c.parent_id == way[-1], organisation.c.active)
        .order_by(organisation.c.organisation_id)
    )
    return [
        _Node(organisation_id=row.organisation_id, name=row.name, counts=counts.get(row.organisation_id, {}))
        for row in rows
    ]


async def _names(transaction: Transaction, organisation_ids: Sequence[str]) -> dict[str, str]:
    rows = await transaction.all(
        select(organisation.c.organisation_id, organisation.c.name).where(
            organisation.c.organisation_id == func.any(list(organisation_ids))
        )
    )
    return {row.organisation_id: row.name for row in rows}


def _parts(counties: Iterable[Counts]) -> dict[str, list[tuple[str, str]]]:
    """The tables that are judged by themselves, each with the keys of its columns; of each, the sum of a row is told."""
    decades = sorted({key for one in counties for dimension, key in one if dimension == "admission"})
    return {
        "members": [("status", str(int(status))) for status in _OF_PARTY],
        "before": [("status", str(int(status))) for status in _BEFORE],
        "occupation": [("occupation", str(int(one))) for one in Occupation],
        "admission": [("admission", decade) for decade in decades],
        # Who is in no virtual branch is the rest, and would tell who is.
        "virtual": [("virtual", "member"), ("virtual", "rest")],
    }


def _hide(parts: Mapping[str, Sequence[tuple[str, str]]], node: _Node, below: Sequence[_Node]) -> None:
    for name, keys in parts.items():
        table = [_row(one.counts, keys) for one in below]
        hidden = hidden_below(table, node.hidden.get(name, frozenset()))
        for one, columns in zip(below, hidden, strict=True):
            one.hidden[name] = columns


def _row(counts: Counts, keys: Sequence[tuple[str, str]]) -> list[int]:
    rest = _grouped(counts) - counts.get(("virtual", "member"), 0)
    return [rest if key == ("virtual", "rest") else counts.get(key, 0) for key in keys]


def _members(counts: Counts) -> int:
    return _grouped(counts) + counts.get(APART, 0)


def _grouped(counts: Counts) -> int:
    return sum(counts.get(("status", str(int(status))), 0) for status in _OF_PARTY)


def _sums(parts: Mapping[str, Sequence[tuple[str, str]]], node: _Node) -> Sums:
    told = {
        name: [
            NOT_TOLD if column in node.hidden.get(name, frozenset()) else count
            for column, count in enumerate(_row(node.counts, keys))
        ]
        for name, keys in parts.items()
    }
    statuses = {int(status): count for status, count in zip(_OF_PARTY, told["members"], strict=True)}
    statuses |= {int(status): count for status, count in zip(_BEFORE, told["before"], strict=True)}
    decades = [key for _, key in parts["admission"]]
    return Sums(
        organisation_id=node.organisation_id,
        name=node.name,
        member_count=_members(node.counts),
        physical_branch_count=node.counts.get(("branch", "physical"), 0),
        virtual_branch_count=node.counts.get(("branch", "virtual"), 0),
        online_branch_count=node.counts.get(("branch", "online"), 0),
        virtual_member_count=told["virtual"][0],
        ungrouped_member_count=node.counts.get(APART, 0),
        by_status={status.name: statuses[status] for status in PartyStatus},
        by_occupation={one.name: told["occupation"][one] for one in Occupation},
        by_admission={
            "UNKNOWN" if decade == "0" else decade: count
            for decade, count in zip(decades, told["admission"], strict=True)
        },
    )


def _level_of(found: Organisation, depth: int) -> Level:
    """The level of the organisation at a depth of the way down; a branch may stand below a county."""
    return found.place.level if depth == 1 + len(found.place.ancestor_ids) else Level(depth)


# Two processes must not fold at once: each would count the other's rows a second time.
_FOLD_LOCK: Final = 2260_38
_FOLD: Final = text("""
with fresh as (
  delete from tally where not folded returning organisation_id, county_code, dimension, key, count
), keys as (
  select distinct organisation_id, county_code, dimension, key from fresh
), old as (
  delete from tally as t using keys as k
  where t.folded and t.organisation_id = k.organisation_id and t.dimension = k.dimension and t.key = k.key
    and t.county_code = k.county_code
  returning t.organisation_id, t.county_code, t.dimension, t.key, t.count
)
insert into tally (organisation_id, county_code, dimension, key, count, folded)
select organisation_id, county_code, dimension, key, sum(count), true
from (select * from fresh union all select * from old) as every
group by 1, 2, 3, 4 having sum(count) <> 0
""")


async def fold_tallies(database: Database) -> None:
    """Fold the differences that writers left into one row for each count; the sums stay the same at any instant."""
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        if await transaction.scalar(select(func.pg_try_advisory_xact_lock(_FOLD_LOCK))):
            await transaction.execute(_FOLD)

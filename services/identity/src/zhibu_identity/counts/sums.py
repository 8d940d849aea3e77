"""Sums of people at and below an organisation, as they are told: nobody's record is read for them.

Which groups are few and not told is judged from the province down (`zhibu_kit.small_cells`), so that nothing hidden follows
from the answers about the organisations above, below and beside. People of counties that are apart stand in no group above.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from zhibu_kit import tables
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Transaction
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.small_cells import LEAST_COUNTED_ABOVE, LEAST_TOLD, NOT_TOLD, hidden_below, hidden_of_top

from zhibu_identity.counts.branches import OF_COUNTY, Counts, Dimension, Ethnicity, count_reach
from zhibu_identity.models import statistic_branch, statistic_count
from zhibu_identity.organisations import Level
from zhibu_identity.parts import Parts
from zhibu_identity.people.reach import Reach, reach_of
from zhibu_identity.rules.age_bands import NAMES, count_bands
from zhibu_identity.rules.person import EDUCATIONS, Gender

# A county has some hundreds of organisations, the largest some thousands.
MOST_ORGANISATIONS: Final = 20_000
_UNKNOWN: Final = "UNKNOWN"
_GENDERS: Final = {int(Gender.MALE): "MALE", int(Gender.FEMALE): "FEMALE", int(Gender.UNKNOWN): _UNKNOWN}
_EDUCATIONS: Final = {at: words[-1] for at, words in EDUCATIONS.items()} | {0: _UNKNOWN}
_ETHNICITIES: Final = {int(Ethnicity.HAN): "HAN", int(Ethnicity.OTHER): "OTHER", int(Ethnicity.UNKNOWN): _UNKNOWN}
# The tables, each with its columns; the sum of a row is told.
_ALL: Final = (Dimension.ALL, 0)
_COLUMNS: Final[Mapping[Dimension, tuple[str, ...]]] = {
    Dimension.BIRTH_YEAR: (*NAMES, _UNKNOWN),
    Dimension.GENDER: tuple(_GENDERS.values()),
    Dimension.EDUCATION: tuple(_EDUCATIONS.values()),
    Dimension.ETHNICITY: tuple(_ETHNICITIES.values()),
}

Hidden = Mapping[Dimension, frozenset[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSums:
    """Sums as they are told: -1 where few people are hidden."""

    total: int
    ungrouped: int
    by_age: Mapping[str, int]
    by_gender: Mapping[str, int]
    by_education: Mapping[str, int]
    by_ethnicity: Mapping[str, int]
    as_of: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """An organisation on the way down, or beside it."""

    organisation_id: str
    parent_id: str
    level: Level


async def sums_of(transaction: Transaction, parts: Parts, organisation_id: str) -> PeopleSums:
    """Return the sums of people at and below an organisation. The transaction sees every county.

    Raises:
        ServiceError: NOT_FOUND when there is no such organisation.
    """
    ancestry = await parts.organisations.ancestry(organisation_id)
    if ancestry is None:
        raise NOT_FOUND(noun="organisation")
    now = parts.clock.now()
    year = now.astimezone(SHANGHAI).year
    province_id, *way = reversed(ancestry.organisation_ids)
    tree = await _Tree.load(transaction)
    counts = tree.of_province()
    hidden, above = _hidden_of_top(counts, year), province_id
    for step in way:
        below = await tree.below(above)
        hidden = _hidden_of(step, counts, below, hidden, year)
        counts, above = below.get(step, {}), step
        if tree.is_apart(step):
            counts = tree.of_county(step)
            hidden = _hidden_of_top(counts, year)
    reach = await reach_of(transaction, organisation_id)
    if reach.is_one_branch:
        # A virtual branch has people whom other branches count; a branch is small enough to be counted when asked.
        counts = await count_reach(transaction, parts.vault, reach)
        alone = _hidden_of_top(counts, year)
        return _told(counts, {of: hidden[of] | alone[of] for of in _COLUMNS}, year=year, as_of=now)
    as_of = await _oldest(transaction, reach, above_counties=len(way) <= 1)
    return _told(counts, hidden, year=year, as_of=as_of)


class _Tree:
    """What is counted below each organisation; a county is read once."""

    def __init__(self, transaction: Transaction, counted: Mapping[str, Counts], upper: Mapping[str, _Place]) -> None:
        self._transaction = transaction
        self._counted = counted
        self._seen = {county: _from_above(counts) for county, counts in counted.items()}
        self._upper = upper
        self._county: tuple[Mapping[str, Counts], Mapping[str, _Place]] | None = None

    @classmethod
    async def load(cls, transaction: Transaction) -> _Tree:
        """Read the province, the cities and the counties."""
        table = statistic_count
        rows = await transaction.all(
            select(table.c.county_code, table.c.dimension, table.c.value, table.c.people_count).where(
                table.c.branch_id == OF_COUNTY
            )
        )
        upper = await _places(transaction, tables.organisation.c.level <= int(Level.COUNTY))
        return cls(transaction, _grouped((row.county_code, row) for row in rows), upper)

    def of_province(self) -> Counts:
        """Return what is counted in all of it."""
        return _sum(self._seen.values())

    def is_apart(self, organisation_id: str) -> bool:
        """Whether an organisation is a county whose people stand in no group above it."""
        return organisation_id in self._counted and _is_apart(self._counted[organisation_id])

    def of_county(self, county_code: str) -> Counts:
        """Return what is counted in a county, as it sees itself."""
        return self._counted[county_code]

    async def below(self, above: str) -> dict[str, Counts]:
        """Return what is counted in each organisation directly below one and in everything below that."""
        place = self._upper.get(above)
        if place is not None and place.level is not Level.COUNTY:
            return _summed_below(above, self._seen, self._upper)
        if self._county is None:
            # A county comes first on the way down, and what stands below it after it.
            self._county = await self._load_county(above)
        return _summed_below(above, *self._county)

    async def _load_county(self, county_code: str) -> tuple[Mapping[str, Counts], Mapping[str, _Place]]:
        table = statistic_count
        rows = await self._transaction.all(
            select(table.c.branch_id, table.c.dimension, table.c.value, table.c.people_count).where(
                table.c.county_code == county_code, table.c.branch_id.not_in(("", OF_COUNTY))
            )
        )
        places = await _places(self._transaction, tables.organisation.c.county_code == county_code)
        return _grouped((row.branch_id, row) for row in rows), places


def _is_apart(counts: Counts) -> bool:
    return counts.get(_ALL, 0) < LEAST_COUNTED_ABOVE


def _from_above(counts: Counts) -> Counts:
    return {_ALL: counts.get(_ALL, 0)} if _is_apart(counts) else counts


def _summed_below(above: str, counted: Mapping[str, Counts], places: Mapping[str, _Place]) -> dict[str, Counts]:
    children: dict[str, list[Counts]] = {
        place.organisation_id: [] for place in places.values() if place.parent_id == above
    }
    for organisation_id, counts in counted.items():
        child = _child_towards(organisation_id, above, places)
        if child in children:
            children[child].append(counts)
    return {child: _sum(some) for child, some in children.items()}


async def _places(transaction: Transaction, condition: Any) -> dict[str, _Place]:
    table = tables.organisation
    rows = await transaction.all(
        select(table.c.organisation_id, table.c.parent_id, table.c.level)
        .where(condition, table.c.active)
        .order_by(table.c.organisation_id)
        .limit(MOST_ORGANISATIONS)
    )
    return {
        row.organisation_id: _Place(
            organisation_id=row.organisation_id, parent_id=row.parent_id, level=Level(row.level)
        )
        for row in rows
    }


def _child_towards(organisation_id: str, above: str, places: Mapping[str, _Place]) -> str | None:
    """Return the organisation directly below one under which another one stands, None when it stands elsewhere."""
    for _ in range(len(places)):
        place = places.get(organisation_id)
        if place is None:
            return None
        if place.parent_id == above:
            return organisation_id
        organisation_id = place.parent_id
    return None


def _hidden_of_top(counts: Counts, year: int) -> Hidden:
    return {of: hidden_of_top(_row(of, counts, year)) for of in _COLUMNS}


def _hidden_of(step: str, counts: Counts, below: Mapping[str, Counts], hidden: Hidden, year: int) -> Hidden:
    """Return what is not told of one of the organisations below, from what is not told of their sum."""
    names = sorted({step, *below})
    found: dict[Dimension, frozenset[int]] = {}
    for of in _COLUMNS:
        table = [_row(of, below.get(name, {}), year) for name in names]
        # Whoever stands at none of them: the own staff, people whom no branch holds.
        inside = [sum(column) for column in zip(*table, strict=True)]
        rest = [max(0, all_of - some) for all_of, some in zip(_row(of, counts, year), inside, strict=True)]
        if any(rest):
            table.append(rest)
        found[of] = hidden_below(table, hidden[of])[names.index(step)]
    return found


def _told(counts: Counts, hidden: Hidden, *, year: int, as_of: datetime | None) -> PeopleSums:
    def of(dimension: Dimension) -> dict[str, int]:
        """Return what is told, without that nobody is unknown."""
        row = _row(dimension, counts, year)
        return {
            name: NOT_TOLD if column in hidden[dimension] else count
            for column, (name, count) in enumerate(zip(_COLUMNS[dimension], row, strict=True))
            if name != _UNKNOWN or count
        }

    total = counts.get(_ALL, 0)
    return PeopleSums(
        total=_unless_few(total),
        ungrouped=_unless_few(total - sum(_row(Dimension.GENDER, counts, year))),
        by_age=of(Dimension.BIRTH_YEAR),
        by_gender=of(Dimension.GENDER),
        by_education=of(Dimension.EDUCATION),
        by_ethnicity=of(Dimension.ETHNICITY),
        as_of=as_of,
    )


def _unless_few(count: int) -> int:
    return NOT_TOLD if 0 < count < LEAST_TOLD else count


def _row(dimension: Dimension, counts: Counts, year: int) -> list[int]:
    values = {value: count for (of, value), count in counts.items() if of is dimension}
    match dimension:
        case Dimension.BIRTH_YEAR:
            unknown = values.pop(0, 0)
            return [*count_bands(values, year=year).values(), unknown]
        case Dimension.GENDER:
            return [values.get(value, 0) for value in _GENDERS]
        case Dimension.EDUCATION:
            return [values.get(value, 0) for value in _EDUCATIONS]
        case Dimension.ETHNICITY:
            return [values.get(value, 0) for value in _ETHNICITIES]
        case Dimension.ALL:
            return [values.get(0, 0)]


async def _oldest(transaction: Transaction, reach: Reach, *, above_counties: bool) -> datetime | None:
    statement = select(func.min(statistic_branch.c.computed_at))
    if reach.branch_ids is not None:
        statement = statement.where(statistic_branch.c.branch_id.in_(reach.branch_ids))
    elif not above_counties:
        statement = statement.where(statistic_branch.c.county_code == reach.county_code)
    return await transaction.scalar(statement)


def _grouped(rows: Iterable[tuple[str, Any]]) -> dict[str, Counts]:
    found: defaultdict[str, dict[tuple[Dimension, int], int]] = defaultdict(dict)
    for key, row in rows:
        found[key][Dimension(row.dimension), row.value] = row.people_count
    return dict(found)


def _sum(some: Iterable[Counts]) -> Counts:
    total: Counter[tuple[Dimension, int]] = Counter()
    for counts in some:
        total.update(counts)
    return total

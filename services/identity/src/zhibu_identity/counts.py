"""Sums of people by year of birth, gender, schooling and ethnicity: kept per branch, added up for whoever is above.

Only a job that counts a branch opens records; who asks for sums never causes a name to be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit import tables
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Role, Transaction
from zhibu_kit.scope import Scope
from zhibu_kit.small_cells import hide_small_cells

from zhibu_identity.keys.vault import Vault
from zhibu_identity.models import person, statistic_branch, statistic_count, statistic_mark
from zhibu_identity.organisations import Level, find_organisation
from zhibu_identity.parts import Parts
from zhibu_identity.people import OPEN_STANDINGS, PersonDetails, open_details
from zhibu_identity.people_reach import Reach, reach_of
from zhibu_identity.rules.age_bands import count_bands
from zhibu_identity.rules.person import EDUCATIONS, HAN, Gender, gender_of

# Branches counted in one round of the job, and people opened at a time.
PER_ROUND: Final = 200
PER_CHUNK: Final = 500
# Any number, the same in every process of identity.
_LOCK: Final = 0x5A53
_ABOVE_COUNTIES: Final = frozenset({Level.PROVINCE, Level.CITY})


class Dimension(IntEnum):
    """By what people are counted; the numbers stand in the table."""

    ALL = 1
    BIRTH_YEAR = 2
    GENDER = 3
    EDUCATION = 4
    ETHNICITY = 5


class Ethnicity(IntEnum):
    """Han, or one of the others."""

    UNKNOWN = 0
    HAN = 1
    OTHER = 2


Counts = Mapping[tuple[Dimension, int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleSums:
    """Sums as they are told: -1 where few people are hidden."""

    total: int
    by_age: Mapping[str, int]
    by_gender: Mapping[str, int]
    by_education: Mapping[str, int]
    by_ethnicity: Mapping[str, int]
    as_of: datetime | None


async def count_stale(parts: Parts) -> int:
    """Count the branches anew whose people have changed; return how many there were."""
    table = statistic_mark
    async with parts.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        rows = await transaction.all(select(table.c.county_code, table.c.branch_id).distinct().limit(PER_ROUND))
    for row in rows:
        await _count_branch(parts, row.county_code, row.branch_id)
    return len(rows)


async def sums_of(transaction: Transaction, parts: Parts, organisation_id: str) -> PeopleSums:
    """Return the sums of people at and below an organisation. The transaction sees every county."""
    organisation = await find_organisation(transaction, organisation_id)
    reach = await reach_of(transaction, organisation_id)
    now = parts.clock.now()
    if reach.is_one_branch:
        # A virtual branch has people whom other branches count; a branch is small enough to be counted when asked.
        return _told(await _count_reach(transaction, parts.vault, reach), as_of=now, now=now)
    table = statistic_count
    statement = select(table.c.dimension, table.c.value, func.sum(table.c.people_count).label("people_count"))
    oldest = select(func.min(statistic_branch.c.computed_at))
    if organisation is not None and organisation.level in _ABOVE_COUNTIES:
        counties = _counties_below(organisation_id)
        statement = statement.where(table.c.county_code.in_(counties))
        oldest = oldest.where(statistic_branch.c.county_code.in_(counties))
    elif reach.branch_ids is None:
        statement = statement.where(table.c.county_code == reach.county_code)
        oldest = oldest.where(statistic_branch.c.county_code == reach.county_code)
    else:
        statement = statement.where(table.c.branch_id.in_(reach.branch_ids))
        oldest = oldest.where(statistic_branch.c.branch_id.in_(reach.branch_ids))
    rows = await transaction.all(statement.group_by(table.c.dimension, table.c.value))
    counts = {(Dimension(row.dimension), row.value): int(row.people_count) for row in rows}
    return _told(counts, as_of=await transaction.scalar(oldest), now=now)


async def _count_branch(parts: Parts, county_code: str, branch_id: str) -> None:
    """Count one branch. A change that is committed while we count has left a mark of its own, which stays."""
    async with parts.database.transaction(Scope.of(county_code)) as transaction:
        # One process counts a branch at a time.
        await transaction.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(branch_id, _LOCK))))
        await transaction.execute(
            delete(statistic_mark).where(
                statistic_mark.c.county_code == county_code, statistic_mark.c.branch_id == branch_id
            )
        )
        statement = _people(person.c.county_code == county_code, person.c.branch_id == branch_id)
        counts = await _count(transaction, parts.vault, statement)
        await transaction.execute(
            delete(statistic_count).where(
                statistic_count.c.county_code == county_code, statistic_count.c.branch_id == branch_id
            )
        )
        if counts:
            await transaction.execute(
                insert(statistic_count).values(
                    [
                        {
                            "county_code": county_code,
                            "branch_id": branch_id,
                            "dimension": int(dimension),
                            "value": value,
                            "people_count": count,
                        }
                        for (dimension, value), count in sorted(counts.items())
                    ]
                )
            )
        await transaction.execute(
            insert(statistic_branch)
            .values(county_code=county_code, branch_id=branch_id, computed_at=parts.clock.now())
            .on_conflict_do_update(index_elements=["county_code", "branch_id"], set_={"computed_at": parts.clock.now()})
        )


async def _count_reach(transaction: Transaction, vault: Vault, reach: Reach) -> Counts:
    return await _count(transaction, vault, _people(reach.holds()))


def _people(*conditions: Any) -> Select[Any, Any, Any]:
    return (
        select(person.c.member_id, person.c.county_code, person.c.details)
        .where(*conditions, person.c.standing.in_(OPEN_STANDINGS))
        .order_by(person.c.member_id)
        .limit(PER_CHUNK)
    )


async def _count(transaction: Transaction, vault: Vault, statement: Select[Any, Any, Any]) -> Counts:
    counts: Counter[tuple[Dimension, int]] = Counter()
    after = ""
    while True:
        rows = await transaction.all(statement.where(person.c.member_id > after))
        keys = await vault.keys_in({row.member_id: row.county_code for row in rows})
        for row in rows:
            counts.update(_marks_of(open_details(row.details, keys.get(row.member_id))))
        if len(rows) < PER_CHUNK:
            return counts
        after = rows[-1].member_id


def _marks_of(details: PersonDetails) -> Iterable[tuple[Dimension, int]]:
    yield Dimension.ALL, 0
    birth_date = details.birth_date
    yield Dimension.BIRTH_YEAR, birth_date.year if birth_date else 0
    yield Dimension.GENDER, int(gender_of(details.resident_number))
    yield Dimension.EDUCATION, details.education
    ethnicity = Ethnicity.UNKNOWN
    if details.ethnicity:
        ethnicity = Ethnicity.HAN if details.ethnicity.rstrip("族") == HAN.rstrip("族") else Ethnicity.OTHER
    yield Dimension.ETHNICITY, int(ethnicity)


def _told(counts: Counts, *, as_of: datetime | None, now: datetime) -> PeopleSums:
    total = counts.get((Dimension.ALL, 0), 0)

    def of(dimension: Dimension) -> dict[int, int]:
        return {value: count for (of_dimension, value), count in counts.items() if of_dimension is dimension}

    years = of(Dimension.BIRTH_YEAR)
    unknown = years.pop(0, 0)
    ages = count_bands(years, year=now.astimezone(SHANGHAI).year) | {_UNKNOWN: unknown}
    return PeopleSums(
        total=hide_small_cells([total]).total,
        by_age=_hidden(ages),
        by_gender=_hidden(_named(of(Dimension.GENDER), _GENDERS)),
        by_education=_hidden(_named(of(Dimension.EDUCATION), _EDUCATIONS)),
        by_ethnicity=_hidden(_named(of(Dimension.ETHNICITY), _ETHNICITIES)),
        as_of=as_of,
    )


_UNKNOWN: Final = "UNKNOWN"
_GENDERS: Final = {int(Gender.MALE): "MALE", int(Gender.FEMALE): "FEMALE", int(Gender.UNKNOWN): _UNKNOWN}
_EDUCATIONS: Final = {at: words[-1] for at, words in EDUCATIONS.items()} | {0: _UNKNOWN}
_ETHNICITIES: Final = {int(Ethnicity.HAN): "HAN", int(Ethnicity.OTHER): "OTHER", int(Ethnicity.UNKNOWN): _UNKNOWN}


def _named(counts: Mapping[int, int], names: Mapping[int, str]) -> dict[str, int]:
    return {name: counts.get(value, 0) for value, name in names.items()}


def _hidden(counts: Mapping[str, int]) -> dict[str, int]:
    """Hide few people, and leave out that nobody is unknown."""
    told = dict(zip(counts, hide_small_cells(list(counts.values())).counts, strict=True))
    if not counts.get(_UNKNOWN):
        told.pop(_UNKNOWN, None)
    return told


def _counties_below(organisation_id: str) -> Select[Any]:
    """Return the codes under which people below a city or the province stand: counties, and the own staff."""
    table = tables.organisation
    below = (
        select(table.c.organisation_id, table.c.level)
        .where(table.c.organisation_id == organisation_id)
        .cte("above", recursive=True)
    )
    below = below.union(
        select(table.c.organisation_id, table.c.level).where(
            table.c.parent_id == below.c.organisation_id, table.c.level <= int(Level.COUNTY)
        )
    )
    return select(below.c.organisation_id)

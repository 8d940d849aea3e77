"""Counts of people by year of birth, gender, schooling and ethnicity: kept per branch, and added up per county.

Only the job that counts a branch opens records; `counts/sums.py` tells what was counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import Select, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Role, Transaction
from zhibu_kit.scope import Scope

from zhibu_identity.counts.stale import mark_stale
from zhibu_identity.keys.vault import Vault
from zhibu_identity.models import person, statistic_branch, statistic_count, statistic_mark
from zhibu_identity.parts import Parts
from zhibu_identity.people.reach import Reach
from zhibu_identity.people.records import OPEN_STANDINGS, PersonDetails, open_details
from zhibu_identity.rules.person import HAN, gender_of

# Branches counted in one round of the job, and people opened at a time.
PER_ROUND: Final = 200
PER_CHUNK: Final = 500
# Any number, the same in every process of identity.
_LOCK: Final = 0x5A53
# Stands in the place of a branch where all of a county is counted.
OF_COUNTY: Final = "*"


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


async def count_stale(parts: Parts) -> int:
    """Count the branches anew whose people have changed, and add up their counties; return how many there were."""
    table = statistic_mark
    async with parts.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        rows = await transaction.all(select(table.c.county_code, table.c.branch_id).distinct().limit(PER_ROUND))
    # Branches first: they leave a mark for their county.
    for row in sorted(rows, key=lambda row: row.branch_id == OF_COUNTY):
        if row.branch_id == OF_COUNTY:
            await _add_up(parts, row.county_code)
        else:
            await _count_branch(parts, row.county_code, row.branch_id)
    return len(rows)


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
        await mark_stale(transaction, {(county_code, OF_COUNTY)})


async def _add_up(parts: Parts, county_code: str) -> None:
    """Keep the sums of a county's branches, so that who asks about the province need not add up all branches."""
    async with parts.database.transaction(Scope.of(county_code)) as transaction:
        await transaction.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(county_code, _LOCK))))
        await transaction.execute(
            delete(statistic_mark).where(
                statistic_mark.c.county_code == county_code, statistic_mark.c.branch_id == OF_COUNTY
            )
        )
        table = statistic_count
        of_county = table.c.county_code == county_code
        await transaction.execute(delete(table).where(of_county, table.c.branch_id == OF_COUNTY))
        branches = (
            select(
                table.c.county_code,
                literal(OF_COUNTY),
                table.c.dimension,
                table.c.value,
                func.sum(table.c.people_count),
            )
            .where(of_county)
            .group_by(table.c.county_code, table.c.dimension, table.c.value)
        )
        columns = ["county_code", "branch_id", "dimension", "value", "people_count"]
        await transaction.execute(insert(table).from_select(columns, branches))


async def count_reach(transaction: Transaction, vault: Vault, reach: Reach) -> Counts:
    """Count the people whom an organisation's officers see, now."""
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

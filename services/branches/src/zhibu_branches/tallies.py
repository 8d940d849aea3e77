"""The counts that are kept (table `tally`), summed by the database for what stands directly below an organisation.

Thousands of branches come to some dozens of rows: carrying each of them here cost most of the time of an answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from sqlalchemy import TextClause, text
from zhibu_kit.db import Transaction

# What is counted of one organisation and all below it: (dimension, key) of the table.
Counts = dict[tuple[str, str], int]

_CITIES: Final = text("""
select coalesce(o.parent_id, '') as place, t.dimension, t.key, sum(t.count) as people
from tally as t
left join organisation as o on o.organisation_id = t.county_code and o.level = 3 and o.active
where t.organisation_id = t.county_code
group by 1, 2, 3""")
_COUNTIES: Final = text("""
select t.county_code as place, t.dimension, t.key, sum(t.count) as people
from organisation as o
join tally as t on t.county_code = o.organisation_id and t.organisation_id = t.county_code
where o.parent_id = :organisation_id and o.active
group by 1, 2, 3""")
# State 1 of a survey: not online.
_IN_COUNTY: Final = text("""
with inside as (
  select organisation_id, level, virtual, coalesce(ancestor_ids[:depth], organisation_id) as place
  from organisation
  where county_code = :county_code and active and level > 3 and ancestor_ids @> array[cast(:organisation_id as text)]
)
select i.place, t.dimension, t.key, sum(t.count) as people
from inside as i join tally as t on t.organisation_id = i.organisation_id
where t.county_code = :county_code
group by 1, 2, 3
union all
select place, 'branch', case when virtual then 'virtual' else 'physical' end, count(*)
from inside where level = 5 group by 1, 3
union all
select i.place, 'branch', 'online', count(*)
from inside as i join branch_survey as s on s.branch_id = i.organisation_id
where i.level = 5 and s.state <> 1 group by 1""")


async def counts_of_cities(transaction: Transaction) -> dict[str, Counts]:
    """The sums of each city; what lies in no city that is active any more under the empty name."""
    return await _counts(transaction, _CITIES)


async def counts_of_counties(transaction: Transaction, city_id: str) -> dict[str, Counts]:
    """The sums of each county of a city."""
    return await _counts(transaction, _COUNTIES.bindparams(organisation_id=city_id))


async def counts_inside(transaction: Transaction, county_code: str, *, way: tuple[str, ...]) -> dict[str, Counts]:
    """The sums of each organisation directly below one of a county; `way` leads down to it, itself at the end."""
    return await _counts(
        transaction,
        _IN_COUNTY.bindparams(county_code=county_code, organisation_id=way[-1], depth=len(way) + 1),
    )


def sum_of(some: Iterable[Counts]) -> Counts:
    """Counts added up."""
    total: defaultdict[tuple[str, str], int] = defaultdict(int)
    for counts in some:
        for key, count in counts.items():
            total[key] += count
    return dict(total)


async def _counts(transaction: Transaction, statement: TextClause) -> dict[str, Counts]:
    found: defaultdict[str, Counts] = defaultdict(dict)
    for row in await transaction.all(statement):
        found[row.place][row.dimension, row.key] = int(row.people)
    return dict(found)

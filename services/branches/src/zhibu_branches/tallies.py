"""The counts that are kept (table `tally`), summed by the database for what stands directly below an organisation.

Thousands of branches come to some dozens of rows: carrying each of them here cost most of the time of an answer.

Above the counties, one with few members is apart (`zhibu_kit.small_cells`): its branches are counted, and its members as
APART, in no group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from sqlalchemy import TextClause, text
from zhibu_kit.db import Transaction
from zhibu_kit.small_cells import LEAST_COUNTED_ABOVE

from zhibu_branches.rules.members import MEMBERS

# What is counted of one organisation and all below it: (dimension, key) of the table.
Counts = dict[tuple[str, str], int]
# Members of counties that are apart.
APART: Final = ("apart", "member")

# The counties' own counts as those above see them.
_SEEN_FROM_ABOVE: Final = """
with apart as (
  select county_code from tally
  where organisation_id = county_code and dimension = 'status' and key = any(:members)
  group by 1 having sum(count) < :least
), seen as (
  select t.county_code, t.dimension, t.key, t.count
  from tally as t left join apart as a using (county_code)
  where t.organisation_id = t.county_code and (a.county_code is null or t.dimension = 'branch')
  union all
  select county_code, 'apart', 'member', count
  from tally join apart using (county_code)
  where organisation_id = county_code and dimension = 'status' and key = any(:members)
)"""
_ABOVE: Final[dict[str, object]] = {
    "members": [str(int(status)) for status in sorted(MEMBERS)],
    "least": LEAST_COUNTED_ABOVE,
}
_CITIES: Final = text(
    _SEEN_FROM_ABOVE
    + """
select coalesce(o.parent_id, '') as place, t.dimension, t.key, sum(t.count) as people
from seen as t
left join organisation as o on o.organisation_id = t.county_code and o.level = 3 and o.active
group by 1, 2, 3"""
)
_COUNTIES: Final = text(
    _SEEN_FROM_ABOVE
    + """
select t.county_code as place, t.dimension, t.key, sum(t.count) as people
from organisation as o join seen as t on t.county_code = o.organisation_id
where o.parent_id = :organisation_id and o.active
group by 1, 2, 3"""
)
_COUNTY: Final = text("""
select county_code as place, dimension, key, sum(count) as people
from tally where organisation_id = :county_code and county_code = :county_code
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
    return await _counts(transaction, _CITIES.bindparams(**_ABOVE))


async def counts_of_counties(transaction: Transaction, city_id: str) -> dict[str, Counts]:
    """The sums of each county of a city."""
    return await _counts(transaction, _COUNTIES.bindparams(organisation_id=city_id, **_ABOVE))


async def counts_of_county(transaction: Transaction, county_code: str) -> Counts:
    """The sums of one county as it sees itself, apart or not."""
    return (await _counts(transaction, _COUNTY.bindparams(county_code=county_code))).get(county_code, {})


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

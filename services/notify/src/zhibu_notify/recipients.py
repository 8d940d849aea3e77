"""Who is told of work: those who may do it, by the grants of office that the kit keeps."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import literal, select
from zhibu_kit import tables
from zhibu_kit.db import Transaction
from zhibu_kit.offices import OFFICES
from zhibu_kit.projections import MAX_DEPTH, grant_holds

# Levels of kit_organisation (the contract's numbers).
_CITY: Final = 2
_COUNTY: Final = 3
_TOWNSHIP: Final = 4
# More officers than one organisation and those above it ever have.
_HOLDERS_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """An officer, and the desk (county or township) at which the work is found; "" when it is none of these."""

    member_id: str
    desk_id: str


async def holders_of(
    transaction: Transaction, permission: str, *, organisation_id: str, county_code: str, now: datetime
) -> list[Holder]:
    """Those who hold a permission at an organisation or above it, up to its county.

    The city and the province do the daily work only where nobody below can.
    """
    offices = [office.name for office in OFFICES.values() if permission in office.permissions]
    levels = await _levels_above(transaction, organisation_id) or {county_code: _COUNTY}
    grant = tables.grant.c
    rows = await transaction.all(
        select(grant.member_id, grant.organisation_id)
        .where(
            grant.organisation_id.in_(list(levels)),
            grant.office.in_(offices),
            grant_holds(now),
        )
        .limit(_HOLDERS_MAX)
    )
    near = [row for row in rows if levels[row.organisation_id] > _CITY]
    found: dict[str, Holder] = {}
    for row in near or rows:
        is_desk = levels[row.organisation_id] in (_COUNTY, _TOWNSHIP)
        desk_id = row.organisation_id if is_desk else county_code
        found.setdefault(row.member_id, Holder(member_id=row.member_id, desk_id=desk_id))
    return list(found.values())


async def holders_at(transaction: Transaction, permission: str, *, organisation_id: str, now: datetime) -> list[str]:
    """Those who hold a permission by an office at this very organisation."""
    grant = tables.grant.c
    rows = await transaction.all(
        select(grant.member_id)
        .distinct()
        .where(
            grant.organisation_id == organisation_id,
            grant.office.in_([office.name for office in OFFICES.values() if permission in office.permissions]),
            grant_holds(now),
        )
        .limit(_HOLDERS_MAX)
    )
    return [row.member_id for row in rows]


async def _levels_above(transaction: Transaction, organisation_id: str) -> dict[str, int]:
    """An organisation and those above it with their levels; empty for one that this service does not know (yet)."""
    table = tables.organisation.c
    start = select(table.organisation_id, table.parent_id, table.level, literal(1).label("depth")).where(
        table.organisation_id == organisation_id
    )
    chain = start.cte("chain", recursive=True)
    above = select(table.organisation_id, table.parent_id, table.level, chain.c.depth + 1).where(
        table.organisation_id == chain.c.parent_id, chain.c.depth < MAX_DEPTH
    )
    chain = chain.union_all(above)
    rows = await transaction.all(select(chain.c.organisation_id, chain.c.level))
    return {row.organisation_id: row.level for row in rows}

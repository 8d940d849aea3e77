"""Organisations as the projection of branches' events shows them: whether they exist, and where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sqlalchemy import select
from zhibu_kit import offices, tables
from zhibu_kit.db import Transaction


class Level(IntEnum):
    """Level of an organisation; the numbers are the contract's."""

    PROVINCE = 1
    CITY = 2
    COUNTY = 3
    TOWNSHIP = 4
    BRANCH = 5


_OFFICE_LEVELS: Final = {
    Level.PROVINCE: offices.PROVINCE,
    Level.CITY: offices.CITY,
    Level.COUNTY: offices.COUNTY,
    Level.TOWNSHIP: offices.TOWNSHIP,
    Level.BRANCH: offices.BRANCH,
}
# Departments that decide applications; the province's and the cities' decide those of their own staff.
DECIDING_LEVELS: Final = frozenset({Level.PROVINCE, Level.CITY, Level.COUNTY})
# Length of an area code in the numbers that we give: GB/T 2260 writes the province 37 as 370000.
_AREA_LENGTH: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """An organisation that exists and was not dissolved."""

    organisation_id: str
    level: Level
    name: str
    county_code: str | None

    @property
    def office_level(self) -> str:
        """The level as offices name it."""
        return _OFFICE_LEVELS[self.level]

    @property
    def scope_code(self) -> str:
        """The code under which its rows stand: of its county, or its own for a city and the province."""
        return self.county_code or self.organisation_id


async def find_organisation(transaction: Transaction, organisation_id: str) -> Organisation | None:
    """Return an organisation, None when there is none or it was dissolved."""
    table = tables.organisation
    row = await transaction.one_or_none(
        select(table.c.level, table.c.name, table.c.county_code).where(
            table.c.organisation_id == organisation_id, table.c.active
        )
    )
    if row is None:
        return None
    return Organisation(
        organisation_id=organisation_id, level=Level(row.level), name=row.name, county_code=row.county_code or None
    )


def area_of(organisation_id: str) -> str:
    """Return the six digits with which the numbers of a deciding organisation begin."""
    return organisation_id.ljust(_AREA_LENGTH, "0")


def organisation_of_area(area: str) -> str:
    """Return the deciding organisation whose numbers begin with these six digits."""
    if area.endswith("0000"):
        return area[:2]
    return area[:4] if area.endswith("00") else area

"""The administrative divisions of Shandong (GB/T 2260), read from a table that comes with this package.

The source and the date of the table are in data/README.md.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

PROVINCE_CODE = "37"
LINQU_COUNTY_CODE = "370724"
QINGZHOU_COUNTY_CODE = "370781"


class Level(StrEnum):
    """How high a division stands; the length of its code follows from it."""

    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"


_CODE_LENGTHS = {Level.PROVINCE: 2, Level.CITY: 4, Level.COUNTY: 6, Level.TOWNSHIP: 9}


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """One division; its code is also its organisation_id in Zhibu, and parent_code is None for the province alone."""

    code: str
    parent_code: str | None
    level: Level
    name: str

    def __post_init__(self) -> None:
        if len(self.code) != _CODE_LENGTHS[self.level] or not self.code.startswith(self.parent_code or ""):
            raise ValueError(
                f"division {self.code} does not fit its level {self.level} or its parent {self.parent_code}"
            )


def load_divisions() -> tuple[Division, ...]:
    """All divisions of the table, each after its parent."""
    return _table()


def get_division(code: str) -> Division:
    """The division with this code.

    Raises:
        KeyError: the table has no such code.
    """
    return _by_code()[code]


def children_of(code: str) -> tuple[Division, ...]:
    """The divisions directly below this one, in the order of their codes."""
    return tuple(division for division in _table() if division.parent_code == code)


def cities() -> tuple[Division, ...]:
    """The 16 cities."""
    return children_of(PROVINCE_CODE)


def counties() -> tuple[Division, ...]:
    """All districts, county-level cities and counties."""
    return tuple(division for division in _table() if division.level is Level.COUNTY)


@cache
def _table() -> tuple[Division, ...]:
    return tuple(_rows())


@cache
def _by_code() -> dict[str, Division]:
    return {division.code: division for division in _table()}


def _rows() -> Iterator[Division]:
    text = files("zhibu_demo").joinpath("data/divisions.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        yield Division(
            code=row["code"], parent_code=row["parent_code"] or None, level=Level(row["level"]), name=row["name"]
        )

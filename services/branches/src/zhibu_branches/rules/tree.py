"""Where an organisation may stand, how it is called, and how it is found. Pure."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final


class Level(IntEnum):
    """A level of the tree; a larger number stands lower. The numbers are those of the contract and of the table."""

    PROVINCE = 1
    CITY = 2
    COUNTY = 3
    TOWNSHIP = 4
    BRANCH = 5


class Refusal(StrEnum):
    """What is wrong with a wish."""

    LEVEL_NOT_ALLOWED = "level_not_allowed"
    CODE_REQUIRED = "code_required"
    CODE_NOT_ALLOWED = "code_not_allowed"
    CODE_NOT_BELOW_PARENT = "code_not_below_parent"
    NAME_NOT_READABLE = "name_not_readable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an organisation stands; ancestor_ids run from the province down to its parent."""

    organisation_id: str
    level: Level
    county_code: str
    ancestor_ids: tuple[str, ...]


# A county's sector committees (系统党委) stand at the level of townships; branches may stand below the county itself.
_LEVELS_BELOW: Final[Mapping[Level, frozenset[Level]]] = {
    Level.PROVINCE: frozenset({Level.CITY}),
    Level.CITY: frozenset({Level.COUNTY}),
    Level.COUNTY: frozenset({Level.TOWNSHIP, Level.BRANCH}),
    Level.TOWNSHIP: frozenset({Level.BRANCH}),
    Level.BRANCH: frozenset(),
}
# Digits of the codes of GB/T 2260 and, for townships, GB/T 10114.
_CODE_LENGTHS: Final[Mapping[Level, int]] = {Level.PROVINCE: 2, Level.CITY: 4, Level.COUNTY: 6, Level.TOWNSHIP: 9}
_LEVELS_WITH_OPTIONAL_CODE: Final = frozenset({Level.TOWNSHIP})
# Invisible or undefined characters by which two names could look alike and still differ.
_UNREADABLE_CATEGORIES: Final = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})


def may_stand_below(level: Level, parent: Level) -> bool:
    """Whether an organisation of one level may stand directly below one of another."""
    return level in _LEVELS_BELOW[parent]


def place_below(parent: Place, *, level: Level, code: str, new_id: str) -> Place | Refusal:
    """Where a new organisation below another stands, or why it may not.

    code is its division code, empty for a branch or a sector committee, which take `<county>-b<new_id>`.
    """
    if not may_stand_below(level, parent.level):
        return Refusal.LEVEL_NOT_ALLOWED
    if not code and level in _CODE_LENGTHS and level not in _LEVELS_WITH_OPTIONAL_CODE:
        return Refusal.CODE_REQUIRED
    if code and level not in _CODE_LENGTHS:
        return Refusal.CODE_NOT_ALLOWED
    if code and (len(code) != _CODE_LENGTHS[level] or not code.startswith(parent.organisation_id)):
        return Refusal.CODE_NOT_BELOW_PARENT
    organisation_id = code or f"{parent.county_code}-b{new_id}"
    return Place(
        organisation_id=organisation_id,
        level=level,
        county_code=organisation_id if level in (Level.CITY, Level.COUNTY) else parent.county_code,
        ancestor_ids=(*parent.ancestor_ids, parent.organisation_id),
    )


def province_place(code: str) -> Place:
    """Where the province itself stands.

    Raises:
        ValueError: the code is not that of a province.
    """
    if len(code) != _CODE_LENGTHS[Level.PROVINCE] or not (code.isascii() and code.isdigit()):
        raise ValueError(f"{code!r} is not the code of a province")
    return Place(organisation_id=code, level=Level.PROVINCE, county_code=code, ancestor_ids=())


def readable_name(name: str) -> str | Refusal:
    """The name as it is stored: composed (NFC), one space where there was white space, none at the ends."""
    composed = " ".join(unicodedata.normalize("NFC", name).split())
    # Two characters are the contract's least; white space was counted there and is gone here.
    if len(composed) < 2 or any(unicodedata.category(character) in _UNREADABLE_CATEGORIES for character in composed):
        return Refusal.NAME_NOT_READABLE
    return composed


def search_form(text: str) -> str:
    """A text as searches compare it: full and half width, upper and lower case, and spaces make no difference."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def search_tokens(text: str) -> frozenset[str]:
    """Every character of a text in search form, and every two neighbours: the index of searches by a part of a name."""
    form = search_form(text)
    return frozenset(form) | {form[start : start + 2] for start in range(len(form) - 1)}


def query_tokens(query: str) -> frozenset[str]:
    """The tokens that each name with this part has: the pairs alone, or the character when there is just one."""
    form = search_form(query)
    return frozenset({form}) if len(form) == 1 else frozenset(form[start : start + 2] for start in range(len(form) - 1))

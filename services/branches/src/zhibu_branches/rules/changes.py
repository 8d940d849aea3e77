"""Which changes of the organisation tree are possible: moves, mergers, splits, ends; and on which day. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum, StrEnum
from typing import Final

from zhibu_branches.rules.tree import Level, Place, may_stand_below

# Plans further ahead than this would be forgotten before they happen.
PLAN_AHEAD_MAX: Final = timedelta(days=5 * 366)


class ChangeKind(IntEnum):
    """What is done to an organisation; the numbers of the contract and of the table."""

    RENAME = 1
    MOVE = 2
    MERGE = 3
    SPLIT = 4
    DISSOLVE = 5
    CREATE = 6


class ChangeState(IntEnum):
    """Where a change stands; the numbers of the contract and of the table."""

    PLANNED = 1
    DONE = 2
    CANCELLED = 3
    FAILED = 4


class ChangeRefusal(StrEnum):
    """Why a change is not possible."""

    DISSOLVED = "dissolved"
    TARGET_DISSOLVED = "target_dissolved"
    NOT_FOR_LEVEL = "not_for_level"
    ANOTHER_COUNTY = "another_county"
    STANDS_THERE = "stands_there"
    INTO_ITSELF = "into_itself"
    ANOTHER_LEVEL = "another_level"
    ANOTHER_KIND = "another_kind"
    BRANCH_IS_VIRTUAL = "branch_is_virtual"
    NOT_EMPTY = "not_empty"
    TARGET_WANTED = "target_wanted"
    TARGET_NOT_WANTED = "target_not_wanted"
    NOBODY_MOVES = "nobody_moves"
    NOBODY_STAYS = "nobody_stays"
    DAY_PASSED = "day_passed"
    DAY_TOO_FAR = "day_too_far"


# A creation is not about the organisation at which it stands, only below it: it can stand below what took that one over.
FOLLOWS_SUCCESSOR: Final = frozenset({ChangeKind.CREATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """What a new organisation shall be, besides its name; code is empty for a branch or a sector committee."""

    level: Level
    code: str
    term_years: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An organisation as changes look at it."""

    place: Place
    virtual: bool
    active: bool


def is_planned(effective: date | None, *, today: date) -> bool | ChangeRefusal:
    """Whether a change waits for a later day (None: today), or what is wrong with the day."""
    if effective is None or effective == today:
        return False
    if effective < today:
        return ChangeRefusal.DAY_PASSED
    return True if effective - today <= PLAN_AHEAD_MAX else ChangeRefusal.DAY_TOO_FAR


def check_move(moved: Node, target: Node) -> ChangeRefusal | None:
    """Whether an organisation may move below another: within its county, or a county below another city."""
    place, above = moved.place, target.place
    if (refusal := _both_active(moved, target)) is not None:
        return refusal
    if above.organisation_id == place.organisation_id or place.organisation_id in above.ancestor_ids:
        return ChangeRefusal.INTO_ITSELF
    if not may_stand_below(place.level, above.level):
        return ChangeRefusal.NOT_FOR_LEVEL
    if place.level is not Level.COUNTY and above.county_code != place.county_code:
        return ChangeRefusal.ANOTHER_COUNTY
    if place.ancestor_ids[-1] == above.organisation_id:
        return ChangeRefusal.STANDS_THERE
    return None


def check_merge(merged: Node, target: Node) -> ChangeRefusal | None:
    """Whether an organisation may be merged into another: townships and branches of one county, like into like."""
    if (refusal := _both_active(merged, target)) is not None:
        return refusal
    if merged.place.organisation_id == target.place.organisation_id:
        return ChangeRefusal.INTO_ITSELF
    if merged.place.level not in (Level.TOWNSHIP, Level.BRANCH):
        return ChangeRefusal.NOT_FOR_LEVEL
    if target.place.level is not merged.place.level:
        return ChangeRefusal.ANOTHER_LEVEL
    if target.virtual is not merged.virtual:
        return ChangeRefusal.ANOTHER_KIND
    if target.place.county_code != merged.place.county_code:
        return ChangeRefusal.ANOTHER_COUNTY
    return None


def check_split(split: Node, *, moving: int, present: int) -> ChangeRefusal | None:
    """Whether some members of a branch may become a new one; a virtual branch is founded, never split off."""
    if not split.active:
        return ChangeRefusal.DISSOLVED
    if split.place.level is not Level.BRANCH:
        return ChangeRefusal.NOT_FOR_LEVEL
    if split.virtual:
        return ChangeRefusal.BRANCH_IS_VIRTUAL
    if moving == 0:
        return ChangeRefusal.NOBODY_MOVES
    return ChangeRefusal.NOBODY_STAYS if moving >= present else None


def check_dissolve(ended: Node, target: Node | None, *, children: int, members: int) -> ChangeRefusal | None:
    """Whether an organisation may end; target takes the members of a physical branch."""
    if not ended.active:
        return ChangeRefusal.DISSOLVED
    if ended.place.level is Level.PROVINCE:
        return ChangeRefusal.NOT_FOR_LEVEL
    if children:
        return ChangeRefusal.NOT_EMPTY
    if target is None:
        return ChangeRefusal.TARGET_WANTED if members and not ended.virtual else None
    if ended.virtual or ended.place.level is not Level.BRANCH:
        return ChangeRefusal.TARGET_NOT_WANTED
    return check_merge(ended, target)


def _both_active(one: Node, target: Node) -> ChangeRefusal | None:
    if not one.active:
        return ChangeRefusal.DISSOLVED
    return None if target.active else ChangeRefusal.TARGET_DISSOLVED

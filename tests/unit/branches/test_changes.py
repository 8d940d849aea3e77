"""Which changes of the organisation tree are possible."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from zhibu.branches.v1 import organisation_change_pb2
from zhibu_branches.rules.changes import (
    FOLLOWS_SUCCESSOR,
    PLAN_AHEAD_MAX,
    ChangeKind,
    ChangeRefusal,
    Node,
    check_dissolve,
    check_merge,
    check_move,
    check_split,
    is_planned,
)
from zhibu_branches.rules.tree import Level, Place

TODAY = date(2026, 11, 23)


def node(organisation_id: str, level: Level, *above: str, county: str = "370724") -> Node:
    place = Place(organisation_id=organisation_id, level=level, county_code=county, ancestor_ids=above)
    return Node(place=place, virtual=False, active=True)


CITY = node("3707", Level.CITY, "37", county="3707")
OTHER_CITY = node("3703", Level.CITY, "37", county="3703")
COUNTY = node("370724", Level.COUNTY, "37", "3707")
OTHER_COUNTY = node("370781", Level.COUNTY, "37", "3707", county="370781")
TOWNSHIP = node("370724101", Level.TOWNSHIP, "37", "3707", "370724")
BRANCH = node("370724-b1", Level.BRANCH, "37", "3707", "370724", "370724101")
OTHER_BRANCH = node("370724-b2", Level.BRANCH, "37", "3707", "370724")
ELSEWHERE = node("370781-b1", Level.BRANCH, "37", "3707", "370781", county="370781")


@pytest.mark.parametrize(
    ("moved", "target", "refusal"),
    [
        (BRANCH, COUNTY, None),
        (OTHER_BRANCH, TOWNSHIP, None),
        (COUNTY, OTHER_CITY, None),
        (BRANCH, TOWNSHIP, ChangeRefusal.STANDS_THERE),
        (BRANCH, OTHER_COUNTY, ChangeRefusal.ANOTHER_COUNTY),
        (BRANCH, OTHER_BRANCH, ChangeRefusal.NOT_FOR_LEVEL),
        (TOWNSHIP, BRANCH, ChangeRefusal.INTO_ITSELF),
        (TOWNSHIP, CITY, ChangeRefusal.NOT_FOR_LEVEL),
        (BRANCH, replace(COUNTY, active=False), ChangeRefusal.TARGET_DISSOLVED),
        (replace(BRANCH, active=False), COUNTY, ChangeRefusal.DISSOLVED),
    ],
)
def test_an_organisation_moves_within_its_county_and_a_county_between_cities(
    moved: Node, target: Node, refusal: ChangeRefusal | None
) -> None:
    assert check_move(moved, target) is refusal


@pytest.mark.parametrize(
    ("merged", "target", "refusal"),
    [
        (BRANCH, OTHER_BRANCH, None),
        (BRANCH, BRANCH, ChangeRefusal.INTO_ITSELF),
        (BRANCH, ELSEWHERE, ChangeRefusal.ANOTHER_COUNTY),
        (BRANCH, TOWNSHIP, ChangeRefusal.ANOTHER_LEVEL),
        (BRANCH, replace(OTHER_BRANCH, virtual=True), ChangeRefusal.ANOTHER_KIND),
        (COUNTY, OTHER_COUNTY, ChangeRefusal.NOT_FOR_LEVEL),
    ],
)
def test_like_is_merged_into_like(merged: Node, target: Node, refusal: ChangeRefusal | None) -> None:
    assert check_merge(merged, target) is refusal


@pytest.mark.parametrize(
    ("moving", "present", "refusal"),
    [(2, 5, None), (0, 5, ChangeRefusal.NOBODY_MOVES), (5, 5, ChangeRefusal.NOBODY_STAYS)],
)
def test_a_split_leaves_somebody_on_both_sides(moving: int, present: int, refusal: ChangeRefusal | None) -> None:
    assert check_split(BRANCH, moving=moving, present=present) is refusal
    assert check_split(replace(BRANCH, virtual=True), moving=2, present=5) is ChangeRefusal.BRANCH_IS_VIRTUAL
    assert check_split(TOWNSHIP, moving=2, present=5) is ChangeRefusal.NOT_FOR_LEVEL


def test_what_ends_leaves_nobody_and_nothing_behind() -> None:
    assert check_dissolve(BRANCH, None, children=0, members=0) is None
    assert check_dissolve(BRANCH, None, children=0, members=3) is ChangeRefusal.TARGET_WANTED
    assert check_dissolve(BRANCH, OTHER_BRANCH, children=0, members=3) is None
    assert check_dissolve(BRANCH, ELSEWHERE, children=0, members=3) is ChangeRefusal.ANOTHER_COUNTY
    assert check_dissolve(TOWNSHIP, None, children=2, members=0) is ChangeRefusal.NOT_EMPTY
    virtual = replace(BRANCH, virtual=True)
    assert check_dissolve(virtual, None, children=0, members=3) is None
    assert check_dissolve(virtual, OTHER_BRANCH, children=0, members=3) is ChangeRefusal.TARGET_NOT_WANTED


def test_the_kinds_of_changes_are_those_of_the_contract() -> None:
    contract = organisation_change_pb2.OrganisationChangeKind
    stored = {f"ORGANISATION_CHANGE_KIND_{kind.name}": kind.value for kind in ChangeKind}
    assert {"ORGANISATION_CHANGE_KIND_UNSPECIFIED": 0, **stored} == dict(contract.items())


@pytest.mark.parametrize("kind", list(ChangeKind))
def test_only_creations_outlive_the_organisation_at_which_they_stand(kind: ChangeKind) -> None:
    assert (kind in FOLLOWS_SUCCESSOR) is (kind is ChangeKind.CREATE)


def test_a_change_is_done_today_or_planned_for_a_later_day() -> None:
    assert is_planned(None, today=TODAY) is False
    assert is_planned(TODAY, today=TODAY) is False
    assert is_planned(TODAY + timedelta(days=1), today=TODAY) is True
    assert is_planned(TODAY - timedelta(days=1), today=TODAY) is ChangeRefusal.DAY_PASSED
    assert is_planned(TODAY + PLAN_AHEAD_MAX, today=TODAY) is True
    assert is_planned(TODAY + PLAN_AHEAD_MAX + timedelta(days=1), today=TODAY) is ChangeRefusal.DAY_TOO_FAR

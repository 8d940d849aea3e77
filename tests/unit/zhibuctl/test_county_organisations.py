"""The organisations of a county's plan against a gateway that answers as a script says: what was dissolved is made anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from support.scripted_gateway import scripted
from zhibuctl.county.organisations import Organisations
from zhibuctl.county.plan import Branch, Plan, Switches, Township
from zhibuctl.gateway import Gateway

CODE, TOWNSHIP = "370725", "370725001"
LIST = "GET /v1/organisations"
MAKE_BRANCH = f"POST /v1/organisations/{TOWNSHIP}/children"
MAKE_COMMITTEE = f"POST /v1/organisations/{CODE}/children"
PLAN = Plan(
    code=CODE,
    name="昌乐县",
    switches=Switches(),
    townships=(Township(code=TOWNSHIP, name="宝都街道"),),
    sectors=("教育系统党委",),
    branches=(Branch(parent="宝都街道", name="新昌社区党支部", term_years=3),),
)
# The list is of what is active.
COMMITTEES = [
    {"organisationId": TOWNSHIP, "name": "宝都街道", "active": True},
    {"organisationId": "370725-t1", "name": "教育系统党委", "active": True},
]


def made(organisation_id: str) -> dict[str, Any]:
    return {"organisation": {"organisationId": organisation_id, "active": True}}


def answers_about(*, active: str, dissolved: Sequence[str]) -> dict[str, list[Any]]:
    """Answer about organisations as the gateway does: what is false is left out."""
    ended = {f"GET /v1/organisations/{one}": [{"organisation": {"organisationId": one}}] for one in dissolved}
    return {**ended, f"GET /v1/organisations/{active}": [made(active)]}


def do_all(gateway: Gateway) -> None:
    organisations = Organisations(gateway, PLAN)
    for steps in (organisations.committees(there=True), organisations.branches()):
        for step in steps:
            if step.do is not None:
                step.do()


def branch_made(answers: dict[str, list[Any]], below: list[dict[str, Any]] | None = None) -> list[str]:
    """Give the request ids by which the plan's branch is made."""
    request_ids: list[str] = []
    committees, branches = {"organisations": COMMITTEES}, {"organisations": below or []}
    fixed = {LIST: [committees, committees, branches], f"GET /v1/organisations/{TOWNSHIP}": [made(TOWNSHIP)]}
    with scripted(fixed | answers, request_ids=request_ids) as (gateway, _):
        do_all(gateway)
    return request_ids


def test_a_branch_that_is_there_is_not_made() -> None:
    assert branch_made({}, [{"organisationId": "370725-b1", "name": "新昌社区党支部", "active": True}]) == []


def test_a_branch_that_was_dissolved_after_it_was_made_is_made_again() -> None:
    first = branch_made({MAKE_BRANCH: [made("370725-b1")]} | answers_about(active="370725-b1", dissolved=[]))
    # The repetition of the first making is answered as the first one was, for a day.
    again = branch_made(
        {MAKE_BRANCH: [made("370725-b1"), made("370725-b2"), made("370725-b3")]}
        | answers_about(active="370725-b3", dissolved=["370725-b1", "370725-b2"])
    )
    assert (len(first), len(again)) == (1, 3)
    assert again[0] == first[0]
    assert len(set(again)) == 3


def test_a_branch_that_the_roster_names_is_made_again_too() -> None:
    request_ids: list[str] = []
    answers = {MAKE_BRANCH: [made("370725-b1"), made("370725-b2")]}
    answers |= answers_about(active="370725-b2", dissolved=["370725-b1"])
    with scripted(answers, request_ids=request_ids) as (gateway, _):
        Organisations(gateway, PLAN).make_missing_branch({"committeeId": TOWNSHIP, "branchName": "新昌社区党支部"})
    assert len(set(request_ids)) == 2


def test_a_sector_committee_that_was_dissolved_is_made_again() -> None:
    request_ids: list[str] = []
    answers = {LIST: [{"organisations": COMMITTEES[:1]}], MAKE_COMMITTEE: [made("370725-t1"), made("370725-t2")]}
    answers |= answers_about(active="370725-t2", dissolved=["370725-t1"])
    with scripted(answers, request_ids=request_ids) as (gateway, _):
        for step in Organisations(gateway, PLAN).committees(there=True):
            if step.do is not None:
                step.do()
    assert len(set(request_ids)) == 2

"""A member's branches: the physical and the virtual ones on one page, fellow members, joining and leaving."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from zhibu_kit.clock import today_in_shanghai

from zhibu_web.contract import Message
from zhibu_web.contract_branches import (
    PHYSICAL,
    Committee,
    Membership,
    MembershipPage,
    MembershipRequestPage,
    MembershipRight,
    RateHistory,
    SurveyAnswer,
)
from zhibu_web.gateway_client import Gateway, segment
from zhibu_web.names import names_of
from zhibu_web.pages.member_acts import act, found
from zhibu_web.rate_chart import RateChart, rate_chart
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/branch")

# So many branches are shown whole; of those beyond, name and link.
SHOWN_WHOLE: Final = 4
# So many fellow members are named beside their branch; the others on a page of their own.
SHOWN_MEMBERS: Final = 12
PAGE_SIZE: Final = 50


class _Memberships(Message):
    memberships: tuple[Membership, ...] = ()


class _Committee(Message):
    committee: Committee = Committee()


class _Answer(Message):
    answer: SurveyAnswer = SurveyAnswer()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBranch:
    """One of the member's branches with what its part of the page shows."""

    membership: Membership
    committee: Committee
    fellows: MembershipPage
    rights: tuple[MembershipRight, ...]
    rate: RateHistory
    chart: RateChart | None


@router.get("")
async def show_branches(visit: MemberVisit) -> HTMLResponse:
    """Show the member's branches, the physical one first, and what waits for the member there."""
    gateway = await visit.gateway()
    memberships, requests, survey = await asyncio.gather(
        found(gateway.get("/v1/me/memberships", _Memberships), _Memberships()),
        found(gateway.get("/v1/me/membership-requests", MembershipRequestPage), MembershipRequestPage()),
        found(gateway.get("/v1/me/survey-answer", _Answer), _Answer()),
    )
    own = memberships.memberships
    rights = await _rights_by_county(visit, gateway, own)
    branches = await asyncio.gather(
        *(_own_branch(visit, gateway, one, rights=rights[one.county_code]) for one in own[:SHOWN_WHOLE])
    )
    names = await names_of(gateway, _member_ids(branches))
    return await visit.page(
        "branch/branches.html",
        branches=branches,
        others=own[SHOWN_WHOLE:],
        requests=requests.requests,
        answer=survey.answer,
        has_physical=any(one.kind == PHYSICAL for one in own),
        names=names,
        me=visit.data.member.member_id if visit.data.member else "",
    )


async def _rights_by_county(
    visit: Visit, gateway: Gateway, memberships: Iterable[Membership]
) -> dict[str, list[MembershipRight]]:
    counties = sorted({one.county_code for one in memberships})
    rights = await asyncio.gather(*(visit.services.directory.rights(gateway, one, visit.language) for one in counties))
    return dict(zip(counties, rights, strict=True))


async def _own_branch(
    visit: Visit, gateway: Gateway, membership: Membership, *, rights: list[MembershipRight]
) -> OwnBranch:
    physical = membership.kind == PHYSICAL
    path = f"/v1/organisations/{segment(membership.branch_id)}"
    committee, fellows, rate = await asyncio.gather(
        committee_of(gateway, membership.branch_id),
        found(_fellows(gateway, membership.branch_id, size=SHOWN_MEMBERS), MembershipPage()),
        found(gateway.get(f"{path}/online-rate", RateHistory), RateHistory()) if physical else _no_rate(),
    )
    today = today_in_shanghai(visit.services.clock)
    acts = set(membership.acts)
    known = tuple(one for one in rights if one.act in acts)
    unknown = acts - {one.act for one in known}
    return OwnBranch(
        membership=membership,
        committee=committee,
        fellows=fellows,
        rights=known + tuple(MembershipRight(act=one, display_name=one) for one in sorted(unknown)),
        rate=rate,
        chart=rate_chart(rate.history, threshold_permille=rate.rate.threshold_permille, today=today),
    )


async def _no_rate() -> RateHistory:
    """Only physical branches are surveyed."""
    return RateHistory()


async def committee_of(gateway: Gateway, branch_id: str) -> Committee:
    """Return the committee of a branch, an empty one when it has none or the caller may not know."""
    path = f"/v1/organisations/{segment(branch_id)}/committee"
    return (await found(gateway.get(path, _Committee), _Committee())).committee


async def _fellows(gateway: Gateway, branch_id: str, *, size: int, page: str = "") -> MembershipPage:
    path = f"/v1/me/branches/{segment(branch_id)}/members"
    return await gateway.get(path, MembershipPage, params={"pageSize": size, "pageToken": page})


def _member_ids(branches: Iterable[OwnBranch]) -> list[str]:
    ids: list[str] = []
    for branch in branches:
        ids += [one.member_id for one in branch.committee.holders]
        ids += [one.member_id for one in branch.fellows.memberships]
    return ids


@router.get("/{branch_id}/members")
async def show_members(visit: MemberVisit, branch_id: str, page: str = "") -> HTMLResponse:
    """Show the members of a branch that the member belongs to."""
    gateway = await visit.gateway()
    fellows, branch = await asyncio.gather(
        _fellows(gateway, branch_id, size=PAGE_SIZE, page=page),
        visit.services.directory.name(gateway, branch_id),
    )
    names = await names_of(gateway, (one.member_id for one in fellows.memberships))
    return await visit.page(
        "branch/members.html",
        branch=branch,
        branch_id=branch_id,
        members=fellows.memberships,
        names=names,
        next_page=fellows.next_page_token,
        page_token=page,
    )


@router.get("/{branch_id}/leave")
async def confirm_leaving(visit: MemberVisit, branch_id: str) -> HTMLResponse:
    """Ask whether the member really wants to leave a virtual branch."""
    gateway = await visit.gateway()
    branch = await visit.services.directory.name(gateway, branch_id)
    return await visit.page("branch/leave.html", branch=branch, branch_id=branch_id)


@router.post("/{branch_id}/leave")
async def leave(visit: MemberVisit, branch_id: str) -> Response:
    """Leave a virtual branch."""
    path = f"/v1/me/branches/{segment(branch_id)}:leave"
    return await act(visit, path, body={}, done=visit.t("branch.left"), back="/branch")


@router.post("/requests/{membership_request_id}/withdraw")
async def withdraw_request(visit: MemberVisit, membership_request_id: str) -> Response:
    """Take back a request to join a virtual branch."""
    path = f"/v1/me/membership-requests/{segment(membership_request_id)}:withdraw"
    return await act(visit, path, body={}, done=visit.t("branch.request_withdrawn"), back="/branch")

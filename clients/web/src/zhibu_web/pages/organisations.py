"""The organisation tree for everybody: by levels, by search, as of any day; and the page of each branch."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from zhibu_kit.clock import today_in_shanghai

from zhibu_web.contract import Message, Organisation
from zhibu_web.contract_branches import (
    PHYSICAL,
    Committee,
    MembershipPage,
    MembershipRequestPage,
    OrganisationVersion,
    RateHistory,
)
from zhibu_web.gateway_client import Gateway, ProblemError, segment
from zhibu_web.names import names_of
from zhibu_web.pages.branch import committee_of
from zhibu_web.pages.member_acts import found, refusal
from zhibu_web.rate_chart import rate_chart
from zhibu_web.session import Flash
from zhibu_web.visit import MemberVisit, Visit, Visitor

router = APIRouter(prefix="/organisations")

BRANCH: Final = "ORGANISATION_LEVEL_BRANCH"
REQUEST_OPEN: Final = "MEMBERSHIP_REQUEST_STATE_OPEN"
PAGE_SIZE: Final = 50
MAX_QUERY: Final = 60
_REASON_FIELDS: Final = {"reason": "reason"}


class _Organisations(Message):
    organisations: tuple[Organisation, ...] = ()
    next_page_token: str = ""


class _Found(Message):
    organisation: Organisation = Organisation()


class _Versions(Message):
    versions: tuple[OrganisationVersion, ...] = ()


@router.get("")
async def show_top(visit: Visitor, q: str = "", page: str = "", as_of: str = "") -> Response:
    """Show the top of the tree, or the organisations whose name holds what was searched for."""
    gateway = await _gateway(visit)
    query = " ".join(q.split())[:MAX_QUERY]
    if query:
        return await _search_page(visit, gateway, query, page)
    day = _day(visit, as_of)
    found_page = await gateway.get("/v1/organisations", _Organisations, params={"asOfDate": day, "pageToken": page})
    return await visit.page(
        "organisations/top.html",
        status=200 if visit.form.ok else 422,
        organisations=found_page.organisations,
        next_page=found_page.next_page_token,
        as_of=day,
        entered_day=as_of,
        query="",
        here="/organisations",
    )


async def _search_page(visit: Visit, gateway: Gateway, query: str, page: str) -> HTMLResponse:
    found_page = await gateway.get(
        "/v1/organisations:search",
        _Organisations,
        params={"query": query, "pageSize": PAGE_SIZE, "pageToken": page},
    )
    parents = await _names(visit, gateway, {one.parent_id for one in found_page.organisations})
    return await visit.page(
        "organisations/search.html",
        organisations=found_page.organisations,
        parents=parents,
        next_page=found_page.next_page_token,
        page_token=page,
        query=query,
    )


@router.get("/{organisation_id}")
async def show_organisation(visit: Visitor, organisation_id: str, page: str = "", as_of: str = "") -> HTMLResponse:
    """Show one organisation with its place in the tree; a branch with committee, rate and history."""
    gateway = await _gateway(visit)
    path = f"/v1/organisations/{segment(organisation_id)}"
    (organisation, day), versions = await asyncio.gather(
        _organisation_then(visit, gateway, path, _day(visit, as_of)),
        _history(gateway, path),
    )
    related = {one.parent_id for one in versions.versions} | {one.successor_id for one in versions.versions}
    related |= {*organisation.ancestor_ids, organisation.successor_id} - {""}
    names = await _names(visit, gateway, related)
    context: dict[str, object] = {
        "organisation": organisation,
        "names": names,
        "versions": versions.versions,
        "as_of": day,
        "entered_day": as_of,
        "here": f"/organisations/{organisation_id}",
    }
    status = 200 if visit.form.ok else 422
    if organisation.level == BRANCH:
        return await _branch_page(visit, gateway, organisation, context=context, status=status)
    children = await gateway.get(
        "/v1/organisations",
        _Organisations,
        params={"parentId": organisation_id, "pageSize": PAGE_SIZE, "pageToken": page, "asOfDate": day},
    )
    return await visit.page(
        "organisations/organisation.html",
        status=status,
        children=children.organisations,
        next_page=children.next_page_token,
        page_token=page,
        query="",
        **context,
    )


async def _organisation_then(visit: Visit, gateway: Gateway, path: str, day: str) -> tuple[Organisation, str]:
    """Return an organisation on a day; before it existed, what it is today, and the person is told."""
    try:
        return (await gateway.get(path, _Found, params={"asOfDate": day})).organisation, day
    except ProblemError as problem:
        if not day or problem.status != 404:
            raise
    organisation = (await gateway.get(path, _Found)).organisation
    visit.form.refuse("as_of", visit.t("organisations.not_then"))
    return organisation, ""


async def _history(gateway: Gateway, path: str) -> _Versions:
    """Return how an organisation stood over time; the page is worth showing without it."""
    try:
        return await gateway.get(f"{path}/history", _Versions)
    except ProblemError as problem:
        if problem.status in (401, 429):
            raise
        return _Versions()


async def _branch_page(
    visit: Visit, gateway: Gateway, branch: Organisation, *, context: dict[str, object], status: int
) -> HTMLResponse:
    path = f"/v1/organisations/{segment(branch.organisation_id)}/online-rate"
    rate, committee, own, asked = await asyncio.gather(
        _no_rate() if branch.virtual else found(gateway.get(path, RateHistory), RateHistory()),
        committee_of(gateway, branch.organisation_id) if visit.signed_in else _no_committee(),
        found(gateway.get("/v1/me/memberships", MembershipPage), MembershipPage())
        if visit.signed_in
        else _no_memberships(),
        found(gateway.get("/v1/me/membership-requests", MembershipRequestPage), MembershipRequestPage())
        if visit.signed_in and branch.virtual
        else _no_requests(),
    )
    member_names = await names_of(gateway, (one.member_id for one in committee.holders))
    today = today_in_shanghai(visit.services.clock)
    return await visit.page(
        "organisations/branch.html",
        status=status,
        rate=rate,
        chart=rate_chart(rate.history, threshold_permille=rate.rate.threshold_permille, today=today),
        committee=committee,
        member_names=member_names,
        belongs=any(one.branch_id == branch.organisation_id for one in own.memberships),
        waits=any(one.branch_id == branch.organisation_id and one.state == REQUEST_OPEN for one in asked.requests),
        may_join=branch.virtual and branch.active and any(one.kind == PHYSICAL for one in own.memberships),
        **context,
    )


async def _no_rate() -> RateHistory:
    """Only physical branches are surveyed."""
    return RateHistory()


async def _no_committee() -> Committee:
    """Visitors are not told who sits in a committee."""
    return Committee()


async def _no_memberships() -> MembershipPage:
    """Visitors belong to no branch."""
    return MembershipPage()


async def _no_requests() -> MembershipRequestPage:
    """Visitors ask for nothing."""
    return MembershipRequestPage()


@router.get("/{organisation_id}/join")
async def show_join(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Ask for the reason of joining a virtual branch."""
    return await _join_page(visit, organisation_id)


@router.post("/{organisation_id}/join")
async def join(visit: MemberVisit, organisation_id: str) -> Response:
    """Ask a virtual branch to take the member in."""
    gateway = await visit.gateway()
    try:
        await gateway.post(
            f"/v1/branches/{segment(organisation_id)}/membership-requests",
            _Found,
            body={"reason": visit.form.value("reason")[:200]},
            request_id=visit.form.value("request_id"),
        )
    except ProblemError as problem:
        words = refusal(visit, problem)
        visit.form.refuse_problem(problem, _REASON_FIELDS, words)
        return await _join_page(visit, organisation_id, status=422)
    await visit.flash(
        Flash(kind="success", text=visit.t("join.sent"), detail=visit.t("join.sent_detail")),
    )
    return visit.redirect("/branch")


async def _join_page(visit: Visit, organisation_id: str, status: int = 200) -> HTMLResponse:
    gateway = await visit.gateway()
    branch = await visit.services.directory.organisation(gateway, organisation_id)
    return await visit.page("organisations/join.html", status=status, branch=branch)


async def _gateway(visit: Visit) -> Gateway:
    return await visit.gateway() if visit.signed_in else visit.public


async def _names(visit: Visit, gateway: Gateway, organisation_ids: set[str]) -> dict[str, str]:
    wanted = sorted(organisation_ids - {""})
    names = await asyncio.gather(*(visit.services.directory.name(gateway, one) for one in wanted))
    return dict(zip(wanted, names, strict=True))


def _day(visit: Visit, as_of: str) -> str:
    """Return the day that was asked for; what is no day, or one to come, is told and shows today."""
    if not as_of:
        return ""
    try:
        day = date.fromisoformat(as_of.strip())
    except ValueError:
        visit.form.refuse("as_of", visit.t("organisations.day_bad"))
        return ""
    if day > today_in_shanghai(visit.services.clock):
        visit.form.refuse("as_of", visit.t("desk.date_future"))
        return ""
    return day.isoformat()

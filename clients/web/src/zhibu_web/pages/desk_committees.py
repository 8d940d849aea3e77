"""Committees of branches: appointed by a document, their vacancies, and terms that end."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from zhibu_kit.clock import today_in_shanghai

from zhibu_web.contract_branches import FULL, PHYSICAL, VIRTUAL, Committee
from zhibu_web.contract_desk import CommitteePage, MemberPage
from zhibu_web.gateway_client import segment
from zhibu_web.names import names_of
from zhibu_web.pages.desk import Desk, ForbiddenError, open_desk
from zhibu_web.pages.desk_acts import act, submit
from zhibu_web.pages.desk_decisions import check_day
from zhibu_web.pages.desk_lists import list_of, show_list
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/committees")

APPOINT: Final = "branches.committees.appoint"
# The last of the three warnings lies this far ahead.
SOON_DAYS: Final = 183
# With fewer full members a branch has a secretary, and a deputy when needed, but no committee.
COMMITTEE_FROM: Final = 7
MAX_MEMBER_PAGES: Final = 5
SMALL: Final = ("POST_SECRETARY", "POST_DEPUTY_SECRETARY")
POSTS: Final = (
    *SMALL,
    "POST_ORGANISATION",
    "POST_PUBLICITY",
    "POST_DISCIPLINE",
    "POST_YOUTH",
    "POST_MEMBER",
    "POST_MEMBER",
    "POST_MEMBER",
)
END_REASONS: Final = (
    "POST_END_REASON_RESIGNED",
    "POST_END_REASON_DISMISSED",
    "POST_END_REASON_TERM_ENDED",
    "POST_END_REASON_OTHER",
)
_FIELDS: Final = {"startDate": "start_date", "documentNumber": "document_number", "endDate": "end_date"}


@router.get("")
async def show_committees(visit: MemberVisit, organisation_id: str, view: str = "all", page: str = "") -> HTMLResponse:
    """Show the committee of a branch, or those of all branches below, the terms that end first at the front."""
    desk = await open_desk(visit, organisation_id, "committees")
    if desk.is_branch:
        return await _branch_page(visit, desk)
    view = view if view in ("soon", "without") else "all"
    soon = today_in_shanghai(visit.services.clock) + timedelta(days=SOON_DAYS)
    listed = await list_of(
        desk,
        CommitteePage,
        "committees",
        page=page,
        params={
            "endsBeforeDate": soon.isoformat() if view == "soon" else "",
            "withoutCommittee": "true" if view == "without" else "",
        },
    )
    committees = listed.found.committees
    members = (holder.member_id for one in committees for holder in one.holders)
    return await show_list(visit, "committees/list.html", listed, members=members, view=view, committees=committees)


async def _branch_page(visit: Visit, desk: Desk, status: int = 200) -> HTMLResponse:
    committee = await _committee_of(desk)
    history = await desk.gateway.get_list(f"{_path(desk)}/committee-history", Committee, "committees")
    members = {holder.member_id for one in (committee, *history) for holder in one.holders}
    return await visit.page(
        "committees/branch.html",
        status=status,
        desk=desk,
        committee=committee,
        history=[one for one in history if one.committee_id != committee.committee_id or one.end_date],
        names=await names_of(desk.gateway, members),
        may_appoint=desk.may(APPOINT),
    )


@router.get("/appoint")
async def show_appoint(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Ask who gets which post by which document."""
    desk = await _appointing_desk(visit, organisation_id)
    return await _appoint_page(visit, desk)


async def _appoint_page(visit: Visit, desk: Desk, status: int = 200) -> HTMLResponse:
    committee = await _committee_of(desk)
    members = await _full_members(desk)
    posts = POSTS if len(members) >= COMMITTEE_FROM else SMALL
    left: dict[str, list[str]] = {}
    for holder in committee.holders:
        left.setdefault(holder.post, []).append(holder.member_id)
    chosen = [
        visit.form.values.get(f"post-{index}", left[post].pop(0) if left.get(post) else "")
        for index, post in enumerate(posts)
    ]
    return await visit.page(
        "committees/appoint.html",
        status=status,
        desk=desk,
        committee=committee,
        members=members,
        posts=list(zip(posts, chosen, strict=True)),
        small=posts is SMALL,
        today=today_in_shanghai(visit.services.clock).isoformat(),
    )


@router.post("/appoint")
async def appoint(visit: MemberVisit, organisation_id: str) -> Response:
    """Record an appointment; the committee before it ends."""
    desk = await _appointing_desk(visit, organisation_id)
    form = visit.form
    appointments = [
        {"memberId": form.value(f"post-{index}"), "post": post}
        for index, post in enumerate(POSTS)
        if form.value(f"post-{index}")
    ]
    if not form.value("post-0"):
        form.refuse("post-0", visit.t("appoint.secretary_missing"))
    check_day(visit, "start_date")
    if not form.value("document_number"):
        form.refuse("document_number", visit.t("desk.document_number_missing"))
    body: dict[str, object] = {
        "appointments": appointments,
        "startDate": form.value("start_date"),
        "documentNumber": form.value("document_number")[:60],
    }
    path, done = f"{_path(desk)}/committee", visit.t("appoint.appointed")
    if await submit(visit, desk.gateway, path, body=body, fields=_FIELDS, done=done):
        return visit.redirect(f"{desk.path}/committees")
    return await _appoint_page(visit, desk, status=422)


@router.get("/fill")
async def show_fill(visit: MemberVisit, organisation_id: str, post: str = "") -> Response:
    """Ask who fills a vacancy."""
    desk = await _appointing_desk(visit, organisation_id)
    visit.form.values.setdefault("post", post)
    return await _fill_page(visit, desk)


async def _fill_page(visit: Visit, desk: Desk, status: int = 200) -> Response:
    committee = await _committee_of(desk)
    if not committee.committee_id:
        return visit.redirect(f"{desk.path}/committees")
    members = await _full_members(desk)
    return await visit.page(
        "committees/fill.html",
        status=status,
        desk=desk,
        committee=committee,
        members=members,
        posts=tuple(dict.fromkeys(POSTS if len(members) >= COMMITTEE_FROM else SMALL)),
        today=today_in_shanghai(visit.services.clock).isoformat(),
    )


@router.post("/fill")
async def fill(visit: MemberVisit, organisation_id: str) -> Response:
    """Fill a vacancy until the end of the term."""
    desk = await _appointing_desk(visit, organisation_id)
    form = visit.form
    if form.value("post") not in POSTS:
        form.refuse("post", visit.t("desk.choose_one"))
    if not form.value("member_id"):
        form.refuse("member_id", visit.t("appoint.member_missing"))
    check_day(visit, "start_date")
    if not form.value("document_number"):
        form.refuse("document_number", visit.t("desk.document_number_missing"))
    body: dict[str, object] = {
        "appointment": {"memberId": form.value("member_id"), "post": form.value("post")},
        "startDate": form.value("start_date"),
        "documentNumber": form.value("document_number")[:60],
    }
    path, done = f"{_path(desk)}/committee/posts", visit.t("appoint.filled")
    if await submit(visit, desk.gateway, path, body=body, fields=_FIELDS, done=done):
        return visit.redirect(f"{desk.path}/committees")
    return await _fill_page(visit, desk, status=422)


@router.get("/posts/{post_id}/end")
async def show_end(visit: MemberVisit, organisation_id: str, post_id: str) -> Response:
    """Ask why and when a post ended."""
    desk = await _appointing_desk(visit, organisation_id)
    return await _end_page(visit, desk, post_id)


async def _end_page(visit: Visit, desk: Desk, post_id: str, status: int = 200) -> Response:
    committee = await _committee_of(desk)
    holder = next((one for one in committee.holders if one.post_id == post_id), None)
    if holder is None:
        return visit.redirect(f"{desk.path}/committees")
    names = await names_of(desk.gateway, [holder.member_id])
    return await visit.page(
        "committees/end.html",
        status=status,
        desk=desk,
        committee=committee,
        holder=holder,
        name=names.get(holder.member_id, ""),
        reasons=END_REASONS,
        today=today_in_shanghai(visit.services.clock).isoformat(),
    )


@router.post("/posts/{post_id}/end")
async def end(visit: MemberVisit, organisation_id: str, post_id: str) -> Response:
    """End a post before its term; the office ends with it."""
    desk = await _appointing_desk(visit, organisation_id)
    form = visit.form
    if form.value("end_reason") not in END_REASONS:
        form.refuse("end_reason", visit.t("desk.choose_one"))
    check_day(visit, "end_date", past=True)
    body: dict[str, object] = {
        "endReason": form.value("end_reason"),
        "endDate": form.value("end_date"),
        "documentNumber": form.value("document_number")[:60],
    }
    path, done = f"{_path(desk)}/committee/posts/{segment(post_id)}:end", visit.t("appoint.ended")
    fields = {**_FIELDS, "endReason": "end_reason"}
    if await submit(visit, desk.gateway, path, body=body, fields=fields, done=done):
        return visit.redirect(f"{desk.path}/committees")
    return await _end_page(visit, desk, post_id, status=422)


@router.post("/term-years")
async def set_term_years(visit: MemberVisit, organisation_id: str) -> Response:
    """Say how long a term is in this branch."""
    desk = await _appointing_desk(visit, organisation_id)
    years = 5 if visit.form.value("term_years") == "5" else 3
    path = f"{_path(desk)}:setTermYears"
    await act(visit, desk.gateway, path, body={"termYears": years}, done=visit.t("appoint.years_set", years=years))
    visit.services.directory.tree_changed(organisation_id)
    return visit.redirect(f"{desk.path}/committees")


async def _appointing_desk(visit: Visit, organisation_id: str) -> Desk:
    desk = await open_desk(visit, organisation_id, "committees")
    desk.demand(APPOINT)
    if not desk.is_branch:
        raise ForbiddenError
    return desk


async def _committee_of(desk: Desk) -> Committee:
    committee, etag = await desk.gateway.get_with_etag(f"{_path(desk)}/committee", Committee, "committee")
    return committee.model_copy(update={"etag": committee.etag or etag})


async def _full_members(desk: Desk) -> list[tuple[str, str]]:
    """Return the full members of the branch by name: identifier and name."""
    ids: list[str] = []
    token = ""
    for _ in range(MAX_MEMBER_PAGES):
        found = await desk.gateway.get(
            f"{_path(desk)}/members",
            MemberPage,
            params={
                "kind": VIRTUAL if desk.organisation.virtual else PHYSICAL,
                "statuses": [FULL],
                "pageSize": 200,
                "pageToken": token,
            },
        )
        ids += [one.member_id for one in found.members]
        token = found.next_page_token
        if not token:
            break
    names = await names_of(desk.gateway, ids)
    return sorted(((one, names.get(one, one)) for one in ids), key=lambda pair: pair[1])


def _path(desk: Desk) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}"

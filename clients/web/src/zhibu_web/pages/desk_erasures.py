"""Erasures that wait for a second officer: one asked, another one confirms or refuses, who asked takes it back."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract_desk import ErasureCount, ErasurePage, WaitingErasure
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.pages.desk import Desk, open_desk
from zhibu_web.pages.desk_acts import act
from zhibu_web.pages.desk_lists import list_of, show_list
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/erasures")


@router.get("")
async def show_erasures(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Show the erasures that wait, oldest first."""
    desk = await open_desk(visit, organisation_id, "erasures")
    return await _list_page(visit, desk, page=page)


async def _list_page(visit: Visit, desk: Desk, *, page: str = "", status: int = 200) -> HTMLResponse:
    listed = await list_of(desk, ErasurePage, "erasures", page=page)
    erasures = listed.found.erasures
    officers = (one.proposed_by_member_id for one in erasures)
    return await show_list(
        visit, "desk_people/erasures.html", listed, members=officers, status=status, erasures=erasures
    )


@router.get("/count")
async def show_count(visit: MemberVisit, organisation_id: str) -> Response:
    """Show how many wait, as the small number beside the section's name; a page does without it."""
    desk = await open_desk(visit, organisation_id, "erasures")
    path = f"/v1/organisations/{segment(organisation_id)}/erasures:count"
    try:
        count = (await desk.gateway.get(path, ErasureCount)).waiting_count
    except ProblemError:
        return visit.with_cookies(Response(status_code=204))
    return await visit.page("desk_people/erasures_count.html", count=count)


@router.post("/{member_id}/confirm")
async def confirm(visit: MemberVisit, organisation_id: str, member_id: str) -> Response:
    """Erase as the second officer, after it was ticked that this cannot be undone."""
    desk = await open_desk(visit, organisation_id, "erasures")
    box = f"confirm-{member_id}"
    if visit.form.value(box) != "yes":
        visit.form.refuse(box, visit.t("eid.revoke_confirm_missing"))
        return await _list_page(visit, desk, status=422)
    await act(visit, desk.gateway, f"{_path(desk, member_id)}:confirm", body={}, done=visit.t("people.erased"))
    return visit.redirect(f"{desk.path}/erasures")


@router.post("/{member_id}/refuse")
async def refuse(visit: MemberVisit, organisation_id: str, member_id: str) -> Response:
    """End it without doing anything: taken back by who asked, refused by another officer."""
    desk = await open_desk(visit, organisation_id, "erasures")
    done = visit.t("erasure.ended")
    await act(visit, desk.gateway, f"{_path(desk, member_id)}:refuse", body={}, done=done)
    return visit.redirect(f"{desk.path}/erasures")


async def find_waiting(desk: Desk, member_id: str) -> WaitingErasure | None:
    """Return the erasure of a member that waits."""
    found = await list_of(desk, ErasurePage, "erasures", page="", params={"memberId": member_id})
    return next(iter(found.found.erasures), None)


def _path(desk: Desk, member_id: str) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/erasures/{segment(member_id)}"

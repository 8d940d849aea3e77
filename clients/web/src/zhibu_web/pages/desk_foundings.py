"""Foundings of virtual branches that wait for the county, and requests to join one."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract_branches import FoundingFile, FoundingKind, FoundingPage, MembershipRequestPage
from zhibu_web.gateway_client import segment
from zhibu_web.names import names_of
from zhibu_web.pages.desk import Desk, open_desk
from zhibu_web.pages.desk_acts import act, organisation_names
from zhibu_web.pages.desk_lists import list_of, show_list
from zhibu_web.texts import EN
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}")

SUBMITTED: Final = "FOUNDING_STATE_SUBMITTED"
TABS: Final = {
    "waiting": (SUBMITTED,),
    "collecting": ("FOUNDING_STATE_COLLECTING",),
    "approved": ("FOUNDING_STATE_APPROVED",),
    "closed": ("FOUNDING_STATE_REFUSED", "FOUNDING_STATE_WITHDRAWN", "FOUNDING_STATE_EXPIRED"),
}


@router.get("/foundings")
async def show_foundings(
    visit: MemberVisit, organisation_id: str, view: str = "waiting", page: str = ""
) -> HTMLResponse:
    """Show the foundings of a county by state, oldest first."""
    view = view if view in TABS else "waiting"
    desk = await open_desk(visit, organisation_id, "foundings")
    listed = await list_of(desk, FoundingPage, "foundings", page=page, params={"states": TABS[view]})
    foundings, gateway = listed.found.foundings, desk.gateway
    return await show_list(
        visit,
        "desk_foundings/list.html",
        listed,
        view=view,
        tabs=TABS,
        foundings=foundings,
        total=listed.found.total_count,
        kinds=await kind_names(visit, desk),
        organisations=await organisation_names(visit, gateway, (one.organisation_id for one in foundings)),
    )


@router.get("/foundings/{founding_id}")
async def show_founding(visit: MemberVisit, organisation_id: str, founding_id: str) -> HTMLResponse:
    """Show a founding with those who signed it."""
    desk = await open_desk(visit, organisation_id, "foundings")
    return await _founding_page(visit, desk, founding_id)


async def _founding_page(visit: Visit, desk: Desk, founding_id: str, status: int = 200) -> HTMLResponse:
    file = await desk.gateway.get(f"{_base(desk)}/{segment(founding_id)}", FoundingFile)
    founding = file.founding
    members = [founding.initiator_member_id, *(one.member_id for one in file.cosigners)]
    return await visit.page(
        "desk_foundings/founding.html",
        status=status,
        desk=desk,
        founding=founding,
        cosigners=file.cosigners,
        open_to_decide=founding.state == SUBMITTED,
        kinds=await kind_names(visit, desk),
        above=await visit.services.directory.name(desk.gateway, founding.organisation_id),
        names=await names_of(desk.gateway, members),
    )


@router.post("/foundings/{founding_id}/approve")
async def approve(visit: MemberVisit, organisation_id: str, founding_id: str) -> Response:
    """Approve: the branch exists from now on."""
    desk = await open_desk(visit, organisation_id, "foundings")
    path = f"{_base(desk)}/{segment(founding_id)}"
    await act(visit, desk.gateway, f"{path}:approve", body={}, done=visit.t("desk_founding.approved"))
    visit.services.directory.tree_changed(organisation_id)
    return visit.redirect(f"{desk.path}/foundings/{segment(founding_id)}")


@router.post("/foundings/{founding_id}/refuse")
async def refuse(visit: MemberVisit, organisation_id: str, founding_id: str) -> Response:
    """Refuse with a reason that the signers read."""
    desk = await open_desk(visit, organisation_id, "foundings")
    note = visit.form.value("refusal_note")[:500]
    if len(note) < 2:
        visit.form.refuse("refusal_note", visit.t("desk_founding.note_missing"))
        return await _founding_page(visit, desk, founding_id, status=422)
    path = f"{_base(desk)}/{segment(founding_id)}"
    done = visit.t("desk_founding.refused")
    await act(visit, desk.gateway, f"{path}:refuse", body={"refusalNote": note}, done=done)
    return visit.redirect(f"{desk.path}/foundings/{segment(founding_id)}")


@router.get("/requests")
async def show_requests(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Show who wants to join a virtual branch, oldest first."""
    return await _requests_page(visit, organisation_id, page)


async def _requests_page(visit: Visit, organisation_id: str, page: str, status: int = 200) -> HTMLResponse:
    desk = await open_desk(visit, organisation_id, "requests")
    listed = await list_of(desk, MembershipRequestPage, "membership-requests", page=page)
    requests = listed.found.requests
    members = (one.member_id for one in requests)
    return await show_list(
        visit, "desk_foundings/requests.html", listed, members=members, status=status, requests=requests
    )


@router.post("/requests/{membership_request_id}")
async def decide_request(visit: MemberVisit, organisation_id: str, membership_request_id: str) -> Response:
    """Take a member into the branch, or refuse with a reason."""
    desk = await open_desk(visit, organisation_id, "requests")
    admit = visit.form.value("answer") == "admit"
    note = visit.form.value("refusal_note")[:200]
    if not admit and not note:
        visit.form.refuse(f"note-{membership_request_id}", visit.t("desk_request.note_missing"))
        return await _requests_page(visit, organisation_id, "", status=422)
    path = f"/v1/organisations/{segment(organisation_id)}/membership-requests/{segment(membership_request_id)}:decide"
    done = visit.t("desk_request.admitted" if admit else "desk_request.refused")
    await act(visit, desk.gateway, path, body={"admit": admit, "refusalNote": note}, done=done)
    return visit.redirect(f"{desk.path}/requests")


async def kind_names(visit: Visit, desk: Desk) -> dict[str, str]:
    """Return the kinds of virtual branches of a county, in the person's language."""
    path = f"/v1/organisations/{segment(desk.organisation.county_code)}/founding-kinds"
    kinds = await desk.gateway.get_list(path, FoundingKind, "kinds")
    return {one.kind: (one.display_name_en if visit.language == EN else "") or one.display_name_zh for one in kinds}


def _base(desk: Desk) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/foundings"

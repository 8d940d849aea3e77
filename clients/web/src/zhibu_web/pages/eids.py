"""The e-ID desk: find an e-ID, hand over an activation code, revoke."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import EID_ACTIVE, EID_ISSUED, EID_REVOKED, REVOCATION_REASONS, Activation, Eid, EidPage
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.pages.desk import Desk, ForbiddenError, open_desk
from zhibu_web.session import Flash
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/eids")

ACTIVATE: Final = "identity.eids.activate"
REVOKE: Final = "identity.eids.revoke"
TABS: Final = {"all": (), "issued": (EID_ISSUED,), "active": (EID_ACTIVE,), "revoked": (EID_REVOKED,)}
PAGE_SIZE: Final = 50
_OTHER: Final = "REVOCATION_REASON_OTHER"


@router.get("")
async def show_eids(visit: MemberVisit, organisation_id: str, view: str = "all", page: str = "") -> Response:
    """Show a page of e-IDs, or what was searched for last."""
    desk = await open_desk(visit, organisation_id, "eids")
    if view == "search":
        query = visit.data.searches.get("eids", "")
        if not query:
            return visit.redirect(f"{desk.path}/eids")
        body = {"query": query, "pageSize": PAGE_SIZE}
        found = await desk.gateway.post(f"{_base(desk)}:search", EidPage, body={**body})
        return await _list_page(visit, desk, found, view="search", page="", query=query)
    return await _list(visit, desk, view if view in TABS else "all", page)


@router.post("/search")
async def search(visit: MemberVisit, organisation_id: str) -> Response:
    """Keep what is searched for in the session, where it is not seen in an address."""
    desk = await open_desk(visit, organisation_id, "eids")
    query = visit.form.value("query")[:60]
    if not query:
        visit.form.refuse("query", visit.t("queue.search_missing"))
        return await _list(visit, desk, "all", "", status=422)
    async with visit.change() as data:
        data.searches = {**data.searches, "eids": query}
    return visit.redirect(f"{desk.path}/eids?view=search")


async def _list(visit: Visit, desk: Desk, view: str, page: str, status: int = 200) -> HTMLResponse:
    parameters = {"states": TABS[view], "pageSize": PAGE_SIZE, "pageToken": page}
    found = await desk.gateway.get(_base(desk), EidPage, params=parameters)
    return await _list_page(visit, desk, found, view=view, page=page, query="", status=status)


async def _list_page(
    visit: Visit, desk: Desk, found: EidPage, *, view: str, page: str, query: str, status: int = 200
) -> HTMLResponse:
    directory = visit.services.directory
    branches = {one.branch_id for one in found.eids if one.branch_id}
    return await visit.page(
        "eids/list.html",
        status=status,
        desk=desk,
        view=view,
        tabs=TABS,
        eids=found.eids,
        next_page=found.next_page_token if view != "search" else "",
        more=view == "search" and bool(found.next_page_token),
        page_token=page,
        query=query,
        branches={one: await directory.name(desk.gateway, one) for one in branches},
    )


@router.get("/{eid_id}")
async def show_eid(visit: MemberVisit, organisation_id: str, eid_id: str) -> HTMLResponse:
    """Show one e-ID."""
    desk = await open_desk(visit, organisation_id, "eids")
    eid = await _eid_of(desk, eid_id)
    settings = await visit.services.directory.settings(desk.gateway, organisation_id)
    return await visit.page(
        "eids/eid.html",
        desk=desk,
        eid=eid,
        branch=await visit.services.directory.name(desk.gateway, eid.branch_id),
        may_activate=desk.may(ACTIVATE) and eid.state != EID_REVOKED,
        may_revoke=desk.may(REVOKE) and eid.state != EID_REVOKED,
        by_telephone=settings.activation_by_telephone,
    )


@router.post("/{eid_id}/activation-code")
async def issue_activation_code(visit: MemberVisit, organisation_id: str, eid_id: str) -> Response:
    """Make an activation code: shown once to be handed over, or sent to the member's telephone."""
    desk = await open_desk(visit, organisation_id, "eids")
    if not desk.may(ACTIVATE):
        raise ForbiddenError
    send = visit.form.value("send") == "yes"
    here = f"{desk.path}/eids/{segment(eid_id)}"
    try:
        activation = await desk.gateway.post(
            f"{_base(desk)}/{segment(eid_id)}:issueActivationCode",
            Activation,
            body={"sendToTelephone": send},
            request_id=visit.form.value("request_id"),
        )
    except ProblemError as problem:
        return await _refused(visit, problem, here)
    if send or not activation.activation_code:
        await visit.flash(Flash(kind="success", text=visit.t("eid.activation_sent")))
        return visit.redirect(here)
    return await visit.page("eids/activation_code.html", desk=desk, activation=activation, here=here)


@router.get("/{eid_id}/revoke")
async def confirm_revocation(visit: MemberVisit, organisation_id: str, eid_id: str) -> Response:
    """Ask for the reason and whether the e-ID shall really be revoked."""
    desk = await _revoking_desk(visit, organisation_id)
    return await _revoke_page(visit, desk, eid_id)


@router.post("/{eid_id}/revoke")
async def revoke(visit: MemberVisit, organisation_id: str, eid_id: str) -> Response:
    """Revoke for good."""
    desk = await _revoking_desk(visit, organisation_id)
    form = visit.form
    reason, note = form.value("reason"), form.value("note")
    if reason not in REVOCATION_REASONS:
        form.refuse("reason", visit.t("eid.revoke_reason_missing"))
    elif reason == _OTHER and not note:
        form.refuse("note", visit.t("eid.revoke_note_missing"))
    if form.value("confirm") != "yes":
        form.refuse("confirm", visit.t("eid.revoke_confirm_missing"))
    if not form.ok:
        return await _revoke_page(visit, desk, eid_id, status=422)
    here = f"{desk.path}/eids/{segment(eid_id)}"
    try:
        await desk.gateway.post(
            f"{_base(desk)}/{segment(eid_id)}:revoke",
            Eid,
            body={"reason": reason, "note": note[:500]},
            request_id=form.value("request_id"),
            etag=form.value("etag"),
        )
    except ProblemError as problem:
        return await _refused(visit, problem, here)
    await visit.flash(Flash(kind="success", text=visit.t("eid.revoked")))
    return visit.redirect(here)


async def _refused(visit: Visit, problem: ProblemError, here: str) -> Response:
    if problem.status >= 500 or problem.status in (401, 403, 404, 429):
        raise problem
    words = "; ".join(one.detail for one in problem.errors if one.detail) or problem.detail
    await visit.flash(Flash(kind="error", text=visit.t("application.conflict_because", reason=words)))
    return visit.redirect(here)


async def _revoking_desk(visit: Visit, organisation_id: str) -> Desk:
    desk = await open_desk(visit, organisation_id, "eids")
    if not desk.may(REVOKE):
        raise ForbiddenError
    return desk


async def _revoke_page(visit: Visit, desk: Desk, eid_id: str, status: int = 200) -> HTMLResponse:
    eid = await _eid_of(desk, eid_id)
    return await visit.page("eids/revoke.html", status=status, desk=desk, eid=eid, reasons=REVOCATION_REASONS)


async def _eid_of(desk: Desk, eid_id: str) -> Eid:
    return await desk.gateway.get(f"{_base(desk)}/{segment(eid_id)}", Eid, part="eid")


def _base(desk: Desk) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/eids"

"""Recovery and replacement of an e-ID: one officer begins it, another one confirms it."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import Eid
from zhibu_web.contract_desk import RecoveryConfirmed, RecoveryPage
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.pages.desk import Desk, open_desk
from zhibu_web.pages.desk_acts import act, is_refusal, submit, words_of
from zhibu_web.pages.desk_lists import list_of, show_list
from zhibu_web.session import Flash
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/recoveries")

REASONS: Final = (
    "RECOVERY_REASON_TELEPHONE_LOST",
    "RECOVERY_REASON_PASSWORD_FORGOTTEN",
    "RECOVERY_REASON_CARD_LOST",
    "RECOVERY_REASON_COMPROMISED",
)
VERBS: Final = {"recover": "recover", "replace": "replace"}


@router.get("")
async def show_recoveries(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Show the recoveries that wait for a second officer, oldest first."""
    desk = await open_desk(visit, organisation_id, "recoveries")
    listed = await list_of(desk, RecoveryPage, "recoveries", page=page)
    recoveries = listed.found.recoveries
    officers = (one.started_by_member_id for one in recoveries)
    return await show_list(visit, "recoveries/list.html", listed, members=officers, recoveries=recoveries)


@router.get("/new/{eid_id}")
async def show_new(visit: MemberVisit, organisation_id: str, eid_id: str) -> HTMLResponse:
    """Ask what was lost, and whether the e-ID stays or another one is issued."""
    desk = await open_desk(visit, organisation_id, "recoveries")
    return await _new_page(visit, desk, eid_id)


async def _new_page(visit: Visit, desk: Desk, eid_id: str, status: int = 200) -> HTMLResponse:
    eid = await desk.gateway.get(f"{_eid_path(desk, eid_id)}", Eid, part="eid")
    return await visit.page("recoveries/new.html", status=status, desk=desk, eid=eid, reasons=REASONS)


@router.post("/new/{eid_id}")
async def start(visit: MemberVisit, organisation_id: str, eid_id: str) -> Response:
    """Begin a recovery or replacement, as the officer who has seen the member."""
    desk = await open_desk(visit, organisation_id, "recoveries")
    form = visit.form
    if form.value("kind") not in VERBS:
        form.refuse("kind", visit.t("recovery.kind_missing"))
    if form.value("reason") not in REASONS:
        form.refuse("reason", visit.t("recovery.reason_missing"))
    if form.value("seen") != "yes":
        form.refuse("seen", visit.t("people.seen_missing"))
    path = f"{_eid_path(desk, eid_id)}:{VERBS.get(form.value('kind'), 'recover')}"
    body: dict[str, object] = {"reason": form.value("reason")}
    done = visit.t("recovery.started")
    if await submit(visit, desk.gateway, path, body=body, fields={"reason": "reason"}, done=done):
        return visit.redirect(f"{desk.path}/recoveries")
    return await _new_page(visit, desk, eid_id, status=422)


@router.post("/{recovery_id}/confirm")
async def confirm(visit: MemberVisit, organisation_id: str, recovery_id: str) -> Response:
    """Confirm as the second officer; the activation code is shown once."""
    desk = await open_desk(visit, organisation_id, "recoveries")
    form = visit.form
    try:
        confirmed = await desk.gateway.post(
            f"{_base(desk)}/{segment(recovery_id)}:confirm",
            RecoveryConfirmed,
            body={},
            request_id=form.value("request_id"),
            etag=form.value("etag"),
        )
    except ProblemError as problem:
        if not is_refusal(problem):
            raise
        words = words_of(problem, visit.t("error.refused_title"))
        await visit.flash(Flash(kind="error", text=visit.t("application.conflict_because", reason=words)))
        return visit.redirect(f"{desk.path}/recoveries")
    return await visit.page("recoveries/confirmed.html", desk=desk, confirmed=confirmed)


@router.post("/{recovery_id}/refuse")
async def refuse(visit: MemberVisit, organisation_id: str, recovery_id: str) -> Response:
    """End a recovery without doing anything."""
    desk = await open_desk(visit, organisation_id, "recoveries")
    path = f"{_base(desk)}/{segment(recovery_id)}:refuse"
    await act(visit, desk.gateway, path, body={}, done=visit.t("recovery.refused"))
    return visit.redirect(f"{desk.path}/recoveries")


def _base(desk: Desk) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/recoveries"


def _eid_path(desk: Desk, eid_id: str) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/eids/{segment(eid_id)}"

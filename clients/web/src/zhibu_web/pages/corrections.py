"""Corrections that a member asks for, and how they go."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import Message
from zhibu_web.contract_people import PERSON_FIELDS, Correction
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.pages.member_acts import Nothing, act, refusal
from zhibu_web.session import Flash
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/me/corrections")

OPEN: Final = "CORRECTION_STATE_OPEN"
_FIELDS: Final = {"field": "field", "wantedValue": "wanted_value", "reason": "reason"}


class _Corrections(Message):
    corrections: tuple[Correction, ...] = ()


@router.get("")
async def show_corrections(visit: MemberVisit) -> HTMLResponse:
    """Show what the member asked for."""
    gateway = await visit.gateway()
    mine = await gateway.get("/v1/me/corrections", _Corrections)
    return await visit.page("account/corrections.html", corrections=mine.corrections)


@router.get("/new")
async def show_new(visit: MemberVisit, field: str = "") -> HTMLResponse:
    """Ask what is wrong and how it should be."""
    return await _new_page(visit, field)


@router.post("/new")
async def request_correction(visit: MemberVisit) -> Response:
    """Send the wish to the officers."""
    form = visit.form
    field, wanted = form.value("field"), form.value("wanted_value")
    if field not in PERSON_FIELDS:
        form.refuse("field", visit.t("correction.field_missing"))
    if not wanted:
        form.refuse("wanted_value", visit.t("correction.wanted_missing"))
    if not form.ok:
        return await _new_page(visit, field, status=422)
    gateway = await visit.gateway()
    body: dict[str, object] = {"field": field, "wantedValue": wanted[:200], "reason": form.value("reason")[:500]}
    try:
        await gateway.post("/v1/me/corrections", Nothing, body=body, request_id=form.value("request_id"))
    except ProblemError as problem:
        form.refuse_problem(problem, _FIELDS, refusal(visit, problem))
        return await _new_page(visit, field, status=422)
    await visit.flash(Flash(kind="success", text=visit.t("correction.sent"), detail=visit.t("correction.sent_detail")))
    return visit.redirect("/me/corrections")


@router.post("/{correction_id}/withdraw")
async def withdraw(visit: MemberVisit, correction_id: str) -> Response:
    """Take a correction back."""
    path = f"/v1/me/corrections/{segment(correction_id)}:withdraw"
    return await act(visit, path, body={}, done=visit.t("correction.withdrawn"), back="/me/corrections")


async def _new_page(visit: Visit, field: str, status: int = 200) -> HTMLResponse:
    """Show the form. What waits already cannot be asked for again: it is named instead."""
    gateway = await visit.gateway()
    mine = await gateway.get("/v1/me/corrections", _Corrections)
    waiting = {one.field: one for one in mine.corrections if one.state == OPEN}
    return await visit.page(
        "account/correction_new.html",
        status=status,
        field=field if field not in waiting else "",
        fields=[one for one in PERSON_FIELDS if one not in waiting],
        waiting=list(waiting.values()),
    )

"""Incidents of the log: one officer writes what happened, another one signs the same, and the log goes on."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract_log import SIGNED, IncidentPage
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.pages.desk import Desk, open_desk
from zhibu_web.pages.desk_acts import submit
from zhibu_web.pages.desk_lists import list_of, show_list
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/incidents")

MAX_STATEMENT: Final = 1000
# What waits is new, and so on the first page.
_COUNTED: Final = 200


@router.get("")
async def show_incidents(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Show a page of incidents, newest first, with what the officer can do about each."""
    desk = await open_desk(visit, organisation_id, "incidents")
    return await _list_page(visit, desk, page=page)


@router.get("/count")
async def show_count(visit: MemberVisit, organisation_id: str) -> Response:
    """Show how many wait, as the small number beside the section's name; a page does without it."""
    desk = await open_desk(visit, organisation_id, "incidents")
    try:
        listed = await list_of(desk, IncidentPage, "log/incidents", page="", page_size=_COUNTED)
    except ProblemError:
        return visit.with_cookies(Response(status_code=204))
    return await visit.page("log/incidents_count.html", count=sum(one.waits for one in listed.found.incidents))


@router.post("/{incident_id}/sign")
async def sign(visit: MemberVisit, organisation_id: str, incident_id: str) -> Response:
    """Sign as the first officer with a statement, or as the second one what the first wrote."""
    desk = await open_desk(visit, organisation_id, "incidents")
    form = visit.form
    second = form.value("signature") == "second"
    field = f"{'confirm' if second else 'statement'}-{incident_id}"
    if second and form.value(field) != "yes":
        form.refuse(field, visit.t("incident.confirm_missing"))
    if not second and not form.value(field):
        form.refuse(field, visit.t("incident.statement_missing"))
    if not second and len(form.value(field)) > MAX_STATEMENT:
        form.refuse(field, visit.t("incident.statement_long", count=MAX_STATEMENT))
    path = f"/v1/organisations/{segment(organisation_id)}/log/incidents/{segment(incident_id)}:sign"
    body: dict[str, object] = {"statement": "" if second else form.value(field)}
    done = visit.t("incident.closed_done" if second else "incident.signed_done")
    if await submit(visit, desk.gateway, path, body=body, fields={"statement": field}, done=done):
        return visit.redirect(f"{desk.path}/incidents")
    return await _list_page(visit, desk, page=form.value("page"), status=422)


async def _list_page(visit: Visit, desk: Desk, *, page: str, status: int = 200) -> HTMLResponse:
    listed = await list_of(desk, IncidentPage, "log/incidents", page=page)
    incidents = listed.found.incidents
    officers = [one.first_signed_by_member_id for one in incidents] + [
        one.second_signed_by_member_id for one in incidents
    ]
    return await show_list(
        visit, "log/incidents.html", listed, members=officers, status=status, incidents=incidents, signed=SIGNED
    )

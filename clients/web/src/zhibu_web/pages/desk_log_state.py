"""How the log stands, and a period of it as a file that is checked anywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from zhibu_kit.clock import today_in_shanghai

from zhibu_web.contract_log import LogState
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.log_search import instant_of, read_day
from zhibu_web.pages.desk import Desk, open_desk
from zhibu_web.pages.desk_acts import is_refusal, pass_on, words_of
from zhibu_web.pages.desk_log import EXPORT
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/log")

# As in the contract.
MAX_DAYS: Final = 366
# What the form proposes.
_USUAL_DAYS: Final = 30
_FIELDS: Final = {"startTime": "from_day", "endTime": "to_day"}


@router.get("/state")
async def show_state(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Show size, last checkpoint, lanes and witnesses."""
    desk = await open_desk(visit, organisation_id, "log")
    state = await desk.gateway.get(f"/v1/organisations/{segment(organisation_id)}/log", LogState)
    return await visit.page("log/state.html", desk=desk, state=state)


@router.get("/export")
async def show_export(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Ask for the period."""
    desk = await open_desk(visit, organisation_id, "log")
    desk.demand(EXPORT)
    today = today_in_shanghai(visit.services.clock)
    visit.form.values.update(from_day=(today - timedelta(days=_USUAL_DAYS)).isoformat(), to_day=today.isoformat())
    return await _export_page(visit, desk)


@router.post("/export")
async def export(visit: MemberVisit, organisation_id: str) -> Response:
    """Pass the file on as it arrives."""
    desk = await open_desk(visit, organisation_id, "log")
    desk.demand(EXPORT)
    form = visit.form
    first, last = read_day(visit, "from_day"), read_day(visit, "to_day")
    for name, day in (("from_day", first), ("to_day", last)):
        if day is None:
            form.refuse(name, visit.t("desk.date_bad"))
    if first and last and last < first:
        form.refuse("to_day", visit.t("log.period_backwards"))
    if first and last and (last - first).days >= MAX_DAYS:
        form.refuse("to_day", visit.t("log.period_long", days=MAX_DAYS))
    if not form.ok or not first or not last:
        return await _export_page(visit, desk, status=422)
    period = {"startTime": instant_of(first.isoformat()), "endTime": instant_of(last.isoformat(), days_later=1)}
    path = f"/v1/organisations/{segment(organisation_id)}/log/entries:export"
    name = f"log-{organisation_id}-{first.isoformat()}-{last.isoformat()}.zip"
    try:
        return await pass_on(visit, desk.gateway, path, file_name=name, params=period)
    except ProblemError as problem:
        if not is_refusal(problem):
            raise
        form.refuse_problem(problem, _FIELDS, words_of(problem, visit.t("error.refused_title")))
        return await _export_page(visit, desk, status=422)


async def _export_page(visit: Visit, desk: Desk, status: int = 200) -> HTMLResponse:
    return await visit.page("log/export.html", status=status, desk=desk)

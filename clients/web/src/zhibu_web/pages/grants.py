"""Grants of office: list, make, end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from zhibu_kit.clock import today_in_shanghai

from zhibu_web.contract import Grant, GrantPage, Office
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.pages.desk import Desk, ForbiddenError, open_desk
from zhibu_web.session import Flash
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/grants")

MAKE: Final = "identity.grants.make"
PAGE_SIZE: Final = 100
_FIELDS: Final = {"eidNumber": "eid_number", "office": "office", "startDate": "start_date", "endDate": "end_date"}


@router.get("")
async def show_grants(visit: MemberVisit, organisation_id: str, ended: str = "", page: str = "") -> HTMLResponse:
    """Show who holds which office at an organisation."""
    desk = await open_desk(visit, organisation_id, "grants")
    found = await desk.gateway.get(
        _base(desk),
        GrantPage,
        params={"includeEnded": "true" if ended == "1" else "", "pageSize": PAGE_SIZE, "pageToken": page},
    )
    return await visit.page(
        "grants/list.html",
        desk=desk,
        grants=found.grants,
        next_page=found.next_page_token,
        with_ended=ended == "1",
        now=visit.services.clock.now(),
        names=await _office_names(visit, desk),
        may_make=desk.may(MAKE),
    )


@router.get("/new")
async def show_new(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Ask who shall hold which office until when."""
    desk = await _making_desk(visit, organisation_id)
    return await _new_page(visit, desk)


@router.post("/new")
async def make(visit: MemberVisit, organisation_id: str) -> Response:
    """Give an office to a member."""
    desk = await _making_desk(visit, organisation_id)
    form = visit.form
    number = form.value("eid_number").replace(" ", "")
    start, end = _day(form.value("start_date")), _day(form.value("end_date"))
    if not 4 <= len(number) <= 32:
        form.refuse("eid_number", visit.t("grants.eid_number_bad"))
    if form.value("office") not in {one.name for one in await _grantable(visit, desk)}:
        form.refuse("office", visit.t("grants.office_missing"))
    if end is None:
        form.refuse("end_date", visit.t("grants.end_missing"))
    elif end < (start or today_in_shanghai(visit.services.clock)):
        form.refuse("end_date", visit.t("grants.end_before_start"))
    if form.ok:
        try:
            await desk.gateway.post(
                _base(desk),
                Grant,
                body={
                    "eidNumber": number,
                    "office": form.value("office"),
                    "startDate": start.isoformat() if start else "",
                    "endDate": end.isoformat() if end else "",
                },
                request_id=form.value("request_id"),
            )
        except ProblemError as problem:
            if problem.status >= 500 or problem.status in (401, 429):
                raise
            form.refuse_problem(problem, _FIELDS, visit.t("error.refused_title"))
    if not form.ok:
        return await _new_page(visit, desk, status=422)
    await visit.flash(Flash(kind="success", text=visit.t("grants.made")))
    return visit.redirect(f"{desk.path}/grants")


@router.get("/{grant_id}/end")
async def confirm_end(visit: MemberVisit, organisation_id: str, grant_id: str) -> Response:
    """Ask whether an office shall really end."""
    desk = await _making_desk(visit, organisation_id)
    grants = await desk.gateway.get(_base(desk), GrantPage, params={"pageSize": 200})
    grant = next((one for one in grants.grants if one.grant_id == grant_id), None)
    if grant is None:
        return visit.redirect(f"{desk.path}/grants")
    return await visit.page("grants/end.html", desk=desk, grant=grant, names=await _office_names(visit, desk))


@router.post("/{grant_id}/end")
async def end(visit: MemberVisit, organisation_id: str, grant_id: str) -> Response:
    """End an office at once."""
    desk = await _making_desk(visit, organisation_id)
    try:
        await desk.gateway.post(
            f"{_base(desk)}/{segment(grant_id)}:end", Grant, body={}, request_id=visit.form.value("request_id")
        )
    except ProblemError as problem:
        if problem.status >= 500 or problem.status in (401, 429):
            raise
        flash = Flash(kind="error", text=problem.detail or visit.t("error.refused_title"))
    else:
        flash = Flash(kind="success", text=visit.t("grants.ended"))
    await visit.flash(flash)
    return visit.redirect(f"{desk.path}/grants")


async def _making_desk(visit: Visit, organisation_id: str) -> Desk:
    desk = await open_desk(visit, organisation_id, "grants")
    if not desk.may(MAKE):
        raise ForbiddenError
    return desk


async def _new_page(visit: Visit, desk: Desk, status: int = 200) -> HTMLResponse:
    today = today_in_shanghai(visit.services.clock)
    return await visit.page(
        "grants/new.html",
        status=status,
        desk=desk,
        offices=[(one.name, one.display_name) for one in await _grantable(visit, desk)],
        today=today.isoformat(),
        in_a_year=(today + timedelta(days=364)).isoformat(),
    )


async def _grantable(visit: Visit, desk: Desk) -> list[Office]:
    """Return the offices that exist at this level and carry nothing that the member does not hold."""
    level = desk.organisation.level.removeprefix("ORGANISATION_LEVEL_").lower()
    offices = await visit.services.directory.offices(desk.gateway, visit.language)
    return [one for one in offices if level in one.levels and desk.permissions.issuperset(one.permissions)]


async def _office_names(visit: Visit, desk: Desk) -> dict[str, str]:
    return {one.name: one.display_name for one in await visit.services.directory.offices(desk.gateway, visit.language)}


def _day(entered: str) -> date | None:
    try:
        return date.fromisoformat(entered)
    except ValueError:
        return None


def _base(desk: Desk) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/grants"

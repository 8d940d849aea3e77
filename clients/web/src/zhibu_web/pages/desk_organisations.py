"""The organisation tree at the desk: what stands below, making and renaming, planned changes and history."""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from zhibu_kit.clock import today_in_shanghai

from zhibu_web.contract import Organisation
from zhibu_web.contract_desk import OrganisationChangePage, OrganisationPage, OrganisationVersions
from zhibu_web.gateway_client import segment
from zhibu_web.pages.desk import BRANCH, CITY, COUNTY, PROVINCE, TOWNSHIP, Desk, ForbiddenError, open_desk
from zhibu_web.pages.desk_acts import act, organisation_names, submit
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/organisations")

CREATE: Final = "branches.organisations.create"
RENAME: Final = "branches.organisations.rename"
CHANGE: Final = "branches.organisations.change"
PAGE_SIZE: Final = 50
BELOW: Final = {PROVINCE: (CITY,), CITY: (COUNTY,), COUNTY: (TOWNSHIP, BRANCH), TOWNSHIP: (BRANCH,), BRANCH: ()}
_CODE: Final = re.compile(r"^[0-9]{2,9}$", re.ASCII)
_FIELDS: Final = {
    "name": "name",
    "organisationId": "code",
    "level": "level",
    "termYears": "term_years",
    "effectiveDate": "effective_date",
}


@router.get("")
async def show_organisation(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Show an organisation, what stands below it and what may be done to it."""
    desk = await open_desk(visit, organisation_id, "organisations")
    organisation = await organisation_of(desk)
    below = await desk.gateway.get(
        "/v1/organisations",
        OrganisationPage,
        params={"parentId": organisation_id, "pageSize": PAGE_SIZE, "pageToken": page},
    )
    return await visit.page(
        "desk_organisations/organisation.html",
        desk=desk,
        organisation=organisation,
        above=await visit.services.directory.name(desk.gateway, organisation.parent_id),
        below=[one for one in below.organisations if one.active],
        next_page=below.next_page_token,
        page_token=page,
        may_create=desk.may(CREATE) and bool(BELOW[organisation.level]) and organisation.active,
        may_rename=desk.may(RENAME) and organisation.active,
        may_change=desk.may(CHANGE),
        may_alter=desk.may(CHANGE) and organisation.active and organisation.level in (TOWNSHIP, BRANCH),
    )


@router.get("/new")
async def show_new(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Ask for name, level and day of an organisation to be made."""
    desk = await _making_desk(visit, organisation_id)
    return await _new_page(visit, desk)


async def _new_page(visit: Visit, desk: Desk, status: int = 200) -> HTMLResponse:
    today = today_in_shanghai(visit.services.clock).isoformat()
    levels = BELOW[desk.organisation.level]
    return await visit.page("desk_organisations/new.html", status=status, desk=desk, levels=levels, today=today)


@router.post("/new")
async def create(visit: MemberVisit, organisation_id: str) -> Response:
    """Make an organisation below this one, today or on a day to come."""
    desk = await _making_desk(visit, organisation_id)
    form = visit.form
    level = form.value("level")
    if level not in BELOW[desk.organisation.level]:
        form.refuse("level", visit.t("desk.choose_one"))
    if not 2 <= len(form.value("name")) <= 120:
        form.refuse("name", visit.t("organisation_desk.name_bad"))
    code = form.value("code") if level != BRANCH else ""
    if code and not _CODE.match(code):
        form.refuse("code", visit.t("organisation_desk.code_bad"))
    body: dict[str, object] = {
        "level": level,
        "name": form.value("name"),
        "organisationId": code,
        "effectiveDate": effective_date(visit),
    }
    if level == BRANCH:
        body["termYears"] = 5 if form.value("term_years") == "5" else 3
    path = f"/v1/organisations/{segment(organisation_id)}/children"
    made = visit.t("organisation_desk.made", name=form.value("name"))
    done = visit.t("organisation_desk.planned") if body["effectiveDate"] else made
    if await submit(visit, desk.gateway, path, body=body, fields=_FIELDS, done=done):
        visit.services.directory.tree_changed(organisation_id)
        # Who may not change the tree does not see its plans.
        planned = "/changes" if body["effectiveDate"] and desk.may(CHANGE) else ""
        return visit.redirect(f"{desk.path}/organisations{planned}")
    return await _new_page(visit, desk, status=422)


@router.get("/rename")
async def show_rename(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Ask for the new name and its day."""
    desk = await open_desk(visit, organisation_id, "organisations")
    desk.demand(RENAME)
    return await _rename_page(visit, desk)


async def _rename_page(visit: Visit, desk: Desk, status: int = 200) -> HTMLResponse:
    today = today_in_shanghai(visit.services.clock).isoformat()
    organisation = await organisation_of(desk)
    return await visit.page(
        "desk_organisations/rename.html", status=status, desk=desk, organisation=organisation, today=today
    )


@router.post("/rename")
async def rename(visit: MemberVisit, organisation_id: str) -> Response:
    """Give an organisation another name, today or on a day to come."""
    desk = await open_desk(visit, organisation_id, "organisations")
    desk.demand(RENAME)
    form = visit.form
    if not 2 <= len(form.value("name")) <= 120:
        form.refuse("name", visit.t("organisation_desk.name_bad"))
    body: dict[str, object] = {"name": form.value("name"), "effectiveDate": effective_date(visit)}
    path = f"/v1/organisations/{segment(organisation_id)}:rename"
    done = visit.t("organisation_desk.planned" if body["effectiveDate"] else "organisation_desk.renamed")
    if await submit(visit, desk.gateway, path, body=body, fields=_FIELDS, done=done):
        visit.services.directory.tree_changed(organisation_id, desk.organisation.parent_id)
        return visit.redirect(f"{desk.path}/organisations")
    return await _rename_page(visit, desk, status=422)


@router.get("/changes")
async def show_changes(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Show the changes at and below an organisation, the planned ones first."""
    desk = await open_desk(visit, organisation_id, "organisations")
    desk.demand(CHANGE)
    found = await desk.gateway.get(
        f"/v1/organisations/{segment(organisation_id)}/changes",
        OrganisationChangePage,
        params={"pageSize": PAGE_SIZE, "pageToken": page},
    )
    ids = {one for change in found.changes for one in (change.organisation_id, change.target_id)}
    return await visit.page(
        "desk_organisations/changes.html",
        desk=desk,
        changes=found.changes,
        next_page=found.next_page_token,
        page_token=page,
        organisations=await organisation_names(visit, desk.gateway, ids),
    )


@router.post("/changes/{organisation_change_id}/cancel")
async def cancel_change(visit: MemberVisit, organisation_id: str, organisation_change_id: str) -> Response:
    """Cancel a planned change before its day."""
    desk = await open_desk(visit, organisation_id, "organisations")
    desk.demand(CHANGE)
    path = f"/v1/organisations/{segment(organisation_id)}/changes/{segment(organisation_change_id)}:cancel"
    await act(visit, desk.gateway, path, body={}, done=visit.t("organisation_desk.cancelled"))
    return visit.redirect(f"{desk.path}/organisations/changes")


@router.get("/history")
async def show_history(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Show how an organisation stood over time, newest first."""
    desk = await open_desk(visit, organisation_id, "organisations")
    path = f"/v1/organisations/{segment(organisation_id)}/history"
    found = await desk.gateway.get(path, OrganisationVersions)
    ids = {one for version in found.versions for one in (version.parent_id, version.successor_id)}
    return await visit.page(
        "desk_organisations/history.html",
        desk=desk,
        versions=found.versions,
        organisations=await organisation_names(visit, desk.gateway, ids),
    )


async def organisation_of(desk: Desk) -> Organisation:
    """Return the desk's organisation as it stands now, with its version."""
    path = f"/v1/organisations/{segment(desk.organisation.organisation_id)}"
    organisation, etag = await desk.gateway.get_with_etag(path, Organisation, "organisation")
    return organisation.model_copy(update={"etag": organisation.etag or etag})


def effective_date(visit: Visit) -> str:
    """Return the day that was entered, empty for today; a day in the past is refused."""
    entered = visit.form.value("effective_date")
    today = today_in_shanghai(visit.services.clock).isoformat()
    if not entered or entered == today:
        return ""
    if len(entered) != len(today) or entered < today:
        visit.form.refuse("effective_date", visit.t("organisation_desk.date_past"))
    return entered


async def _making_desk(visit: Visit, organisation_id: str) -> Desk:
    desk = await open_desk(visit, organisation_id, "organisations")
    desk.demand(CREATE)
    if not BELOW[desk.organisation.level]:
        raise ForbiddenError
    return desk

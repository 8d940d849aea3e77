"""Decisions about a member that are recorded, and people with an e-ID who are taken into a branch."""

from __future__ import annotations

from datetime import date
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from zhibu_kit.clock import today_in_shanghai

from zhibu_web.contract_desk import UnplacedPage
from zhibu_web.gateway_client import segment
from zhibu_web.pages.desk import BRANCH, Desk, open_desk
from zhibu_web.pages.desk_acts import organisation_names, submit
from zhibu_web.pages.desk_lists import list_of, show_list
from zhibu_web.pages.desk_people import documents_of, file_of, person_of
from zhibu_web.pages.desk_picker import find_organisations
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}")

DECIDE: Final = "branches.members.decide"
PLACE: Final = "branches.members.place"
STATUSES: Final = (
    "PARTY_STATUS_APPLICANT",
    "PARTY_STATUS_ACTIVIST",
    "PARTY_STATUS_DEVELOPMENT_TARGET",
    "PARTY_STATUS_PROBATIONARY",
    "PARTY_STATUS_FULL",
    "PARTY_STATUS_UNDER_PROBATION",
)
OCCUPATIONS: Final = (
    "OCCUPATION_CATEGORY_EMPLOYEE",
    "OCCUPATION_CATEGORY_SELF_EMPLOYED",
    "OCCUPATION_CATEGORY_RETIRED",
    "OCCUPATION_CATEGORY_FARMER",
    "OCCUPATION_CATEGORY_STUDENT",
    "OCCUPATION_CATEGORY_UNEMPLOYED",
    "OCCUPATION_CATEGORY_ON_RELIEF",
    "OCCUPATION_CATEGORY_OTHER",
)
ENDINGS: Final = (
    "STANDING_DIED",
    "STANDING_LEFT",
    "STANDING_EXPELLED",
    "STANDING_MOVED_OUT",
    "STANDING_WITHDRAWN",
)
_DECISION_FIELDS: Final = {
    "decisionDate": "decision_date",
    "status": "status",
    "occupation": "occupation",
    "standing": "standing",
    "documentNumber": "document_number",
    "documentId": "document_id",
}
_PLACE_FIELDS: Final = {
    "status": "status",
    "statusDate": "status_date",
    "admittedDate": "admitted_date",
    "confirmedDate": "confirmed_date",
    "occupation": "occupation",
    "documentNumber": "document_number",
}


@router.get("/people/{member_id}/decide")
async def show_decide(visit: MemberVisit, organisation_id: str, member_id: str) -> Response:
    """Ask what was decided, when, and by which document."""
    desk = await open_desk(visit, organisation_id, "people")
    desk.demand(DECIDE)
    return await _decide_page(visit, desk, member_id)


async def _decide_page(visit: Visit, desk: Desk, member_id: str, status: int = 200) -> Response:
    file = await file_of(desk, member_id)
    if file is None:
        return visit.redirect(f"{desk.path}/people/{segment(member_id)}")
    return await visit.page(
        "desk_people/decide.html",
        status=status,
        desk=desk,
        person=await person_of(desk, member_id),
        record=file.record,
        etag=file.record.etag,
        documents=[(one.document_id, one.file_name) for one in await documents_of(desk, member_id)],
        statuses=STATUSES,
        occupations=OCCUPATIONS,
        endings=ENDINGS,
        today=today_in_shanghai(visit.services.clock).isoformat(),
    )


@router.post("/people/{member_id}/decide")
async def decide(visit: MemberVisit, organisation_id: str, member_id: str) -> Response:
    """Record a decision."""
    desk = await open_desk(visit, organisation_id, "people")
    desk.demand(DECIDE)
    form = visit.form
    status = form.value("status") if form.value("status") in STATUSES else ""
    occupation = form.value("occupation") if form.value("occupation") in OCCUPATIONS else ""
    standing = form.value("standing") if form.value("standing") in ENDINGS else ""
    check_day(visit, "decision_date", past=True)
    if not (status or occupation or standing):
        form.refuse("status", visit.t("people.decide_nothing"))
    if (status or standing) and not form.value("document_number"):
        form.refuse("document_number", visit.t("desk.document_number_missing"))
    if standing and form.value("confirm") != "yes":
        form.refuse("confirm", visit.t("people.ending_confirm_missing"))
    body: dict[str, object] = {
        "decisionDate": form.value("decision_date"),
        "documentNumber": form.value("document_number")[:60],
        "documentId": form.value("document_id"),
    }
    changes = {"status": status, "occupation": occupation, "standing": standing}
    body |= {name: value for name, value in changes.items() if value}
    path = f"/v1/organisations/{segment(organisation_id)}/members/{segment(member_id)}/decisions"
    done = visit.t("people.decided")
    if await submit(visit, desk.gateway, path, body=body, fields=_DECISION_FIELDS, done=done):
        return visit.redirect(f"{desk.path}/people/{segment(member_id)}")
    return await _decide_page(visit, desk, member_id, status=422)


def check_day(visit: Visit, name: str, *, past: bool = False, optional: bool = False) -> date | None:
    """Return the day that was entered, or note what is wrong with it."""
    entered = visit.form.value(name)
    if optional and not entered:
        return None
    try:
        day = date.fromisoformat(entered)
    except ValueError:
        visit.form.refuse(name, visit.t("desk.date_bad"))
        return None
    if past and day > today_in_shanghai(visit.services.clock):
        visit.form.refuse(name, visit.t("desk.date_future"))
    return day


@router.get("/unplaced")
async def show_unplaced(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Show the people with an e-ID whom no branch holds yet."""
    desk = await open_desk(visit, organisation_id, "unplaced")
    listed = await list_of(desk, UnplacedPage, "unplaced-members", page=page)
    people, gateway = listed.found.members, desk.gateway
    return await show_list(
        visit,
        "desk_people/unplaced.html",
        listed,
        members=(one.member_id for one in people),
        people=people,
        branches=await organisation_names(visit, gateway, (one.wanted_branch_id for one in people)),
    )


@router.get("/people/{member_id}/place")
async def show_place(visit: MemberVisit, organisation_id: str, member_id: str, branch: str = "") -> HTMLResponse:
    """Ask for branch and status of a person whom no branch holds yet."""
    desk = await open_desk(visit, organisation_id, "people")
    desk.demand(PLACE)
    if branch:
        visit.form.values["branch"] = branch
    return await _place_page(visit, desk, member_id)


async def _place_page(visit: Visit, desk: Desk, member_id: str, status: int = 200) -> HTMLResponse:
    if desk.is_branch:
        visit.form.values["branch"] = desk.organisation.organisation_id
    return await visit.page(
        "desk_people/place.html",
        status=status,
        desk=desk,
        person=await person_of(desk, member_id),
        found=await find_organisations(visit, desk, "branch", levels=(BRANCH,)),
        statuses=STATUSES,
        occupations=OCCUPATIONS,
        today=today_in_shanghai(visit.services.clock).isoformat(),
    )


@router.post("/people/{member_id}/place")
async def place(visit: MemberVisit, organisation_id: str, member_id: str) -> Response:
    """Open a person's record in a branch."""
    desk = await open_desk(visit, organisation_id, "people")
    desk.demand(PLACE)
    form = visit.form
    if form.value("find") == "yes":
        return await _place_page(visit, desk, member_id)
    branch = desk.organisation.organisation_id if desk.is_branch else form.value("branch")
    if not branch:
        form.refuse("branch", visit.t("people.branch_missing"))
    if form.value("status") not in STATUSES:
        form.refuse("status", visit.t("desk.choose_one"))
    if form.value("occupation") not in OCCUPATIONS:
        form.refuse("occupation", visit.t("desk.choose_one"))
    check_day(visit, "status_date", past=True)
    for name in ("admitted_date", "confirmed_date"):
        check_day(visit, name, past=True, optional=True)
    body: dict[str, object] = {api: form.value(own)[:60] for api, own in _PLACE_FIELDS.items()}
    path = f"/v1/organisations/{segment(branch)}/members/{segment(member_id)}:place"
    if await submit(visit, desk.gateway, path, body=body, fields=_PLACE_FIELDS, done=visit.t("people.placed")):
        back = "unplaced" if "unplaced" in desk.sections else f"people/{segment(member_id)}"
        return visit.redirect(f"{desk.path}/{back}")
    return await _place_page(visit, desk, member_id, status=422)

"""The roster desk: upload a department's spreadsheet, look at what was found, commit it, see what became of it."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract_desk import (
    CHECKED,
    CHECKING,
    COMMITTED,
    COMMITTING,
    FAILED,
    Roster,
    RosterApplication,
    RosterConflictPage,
    RosterPage,
    RosterRowPage,
)
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.names import names_of
from zhibu_web.pages.desk import Desk, ForbiddenError, open_desk
from zhibu_web.pages.desk_acts import act, is_refusal, organisation_names, pass_on, words_of
from zhibu_web.uploads import UploadVisit
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/rosters")

IMPORT: Final = "identity.rosters.import"
EXPORT: Final = "identity.rosters.export"
PAGE_SIZE: Final = 50
# In these states something happens by itself, and the page asks again.
BUSY: Final = (CHECKING, COMMITTING, COMMITTED)
KINDS: Final = {
    "problem": "ROSTER_DIFFERENCE_PROBLEM",
    "new": "ROSTER_DIFFERENCE_NEW",
    "changed": "ROSTER_DIFFERENCE_CHANGED",
    "same": "ROSTER_DIFFERENCE_SAME",
    "gone": "ROSTER_DIFFERENCE_GONE",
    # Of any difference: rows of which something is not taken over.
    "noticed": "ROSTER_DIFFERENCE_UNSPECIFIED",
}


@router.get("")
async def show_rosters(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Show the rosters of an organisation, and where to upload another."""
    desk = await open_desk(visit, organisation_id, "rosters")
    return await _list_page(visit, desk, page)


async def _list_page(visit: Visit, desk: Desk, page: str, status: int = 200) -> HTMLResponse:
    found = RosterPage()
    if desk.may(IMPORT):
        found = await desk.gateway.get(base_of(desk), RosterPage, params={"pageSize": PAGE_SIZE, "pageToken": page})
    return await visit.page(
        "rosters/list.html",
        status=status,
        desk=desk,
        rosters=found.rosters,
        next_page=found.next_page_token,
        page_token=page,
        may_import=desk.may(IMPORT),
        may_export=desk.may(EXPORT),
    )


@router.post("/upload")
async def upload(upload: UploadVisit, organisation_id: str) -> Response:
    """Pass the file on as it arrives, and show how its check gets on."""
    visit, file = upload.visit, upload.file
    desk = await importing_desk(visit, organisation_id)
    if not file.file_name:
        visit.form.refuse("file", visit.t("roster.file_missing"))
        return await _list_page(visit, desk, "", status=422)
    try:
        roster = await desk.gateway.upload(
            base_of(desk),
            Roster,
            file_name=file.file_name,
            content=file.chunks(),
            content_type=file.content_type,
            request_id=visit.form.value("request_id"),
            part="roster",
        )
    except ProblemError as problem:
        if not is_refusal(problem):
            raise
        visit.form.refuse("file", words_of(problem, visit.t("error.refused_title")))
        return await _list_page(visit, desk, "", status=422)
    return visit.redirect(f"{desk.path}/rosters/{roster.roster_id}")


@router.get("/export")
async def export(visit: MemberVisit, organisation_id: str, format: str = "xlsx") -> Response:  # noqa: A002
    """Pass the export on as it arrives; the service records who took it."""
    desk = await open_desk(visit, organisation_id, "rosters")
    desk.demand(EXPORT)
    kind = "csv" if format == "csv" else "xlsx"
    return await pass_on(
        visit,
        desk.gateway,
        f"/v1/organisations/{segment(organisation_id)}/roster:export",
        params={"format": kind},
        file_name=f"roster-{organisation_id}.{kind}",
    )


@router.get("/{roster_id}")
async def show_roster(visit: MemberVisit, organisation_id: str, roster_id: str) -> Response:
    """Show where a roster stands; while something happens, htmx asks for the progress alone."""
    desk = await importing_desk(visit, organisation_id)
    if visit.is_fragment:
        return await _progress(visit, desk, roster_id)
    roster = await roster_of(desk, roster_id)
    return await roster_page(visit, desk, roster)


async def roster_page(visit: Visit, desk: Desk, roster: Roster, status: int = 200) -> HTMLResponse:
    """Return the page of a roster as a whole."""
    return await visit.page(
        "rosters/roster.html",
        status=status,
        desk=desk,
        roster=roster,
        busy=roster.state in BUSY,
        may_change=roster.state in (CHECKED, FAILED),
        may_commit=roster.state == CHECKED and roster.new_count + roster.changed_count + roster.same_count > 0,
        kinds=KINDS,
        application=await _application_of(desk, roster),
    )


async def _progress(visit: Visit, desk: Desk, roster_id: str) -> Response:
    """Answer with the progress alone, or have the page loaded anew when there is more to show.

    The list is asked, not the roster: its reading is recorded, and nobody reads anything here.
    """
    page = await desk.gateway.get(base_of(desk), RosterPage, params={"pageSize": PAGE_SIZE})
    roster = next((one for one in page.rosters if one.roster_id == roster_id), None)
    if roster is None:
        roster = await roster_of(desk, roster_id)
    if roster.state not in BUSY:
        return visit.with_cookies(Response(status_code=204, headers={"HX-Refresh": "true"}))
    application = await _application_of(desk, roster)
    return await visit.page("rosters/progress.html", desk=desk, roster=roster, busy=True, application=application)


async def _application_of(desk: Desk, roster: Roster) -> RosterApplication | None:
    if not roster.commit_time or not desk.may("branches.members.read"):
        return None
    path = f"/v1/organisations/{segment(desk.organisation.organisation_id)}/roster-applications"
    try:
        return await desk.gateway.get(f"{path}/{segment(roster.roster_id)}", RosterApplication, part="application")
    except ProblemError as problem:
        if problem.status == 404:
            return None
        raise


@router.get("/{roster_id}/rows")
async def show_rows(
    visit: MemberVisit, organisation_id: str, roster_id: str, kind: str = "problem", page: str = ""
) -> HTMLResponse:
    """Show the rows of one kind, in the order of the file."""
    desk = await importing_desk(visit, organisation_id)
    kind = kind if kind in KINDS else "problem"
    found = await desk.gateway.get(
        f"{base_of(desk)}/{segment(roster_id)}/rows",
        RosterRowPage,
        params={
            "difference": KINDS[kind],
            "withNotices": "true" if kind == "noticed" else "false",
            "pageSize": PAGE_SIZE,
            "pageToken": page,
        },
    )
    return await visit.page(
        "rosters/rows.html",
        desk=desk,
        roster=await roster_of(desk, roster_id),
        kind=kind,
        kinds=KINDS,
        rows=found.rows,
        next_page=found.next_page_token,
        page_token=page,
    )


@router.get("/{roster_id}/problems")
async def download_problems(
    visit: MemberVisit, organisation_id: str, roster_id: str, kind: str = "problem"
) -> Response:
    """Pass on the bad rows as a spreadsheet that can be mended and uploaded again, or those with notices."""
    desk = await importing_desk(visit, organisation_id)
    noticed = kind == "noticed"
    return await pass_on(
        visit,
        desk.gateway,
        f"{base_of(desk)}/{segment(roster_id)}/problems",
        params={"notices": "true" if noticed else "false"},
        file_name=f"{'notices' if noticed else 'problems'}-{roster_id}.xlsx",
    )


@router.post("/{roster_id}/commit")
async def commit(visit: MemberVisit, organisation_id: str, roster_id: str) -> Response:
    """Begin to commit; with problems only after it was ticked that their rows are left out."""
    desk = await importing_desk(visit, organisation_id)
    form = visit.form
    leave_out = form.value("leave_out") == "yes"
    if form.value("has_problems") == "yes" and not leave_out:
        form.refuse("leave_out", visit.t("roster.leave_out_missing"))
        return await roster_page(visit, desk, await roster_of(desk, roster_id), status=422)
    path = f"{base_of(desk)}/{segment(roster_id)}:commit"
    await act(visit, desk.gateway, path, body={"leaveOutProblems": leave_out}, done=visit.t("roster.commit_started"))
    return visit.redirect(f"{desk.path}/rosters/{segment(roster_id)}")


@router.post("/{roster_id}/cancel")
async def cancel(visit: MemberVisit, organisation_id: str, roster_id: str) -> Response:
    """Throw a roster away."""
    desk = await importing_desk(visit, organisation_id)
    path = f"{base_of(desk)}/{segment(roster_id)}:cancel"
    done = await act(visit, desk.gateway, path, body={}, done=visit.t("roster.cancelled"))
    return visit.redirect(f"{desk.path}/rosters" if done else f"{desk.path}/rosters/{segment(roster_id)}")


@router.get("/{roster_id}/conflicts")
async def show_conflicts(visit: MemberVisit, organisation_id: str, roster_id: str, page: str = "") -> HTMLResponse:
    """Show the rows that could not be applied, each with its reason."""
    desk = await importing_desk(visit, organisation_id)
    desk.demand("branches.members.read")
    found = await desk.gateway.get(
        f"/v1/organisations/{segment(organisation_id)}/roster-applications/{segment(roster_id)}/conflicts",
        RosterConflictPage,
        params={"pageSize": PAGE_SIZE, "pageToken": page},
    )
    branches = {one for row in found.conflicts for one in (row.branch_id, row.current_branch_id)}
    return await visit.page(
        "rosters/conflicts.html",
        desk=desk,
        roster_id=roster_id,
        conflicts=found.conflicts,
        next_page=found.next_page_token,
        page_token=page,
        names=await names_of(desk.gateway, (one.member_id for one in found.conflicts)),
        branches=await organisation_names(visit, desk.gateway, branches),
    )


async def importing_desk(visit: Visit, organisation_id: str) -> Desk:
    """Return the desk of somebody who may import.

    Raises:
        ForbiddenError: the member may not.
    """
    desk = await open_desk(visit, organisation_id, "rosters")
    if not desk.may(IMPORT):
        raise ForbiddenError
    return desk


async def roster_of(desk: Desk, roster_id: str) -> Roster:
    """Return a roster with its version."""
    roster, etag = await desk.gateway.get_with_etag(f"{base_of(desk)}/{segment(roster_id)}", Roster, "roster")
    return roster.model_copy(update={"etag": roster.etag or etag})


def base_of(desk: Desk) -> str:
    """Return the path of an organisation's rosters at the gateway."""
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/rosters"

"""What the columns of a roster mean, and the branches that it names and the county does not have."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import Message, Organisation
from zhibu_web.contract_desk import Roster
from zhibu_web.gateway_client import Json, ProblemError, segment
from zhibu_web.pages.desk import BRANCH, COUNTY, TOWNSHIP, Desk, ForbiddenError
from zhibu_web.pages.desk_acts import act, is_refusal, words_of
from zhibu_web.pages.rosters import base_of, importing_desk, roster_of
from zhibu_web.session import Flash
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/rosters/{roster_id}")

CREATE: Final = "branches.organisations.create"
# A wider table than this is not a roster; the rest of its columns is not read.
MAX_COLUMNS: Final = 200
# As many as are made in the time that a person waits for a page.
BRANCHES_PER_PAGE: Final = 50
MAX_HEADING_ROW: Final = 1000
FIELDS: Final = (
    "ROSTER_FIELD_IGNORED",
    "ROSTER_FIELD_REAL_NAME",
    "ROSTER_FIELD_RESIDENT_NUMBER",
    "ROSTER_FIELD_GENDER",
    "ROSTER_FIELD_BIRTH_DATE",
    "ROSTER_FIELD_ETHNICITY",
    "ROSTER_FIELD_EDUCATION",
    "ROSTER_FIELD_TELEPHONE",
    "ROSTER_FIELD_STATUS",
    "ROSTER_FIELD_APPLIED_DATE",
    "ROSTER_FIELD_ADMITTED_DATE",
    "ROSTER_FIELD_CONFIRMED_DATE",
    "ROSTER_FIELD_OCCUPATION",
    "ROSTER_FIELD_WORK_UNIT",
    "ROSTER_FIELD_ADDRESS",
    "ROSTER_FIELD_BRANCH",
    "ROSTER_FIELD_COMMITTEE",
)
_TWICE_ALLOWED: Final = "ROSTER_FIELD_IGNORED"


@router.get("/mapping")
async def show_mapping(visit: MemberVisit, organisation_id: str, roster_id: str) -> HTMLResponse:
    """Show what each column is taken for."""
    desk = await importing_desk(visit, organisation_id)
    return await _mapping_page(visit, desk, await roster_of(desk, roster_id))


async def _mapping_page(visit: Visit, desk: Desk, roster: Roster, status: int = 200) -> HTMLResponse:
    return await visit.page(
        "rosters/mapping.html",
        status=status,
        desk=desk,
        roster=roster,
        columns=[(column_letters(one.index), one) for one in roster.columns[:MAX_COLUMNS]],
        fields=FIELDS,
    )


@router.post("/mapping")
async def change_mapping(visit: MemberVisit, organisation_id: str, roster_id: str) -> Response:
    """Change what columns mean, or which sheet and row is read, and have the file checked again."""
    desk = await importing_desk(visit, organisation_id)
    form = visit.form
    body: Json = {}
    if form.value("part") == "sheet":
        row = form.value("heading_row")
        if not (row.isdecimal() and len(row) <= len(str(MAX_HEADING_ROW)) and 1 <= int(row) <= MAX_HEADING_ROW):
            form.refuse("heading_row", visit.t("roster.heading_row_bad"))
            return await _mapping_page(visit, desk, await roster_of(desk, roster_id), status=422)
        body = {"sheetName": form.value("sheet_name")[:60], "headingRow": int(row)}
    else:
        roster = await roster_of(desk, roster_id)
        chosen: dict[int, str] = {}
        for column in roster.columns[:MAX_COLUMNS]:
            field = form.value(f"field-{column.index}")
            if field in FIELDS:
                chosen[column.index] = field
        _refuse_twice(visit, chosen)
        if not form.ok:
            return await _mapping_page(visit, desk, roster, status=422)
        before = {one.index: one.field for one in roster.columns}
        body = {
            "columns": [
                {"index": index, "field": field} for index, field in chosen.items() if before.get(index) != field
            ]
        }
    path = f"{base_of(desk)}/{segment(roster_id)}:map"
    await act(visit, desk.gateway, path, body=body, done=visit.t("roster.mapped"))
    return visit.redirect(f"{desk.path}/rosters/{segment(roster_id)}")


def _refuse_twice(visit: Visit, chosen: dict[int, str]) -> None:
    seen: dict[str, int] = {}
    for index, field in chosen.items():
        if field != _TWICE_ALLOWED and field in seen:
            words = visit.t(
                "roster.field_twice",
                field=visit.t(f"roster_field.{field}"),
                first=column_letters(seen[field]),
                second=column_letters(index),
            )
            visit.form.refuse(f"field-{index}", words)
        seen.setdefault(field, index)
    for needed in ("ROSTER_FIELD_REAL_NAME", "ROSTER_FIELD_RESIDENT_NUMBER"):
        if needed not in seen:
            visit.form.refuse("", visit.t("roster.field_needed", field=visit.t(f"roster_field.{needed}")))


@router.get("/branches")
async def show_missing(visit: MemberVisit, organisation_id: str, roster_id: str) -> HTMLResponse:
    """Offer to make the branches that the roster names and the county does not have."""
    desk = await _creating_desk(visit, organisation_id)
    return await _missing_page(visit, desk, await roster_of(desk, roster_id))


async def _missing_page(visit: Visit, desk: Desk, roster: Roster, status: int = 200) -> HTMLResponse:
    parents = await _parents(visit, desk)
    by_name = {one.name: one.organisation_id for one in parents}
    rows = [
        (index, one, one.committee_id or by_name.get(one.committee_name, ""))
        for index, one in enumerate(roster.missing_branches[:BRANCHES_PER_PAGE])
    ]
    return await visit.page(
        "rosters/branches.html",
        status=status,
        desk=desk,
        roster=roster,
        rows=rows,
        more=len(roster.missing_branches) - len(rows),
        parents=[(one.organisation_id, one.name) for one in parents],
    )


@router.post("/branches")
async def create_missing(visit: MemberVisit, organisation_id: str, roster_id: str) -> Response:
    """Make the ticked branches below what the clerk chose, and have the file checked again."""
    desk = await _creating_desk(visit, organisation_id)
    form = visit.form
    roster = await roster_of(desk, roster_id)
    allowed = {one.organisation_id for one in await _parents(visit, desk)}
    wanted: list[tuple[int, str, str]] = []
    for index, one in enumerate(roster.missing_branches[:BRANCHES_PER_PAGE]):
        # The name stands beside its number: the list may be another one by now.
        if form.value(f"make-{index}") == one.branch_name:
            parent = form.value(f"parent-{index}")
            if parent not in allowed:
                form.refuse(f"parent-{index}", visit.t("roster.parent_missing", name=one.branch_name))
            wanted.append((index, parent, one.branch_name))
    if not wanted:
        form.refuse("", visit.t("roster.make_none"))
    if not form.ok:
        return await _missing_page(visit, desk, roster, status=422)
    refused = await _create(visit, desk, wanted)
    made = len(wanted) - len(refused)
    if made:
        form.values["etag"] = roster.etag
        form.values["request_id"] = f"{form.value('request_id')[:40]}-again"
        path = f"{base_of(desk)}/{segment(roster_id)}:map"
        await act(visit, desk.gateway, path, body={}, done=visit.t("roster.made", count=made))
        visit.services.directory.tree_changed(*(parent for _, parent, _ in wanted))
    for words in refused:
        await visit.flash(Flash(kind="error", text=words))
    return visit.redirect(f"{desk.path}/rosters/{segment(roster_id)}")


async def _create(visit: Visit, desk: Desk, wanted: list[tuple[int, str, str]]) -> list[str]:
    """Make branches one after the other; return what was refused, in words."""
    refused: list[str] = []
    for index, parent, name in wanted:
        try:
            await desk.gateway.post(
                f"/v1/organisations/{segment(parent)}/children",
                Message,
                body={"level": BRANCH, "name": name, "termYears": int(visit.form.value("term_years") == "5") * 2 + 3},
                request_id=f"{visit.form.value('request_id')[:40]}-{index}",
            )
        except ProblemError as problem:
            if not is_refusal(problem):
                raise
            refused.append(f"{name}: {words_of(problem, visit.t('error.refused_title'))}")
    return refused[:3]


async def _parents(visit: Visit, desk: Desk) -> list[Organisation]:
    """Return what a branch can be made under: the county's townships and committees, or the township itself."""
    if desk.organisation.level != COUNTY:
        return [desk.organisation]
    children = await visit.services.directory.children(desk.gateway, desk.organisation.organisation_id)
    return [*(one for one in children if one.level == TOWNSHIP), desk.organisation]


async def _creating_desk(visit: Visit, organisation_id: str) -> Desk:
    desk = await importing_desk(visit, organisation_id)
    if not desk.may(CREATE) or desk.is_branch:
        raise ForbiddenError
    return desk


def column_letters(index: int) -> str:
    """Return the name of a column as spreadsheets show it, from 0: A, B, … Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters

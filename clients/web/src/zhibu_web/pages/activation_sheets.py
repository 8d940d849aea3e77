"""Sheets of activation codes to print and cut: which branches need one, and the file itself."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract_desk import ActivationSheetPage
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.pages.desk import ForbiddenError, open_desk
from zhibu_web.pages.desk_acts import is_refusal, pass_on, words_of
from zhibu_web.session import Flash
from zhibu_web.visit import MemberVisit

router = APIRouter(prefix="/desk/{organisation_id}/activation-sheets")

ACTIVATE: Final = "identity.eids.activate"
SECTION: Final = "activation-sheets"
PAGE_SIZE: Final = 50


@router.get("")
async def show_sheets(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Show the branches in which somebody's e-ID is not yet in use."""
    desk = await open_desk(visit, organisation_id, SECTION)
    found = await desk.gateway.get(
        f"/v1/organisations/{segment(organisation_id)}/activation-sheets",
        ActivationSheetPage,
        params={"pageSize": PAGE_SIZE, "pageToken": page},
    )
    return await visit.page(
        "activation_sheets/list.html",
        desk=desk,
        sheets=found.activation_sheets,
        next_page=found.next_page_token,
        page_token=page,
    )


@router.post("/{printed_id}")
async def print_sheet(visit: MemberVisit, organisation_id: str, printed_id: str) -> Response:
    """Make new codes for a branch, or for all of the organisation, and pass them on; codes made before end."""
    desk = await open_desk(visit, printed_id, "")
    if not desk.may(ACTIVATE):
        raise ForbiddenError
    try:
        return await pass_on(
            visit,
            desk.gateway,
            f"/v1/organisations/{segment(printed_id)}/activation-sheets:print",
            body={},
            file_name=visit.t("sheet.file_name", name=desk.organisation.name),
        )
    except ProblemError as problem:
        if not is_refusal(problem):
            raise
        await visit.flash(Flash(kind="error", text=words_of(problem, visit.t("error.refused_title"))))
        return visit.redirect(f"/desk/{segment(organisation_id)}/activation-sheets")

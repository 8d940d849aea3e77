"""The queue of corrections that members asked for."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract_desk import CorrectionPage
from zhibu_web.gateway_client import segment
from zhibu_web.pages.desk import open_desk
from zhibu_web.pages.desk_acts import act
from zhibu_web.pages.desk_lists import list_of, show_list
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/corrections")

PAGE_SIZE: Final = 20
# The branch records the decision; accepting says that it has.
BY_DECISION: Final = ("PERSON_FIELD_PARTY_STATUS", "PERSON_FIELD_OCCUPATION", "PERSON_FIELD_BRANCH")


@router.get("")
async def show_corrections(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Show the open corrections, oldest first."""
    return await _page(visit, organisation_id, page)


async def _page(visit: Visit, organisation_id: str, page: str, status: int = 200) -> HTMLResponse:
    desk = await open_desk(visit, organisation_id, "corrections")
    listed = await list_of(desk, CorrectionPage, "corrections", page=page, page_size=PAGE_SIZE)
    return await show_list(
        visit,
        "desk_people/corrections.html",
        listed,
        status=status,
        corrections=listed.found.corrections,
        by_decision=BY_DECISION,
    )


@router.post("/{correction_id}")
async def decide(visit: MemberVisit, organisation_id: str, correction_id: str) -> Response:
    """Accept a correction, or refuse it with a reason that the member reads."""
    desk = await open_desk(visit, organisation_id, "corrections")
    accept = visit.form.value("answer") == "accept"
    note = visit.form.value("reply_note")[:500]
    if not accept and not note:
        visit.form.refuse(f"note-{correction_id}", visit.t("corrections_desk.note_missing"))
        return await _page(visit, organisation_id, "", status=422)
    path = f"/v1/organisations/{segment(organisation_id)}/corrections/{segment(correction_id)}:decide"
    done = visit.t("corrections_desk.accepted" if accept else "corrections_desk.refused")
    await act(visit, desk.gateway, path, body={"accept": accept, "replyNote": note}, done=done)
    return visit.redirect(f"{desk.path}/corrections")

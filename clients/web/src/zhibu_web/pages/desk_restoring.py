"""A record that ended is opened again by a decision: membership restored, an end recorded by mistake, a return."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response
from zhibu_kit.clock import today_in_shanghai

from zhibu_web.gateway_client import segment
from zhibu_web.pages.desk import BRANCH, Desk, open_desk
from zhibu_web.pages.desk_acts import submit
from zhibu_web.pages.desk_decisions import check_day
from zhibu_web.pages.desk_people import PRESENT, documents_of, file_of, person_of
from zhibu_web.pages.desk_picker import find_organisations
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}")

RESTORE: Final = "branches.members.restore"
# Which reasons fit which end; the service decides again.
REASONS: Final = {
    "STANDING_DIED": ("RESTORE_REASON_ENTERED_WRONGLY",),
    "STANDING_LEFT": ("RESTORE_REASON_REINSTATED", "RESTORE_REASON_ENTERED_WRONGLY"),
    "STANDING_EXPELLED": ("RESTORE_REASON_REINSTATED", "RESTORE_REASON_ENTERED_WRONGLY"),
    "STANDING_MOVED_OUT": ("RESTORE_REASON_RETURNED", "RESTORE_REASON_ENTERED_WRONGLY"),
    "STANDING_WITHDRAWN": ("RESTORE_REASON_RETURNED", "RESTORE_REASON_ENTERED_WRONGLY"),
}
_FIELDS: Final = {
    "reason": "reason",
    "decisionDate": "decision_date",
    "documentNumber": "document_number",
    "documentId": "document_id",
}


@router.get("/people/{member_id}/restore")
async def show_restore(visit: MemberVisit, organisation_id: str, member_id: str) -> Response:
    """Ask why, by which document and into which branch."""
    desk = await open_desk(visit, organisation_id, "people")
    desk.demand(RESTORE)
    return await _restore_page(visit, desk, member_id)


async def _restore_page(visit: Visit, desk: Desk, member_id: str, status: int = 200) -> Response:
    file = await file_of(desk, member_id)
    if file is None or file.record.standing == PRESENT:
        return visit.redirect(f"{desk.path}/people/{segment(member_id)}")
    return await visit.page(
        "desk_people/restore.html",
        status=status,
        desk=desk,
        person=await person_of(desk, member_id),
        record=file.record,
        reasons=REASONS.get(file.record.standing, ()),
        documents=[(one.document_id, one.file_name) for one in await documents_of(desk, member_id)],
        found=await find_organisations(visit, desk, "branch", levels=(BRANCH,)),
        today=today_in_shanghai(visit.services.clock).isoformat(),
    )


@router.post("/people/{member_id}/restore")
async def restore(visit: MemberVisit, organisation_id: str, member_id: str) -> Response:
    """Open the record again in the chosen branch."""
    desk = await open_desk(visit, organisation_id, "people")
    desk.demand(RESTORE)
    form = visit.form
    if form.value("find") == "yes":
        return await _restore_page(visit, desk, member_id)
    branch = form.value("branch")
    if not branch:
        form.refuse("branch", visit.t("people.branch_missing"))
    if not any(form.value("reason") in reasons for reasons in REASONS.values()):
        form.refuse("reason", visit.t("desk.choose_one"))
    check_day(visit, "decision_date", past=True)
    if not form.value("document_number"):
        form.refuse("document_number", visit.t("desk.document_number_missing"))
    if form.value("confirm") != "yes":
        form.refuse("confirm", visit.t("restore.confirm_missing"))
    body: dict[str, object] = {api: form.value(own)[:60] for api, own in _FIELDS.items()}
    path = f"/v1/organisations/{segment(branch)}/members/{segment(member_id)}:restore"
    if await submit(visit, desk.gateway, path, body=body, fields=_FIELDS, done=visit.t("restore.done")):
        return visit.redirect(f"{desk.path}/people/{segment(member_id)}")
    return await _restore_page(visit, desk, member_id, status=422)

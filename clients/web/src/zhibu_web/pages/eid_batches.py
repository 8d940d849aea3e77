"""e-IDs for everybody of an organisation who has none, and sheets of activation codes to print and cut."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import Organisation
from zhibu_web.contract_desk import EidBatch, EidBatchPage
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.names import names_of
from zhibu_web.pages.desk import BRANCH, Desk, ForbiddenError, open_desk
from zhibu_web.pages.desk_acts import is_refusal, pass_on, words_of
from zhibu_web.pages.desk_picker import find_organisations
from zhibu_web.session import Flash
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/eid-batches")

ACTIVATE: Final = "identity.eids.activate"
PAGE_SIZE: Final = 20


@router.get("")
async def show_batches(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Show the batches of an organisation, and where to start another or print codes."""
    desk = await open_desk(visit, organisation_id, "eid-batches")
    return await _list_page(visit, desk, page)


async def _list_page(visit: Visit, desk: Desk, page: str, status: int = 200) -> HTMLResponse:
    found = await desk.gateway.get(_base(desk), EidBatchPage, params={"pageSize": PAGE_SIZE, "pageToken": page})
    return await visit.page(
        "eid_batches/list.html",
        status=status,
        desk=desk,
        batches=found.eid_batches,
        next_page=found.next_page_token,
        page_token=page,
        may_print=desk.may(ACTIVATE),
        branches=await _branches(visit, desk),
    )


async def _branches(visit: Visit, desk: Desk) -> tuple[Organisation, ...]:
    if desk.is_branch:
        return (desk.organisation,)
    return await find_organisations(visit, desk, "branch", levels=(BRANCH,))


@router.post("")
async def start(visit: MemberVisit, organisation_id: str) -> Response:
    """Begin to issue e-IDs to everybody who has none."""
    desk = await open_desk(visit, organisation_id, "eid-batches")
    if visit.form.value("confirm") != "yes":
        visit.form.refuse("confirm", visit.t("eid_batch.confirm_missing"))
        return await _list_page(visit, desk, "", status=422)
    try:
        batch = await desk.gateway.post(
            _base(desk), EidBatch, body={}, request_id=visit.form.value("request_id"), part="eidBatch"
        )
    except ProblemError as problem:
        if not is_refusal(problem):
            raise
        visit.form.refuse("", words_of(problem, visit.t("error.refused_title")))
        return await _list_page(visit, desk, "", status=422)
    return visit.redirect(f"{desk.path}/eid-batches/{batch.eid_batch_id}")


@router.post("/branch")
async def find_branch(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Find the branch whose codes shall be printed."""
    desk = await open_desk(visit, organisation_id, "eid-batches")
    return await _list_page(visit, desk, "")


@router.post("/sheet/{branch_id}")
async def print_sheet(visit: MemberVisit, organisation_id: str, branch_id: str) -> Response:
    """Make new activation codes for a branch and pass them on as a sheet; codes printed before end."""
    desk = await open_desk(visit, branch_id, "")
    if not desk.may(ACTIVATE) or not desk.is_branch:
        raise ForbiddenError
    back = f"/desk/{segment(organisation_id)}/eid-batches"
    try:
        return await pass_on(
            visit,
            desk.gateway,
            f"/v1/organisations/{segment(branch_id)}/activation-sheets",
            body={},
            file_name=f"activation-codes-{branch_id}.pdf",
        )
    except ProblemError as problem:
        if not is_refusal(problem):
            raise
        await visit.flash(Flash(kind="error", text=words_of(problem, visit.t("error.refused_title"))))
        return visit.redirect(back)


@router.get("/{eid_batch_id}")
async def show_batch(visit: MemberVisit, organisation_id: str, eid_batch_id: str) -> HTMLResponse:
    """Show how far a batch is; with htmx only the part that changes is asked for again."""
    desk = await open_desk(visit, organisation_id, "eid-batches")
    batch = await desk.gateway.get(f"{_base(desk)}/{segment(eid_batch_id)}", EidBatch, part="eidBatch")
    template = "eid_batches/progress.html" if visit.is_fragment else "eid_batches/batch.html"
    names = await names_of(desk.gateway, (one.member_id for one in batch.failures))
    return await visit.page(template, desk=desk, batch=batch, names=names)


def _base(desk: Desk) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/eid-batches"

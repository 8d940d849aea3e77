"""e-IDs for everybody of an organisation who has none: how many they are, the start, how far it is, who got none."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract_desk import EidBatch, EidBatchFailurePage, EidBatchPage, EidBatchPreview
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.names import names_of
from zhibu_web.pages.activation_sheets import ACTIVATE
from zhibu_web.pages.desk import Desk, open_desk
from zhibu_web.pages.desk_acts import is_refusal, words_of
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/eid-batches")

PAGE_SIZE: Final = 20
FAILURES_PER_PAGE: Final = 50


@router.get("")
async def show_batches(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Say how many would get an e-ID, and show the batches that there were."""
    desk = await open_desk(visit, organisation_id, "eid-batches")
    return await _list_page(visit, desk, page)


async def _list_page(visit: Visit, desk: Desk, page: str, status: int = 200) -> HTMLResponse:
    preview = await desk.gateway.get(f"{_base(desk)}:preview", EidBatchPreview, part="preview")
    found = await desk.gateway.get(_base(desk), EidBatchPage, params={"pageSize": PAGE_SIZE, "pageToken": page})
    return await visit.page(
        "eid_batches/list.html",
        status=status,
        desk=desk,
        preview=preview,
        batches=found.eid_batches,
        next_page=found.next_page_token,
        page_token=page,
        may_print=desk.may(ACTIVATE),
    )


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


@router.get("/{eid_batch_id}")
async def show_batch(visit: MemberVisit, organisation_id: str, eid_batch_id: str, page: str = "") -> HTMLResponse:
    """Show how far a batch is; with htmx only the part that changes is asked for again."""
    desk = await open_desk(visit, organisation_id, "eid-batches")
    path = f"{_base(desk)}/{segment(eid_batch_id)}"
    batch = await desk.gateway.get(path, EidBatch, part="eidBatch")
    failed = EidBatchFailurePage()
    if batch.failed_count:
        failed = await desk.gateway.get(
            f"{path}/failures", EidBatchFailurePage, params={"pageSize": FAILURES_PER_PAGE, "pageToken": page}
        )
    return await visit.page(
        "eid_batches/progress.html" if visit.is_fragment else "eid_batches/batch.html",
        desk=desk,
        batch=batch,
        failures=failed.failures,
        next_page=failed.next_page_token,
        page_token=page,
        names=await names_of(desk.gateway, (one.member_id for one in failed.failures)),
        may_print=desk.may(ACTIVATE),
    )


def _base(desk: Desk) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/eid-batches"

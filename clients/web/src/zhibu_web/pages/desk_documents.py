"""Originals that belong to a person's record: kept sealed, handed out to those entitled."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from zhibu_web.contract_desk import Document
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.pages.desk import open_desk
from zhibu_web.pages.desk_acts import is_refusal, pass_on, words_of
from zhibu_web.pages.desk_people import READ_DOCUMENTS, base_of, person_page
from zhibu_web.session import Flash
from zhibu_web.uploads import UploadVisit
from zhibu_web.visit import MemberVisit

router = APIRouter(prefix="/desk/{organisation_id}/people/{member_id}/documents")

WRITE: Final = "identity.documents.write"


@router.post("")
async def upload(upload: UploadVisit, organisation_id: str, member_id: str) -> Response:
    """Pass a document on as it arrives."""
    visit, file = upload.visit, upload.file
    desk = await open_desk(visit, organisation_id, "people")
    desk.demand(WRITE)
    if not file.file_name:
        visit.form.refuse("file", visit.t("roster.file_missing"))
        return await person_page(visit, desk, member_id, status=422)
    try:
        await desk.gateway.upload(
            f"{base_of(desk)}/{segment(member_id)}/documents",
            Document,
            file_name=file.file_name,
            content=file.chunks(),
            content_type=file.content_type,
            request_id=visit.form.value("request_id"),
            part="document",
        )
    except ProblemError as problem:
        if not is_refusal(problem):
            raise
        visit.form.refuse("file", words_of(problem, visit.t("error.refused_title")))
        return await person_page(visit, desk, member_id, status=422)
    await visit.flash(Flash(kind="success", text=visit.t("people.document_kept")))
    return visit.redirect(f"{desk.path}/people/{segment(member_id)}")


@router.get("/{document_id}")
async def download(visit: MemberVisit, organisation_id: str, member_id: str, document_id: str) -> Response:
    """Pass a document on; the service records who took it."""
    desk = await open_desk(visit, organisation_id, "people")
    desk.demand(READ_DOCUMENTS)
    path = f"{base_of(desk)}/{segment(member_id)}/documents/{segment(document_id)}:download"
    return await pass_on(visit, desk.gateway, path, file_name=document_id)

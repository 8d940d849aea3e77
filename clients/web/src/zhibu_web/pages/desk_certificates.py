"""Officers' certificates: issued from the request that a key stick made, listed, revoked."""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import GrantPage
from zhibu_web.contract_desk import Certificate, CertificateIssued, CertificatePage
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.names import names_of
from zhibu_web.pages.desk import Desk, open_desk
from zhibu_web.pages.desk_acts import is_refusal, submit, words_of
from zhibu_web.pages.desk_lists import list_of, show_list
from zhibu_web.session import Flash
from zhibu_web.uploads import UploadVisit
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/certificates")

# The limit of a request in the contract.
MAX_REQUEST: Final = 8192
REASONS: Final = (
    "CERTIFICATE_REVOCATION_REASON_KEY_LOST",
    "CERTIFICATE_REVOCATION_REASON_KEY_COMPROMISED",
    "CERTIFICATE_REVOCATION_REASON_OFFICE_ENDED",
    "CERTIFICATE_REVOCATION_REASON_SUPERSEDED",
)
# What key sticks write: with or without the word NEW, and something in between.
_REQUEST: Final = re.compile(
    r"-----BEGIN (NEW )?CERTIFICATE REQUEST-----[A-Za-z0-9+/=\s]{64,}-----END (NEW )?CERTIFICATE REQUEST-----"
)
_FIELDS: Final = {"memberId": "member_id", "signingRequest": "signing_request"}


@router.get("")
async def show_certificates(visit: MemberVisit, organisation_id: str, page: str = "") -> HTMLResponse:
    """Show the certificates of an organisation's officers, newest first."""
    desk = await open_desk(visit, organisation_id, "certificates")
    listed = await list_of(desk, CertificatePage, "certificates", page=page)
    certificates = listed.found.certificates
    return await show_list(
        visit,
        "certificates/list.html",
        listed,
        members=(one.member_id for one in certificates),
        certificates=certificates,
        now=visit.services.clock.now(),
    )


@router.get("/new")
async def show_new(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Ask for officer and request."""
    desk = await open_desk(visit, organisation_id, "certificates")
    return await _new_page(visit, desk)


async def _new_page(visit: Visit, desk: Desk, status: int = 200) -> HTMLResponse:
    path = f"/v1/organisations/{segment(desk.organisation.organisation_id)}/grants"
    grants = await desk.gateway.get(path, GrantPage, params={"pageSize": 200})
    officers = {one.member_id: one.real_name for one in grants.grants if not one.ended}
    return await visit.page("certificates/new.html", status=status, desk=desk, officers=list(officers.items()))


@router.post("/new")
async def issue(upload: UploadVisit, organisation_id: str) -> Response:
    """Have the request signed, and show the certificate."""
    visit = upload.visit
    desk = await open_desk(visit, organisation_id, "certificates")
    form = visit.form
    request = form.value("signing_request")
    if upload.file.file_name:
        content = bytearray()
        async for chunk in upload.file.chunks():
            content += chunk[: MAX_REQUEST + 1]
        request = content[: MAX_REQUEST + 1].decode("ascii", "replace").strip()
    if not form.value("member_id"):
        form.refuse("member_id", visit.t("certificate.officer_missing"))
    if not _REQUEST.search(request) or len(request) > MAX_REQUEST:
        form.refuse("signing_request", visit.t("certificate.request_bad"))
    if form.ok:
        try:
            issued = await desk.gateway.post(
                _base(desk),
                CertificateIssued,
                body={"memberId": form.value("member_id"), "signingRequest": request},
                request_id=form.value("request_id"),
            )
        except ProblemError as problem:
            if not is_refusal(problem):
                raise
            form.refuse_problem(problem, _FIELDS, words_of(problem, visit.t("error.refused_title")))
        else:
            return await visit.page("certificates/issued.html", desk=desk, issued=issued)
    return await _new_page(visit, desk, status=422)


@router.get("/{certificate_id}/revoke")
async def show_revoke(visit: MemberVisit, organisation_id: str, certificate_id: str) -> Response:
    """Ask why a certificate shall be revoked."""
    desk = await open_desk(visit, organisation_id, "certificates")
    return await _revoke_page(visit, desk, certificate_id)


async def _revoke_page(visit: Visit, desk: Desk, certificate_id: str, status: int = 200) -> Response:
    found = await _find(desk, certificate_id)
    if found is None or found.revoked:
        await visit.flash(Flash(kind="notice", text=visit.t("certificate.revoked_already")))
        return visit.redirect(f"{desk.path}/certificates")
    names = await names_of(desk.gateway, [found.member_id])
    return await visit.page(
        "certificates/revoke.html",
        status=status,
        desk=desk,
        certificate=found,
        name=names.get(found.member_id, ""),
        reasons=REASONS,
    )


@router.post("/{certificate_id}/revoke")
async def revoke(visit: MemberVisit, organisation_id: str, certificate_id: str) -> Response:
    """Revoke for good."""
    desk = await open_desk(visit, organisation_id, "certificates")
    if visit.form.value("reason") not in REASONS:
        visit.form.refuse("reason", visit.t("desk.choose_one"))
    path = f"{_base(desk)}/{segment(certificate_id)}:revoke"
    body: dict[str, object] = {"reason": visit.form.value("reason")}
    done = visit.t("certificate.revoked_done")
    if await submit(visit, desk.gateway, path, body=body, fields={"reason": "reason"}, done=done):
        return visit.redirect(f"{desk.path}/certificates")
    return await _revoke_page(visit, desk, certificate_id, status=422)


async def _find(desk: Desk, certificate_id: str) -> Certificate | None:
    """Return one certificate; there are few, and no call for a single one."""
    token = ""
    for _ in range(10):
        page = await desk.gateway.get(_base(desk), CertificatePage, params={"pageSize": 200, "pageToken": token})
        for one in page.certificates:
            if one.certificate_id == certificate_id:
                return one
        token = page.next_page_token
        if not token:
            break
    return None


def _base(desk: Desk) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/certificates"

"""Officers' certificates: asked for by the request that a key stick made, confirmed by the officer, withdrawn, revoked."""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import GrantPage
from zhibu_web.contract_certificates import ISSUED, CertificatePage, CertificateShown
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.names import names_of
from zhibu_web.pages.desk import Desk, open_desk
from zhibu_web.pages.desk_acts import act, is_refusal, organisation_names, submit, words_of
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
async def ask(upload: UploadVisit, organisation_id: str) -> Response:
    """Ask the officer to confirm the key stick's request."""
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
            asked = await desk.gateway.post(
                _base(desk),
                CertificateShown,
                body={"memberId": form.value("member_id"), "signingRequest": request},
                request_id=form.value("request_id"),
            )
        except ProblemError as problem:
            if not is_refusal(problem):
                raise
            form.refuse_problem(problem, _FIELDS, words_of(problem, visit.t("error.refused_title")))
        else:
            await visit.flash(Flash(kind="success", text=visit.t("certificate.asked")))
            return visit.redirect(f"{desk.path}/certificates/{asked.certificate.certificate_id}")
    return await _new_page(visit, desk, status=422)


@router.get("/{certificate_id}")
async def show_certificate(visit: MemberVisit, organisation_id: str, certificate_id: str) -> HTMLResponse:
    """Show where one certificate stands, and the certificate once it is signed."""
    desk = await open_desk(visit, organisation_id, "certificates")
    shown = await _get(desk, certificate_id)
    certificate = shown.certificate
    return await visit.page(
        "certificates/certificate.html",
        desk=desk,
        certificate=certificate,
        pem=shown.certificate_pem,
        names=await names_of(desk.gateway, [certificate.member_id, certificate.requested_by_member_id]),
        organisations=await organisation_names(visit, desk.gateway, [certificate.organisation_id]),
        now=visit.services.clock.now(),
    )


@router.get("/{certificate_id}/certificate.pem")
async def download(visit: MemberVisit, organisation_id: str, certificate_id: str) -> Response:
    """Give the certificate as the file that the key stick's program reads."""
    desk = await open_desk(visit, organisation_id, "certificates")
    return pem_file(visit, await _get(desk, certificate_id), otherwise=f"{desk.path}/certificates/{certificate_id}")


@router.post("/{certificate_id}/withdraw")
async def withdraw(visit: MemberVisit, organisation_id: str, certificate_id: str) -> Response:
    """Take back what waits for its holder."""
    desk = await open_desk(visit, organisation_id, "certificates")
    path = f"{_base(desk)}/{segment(certificate_id)}:withdraw"
    await act(visit, desk.gateway, path, body={}, done=visit.t("certificate.withdrawn_done"))
    return visit.redirect(f"{desk.path}/certificates")


@router.get("/{certificate_id}/revoke")
async def show_revoke(visit: MemberVisit, organisation_id: str, certificate_id: str) -> Response:
    """Ask why a certificate shall be revoked."""
    desk = await open_desk(visit, organisation_id, "certificates")
    return await _revoke_page(visit, desk, certificate_id)


async def _revoke_page(visit: Visit, desk: Desk, certificate_id: str, status: int = 200) -> Response:
    found = (await _get(desk, certificate_id)).certificate
    if found.state != ISSUED:
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


def pem_file(visit: Visit, shown: CertificateShown, *, otherwise: str) -> Response:
    """Return a signed certificate as a file; what is not signed leads back to its page."""
    if not shown.certificate_pem:
        return visit.redirect(otherwise)
    headers = {"Content-Disposition": f'attachment; filename="{shown.certificate.serial_number}.pem"'}
    return visit.with_cookies(Response(shown.certificate_pem, media_type="application/x-pem-file", headers=headers))


async def _get(desk: Desk, certificate_id: str) -> CertificateShown:
    return await desk.gateway.get(f"{_base(desk)}/{segment(certificate_id)}", CertificateShown)


def _base(desk: Desk) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}/certificates"

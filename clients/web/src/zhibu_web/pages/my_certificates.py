"""Certificates of the officer's own key stick: confirmed or refused here, by nobody else."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract_certificates import ISSUED, CertificateShown, MyCertificates
from zhibu_web.gateway_client import segment
from zhibu_web.names import names_of
from zhibu_web.pages.auth import go_to_keycloak
from zhibu_web.pages.desk_acts import organisation_names
from zhibu_web.pages.desk_certificates import pem_file
from zhibu_web.pages.member_acts import act, is_fresh
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/me/certificates")

# That the office ended is not the holder's to say.
REASONS: Final = (
    "CERTIFICATE_REVOCATION_REASON_KEY_LOST",
    "CERTIFICATE_REVOCATION_REASON_KEY_COMPROMISED",
    "CERTIFICATE_REVOCATION_REASON_SUPERSEDED",
)


@router.get("")
async def show_certificates(visit: MemberVisit) -> HTMLResponse:
    """Show everything that was asked for the member, newest first."""
    gateway = await visit.gateway()
    mine = (await gateway.get("/v1/me/certificates", MyCertificates)).certificates
    return await visit.page(
        "account/certificates.html",
        certificates=mine,
        organisations=await organisation_names(visit, gateway, (one.organisation_id for one in mine)),
        now=visit.services.clock.now(),
    )


@router.get("/{certificate_id}")
async def show_certificate(visit: MemberVisit, certificate_id: str) -> HTMLResponse:
    """Show who asked for it and for which key, and what the member can do about it."""
    return await _page(visit, certificate_id)


@router.get("/{certificate_id}/certificate.pem")
async def download(visit: MemberVisit, certificate_id: str) -> Response:
    """Give the certificate as the file that the key stick's program reads."""
    return pem_file(visit, await _get(visit, certificate_id), otherwise=_address(certificate_id))


@router.post("/{certificate_id}/log-in")
async def log_in_again(visit: MemberVisit, certificate_id: str) -> Response:
    """Have Keycloak ask once more who this is."""
    return await go_to_keycloak(visit, return_to=_address(certificate_id), fresh=True)


@router.post("/{certificate_id}/confirm")
async def confirm(visit: MemberVisit, certificate_id: str) -> Response:
    """Have it signed, when the member says to hold the key stick."""
    if visit.form.value("holds") != "yes":
        visit.form.refuse("holds", visit.t("my_certificate.holds_missing"))
        return await _page(visit, certificate_id, status=422)
    return await act(
        visit,
        f"/v1/me/certificates/{segment(certificate_id)}:confirm",
        body={},
        done=visit.t("my_certificate.confirmed"),
        back=_address(certificate_id),
        etag=visit.form.value("etag"),
    )


@router.post("/{certificate_id}/refuse")
async def refuse(visit: MemberVisit, certificate_id: str) -> Response:
    """End it without a signature."""
    return await act(
        visit,
        f"/v1/me/certificates/{segment(certificate_id)}:refuse",
        body={},
        done=visit.t("my_certificate.refused"),
        detail=visit.t("my_certificate.refused_detail"),
        back="/me/certificates",
        etag=visit.form.value("etag"),
    )


@router.post("/{certificate_id}/revoke")
async def revoke(visit: MemberVisit, certificate_id: str) -> Response:
    """Revoke it for good, for the reason that the holder gives."""
    reason = visit.form.value("reason")
    if reason not in REASONS:
        visit.form.refuse("reason", visit.t("desk.choose_one"))
        return await _page(visit, certificate_id, status=422)
    return await act(
        visit,
        f"/v1/me/certificates/{segment(certificate_id)}:revoke",
        body={"reason": reason},
        done=visit.t("my_certificate.revoked"),
        detail=visit.t("my_certificate.revoked_detail"),
        # Pages of the member's own ask for a log-in from now on.
        back="/",
        etag=visit.form.value("etag"),
    )


async def _page(visit: Visit, certificate_id: str, status: int = 200) -> HTMLResponse:
    shown = await _get(visit, certificate_id)
    certificate = shown.certificate
    gateway = await visit.gateway()
    names = await names_of(gateway, [certificate.requested_by_member_id])
    return await visit.page(
        "account/certificate.html",
        status=status,
        certificate=certificate,
        pem=shown.certificate_pem if not certificate.revoked else "",
        asked_by=names.get(certificate.requested_by_member_id, ""),
        organisation=await visit.services.directory.name(gateway, certificate.organisation_id),
        fresh=is_fresh(visit),
        reasons=REASONS if certificate.state == ISSUED else (),
        now=visit.services.clock.now(),
    )


async def _get(visit: Visit, certificate_id: str) -> CertificateShown:
    gateway = await visit.gateway()
    return await gateway.get(f"/v1/me/certificates/{segment(certificate_id)}", CertificateShown)


def _address(certificate_id: str) -> str:
    return f"/me/certificates/{segment(certificate_id)}"

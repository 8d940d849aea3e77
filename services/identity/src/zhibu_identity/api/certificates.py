"""CertificateService: officers' certificates are issued and revoked; the list of revoked ones is public."""

from __future__ import annotations

from google.api import httpbody_pb2
from zhibu.identity.v1 import certificate_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.etag import check_etag, etag_of
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_identity.api.clerks import county_of, member_of
from zhibu_identity.api.messages import optional_timestamp
from zhibu_identity.certificates import Certificate, RevocationReason, get_certificate, list_certificates
from zhibu_identity.certifying import Wish, issue, revoke
from zhibu_identity.events import timestamp
from zhibu_identity.parts import Parts
from zhibu_identity.revocation_lists import current_list, get_authority


class CertificateApi:
    """The RPCs of CertificateService."""

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts

    async def IssueCertificate(self, request: pb.IssueCertificateRequest, call: Call) -> pb.IssueCertificateResponse:
        """Sign a key stick's request."""
        parts = self._parts
        async with parts.database.write(call, request, pb.IssueCertificateResponse) as write:
            if write.replayed is not None:
                return write.replayed
            wish = Wish(
                organisation_id=request.organisation_id,
                member_id=request.member_id,
                signing_request=request.signing_request,
            )
            issued = await issue(write, parts, wish, county_code=county_of(call), issuer_member_id=member_of(call))
            return write.reply(
                pb.IssueCertificateResponse(
                    certificate=certificate_message(issued.certificate),
                    certificate_pem=issued.pem,
                    etag=etag_of(issued.certificate.version),
                ),
                subjects=[request.member_id],
            )

    async def ListCertificates(self, request: pb.ListCertificatesRequest, call: Call) -> pb.ListCertificatesResponse:
        """Page through the certificates issued at an organisation."""
        page = page_of(request.page_size, request.page_token, query=request.organisation_id)
        async with self._parts.database.read(call, request) as read:
            found = await list_certificates(read, request.organisation_id, page=page)
            shown = found[: page.size]
            more = len(found) > page.size
            token = encode_page_token([shown[-1].certificate_id], query=request.organisation_id) if more else ""
            return read.reply(
                pb.ListCertificatesResponse(
                    certificates=[certificate_message(record) for record in shown], next_page_token=token
                ),
                subjects=[record.member_id for record in shown],
            )

    async def RevokeCertificate(self, request: pb.RevokeCertificateRequest, call: Call) -> pb.RevokeCertificateResponse:
        """Revoke for good."""
        parts = self._parts
        async with parts.database.write(call, request, pb.RevokeCertificateResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await get_certificate(write, request.certificate_id, organisation_id=request.organisation_id)
            if record.revoked_at is None:
                check_etag(request.etag, record.version)
            revoked = await revoke(write, parts, record, reason=RevocationReason(request.reason))
            return write.reply(
                pb.RevokeCertificateResponse(certificate=certificate_message(revoked), etag=etag_of(revoked.version)),
                subjects=[record.member_id],
            )

    async def GetRevocationList(self, request: pb.GetRevocationListRequest, call: Call) -> httpbody_pb2.HttpBody:
        """Give the list of revoked certificates, as Keycloak fetches it."""
        return httpbody_pb2.HttpBody(content_type="application/pkix-crl", data=await current_list(self._parts))

    async def GetCertificateAuthority(
        self, request: pb.GetCertificateAuthorityRequest, call: Call
    ) -> httpbody_pb2.HttpBody:
        """Give the certificate of the authority."""
        authority = await get_authority(self._parts.vault)
        return httpbody_pb2.HttpBody(content_type="application/x-pem-file", data=authority.pem)


def certificate_message(record: Certificate) -> pb.Certificate:
    """Return a certificate as officers see it."""
    return pb.Certificate(
        certificate_id=record.certificate_id,
        member_id=record.member_id,
        serial_number=record.serial_number,
        start_time=timestamp(record.starts_at),
        end_time=timestamp(record.ends_at),
        revoked=record.revoked_at is not None,
        revoke_time=optional_timestamp(record.revoked_at),
        reason=pb.CertificateRevocationReason.ValueType(record.revocation_reason),
        fingerprint=record.fingerprint,
        etag=etag_of(record.version),
    )

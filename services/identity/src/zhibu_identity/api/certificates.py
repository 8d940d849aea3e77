"""CertificateService at the desk: certificates are asked for, withdrawn, revoked; the list of revoked ones is public."""

from __future__ import annotations

from google.api import httpbody_pb2
from zhibu.identity.v1 import certificate_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_identity.api.certificate_messages import certificate_message
from zhibu_identity.api.clerks import county_of, member_of
from zhibu_identity.certificates.certifying import Wish, ask, end, pem_with_issuer
from zhibu_identity.certificates.records import RevocationReason
from zhibu_identity.certificates.requests import Asked, get_asked, list_asked
from zhibu_identity.certificates.revocation_lists import current_list, get_authority
from zhibu_identity.certificates.revoking import revoke_asked
from zhibu_identity.parts import Parts
from zhibu_identity.rules.certificate import RequestState


class CertificateApi:
    """The RPCs of CertificateService that officers call, and the public ones."""

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts

    async def IssueCertificate(self, request: pb.IssueCertificateRequest, call: Call) -> pb.IssueCertificateResponse:
        """Ask the officer to confirm a key stick's request."""
        parts = self._parts
        async with parts.database.write(call, request, pb.IssueCertificateResponse) as write:
            if write.replayed is not None:
                return write.replayed
            wish = Wish(
                organisation_id=request.organisation_id,
                member_id=request.member_id,
                signing_request=request.signing_request,
            )
            made = await ask(write, parts, wish, county_code=county_of(call), officer_member_id=member_of(call))
            message = self._message(Asked(request=made, certificate=None))
            return write.reply(
                pb.IssueCertificateResponse(certificate=message, etag=message.etag), subjects=[request.member_id]
            )

    async def ListCertificates(self, request: pb.ListCertificatesRequest, call: Call) -> pb.ListCertificatesResponse:
        """Page through what an organisation asked for."""
        page = page_of(request.page_size, request.page_token, query=request.organisation_id)
        async with self._parts.database.read(call, request) as read:
            found = await list_asked(read, request.organisation_id, page=page)
            shown = found[: page.size]
            more = len(found) > page.size
            last = [shown[-1].request.certificate_id] if more else []
            token = encode_page_token(last, query=request.organisation_id) if more else ""
            return read.reply(
                pb.ListCertificatesResponse(
                    certificates=[self._message(asked) for asked in shown], next_page_token=token
                ),
                subjects=[asked.request.member_id for asked in shown],
            )

    async def GetCertificate(self, request: pb.GetCertificateRequest, call: Call) -> pb.GetCertificateResponse:
        """Show one, with the certificate itself."""
        async with self._parts.database.read(call, request) as read:
            asked = await get_asked(read, request.certificate_id, organisation_id=request.organisation_id)
            pem = await pem_with_issuer(self._parts, asked.certificate) if asked.certificate else ""
            message = self._message(asked)
            return read.reply(
                pb.GetCertificateResponse(certificate=message, certificate_pem=pem, etag=message.etag),
                subjects=[asked.request.member_id],
            )

    async def WithdrawCertificate(
        self, request: pb.WithdrawCertificateRequest, call: Call
    ) -> pb.WithdrawCertificateResponse:
        """Take back what waits."""
        parts = self._parts
        async with parts.database.write(call, request, pb.WithdrawCertificateResponse) as write:
            if write.replayed is not None:
                return write.replayed
            asked = await get_asked(write, request.certificate_id, organisation_id=request.organisation_id, lock=True)
            ended = await end(write, parts, asked.request, state=RequestState.WITHDRAWN, etag=request.etag)
            message = self._message(Asked(request=ended, certificate=None))
            return write.reply(
                pb.WithdrawCertificateResponse(certificate=message, etag=message.etag), subjects=[ended.member_id]
            )

    async def RevokeCertificate(self, request: pb.RevokeCertificateRequest, call: Call) -> pb.RevokeCertificateResponse:
        """Revoke for good."""
        parts = self._parts
        async with parts.database.write(call, request, pb.RevokeCertificateResponse) as write:
            if write.replayed is not None:
                return write.replayed
            asked = await get_asked(write, request.certificate_id, organisation_id=request.organisation_id, lock=True)
            revoked = await revoke_asked(
                write, parts, asked, reason=RevocationReason(request.reason), etag=request.etag
            )
            message = self._message(revoked)
            return write.reply(
                pb.RevokeCertificateResponse(certificate=message, etag=message.etag),
                subjects=[asked.request.member_id],
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

    def _message(self, asked: Asked) -> pb.Certificate:
        return certificate_message(asked, now=self._parts.clock.now())

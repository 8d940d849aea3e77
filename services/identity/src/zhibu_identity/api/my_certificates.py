"""CertificateService for the officers themselves: what was asked for them, confirmed or refused by nobody else."""

from __future__ import annotations

from zhibu.identity.v1 import certificate_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.db import Role
from zhibu_kit.scope import Scope

from zhibu_identity.api.certificate_messages import certificate_message
from zhibu_identity.api.clerks import member_of
from zhibu_identity.certificates.certifying import confirm, end, pem_with_issuer
from zhibu_identity.certificates.records import RevocationReason
from zhibu_identity.certificates.requests import Asked, get_asked_of, list_asked_of
from zhibu_identity.certificates.revoking import revoke_asked
from zhibu_identity.errors import LOGIN_TOO_OLD
from zhibu_identity.parts import Parts
from zhibu_identity.rules.certificate import RequestState
from zhibu_identity.rules.login import is_fresh


class MyCertificateApi:
    """The officers' own RPCs of CertificateService."""

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts

    async def ListMyCertificates(
        self, request: pb.ListMyCertificatesRequest, call: Call
    ) -> pb.ListMyCertificatesResponse:
        """Show the caller's own, at whichever organisation."""
        async with self._parts.database.read(call, request, role=Role.PROVINCE) as read:
            found = await list_asked_of(read, member_of(call))
            return read.reply(
                pb.ListMyCertificatesResponse(certificates=[self._message(asked) for asked in found]),
                subjects=[member_of(call)],
            )

    async def GetMyCertificate(self, request: pb.GetMyCertificateRequest, call: Call) -> pb.GetMyCertificateResponse:
        """Show one of the caller's own, with the certificate itself."""
        async with self._parts.database.read(call, request, role=Role.PROVINCE) as read:
            asked = await get_asked_of(read, request.certificate_id, member_id=member_of(call))
            pem = await pem_with_issuer(self._parts, asked.certificate) if asked.certificate else ""
            message = self._message(asked)
            return read.reply(
                pb.GetMyCertificateResponse(certificate=message, certificate_pem=pem, etag=message.etag),
                subjects=[member_of(call)],
            )

    async def ConfirmMyCertificate(
        self, request: pb.ConfirmMyCertificateRequest, call: Call
    ) -> pb.ConfirmMyCertificateResponse:
        """Have it signed, soon after logging in."""
        parts = self._parts
        if not is_fresh(call.caller.authenticated_at, now=parts.clock.now()):
            raise LOGIN_TOO_OLD()
        scope = await self._scope(call, request.certificate_id)
        async with parts.database.write(call.within(scope), request, pb.ConfirmMyCertificateResponse) as write:
            if write.replayed is not None:
                return write.replayed
            asked = await get_asked_of(write, request.certificate_id, member_id=member_of(call), lock=True)
            signed = await confirm(write, parts, asked.request, account_id=call.caller.account_id, etag=request.etag)
            assert signed.certificate is not None, "confirmed is signed"
            message = self._message(signed)
            pem = await pem_with_issuer(parts, signed.certificate)
            return write.reply(
                pb.ConfirmMyCertificateResponse(certificate=message, certificate_pem=pem, etag=message.etag),
                subjects=[member_of(call)],
            )

    async def RefuseMyCertificate(
        self, request: pb.RefuseMyCertificateRequest, call: Call
    ) -> pb.RefuseMyCertificateResponse:
        """End what waits without signing anything."""
        parts = self._parts
        scope = await self._scope(call, request.certificate_id)
        async with parts.database.write(call.within(scope), request, pb.RefuseMyCertificateResponse) as write:
            if write.replayed is not None:
                return write.replayed
            asked = await get_asked_of(write, request.certificate_id, member_id=member_of(call), lock=True)
            ended = await end(write, parts, asked.request, state=RequestState.REFUSED, etag=request.etag)
            message = self._message(Asked(request=ended, certificate=None))
            return write.reply(
                pb.RefuseMyCertificateResponse(certificate=message, etag=message.etag), subjects=[member_of(call)]
            )

    async def RevokeMyCertificate(
        self, request: pb.RevokeMyCertificateRequest, call: Call
    ) -> pb.RevokeMyCertificateResponse:
        """Revoke for good what was signed."""
        parts = self._parts
        scope = await self._scope(call, request.certificate_id)
        async with parts.database.write(call.within(scope), request, pb.RevokeMyCertificateResponse) as write:
            if write.replayed is not None:
                return write.replayed
            asked = await get_asked_of(write, request.certificate_id, member_id=member_of(call), lock=True)
            revoked = await revoke_asked(
                write, parts, asked, reason=RevocationReason(request.reason), etag=request.etag
            )
            message = self._message(revoked)
            return write.reply(
                pb.RevokeMyCertificateResponse(certificate=message, etag=message.etag), subjects=[member_of(call)]
            )

    async def _scope(self, call: Call, certificate_id: str) -> Scope:
        """Return the scope under which the caller's own stands: that of the organisation that asked.

        Raises:
            ServiceError: NOT_FOUND when there is none, or another member's.
        """
        async with self._parts.database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
            asked = await get_asked_of(transaction, certificate_id, member_id=member_of(call))
        return Scope.of(asked.request.county_code)

    def _message(self, asked: Asked) -> pb.Certificate:
        return certificate_message(asked, now=self._parts.clock.now())

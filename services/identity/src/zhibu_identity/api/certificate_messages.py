"""From what was asked for, and the certificate that came of it, to the contract's message."""

from __future__ import annotations

from datetime import datetime

from zhibu.identity.v1 import certificate_service_pb2 as pb
from zhibu_kit.etag import etag_of

from zhibu_identity.api.messages import optional_timestamp
from zhibu_identity.certificates.records import REVOKED
from zhibu_identity.certificates.requests import Asked
from zhibu_identity.events import timestamp
from zhibu_identity.rules.certificate import state_at


def certificate_message(asked: Asked, *, now: datetime) -> pb.Certificate:
    """Return a certificate, from its request on, as officers see it."""
    request, signed = asked.request, asked.certificate
    state = int(state_at(request.state, expires_at=request.expires_at, now=now))
    message = pb.Certificate(
        certificate_id=request.certificate_id,
        member_id=request.member_id,
        etag=etag_of(asked.version),
        state=pb.CertificateState.ValueType(state),
        key_fingerprint=request.key_digest.hex(),
        organisation_id=request.organisation_id,
        requested_by_member_id=request.requested_by_member_id,
        request_time=timestamp(request.requested_at),
        expire_time=timestamp(request.expires_at),
        decide_time=optional_timestamp(request.decided_at),
    )
    if signed is not None:
        message.serial_number = signed.serial_number
        message.fingerprint = signed.fingerprint
        message.start_time.CopyFrom(timestamp(signed.starts_at))
        message.end_time.CopyFrom(timestamp(signed.ends_at))
        if signed.revoked_at is not None:
            message.state = pb.CertificateState.ValueType(REVOKED)
            message.revoked = True
            message.revoke_time.CopyFrom(timestamp(signed.revoked_at))
            message.reason = pb.CertificateRevocationReason.ValueType(signed.revocation_reason)
    return message

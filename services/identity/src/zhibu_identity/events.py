"""The events that identity publishes, made from what was written. No personal data."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp
from zhibu.identity.v1 import application_pb2, certificate_service_pb2, eid_pb2
from zhibu.identity.v1 import identity_events_pb2 as pb

if TYPE_CHECKING:
    from zhibu_identity.applications.records import Application
    from zhibu_identity.certificates.records import Certificate
    from zhibu_identity.certificates.requests import CertificateRequest
    from zhibu_identity.eids.records import Eid
    from zhibu_identity.grants.records import Grant


def application_changed(application: Application) -> pb.ApplicationChanged:
    """Return what is told about an application."""
    return pb.ApplicationChanged(
        application_id=application.application_id,
        county_code=application.county_code,
        state=application_pb2.ApplicationState.ValueType(application.state),
        version=application.version,
        change_time=timestamp(application.updated_at),
    )


def eid_changed(eid: Eid, *, at: datetime) -> pb.EidChanged:
    """Return what is told about an e-ID."""
    return pb.EidChanged(
        eid_id=eid.eid_id,
        member_id=eid.member_id,
        account_id=eid.account_id,
        county_code=eid.county_code,
        branch_id=eid.branch_id,
        state=eid_pb2.EidState.ValueType(eid.state),
        version=eid.version,
        change_time=timestamp(at),
        revocation_reason=eid_pb2.RevocationReason.ValueType(eid.revocation_reason),
    )


def grant_changed(grant: Grant) -> pb.GrantChanged:
    """Return what is told about a grant."""
    return pb.GrantChanged(
        grant_id=grant.grant_id,
        member_id=grant.member_id,
        account_id=grant.account_id,
        office=grant.office,
        organisation_id=grant.organisation_id,
        county_code=grant.county_code,
        starts_at=timestamp(grant.starts_at),
        ends_at=None if grant.ends_at is None else timestamp(grant.ends_at),
        revoked=grant.ended_at is not None,
        version=grant.version,
    )


def certificate_changed(
    certificate: Certificate | CertificateRequest, *, state: int, at: datetime
) -> pb.CertificateChanged:
    """Return what is told about a certificate, from its request on."""
    return pb.CertificateChanged(
        certificate_id=certificate.certificate_id,
        member_id=certificate.member_id,
        organisation_id=certificate.organisation_id,
        county_code=certificate.county_code,
        state=certificate_service_pb2.CertificateState.ValueType(state),
        version=certificate.version,
        change_time=timestamp(at),
        requested_by_member_id=certificate.requested_by_member_id,
    )


def access_revoked(account_id: str, *, revoked_at: datetime) -> pb.AccessRevoked:
    """Return the revocation of every token of an account made up to an instant."""
    return pb.AccessRevoked(
        account_id=account_id,
        revoked_at=timestamp(revoked_at),
        version=int(revoked_at.timestamp() * 1_000_000),
    )


def timestamp(instant: datetime) -> Timestamp:
    """Return an instant as messages carry it."""
    result = Timestamp()
    result.FromDatetime(instant)
    return result

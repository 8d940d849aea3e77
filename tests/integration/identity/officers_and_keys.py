"""Officers with key sticks: a software key stands for the stick."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from integration.identity.running_identity import LINQU, LINQU_ADMIN, Identity, Officer
from support.rpc import Metadata, bearer
from zhibu.identity.v1 import certificate_service_pb2 as pb
from zhibu.identity.v1 import eid_pb2, grant_pb2
from zhibu.identity.v1 import grant_service_pb2 as grants_pb
from zhibu.identity.v1.card_service_pb2_grpc import CardServiceStub
from zhibu.identity.v1.certificate_service_pb2_grpc import CertificateServiceStub
from zhibu_identity.eids.records import find_living_eid
from zhibu_kit.db import Role
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope

if TYPE_CHECKING:
    from zhibu.identity.v1.card_service_pb2_grpc import CardServiceAsyncStub
    from zhibu.identity.v1.certificate_service_pb2_grpc import CertificateServiceAsyncStub

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def certificates_of(identity: Identity) -> CertificateServiceAsyncStub:
    return CertificateServiceStub(identity.channel)


def cards_of(identity: Identity) -> CardServiceAsyncStub:
    return CardServiceStub(identity.channel)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def signing_request(key: Key, *, name: str = "somebody else") -> str:
    """Return the PKCS#10 request of a key; the name in it must not count."""
    builder = x509.CertificateSigningRequestBuilder()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return builder.subject_name(subject).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


async def give_office(
    identity: Identity,
    eid: eid_pb2.Eid,
    *,
    office: str = "county_approver",
    organisation_id: str = LINQU,
    granter: Officer = LINQU_ADMIN,
) -> grant_pb2.Grant:
    made = await identity.grants.MakeGrant(
        grants_pb.MakeGrantRequest(
            organisation_id=organisation_id,
            eid_number=eid.eid_number,
            office=office,
            end_date="2029-12-31",
            request_id=new_ulid(),
        ),
        metadata=identity.officer(granter),
    )
    return made.grant


async def end_office(identity: Identity, grant: grant_pb2.Grant) -> None:
    await identity.grants.EndGrant(
        grants_pb.EndGrantRequest(
            organisation_id=grant.organisation_id, grant_id=grant.grant_id, request_id=new_ulid()
        ),
        metadata=identity.officer(LINQU_ADMIN),
    )


async def ask_certificate(
    identity: Identity,
    member_id: str,
    request: str,
    *,
    issuer: Officer = LINQU_ADMIN,
    organisation_id: str = LINQU,
    request_id: str = "",
) -> pb.Certificate:
    """Have the desk ask for a certificate; it waits for its holder."""
    asked = await certificates_of(identity).IssueCertificate(
        pb.IssueCertificateRequest(
            organisation_id=organisation_id,
            member_id=member_id,
            signing_request=request,
            request_id=request_id or new_ulid(),
        ),
        metadata=identity.officer(issuer),
    )
    assert asked.certificate_pem == ""
    return asked.certificate


async def confirm_certificate(
    identity: Identity, certificate: pb.Certificate, *, metadata: Metadata | None = None, request_id: str = ""
) -> pb.ConfirmMyCertificateResponse:
    """Confirm as the holder, or with somebody else's token."""
    return await certificates_of(identity).ConfirmMyCertificate(
        pb.ConfirmMyCertificateRequest(
            certificate_id=certificate.certificate_id, etag=certificate.etag, request_id=request_id or new_ulid()
        ),
        metadata=metadata or await holder(identity, certificate.member_id),
    )


async def issue_certificate(
    identity: Identity,
    member_id: str,
    request: str,
    *,
    issuer: Officer = LINQU_ADMIN,
    organisation_id: str = LINQU,
) -> pb.ConfirmMyCertificateResponse:
    """Take a key from its request to its certificate: the desk asks, the holder confirms."""
    asked = await ask_certificate(identity, member_id, request, issuer=issuer, organisation_id=organisation_id)
    return await confirm_certificate(identity, asked)


async def holder(identity: Identity, member_id: str, **claims: Any) -> Metadata:
    """Return what an officer sends after logging in with the e-ID."""
    async with identity.parts.database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
        eid = await find_living_eid(transaction, member_id)
    assert eid is not None
    return bearer(identity.issuer.token(eid.account_id, member_id=member_id, county_code=eid.county_code, **claims))


async def my_certificates(identity: Identity, metadata: Metadata) -> list[pb.Certificate]:
    listed = await certificates_of(identity).ListMyCertificates(pb.ListMyCertificatesRequest(), metadata=metadata)
    return list(listed.certificates)


async def revoke_certificate(
    identity: Identity,
    certificate: pb.Certificate,
    *,
    reason: pb.CertificateRevocationReason.ValueType = pb.CERTIFICATE_REVOCATION_REASON_KEY_LOST,
) -> pb.Certificate:
    revoked = await certificates_of(identity).RevokeCertificate(
        pb.RevokeCertificateRequest(
            organisation_id=LINQU,
            certificate_id=certificate.certificate_id,
            reason=reason,
            etag=certificate.etag,
            request_id=new_ulid(),
        ),
        metadata=identity.officer(LINQU_ADMIN),
    )
    return revoked.certificate


async def list_certificates(identity: Identity, member_id: str) -> list[pb.Certificate]:
    """Return the certificates of a member that were asked for at Linqu, newest first."""
    listed = await certificates_of(identity).ListCertificates(
        pb.ListCertificatesRequest(organisation_id=LINQU, page_size=200), metadata=identity.officer(LINQU_ADMIN)
    )
    return [certificate for certificate in listed.certificates if certificate.member_id == member_id]


async def revocation_list(identity: Identity) -> x509.CertificateRevocationList:
    answer = await certificates_of(identity).GetRevocationList(pb.GetRevocationListRequest())
    return x509.load_der_x509_crl(answer.data)

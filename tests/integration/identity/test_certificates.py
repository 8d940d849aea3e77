"""Officers' certificates: for those who hold an office, gone with it, and on the list from the commit of a revocation on."""

from __future__ import annotations

import asyncio
import io
import sys
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from integration.identity.officers_and_keys import (
    certificates_of,
    end_office,
    give_office,
    issue_certificate,
    list_certificates,
    new_key,
    revocation_list,
    revoke_certificate,
    signing_request,
)
from integration.identity.running_identity import (
    CLERK,
    LINQU,
    LINQU_ADMIN,
    PROVINCE,
    PROVINCE_ADMIN,
    QINGZHOU_CLERK,
    Identity,
    Officer,
)
from integration.identity.setting_up import Databases, Workbench
from support.rpc import outcome_of, refusal_of
from zhibu.identity.v1 import certificate_service_pb2 as pb
from zhibu.identity.v1 import eid_pb2
from zhibu.identity.v1 import eid_service_pb2 as eids_pb
from zhibu_identity.certificates.authority import AuthorityUnfitError, make_authority, read_authority, read_request
from zhibu_identity.certificates.revocation_lists import current_list, import_authority
from zhibu_identity.certificates.revoking import revoke_orphaned
from zhibu_identity.keys.signing import AuthorityKey
from zhibu_identity.operating import run_own_command
from zhibu_kit.errors import ServiceError
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope
from zhibu_kit.testing.clock import FixedClock
from zhibu_kit.testing.waiting import wait_until


async def officer(identity: Identity) -> eid_pb2.Eid:
    """Return the e-ID of somebody who has just got an office at Linqu."""
    eid = await identity.issue()
    await give_office(identity, eid)
    return eid


async def revoked(identity: Identity, member_id: str) -> pb.Certificate:
    """Wait until the member's newest certificate is revoked."""

    async def look() -> pb.Certificate | None:
        (certificate, *_) = await list_certificates(identity, member_id)
        return certificate if certificate.revoked else None

    found = await wait_until(look)
    assert found is not None
    return found


async def serials(identity: Identity) -> set[str]:
    return {f"{entry.serial_number:x}" for entry in await revocation_list(identity)}


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(public_exponent=65537, key_size=2048),
    ],
    ids=["P-256", "P-384", "RSA"],
)
async def test_an_officers_certificate_names_the_member_by_number_only(
    identity: Identity, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
) -> None:
    eid = await officer(identity)
    issued = await issue_certificate(identity, eid.member_id, signing_request(key, name=eid.real_name))
    certificate, authority = x509.load_pem_x509_certificates(issued.certificate_pem.encode())
    published = await certificates_of(identity).GetCertificateAuthority(pb.GetCertificateAuthorityRequest())
    assert x509.load_pem_x509_certificate(published.data) == authority
    certificate.verify_directly_issued_by(authority)
    assert certificate.subject.rfc4514_string() == f"2.5.4.5={eid.member_id}"
    assert certificate.public_key() == key.public_key()
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert issued.certificate.fingerprint == certificate.fingerprint(hashes.SHA256()).hex()
    assert [listed.certificate_id for listed in await list_certificates(identity, eid.member_id)] == [
        issued.certificate.certificate_id
    ]


@pytest.mark.parametrize(
    ("request_pem", "reason"),
    [
        ("-----BEGIN CERTIFICATE REQUEST-----\n" + "A" * 100, "SIGNING_REQUEST_UNREADABLE"),
        (signing_request(ec.generate_private_key(ec.SECP521R1())), "SIGNING_REQUEST_KEY"),
        (signing_request(ec.generate_private_key(ec.SECP256K1())), "SIGNING_REQUEST_KEY"),
        (signing_request(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "SIGNING_REQUEST_KEY"),
        (signing_request(rsa.generate_private_key(public_exponent=3, key_size=2048)), "SIGNING_REQUEST_KEY"),
    ],
    ids=["unreadable", "P-521", "another curve", "short RSA", "small exponent"],
)
async def test_a_request_that_is_not_fit_is_refused_with_the_reason(
    identity: Identity, request_pem: str, reason: str
) -> None:
    eid = await officer(identity)
    error = await refusal_of(lambda: issue_certificate(identity, eid.member_id, request_pem))
    assert [(field.field, field.reason) for field in error.fields] == [("signing_request", reason)]
    assert await list_certificates(identity, eid.member_id) == []


def test_a_request_that_does_not_prove_its_key_or_is_of_another_kind_is_no_request() -> None:
    def builder() -> x509.CertificateSigningRequestBuilder:
        return x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))

    good = builder().sign(new_key(), hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    forged = x509.load_der_x509_csr(good[:-1] + bytes([good[-1] ^ 1])).public_bytes(serialization.Encoding.PEM)
    assert read_request(forged.decode()) == "NOT_PROVEN"
    other = builder().sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(serialization.Encoding.PEM)
    assert read_request(other.decode()) == "KEY_UNFIT"
    assert read_request("非 ASCII") == "UNREADABLE"


async def test_nobody_without_an_office_gets_a_certificate_and_a_key_gets_one_in_its_life(identity: Identity) -> None:
    eid = await identity.issue()
    request = signing_request(new_key())
    assert await outcome_of(issue_certificate(identity, eid.member_id, request)) == "OFFICE_MISSING"
    assert await outcome_of(issue_certificate(identity, new_ulid(), request)) == "OFFICE_MISSING"
    await give_office(identity, eid)
    # The office is Linqu's: the province may certify it, since it lies below.
    above = issue_certificate(identity, eid.member_id, request, issuer=PROVINCE_ADMIN, organisation_id=PROVINCE)
    assert await outcome_of(above) == "OK"
    assert await outcome_of(issue_certificate(identity, eid.member_id, request)) == "CERTIFICATE_KEY_USED"


@pytest.mark.parametrize("stranger", [CLERK, QINGZHOU_CLERK], ids=["an approver", "another county"])
async def test_only_who_may_issue_certificates_does(identity: Identity, stranger: Officer) -> None:
    eid = await officer(identity)
    given = issue_certificate(identity, eid.member_id, signing_request(new_key()), issuer=stranger)
    assert await outcome_of(given) == "PERMISSION_DENIED"


async def test_a_revoked_certificate_is_on_the_list_at_once_and_its_holders_tokens_are_refused(
    identity: Identity,
) -> None:
    eid = await officer(identity)
    issued = await issue_certificate(identity, eid.member_id, signing_request(new_key()))
    before = await revocation_list(identity)
    metadata = identity.member(eid)
    forgotten = identity.accounts.forgotten_lists
    certificate = await revoke_certificate(identity, issued.certificate)
    assert (certificate.revoked, certificate.reason) == (True, pb.CERTIFICATE_REVOCATION_REASON_KEY_LOST)
    after = await revocation_list(identity)
    entry = after.get_revoked_certificate_by_serial_number(int(certificate.serial_number, 16))
    assert entry is not None
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise
    numbers = [one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for one in (before, after)]
    assert numbers[0] < numbers[1]
    me = lambda: identity.eids.GetMyEid(eids_pb.GetMyEidRequest(), metadata=metadata)  # noqa: E731 - asked again and again

    async def refused() -> bool:
        return await outcome_of(me()) == "UNAUTHENTICATED"

    await wait_until(refused)
    (account,) = identity.accounts.of_member(eid.member_id)

    async def ended() -> bool:
        return account.account_id in identity.accounts.ended_sessions

    await wait_until(ended)
    assert identity.accounts.forgotten_lists > forgotten
    # The e-ID stays: another log-in, a minute later, is good.
    assert account.enabled
    again = await outcome_of(revoke_certificate(identity, certificate))
    assert again == "CERTIFICATE_REVOKED"


async def test_a_version_that_somebody_else_has_changed_is_not_revoked(identity: Identity) -> None:
    eid = await officer(identity)
    issued = await issue_certificate(identity, eid.member_id, signing_request(new_key()))
    other = pb.Certificate(certificate_id=issued.certificate.certificate_id, etag="v9")
    assert await outcome_of(revoke_certificate(identity, other)) == "ETAG_MISMATCH"
    missing = pb.Certificate(certificate_id=new_ulid(), etag="v1")
    assert await outcome_of(revoke_certificate(identity, missing)) == "NOT_FOUND"


async def test_certificates_end_with_the_last_office_here_and_not_before(identity: Identity) -> None:
    eid = await identity.issue()
    first = await give_office(identity, eid)
    second = await give_office(identity, eid, office="county_clerk")
    await issue_certificate(identity, eid.member_id, signing_request(new_key()))
    await end_office(identity, first)
    (certificate,) = await list_certificates(identity, eid.member_id)
    assert not certificate.revoked
    await end_office(identity, second)
    certificate = await revoked(identity, eid.member_id)
    assert certificate.reason == pb.CERTIFICATE_REVOCATION_REASON_OFFICE_ENDED
    assert certificate.serial_number in await serials(identity)


async def test_a_revoked_e_id_takes_its_certificates_along(identity: Identity) -> None:
    eid = await officer(identity)
    await issue_certificate(identity, eid.member_id, signing_request(new_key()))
    await identity.eids.RevokeEid(
        eids_pb.RevokeEidRequest(
            organisation_id=LINQU,
            eid_id=eid.eid_id,
            reason=eid_pb2.REVOCATION_REASON_LEFT,
            etag=(await identity.get_eid(eid.eid_id)).etag,
            request_id=new_ulid(),
        ),
        metadata=identity.officer(LINQU_ADMIN),
    )
    assert (await revoked(identity, eid.member_id)).reason == pb.CERTIFICATE_REVOCATION_REASON_OFFICE_ENDED


async def test_an_office_that_moved_to_another_account_supersedes_the_certificate(
    identity: Identity, databases: Databases
) -> None:
    eid = await identity.issue()
    grant = await give_office(identity, eid)
    await issue_certificate(identity, eid.member_id, signing_request(new_key()))
    await databases.owner.execute("update office_grant set account_id = 'another' where grant_id = $1", grant.grant_id)
    await revoke_orphaned(identity.parts)
    assert (await revoked(identity, eid.member_id)).reason == pb.CERTIFICATE_REVOCATION_REASON_SUPERSEDED


async def test_the_list_is_signed_by_the_authority_and_made_anew_before_it_expires(workbench: Workbench) -> None:
    clock = workbench.clock
    authority = make_authority(name="test", now=clock.now())
    pem = authority.pem + key_pem(authority.key)
    assert await import_authority(workbench.vault, pem, now=clock.now())
    first = x509.load_der_x509_crl(await current_list(workbench.parts))
    assert first.is_signature_valid(authority.key.public_key())
    assert x509.load_der_x509_crl(await current_list(workbench.parts)) == first
    clock.advance(timedelta(hours=2).total_seconds())
    second = x509.load_der_x509_crl(await current_list(workbench.parts))
    assert second.next_update_utc is not None
    assert first.next_update_utc is not None
    assert second.next_update_utc - first.next_update_utc == timedelta(hours=2)


async def test_two_who_ask_for_the_list_at_once_get_it_and_a_running_revocation_is_waited_for(
    workbench: Workbench,
) -> None:
    now = workbench.clock.now()
    authority = make_authority(name="test", now=now)
    await import_authority(workbench.vault, authority.pem + key_pem(authority.key), now=now)
    await current_list(workbench.parts)
    async with workbench.parts.database.transaction(Scope.none()) as transaction:
        await (await transaction.raw()).execute("update revocation_list set is_stale = true")
        both = asyncio.gather(current_list(workbench.parts), current_list(workbench.parts))
        assert not both.done()
    lists = [x509.load_der_x509_crl(one) for one in await both]
    assert all(one.is_signature_valid(authority.key.public_key()) for one in lists)


async def test_without_an_authority_nothing_is_signed_and_the_caller_is_told(workbench: Workbench) -> None:
    with pytest.raises(ServiceError) as refused:
        await current_list(workbench.parts)
    assert refused.value.reason == "AUTHORITY_MISSING"


async def test_the_authoritys_key_is_wrapped_survives_a_new_master_key_and_is_kept_once(
    workbench: Workbench, databases: Databases
) -> None:
    now = workbench.clock.now()
    authority = make_authority(name="test", now=now)
    assert await import_authority(workbench.vault, authority.pem + key_pem(authority.key), now=now)
    other = make_authority(name="other", now=now)
    assert not await import_authority(workbench.vault, other.pem + key_pem(other.key), now=now)
    raw = authority.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    stored = await workbench.databases.keys_owner.fetchval("select wrapped from signing_key where purpose = 2")
    assert stored is not None
    assert raw not in stored
    assert await workbench.vault.signing.find_authority() == AuthorityKey(
        certificate=authority.certificate.public_bytes(serialization.Encoding.DER), private_key=raw
    )


def test_what_cannot_be_an_authority_is_refused_in_one_sentence() -> None:
    now = FixedClock().now()
    authority = make_authority(name="test", now=now)
    assert read_authority(key_pem(authority.key) + authority.pem, now=now).certificate == authority.certificate
    other = make_authority(name="other", now=now)
    wrong = [
        b"",
        authority.pem,
        key_pem(authority.key),
        authority.pem + key_pem(other.key),
    ]
    for pem in wrong:
        with pytest.raises(AuthorityUnfitError):
            read_authority(pem, now=now)
    with pytest.raises(AuthorityUnfitError, match="today"):
        read_authority(authority.pem + key_pem(authority.key), now=now + timedelta(days=4000))


async def test_operators_import_the_authority_by_a_command(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    databases = workbench.databases
    monkeypatch.setenv("ZHIBU_KEY_DATABASE_URL", databases.keys.app_url)
    monkeypatch.setenv("ZHIBU_MASTER_KEY", databases.master_key)
    monkeypatch.setenv("ZHIBU_OIDC_ISSUER", "http://localhost/realms/zhibu")
    authority = make_authority(name="test", now=workbench.clock.now())
    outcomes: list[int] = []
    for _ in range(2):
        monkeypatch.setattr(sys, "stdin", io.StringIO((authority.pem + key_pem(authority.key)).decode()))
        outcomes.append(await asyncio.to_thread(run_own_command, ["authority-import"]))
    assert outcomes == [0, 1]
    assert capsys.readouterr().err == "There is an authority already; it stays.\n"


def key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

"""Certificates asked for officers, confirmed by them, and only then signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives import serialization
from zhibu_kit.db import Transaction
from zhibu_kit.errors import field_error
from zhibu_kit.etag import check_etag
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope

from zhibu_identity import faults
from zhibu_identity.certificates.authority import (
    Authority,
    RequestFault,
    bytes_of_key,
    digest_of_key,
    issue_certificate,
    key_of_bytes,
    pem_of,
    read_request,
)
from zhibu_identity.certificates.records import Certificate, RevocationReason, insert_certificate
from zhibu_identity.certificates.requests import (
    Asked,
    CertificateRequest,
    change_request,
    find_request,
    find_waiting,
    insert_request,
    list_late,
)
from zhibu_identity.certificates.revocation_lists import get_authority
from zhibu_identity.eids.records import find_living_eid
from zhibu_identity.errors import (
    CERTIFICATE_KEY_USED,
    CERTIFICATE_REQUEST_OPEN,
    CERTIFICATE_REQUEST_OUTDATED,
    OFFICE_MISSING,
)
from zhibu_identity.grants.records import Grant, list_held_grants
from zhibu_identity.parts import Parts
from zhibu_identity.rules.certificate import CONFIRM_WITHIN, RequestState, find_decide_fault

# Requests looked at in one run; the next run follows a minute later.
PER_RUN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """For whom a certificate is wanted, at which organisation, and the key stick's request."""

    organisation_id: str
    member_id: str
    signing_request: str


async def ask(
    transaction: Transaction, parts: Parts, wish: Wish, *, county_code: str, officer_member_id: str
) -> CertificateRequest:
    """Ask an officer to confirm a certificate; nothing is signed.

    Raises:
        ServiceError: AUTHORITY_MISSING, OFFICE_MISSING, CERTIFICATE_KEY_USED, CERTIFICATE_REQUEST_OPEN, a field error
            about the request.
    """
    await get_authority(parts.vault)
    key = read_request(wish.signing_request)
    if isinstance(key, RequestFault):
        raise field_error("signing_request", faults.REQUEST[key])
    carrying = await list_carrying(transaction, parts, wish.member_id, organisation_id=wish.organisation_id)
    if not carrying:
        raise OFFICE_MISSING()
    grant = longest(carrying)
    if await _find_account(transaction, wish.member_id, grant) is None:
        raise OFFICE_MISSING()
    now = parts.clock.now()
    if await _find_open(transaction, wish, now=now) is not None:
        raise CERTIFICATE_REQUEST_OPEN()
    record = CertificateRequest(
        certificate_id=new_ulid(parts.clock),
        county_code=county_code,
        organisation_id=wish.organisation_id,
        member_id=wish.member_id,
        account_id=grant.account_id,
        grant_id=grant.grant_id,
        key_digest=digest_of_key(key),
        public_key=bytes_of_key(key),
        state=RequestState.WAITING,
        requested_by_member_id=officer_member_id,
        requested_at=now,
        expires_at=now + CONFIRM_WITHIN,
        decided_at=None,
        version=1,
    )
    if not await insert_request(transaction, record):
        # Of two officers who ask at once, the second sees the first one's request now.
        is_open = await _find_open(transaction, wish, now=now) is not None
        raise CERTIFICATE_REQUEST_OPEN() if is_open else CERTIFICATE_KEY_USED()
    return record


async def confirm(
    transaction: Transaction, parts: Parts, request: CertificateRequest, *, account_id: str, etag: str
) -> Asked:
    """Sign what an officer confirms from an account; the caller has found the locked request to be the officer's own.

    Raises:
        ServiceError: CERTIFICATE_REQUEST_ENDED, CERTIFICATE_REQUEST_EXPIRED, ETAG_MISMATCH, AUTHORITY_MISSING;
            CERTIFICATE_REQUEST_OUTDATED when e-ID or office are not those of the request any more.
    """
    _check_waiting(parts, request, etag=etag)
    authority = await get_authority(parts.vault)
    held = await list_carrying(transaction, parts, request.member_id, organisation_id=request.organisation_id)
    grant = next((one for one in held if one.grant_id == request.grant_id), None)
    living = None if grant is None else await _find_account(transaction, request.member_id, grant)
    if living is None or not living == request.account_id == account_id:
        raise CERTIFICATE_REQUEST_OUTDATED()
    # First the request: the database takes no certificate without a confirmed one.
    confirmed = await change_request(transaction, request, state=RequestState.ISSUED, now=parts.clock.now())
    record = _signed(authority, request, now=parts.clock.now())
    if not await insert_certificate(transaction, record):
        raise CERTIFICATE_KEY_USED()
    return Asked(request=confirmed, certificate=record)


async def end(
    transaction: Transaction, parts: Parts, request: CertificateRequest, *, state: RequestState, etag: str
) -> CertificateRequest:
    """Refuse or withdraw a locked request.

    Raises:
        ServiceError: CERTIFICATE_REQUEST_ENDED, CERTIFICATE_REQUEST_EXPIRED, ETAG_MISMATCH.
    """
    _check_waiting(parts, request, etag=etag)
    return await change_request(transaction, request, state=state, now=parts.clock.now())


async def expire_requests(parts: Parts) -> int:
    """End requests that nobody confirmed in time; return how many there were."""
    late = await list_late(parts.database, now=parts.clock.now(), most=PER_RUN)
    for certificate_id, county_code in late:
        async with parts.database.transaction(Scope.of(county_code)) as transaction:
            request = await find_request(transaction, certificate_id)
            if request is not None and request.state is RequestState.WAITING:
                await change_request(transaction, request, state=RequestState.EXPIRED, now=parts.clock.now())
    return len(late)


async def pem_with_issuer(parts: Parts, certificate: Certificate) -> str:
    """Return what the key stick is given: the certificate and its issuer, PEM."""
    authority = await get_authority(parts.vault)
    return (pem_of(certificate.certificate) + authority.pem).decode()


async def list_carrying(transaction: Transaction, parts: Parts, member_id: str, *, organisation_id: str) -> list[Grant]:
    """Return the offices that a member holds at an organisation or below it."""
    carrying: list[Grant] = []
    for grant in await list_held_grants(transaction, member_id, now=parts.clock.now()):
        ancestry = await parts.organisations.ancestry(grant.organisation_id)
        if ancestry is not None and organisation_id in ancestry.organisation_ids:
            carrying.append(grant)
    return carrying


def longest(carrying: list[Grant]) -> Grant:
    """Return the office that lasts longest; one without an end outlasts every other."""
    return max(carrying, key=lambda grant: (grant.ends_at is None, grant.ends_at or grant.starts_at))


def _signed(authority: Authority, request: CertificateRequest, *, now: datetime) -> Certificate:
    assert request.public_key is not None, "a waiting request has its key"
    made = issue_certificate(authority, key_of_bytes(request.public_key), member_id=request.member_id, now=now)
    return Certificate(
        certificate_id=request.certificate_id,
        county_code=request.county_code,
        organisation_id=request.organisation_id,
        member_id=request.member_id,
        account_id=request.account_id,
        grant_id=request.grant_id,
        serial_number=f"{made.serial_number:x}",
        key_digest=request.key_digest,
        certificate=made.public_bytes(serialization.Encoding.DER),
        starts_at=made.not_valid_before_utc,
        ends_at=made.not_valid_after_utc,
        revoked_at=None,
        revocation_reason=RevocationReason.NONE,
        issued_by_member_id=request.requested_by_member_id,
        # One identifier, so one count of versions.
        version=request.version + 1,
    )


async def _find_account(transaction: Transaction, member_id: str, grant: Grant) -> str | None:
    """Return the account of the member's living e-ID when the office is held with it."""
    # The officer may be a member of another county; the office says that this organisation may know.
    await transaction.widen(Scope.of(grant.member_county_code))
    eid = await find_living_eid(transaction, member_id)
    return None if eid is None or eid.account_id != grant.account_id else eid.account_id


async def _find_open(transaction: Transaction, wish: Wish, *, now: datetime) -> CertificateRequest | None:
    """Return the request that waits for the officer here; one whose time is over ends on the way."""
    waiting = await find_waiting(transaction, organisation_id=wish.organisation_id, member_id=wish.member_id)
    if waiting is not None and waiting.expires_at <= now:
        await change_request(transaction, waiting, state=RequestState.EXPIRED, now=now)
        return None
    return waiting


def _check_waiting(parts: Parts, request: CertificateRequest, *, etag: str) -> None:
    fault = find_decide_fault(request.state, expires_at=request.expires_at, now=parts.clock.now())
    if fault is not None:
        raise faults.CERTIFICATE[fault]()
    check_etag(etag, request.version)

"""Issuing certificates to officers and revoking them; what a revocation does at Keycloak follows as a task."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cryptography.hazmat.primitives import serialization
from zhibu_kit.db import Transaction
from zhibu_kit.errors import field_error
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope

from zhibu_identity import faults
from zhibu_identity.accounts import AccountsError
from zhibu_identity.authority import RequestFault, digest_of_key, issue_certificate, read_request
from zhibu_identity.certificates import (
    Certificate,
    RevocationReason,
    find_certificate,
    insert_certificate,
    list_orphaned,
    mark_revoked,
    move_to_grant,
)
from zhibu_identity.eids import find_living_eid
from zhibu_identity.errors import CERTIFICATE_KEY_USED, CERTIFICATE_REVOKED, OFFICE_MISSING
from zhibu_identity.grants import Grant, list_held_grants
from zhibu_identity.parts import Parts
from zhibu_identity.revocation_lists import get_authority
from zhibu_identity.revocations import revoke_access
from zhibu_identity.tasks import Task, TaskKind, add_task, finish_task

# Sessions end within seconds; the e-ID stays, and its holder may log in by another way right afterwards.
REACH: Final = timedelta(minutes=1)
# Certificates looked at in one run; the next run follows seconds later.
PER_RUN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """For whom a certificate is wanted, at which organisation, and the key stick's request."""

    organisation_id: str
    member_id: str
    signing_request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A new certificate, and what the key stick is given: it and its issuer, PEM."""

    certificate: Certificate
    pem: str


async def issue(
    transaction: Transaction, parts: Parts, wish: Wish, *, county_code: str, issuer_member_id: str
) -> Issued:
    """Sign a request for an officer.

    Raises:
        ServiceError: AUTHORITY_MISSING, OFFICE_MISSING, CERTIFICATE_KEY_USED, a field error about the request.
    """
    authority = await get_authority(parts.vault)
    key = read_request(wish.signing_request)
    if isinstance(key, RequestFault):
        raise field_error("signing_request", faults.REQUEST[key])
    grant = await _carrying_grant(transaction, parts, wish.member_id, organisation_id=wish.organisation_id)
    if grant is None:
        raise OFFICE_MISSING()
    # The officer may be a member of another county; the office says that this organisation may know.
    await transaction.widen(Scope.of(grant.member_county_code))
    eid = await find_living_eid(transaction, wish.member_id)
    if eid is None or eid.account_id != grant.account_id:
        raise OFFICE_MISSING()
    made = issue_certificate(authority, key, member_id=wish.member_id, now=parts.clock.now())
    record = Certificate(
        certificate_id=new_ulid(parts.clock),
        county_code=county_code,
        organisation_id=wish.organisation_id,
        member_id=wish.member_id,
        account_id=eid.account_id,
        grant_id=grant.grant_id,
        serial_number=f"{made.serial_number:x}",
        key_digest=digest_of_key(key),
        certificate=made.public_bytes(serialization.Encoding.DER),
        starts_at=made.not_valid_before_utc,
        ends_at=made.not_valid_after_utc,
        revoked_at=None,
        revocation_reason=RevocationReason.NONE,
        issued_by_member_id=issuer_member_id,
        version=1,
    )
    if not await insert_certificate(transaction, record):
        raise CERTIFICATE_KEY_USED()
    return Issued(certificate=record, pem=(made.public_bytes(serialization.Encoding.PEM) + authority.pem).decode())


async def revoke(
    transaction: Transaction, parts: Parts, record: Certificate, *, reason: RevocationReason
) -> Certificate:
    """Revoke a locked certificate: it is on the list, tokens are refused, and sessions end soon after the commit.

    Raises:
        ServiceError: CERTIFICATE_REVOKED when it was revoked before.
    """
    if record.revoked_at is not None:
        raise CERTIFICATE_REVOKED()
    now = parts.clock.now()
    revoked = await mark_revoked(transaction, record, reason=reason, now=now)
    await revoke_access(transaction, parts, record.account_id, county_code=record.county_code, reach=REACH)
    await add_task(
        transaction,
        TaskKind.END_SESSIONS,
        county_code=record.county_code,
        member_id=record.member_id,
        account_id=record.account_id,
        due_at=now,
    )
    return revoked


async def revoke_orphaned(parts: Parts) -> int:
    """Revoke the certificates of officers whose office has ended, unless another one carries them; return how many.

    With a replaced e-ID its certificates are superseded: they were for the account that is closed.
    """
    revoked = 0
    for certificate_id, county_code in await list_orphaned(parts.database, now=parts.clock.now(), most=PER_RUN):
        async with parts.database.transaction(Scope.of(county_code)) as transaction:
            record = await find_certificate(transaction, certificate_id)
            if record is None or record.revoked_at is not None:
                continue
            grant = await _carrying_grant(transaction, parts, record.member_id, organisation_id=record.organisation_id)
            if grant is not None and grant.account_id == record.account_id:
                await move_to_grant(transaction, record, grant.grant_id)
                continue
            reason = RevocationReason.OFFICE_ENDED if grant is None else RevocationReason.SUPERSEDED
            await revoke(transaction, parts, record, reason=reason)
            revoked += 1
    return revoked


async def end_sessions(parts: Parts, task: Task) -> None:
    """Have Keycloak forget its copy of the list, then end the account's sessions: in this order nobody comes back in.

    Raises:
        AccountsError: when Keycloak does not do it now; tokens have been refused for a further minute by then.
    """
    assert task.account_id is not None
    try:
        await parts.accounts.forget_revocation_list()
        parts.reached("list forgotten")
        await parts.accounts.end_sessions(task.account_id)
    except AccountsError:
        async with parts.database.transaction(task.scope) as transaction:
            await revoke_access(transaction, parts, task.account_id, county_code=task.county_code, reach=REACH)
        raise
    async with parts.database.transaction(task.scope) as transaction:
        await finish_task(transaction, task, now=parts.clock.now())


async def _carrying_grant(
    transaction: Transaction, parts: Parts, member_id: str, *, organisation_id: str
) -> Grant | None:
    """Return the longest of the offices that a member holds at an organisation or below it."""
    carrying: list[Grant] = []
    for grant in await list_held_grants(transaction, member_id, now=parts.clock.now()):
        ancestry = await parts.organisations.ancestry(grant.organisation_id)
        if ancestry is not None and organisation_id in ancestry.organisation_ids:
            carrying.append(grant)
    # An office without an end outlasts every other.
    return max(carrying, key=lambda grant: (grant.ends_at is None, grant.ends_at or grant.starts_at), default=None)

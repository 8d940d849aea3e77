"""Revoking officers' certificates, by an officer or with the office; what follows at Keycloak is a task."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from zhibu_kit.db import Transaction
from zhibu_kit.etag import check_etag
from zhibu_kit.scope import Scope

from zhibu_identity.certificates.certifying import list_carrying, longest
from zhibu_identity.certificates.records import (
    Certificate,
    RevocationReason,
    find_certificate,
    list_orphaned,
    mark_revoked,
    move_to_grant,
)
from zhibu_identity.certificates.requests import Asked
from zhibu_identity.eids.accounts import AccountsError
from zhibu_identity.eids.revocations import revoke_access
from zhibu_identity.errors import CERTIFICATE_NOT_ISSUED, CERTIFICATE_REVOKED
from zhibu_identity.parts import Parts
from zhibu_identity.tasks.queue import Task, TaskKind, add_task, finish_task

# Sessions end within seconds; the e-ID stays, and its holder may log in by another way right afterwards.
REACH: Final = timedelta(minutes=1)
# Certificates looked at in one run; the next run follows seconds later.
PER_RUN: Final = 200


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


async def revoke_asked(
    transaction: Transaction, parts: Parts, asked: Asked, *, reason: RevocationReason, etag: str
) -> Asked:
    """Revoke what came of a locked request, at the desk or by its holder.

    Raises:
        ServiceError: CERTIFICATE_NOT_ISSUED, CERTIFICATE_REVOKED, ETAG_MISMATCH.
    """
    record = await find_certificate(transaction, asked.request.certificate_id)
    if record is None:
        raise CERTIFICATE_NOT_ISSUED()
    if record.revoked_at is None:
        check_etag(etag, record.version)
    return Asked(request=asked.request, certificate=await revoke(transaction, parts, record, reason=reason))


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
            carrying = await list_carrying(transaction, parts, record.member_id, organisation_id=record.organisation_id)
            grant = longest(carrying) if carrying else None
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

"""Revoking an e-ID for good: one transaction here, and a task that closes the account at Keycloak."""

from __future__ import annotations

from zhibu_kit.db import Transaction

from zhibu_identity.cards.signed import revoke_cards
from zhibu_identity.eids.records import Eid, EidState, RevocationReason, change_eid
from zhibu_identity.eids.revocations import revoke_access
from zhibu_identity.errors import EID_REVOKED
from zhibu_identity.grants.records import end_grants_of
from zhibu_identity.parts import Parts
from zhibu_identity.tasks.queue import TaskKind, add_task


async def revoke_eid(
    transaction: Transaction,
    parts: Parts,
    record: Eid,
    *,
    reason: RevocationReason,
    note: bytes | None,
    then: TaskKind = TaskKind.CLOSE_ACCOUNT,
) -> Eid:
    """Revoke a locked e-ID: its tokens are refused, its offices end, its account is closed (or, by `then`, deleted).

    Raises:
        ServiceError: EID_REVOKED when it was revoked before.
    """
    if record.state is EidState.REVOKED:
        raise EID_REVOKED()
    now = parts.clock.now()
    revoked = await change_eid(
        transaction,
        record,
        now=now,
        values={
            "state": int(EidState.REVOKED),
            "revoked_at": now,
            "revocation_reason": int(reason),
            "revocation_note": note,
            "activation_expires_at": None,
        },
    )
    await revoke_access(transaction, parts, record.account_id, county_code=record.county_code)
    await revoke_cards(transaction, record.eid_id, now=now)
    await end_grants_of(transaction, record.member_id, now=now)
    await add_task(
        transaction,
        then,
        county_code=record.county_code,
        member_id=record.member_id,
        application_id=record.application_id,
        eid_id=record.eid_id,
        account_id=record.account_id,
        eid_number=record.eid_number,
        due_at=now,
    )
    if then is TaskKind.CLOSE_ACCOUNT:
        # For good: the person may apply again, here or in another county.
        await add_task(
            transaction,
            TaskKind.RELEASE_NUMBERS,
            county_code=record.county_code,
            member_id=record.member_id,
            eid_id=record.eid_id,
            due_at=now,
        )
    return revoked

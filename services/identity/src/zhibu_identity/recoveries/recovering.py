"""Giving an e-ID back: begun by one officer, done by another, who gets the activation code once.

Done twice from any point it ends the same: what a replacement gets is reserved before the account is opened, Keycloak's part
can be repeated, and the record changes last. While Keycloak works, the recovery's row is locked: of two officers who
confirm at once, the second finds it done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import pyotp
from sqlalchemy import select
from zhibu_kit.db import Role, Transaction
from zhibu_kit.errors import UNAVAILABLE
from zhibu_kit.etag import check_etag
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope

from zhibu_identity import faults
from zhibu_identity.cards.signed import revoke_cards
from zhibu_identity.eids.accounts import AccountsError, NewAccount
from zhibu_identity.eids.activation import CODE_HOLDS
from zhibu_identity.eids.issuing import SEED_LENGTH
from zhibu_identity.eids.records import Eid, EidState, RevocationReason, change_eid, find_eid, insert_eid, open_number
from zhibu_identity.eids.revocations import revoke_access
from zhibu_identity.errors import EID_REVOKED, PERSON_ERASED, RECOVERY_ENDED, RECOVERY_OPEN
from zhibu_identity.grants.records import move_grants
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.models import recovery as recovery_table
from zhibu_identity.organisations import area_of
from zhibu_identity.parts import Parts
from zhibu_identity.recoveries.records import (
    Recovery,
    change_recovery,
    get_recovery,
    insert_recovery,
    record_of,
    reserve_eid,
)
from zhibu_identity.rules.codes import ACTIVATION_CODE_LENGTH, make_code
from zhibu_identity.rules.numbers import eid_number_of
from zhibu_identity.rules.recovery import (
    CONFIRM_WITHIN,
    RecoveryFault,
    RecoveryKind,
    RecoveryState,
    find_confirm_fault,
    find_start_fault,
)
from zhibu_identity.sequences import SequenceKind, next_in_sequence
from zhibu_identity.tasks.queue import Task, TaskKind, add_task, finish_task
from zhibu_identity.tasks.task_keys import find_key

PER_RUN: Final = 200
_NUMBER_PLACE: Final = "eid.eid_number"
# Reasons after which somebody else may have what opens the e-ID; the numbers are the contract's.
_IN_OTHER_HANDS: Final = frozenset({3, 4})


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """A recovery that was done; the code is shown this once."""

    recovery: Recovery
    activation_code: str
    eid_number: str


async def start_recovery(
    transaction: Transaction, parts: Parts, eid: Eid, *, kind: RecoveryKind, reason: int, officer_member_id: str
) -> Recovery:
    """Begin; nothing happens to the locked e-ID before another officer confirms.

    Raises:
        ServiceError: EID_REVOKED, OWN_RECORD, RECOVERY_OPEN.
    """
    if eid.state is EidState.REVOKED:
        raise EID_REVOKED()
    _refuse_if(find_start_fault(officer_member_id=officer_member_id, member_id=eid.member_id))
    now = parts.clock.now()
    await _expire_of(transaction, parts, eid.eid_id)
    record = Recovery(
        recovery_id=new_ulid(parts.clock),
        county_code=eid.county_code,
        organisation_id=eid.organisation_id,
        eid_id=eid.eid_id,
        member_id=eid.member_id,
        kind=kind,
        reason=reason,
        state=RecoveryState.WAITING,
        started_by_member_id=officer_member_id,
        confirmed_by_member_id=None,
        new_eid_id=None,
        new_eid_number=None,
        created_at=now,
        expires_at=now + CONFIRM_WITHIN,
        version=1,
    )
    if not await insert_recovery(transaction, record):
        raise RECOVERY_OPEN()
    return record


async def reserve(
    parts: Parts, recovery_id: str, *, organisation_id: str, scope: Scope, officer_member_id: str, etag: str
) -> None:
    """Give a replacement its identifier and number, once, in a transaction of its own.

    Raises:
        ServiceError: what `confirm` refuses.
    """
    async with parts.database.transaction(scope) as transaction:
        record = await get_recovery(transaction, recovery_id, organisation_id=organisation_id, lock=True)
        _check_confirm(parts, record, officer_member_id=officer_member_id, etag=etag)
        if record.kind is not RecoveryKind.REPLACE or record.new_eid_id is not None:
            return
        key = await _get_key(parts, record)
        now = parts.clock.now()
        year, sequence = await next_in_sequence(transaction, record.county_code, SequenceKind.EID, now=now)
        number = eid_number_of(area_of(record.organisation_id), year, sequence=sequence)
        await reserve_eid(
            transaction, record, eid_id=new_ulid(parts.clock), eid_number=key.seal(number, place=_NUMBER_PLACE)
        )
    parts.reached("replacement reserved")


async def confirm(
    transaction: Transaction, parts: Parts, record: Recovery, *, officer_member_id: str, etag: str
) -> Confirmed:
    """Do a locked recovery: Keycloak first, then the record.

    Raises:
        ServiceError: RECOVERY_ENDED, RECOVERY_EXPIRED, OTHER_OFFICER_NEEDED, OWN_RECORD, ETAG_MISMATCH, EID_REVOKED,
            PERSON_ERASED; UNAVAILABLE when Keycloak does not do it now.
    """
    _check_confirm(parts, record, officer_member_id=officer_member_id, etag=etag)
    eid = await find_eid(transaction, record.eid_id, lock=True)
    assert eid is not None, "a recovery is about an e-ID, and e-IDs are never deleted"
    if eid.state is EidState.REVOKED:
        raise EID_REVOKED()
    key = await _get_key(parts, record)
    code = make_code(ACTIVATION_CODE_LENGTH, parts.choose)
    try:
        if record.kind is RecoveryKind.RECOVER:
            done = await _renew(transaction, parts, record, eid, key=key, code=code)
        else:
            done = await _replace(transaction, parts, record, eid, key=key, code=code)
    except AccountsError:
        raise UNAVAILABLE() from None
    await add_task(
        transaction,
        TaskKind.EXPIRE_ACTIVATION,
        county_code=done.county_code,
        member_id=done.member_id,
        eid_id=done.eid_id,
        account_id=done.account_id,
        due_at=parts.clock.now() + CODE_HOLDS,
    )
    changed = await change_recovery(
        transaction,
        record,
        now=parts.clock.now(),
        state=RecoveryState.DONE,
        confirmed_by_member_id=officer_member_id,
    )
    parts.reached("recovery stored, not committed")
    return Confirmed(recovery=changed, activation_code=code, eid_number=open_number(done, key))


async def refuse_recovery(transaction: Transaction, parts: Parts, record: Recovery, *, etag: str) -> Recovery:
    """End a locked recovery without doing anything.

    Raises:
        ServiceError: RECOVERY_ENDED, ETAG_MISMATCH.
    """
    if record.state is not RecoveryState.WAITING:
        raise RECOVERY_ENDED()
    check_etag(etag, record.version)
    return await _end(transaction, parts, record, state=RecoveryState.REFUSED)


async def expire_recoveries(parts: Parts) -> int:
    """End recoveries that nobody confirmed within a day; return how many there were."""
    statement = select(recovery_table).where(
        recovery_table.c.state == int(RecoveryState.WAITING), recovery_table.c.expires_at <= parts.clock.now()
    )
    async with parts.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        late = [record_of(row) for row in await transaction.all(statement.limit(PER_RUN))]
    for record in late:
        async with parts.database.transaction(Scope.of(record.county_code)) as transaction:
            await _expire_of(transaction, parts, record.eid_id)
    return len(late)


async def end_waiting(transaction: Transaction, parts: Parts, member_id: str) -> None:
    """End what waits for a second officer about a member who goes to another county."""
    statement = select(recovery_table).where(
        recovery_table.c.member_id == member_id, recovery_table.c.state == int(RecoveryState.WAITING)
    )
    for row in await transaction.all(statement.with_for_update()):
        await _end(transaction, parts, record_of(row), state=RecoveryState.EXPIRED)


async def drop_account(parts: Parts, task: Task) -> None:
    """Delete an account that a recovery opened and did not come to need.

    Raises:
        AccountsError: when Keycloak does not do it now.
        ServiceError: UNAVAILABLE while its member is on the way to another county.
    """
    assert task.eid_id is not None
    key = await find_key(parts, task)
    if key is not None and task.eid_number is not None:
        await parts.accounts.delete(eid_number=key.open(task.eid_number, place=_NUMBER_PLACE), member_id=task.member_id)
    await parts.vault.drop_seed(task.eid_id, county_code=task.county_code)
    async with parts.database.transaction(task.scope) as transaction:
        await finish_task(transaction, task, now=parts.clock.now())


async def _renew(
    transaction: Transaction, parts: Parts, record: Recovery, eid: Eid, *, key: MemberKey, code: str
) -> Eid:
    """Renew what opens the account: sessions end, password and passkeys go, one-time codes get another seed."""
    # Kept under the recovery until the e-ID has it: an attempt that follows tells Keycloak the same seed.
    seed = await parts.vault.ensure_seed(
        key, record.recovery_id, county_code=eid.county_code, proposed=pyotp.random_base32(SEED_LENGTH)
    )
    parts.reached("next seed kept")
    await parts.accounts.renew(eid.account_id, totp_seed=seed, code=code)
    parts.reached("account renewed")
    await parts.vault.replace_seed(key, eid.eid_id, county_code=eid.county_code, seed=seed)
    await parts.vault.drop_seed(record.recovery_id, county_code=eid.county_code)
    parts.reached("seed replaced")
    now = parts.clock.now()
    # Not a moment further: no session is left that could be given a token, and the member logs in soon.
    await revoke_access(transaction, parts, eid.account_id, county_code=eid.county_code, reach=timedelta(0))
    return await change_eid(
        transaction,
        eid,
        now=now,
        values={"state": int(EidState.ISSUED), "activated_at": None, "activation_expires_at": now + CODE_HOLDS},
    )


async def _replace(
    transaction: Transaction, parts: Parts, record: Recovery, eid: Eid, *, key: MemberKey, code: str
) -> Eid:
    """Revoke the e-ID and issue another one to the same member, who keeps the offices."""
    assert record.new_eid_id is not None, "reserved before"
    assert record.new_eid_number is not None, "reserved before"
    number = key.open(record.new_eid_number, place=_NUMBER_PLACE)
    seed = await parts.vault.ensure_seed(
        key, record.new_eid_id, county_code=eid.county_code, proposed=pyotp.random_base32(SEED_LENGTH)
    )
    account_id = await parts.accounts.open(
        NewAccount(
            eid_number=number,
            member_id=eid.member_id,
            county_code=eid.county_code,
            totp_seed=seed,
        )
    )
    parts.reached("replacement opened")
    await parts.accounts.set_activation_code(account_id, code)
    await parts.vault.search.add_eid_term(eid.member_id, eid.county_code, number)
    parts.reached("replacement indexed")
    await _revoke_lost(transaction, parts, record, eid)
    now = parts.clock.now()
    # Name and numbers are sealed for the same columns of the same member.
    issued = replace(
        eid,
        eid_id=record.new_eid_id,
        application_id=None,
        account_id=account_id,
        eid_number=record.new_eid_number,
        state=EidState.ISSUED,
        issued_at=now,
        activated_at=None,
        activation_expires_at=now + CODE_HOLDS,
        version=1,
    )
    await insert_eid(transaction, issued)
    await move_grants(transaction, eid.member_id, account_id=account_id, now=now)
    return issued


async def _revoke_lost(transaction: Transaction, parts: Parts, record: Recovery, eid: Eid) -> None:
    now = parts.clock.now()
    lost = RevocationReason.COMPROMISED if record.reason in _IN_OTHER_HANDS else RevocationReason.OTHER
    await change_eid(
        transaction,
        eid,
        now=now,
        values={
            "state": int(EidState.REVOKED),
            "revoked_at": now,
            "revocation_reason": int(lost),
            "activation_expires_at": None,
        },
    )
    await revoke_access(transaction, parts, eid.account_id, county_code=eid.county_code)
    await revoke_cards(transaction, eid.eid_id, now=now)
    await add_task(
        transaction,
        TaskKind.CLOSE_ACCOUNT,
        county_code=eid.county_code,
        member_id=eid.member_id,
        eid_id=eid.eid_id,
        account_id=eid.account_id,
        eid_number=eid.eid_number,
        due_at=now,
    )


async def _expire_of(transaction: Transaction, parts: Parts, eid_id: str) -> None:
    """End the waiting recovery of an e-ID when its day is over."""
    statement = select(recovery_table).where(
        recovery_table.c.eid_id == eid_id,
        recovery_table.c.state == int(RecoveryState.WAITING),
        recovery_table.c.expires_at <= parts.clock.now(),
    )
    row = await transaction.one_or_none(statement.with_for_update())
    if row is not None:
        await _end(transaction, parts, record_of(row), state=RecoveryState.EXPIRED)


async def _end(transaction: Transaction, parts: Parts, record: Recovery, *, state: RecoveryState) -> Recovery:
    now = parts.clock.now()
    if record.new_eid_id is not None:
        # An attempt that was cut off may have opened the account.
        await add_task(
            transaction,
            TaskKind.DROP_ACCOUNT,
            county_code=record.county_code,
            member_id=record.member_id,
            eid_id=record.new_eid_id,
            eid_number=record.new_eid_number,
            due_at=now,
        )
    return await change_recovery(transaction, record, now=now, state=state)


def _check_confirm(parts: Parts, record: Recovery, *, officer_member_id: str, etag: str) -> None:
    _refuse_if(
        find_confirm_fault(
            state=record.state,
            officer_member_id=officer_member_id,
            started_by_member_id=record.started_by_member_id,
            member_id=record.member_id,
            expires_at=record.expires_at,
            now=parts.clock.now(),
        )
    )
    check_etag(etag, record.version)


def _refuse_if(fault: RecoveryFault | None) -> None:
    if fault is not None:
        raise faults.RECOVERY[fault]()


async def _get_key(parts: Parts, record: Recovery) -> MemberKey:
    key = await parts.vault.find_member_key(record.member_id, record.county_code)
    if key is None:
        raise PERSON_ERASED()
    return key

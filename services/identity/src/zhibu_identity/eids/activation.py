"""Activation codes: one-use passwords, good for seven days, handed over in person or sent to the proven telephone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from zhibu_kit.db import Transaction
from zhibu_kit.errors import UNAVAILABLE, ServiceError
from zhibu_kit.scope import Scope

from zhibu_identity.eids.accounts import AccountsError
from zhibu_identity.eids.records import Eid, EidState, change_eid, find_eid, find_living_eid, open_holder
from zhibu_identity.errors import EID_ALREADY_ACTIVE, EID_REVOKED
from zhibu_identity.parts import Parts
from zhibu_identity.rules.codes import ACTIVATION_CODE_LENGTH, make_code
from zhibu_identity.tasks.queue import Task, TaskKind, add_task, finish_task, reschedule_task
from zhibu_identity.tasks.task_keys import find_key
from zhibu_identity.telephones.sending import Purpose

CODE_HOLDS: Final = timedelta(days=7)
# Each attempt makes a new code, so going on for long would end a code that a clerk has handed over meanwhile.
MOST_ATTEMPTS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationCode:
    """A code, shown once."""

    code: str
    expires_at: datetime


def check_can_activate(record: Eid) -> None:
    """Make sure that an e-ID waits for its activation.

    Raises:
        ServiceError: EID_REVOKED, EID_ALREADY_ACTIVE.
    """
    match record.state:
        case EidState.REVOKED:
            raise EID_REVOKED()
        case EidState.ACTIVE:
            raise EID_ALREADY_ACTIVE()
        case EidState.ISSUED:
            return


async def make_activation_code(parts: Parts, record: Eid) -> ActivationCode:
    """Make a new code; the last one ends. The time until which it is good is stored before Keycloak knows it.

    Raises:
        ServiceError: EID_REVOKED, EID_ALREADY_ACTIVE, UNAVAILABLE when Keycloak does not take it now.
    """
    now = parts.clock.now()
    expires_at = now + CODE_HOLDS
    async with parts.database.transaction(Scope.of(record.county_code)) as transaction:
        locked = await find_eid(transaction, record.eid_id, lock=True)
        assert locked is not None, "e-IDs are never deleted"
        check_can_activate(locked)
        await change_eid(transaction, locked, now=now, values={"activation_expires_at": expires_at})
        await add_task(
            transaction,
            TaskKind.EXPIRE_ACTIVATION,
            county_code=record.county_code,
            member_id=record.member_id,
            eid_id=record.eid_id,
            account_id=record.account_id,
            due_at=expires_at,
        )
    parts.reached("expiry stored")
    code = make_code(ACTIVATION_CODE_LENGTH, parts.choose)
    try:
        if await parts.accounts.has_own_password(record.account_id):
            # They logged in already and have not opened their page yet: their own password must not be replaced.
            raise EID_ALREADY_ACTIVE()
        await parts.accounts.set_activation_code(record.account_id, code)
    except AccountsError:
        raise UNAVAILABLE() from None
    return ActivationCode(code=code, expires_at=expires_at)


async def send_activation(parts: Parts, task: Task) -> None:
    """Make a code and send it to the proven telephone. Done twice, the second message holds the code that is good."""
    assert task.eid_id is not None
    async with parts.database.transaction(task.scope) as transaction:
        record = await find_eid(transaction, task.eid_id)
    key = await find_key(parts, task)
    made = None
    waits = record is not None and record.state is EidState.ISSUED and task.attempts <= MOST_ATTEMPTS
    if record is not None and key is not None and waits:
        try:
            made = await make_activation_code(parts, record)
        except ServiceError as error:
            if error.kind not in (EID_ALREADY_ACTIVE, EID_REVOKED):
                raise
        parts.reached("code set")
    if made is not None and record is not None and key is not None:
        await parts.telephones.send_code(
            open_holder(record, key).telephone,
            made.code,
            purpose=Purpose.ACTIVATION,
            language="zh-CN",
            request_id=f"{task.task_id}-{task.attempts}",
            expires_in=CODE_HOLDS,
        )
    async with parts.database.transaction(task.scope) as transaction:
        await finish_task(transaction, task, now=parts.clock.now())


async def expire_activation(parts: Parts, task: Task) -> None:
    """End a code that was not used: a password that nobody knows takes its place.

    Raises:
        AccountsError: when Keycloak does not do it now.
    """
    assert task.eid_id is not None
    async with parts.database.transaction(task.scope) as transaction:
        # Locked until Keycloak has answered: whoever makes another code stores its time under the same lock, before Keycloak
        # knows the code, so either this one sees that time and ends nothing, or that code comes after this end.
        record = await find_eid(transaction, task.eid_id, lock=True)
        now = parts.clock.now()
        if record is not None and record.state is EidState.ISSUED:
            if record.activation_expires_at and record.activation_expires_at > now:
                # A newer code has its own task; this one only makes sure that none is forgotten.
                await reschedule_task(transaction, task, due_at=record.activation_expires_at)
                return
            if await parts.accounts.has_own_password(record.account_id):
                await _note_active(transaction, record, now=now)
            else:
                await parts.accounts.end_activation_code(record.account_id)
        await finish_task(transaction, task, now=now)


async def mark_active(parts: Parts, record: Eid) -> Eid:
    """Note that a member uses the e-ID: they have set a password of their own."""
    async with parts.database.transaction(Scope.of(record.county_code)) as transaction:
        locked = await find_living_eid(transaction, record.member_id, lock=True)
        if locked is None or locked.state is not EidState.ISSUED:
            return locked or record
        return await _note_active(transaction, locked, now=parts.clock.now())


async def _note_active(transaction: Transaction, locked: Eid, *, now: datetime) -> Eid:
    values = {"state": int(EidState.ACTIVE), "activated_at": now, "activation_expires_at": None}
    return await change_eid(transaction, locked, now=now, values=values)

"""Issuing an e-ID after an approval: number, seed, account, record.

Cut off anywhere, it is done again from the beginning, and ends with one account and one e-ID, or with none when the approval
was undone in the meantime.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

import pyotp
from sqlalchemy import update
from zhibu_kit.db import Transaction
from zhibu_kit.ids import new_ulid

from zhibu_identity.applications.records import Application, change_application, find_application, open_details
from zhibu_identity.county_settings import find_settings
from zhibu_identity.eids.accounts import NewAccount
from zhibu_identity.eids.records import Eid, EidState, RevocationReason, find_living_eid, insert_eid
from zhibu_identity.grants.post_offices import give_offices
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.models import account_task
from zhibu_identity.organisations import area_of
from zhibu_identity.parts import Parts
from zhibu_identity.people import events as person_events
from zhibu_identity.people.records import PersonDetails, know_person, new_person, seal_details
from zhibu_identity.rules.application import Act, State, next_state
from zhibu_identity.rules.numbers import eid_number_of
from zhibu_identity.sequences import SequenceKind, next_in_sequence
from zhibu_identity.tasks.queue import Task, TaskKind, add_task, finish_task
from zhibu_identity.telephones.former import keep_former

# 160 bits, as RFC 4226 recommends for the shared secret.
SEED_LENGTH: Final = 32


async def issue(parts: Parts, task: Task) -> None:
    """Work on an ISSUE task until the e-ID stands, or nothing of it is left.

    Raises:
        AccountsError: when Keycloak does not do it now.
        ServiceError: when a database does not.
    """
    assert task.application_id is not None
    async with parts.database.transaction(task.scope) as transaction:
        application = await find_application(transaction, task.application_id)
    key = await parts.vault.find_member_key(task.member_id, task.county_code)
    if application is None or application.state is not State.APPROVED or key is None:
        await _clean_up(parts, task, key)
        return
    task, eid_number = await _reserve(parts, task, application, key=key)
    parts.reached("number reserved")
    assert task.eid_id is not None
    seed = await parts.vault.ensure_seed(
        key, task.eid_id, county_code=task.county_code, proposed=pyotp.random_base32(SEED_LENGTH)
    )
    parts.reached("seed kept")
    account_id = await parts.accounts.open(
        NewAccount(
            eid_number=eid_number,
            member_id=task.member_id,
            county_code=task.county_code,
            totp_seed=seed,
        )
    )
    parts.reached("account opened")
    await parts.vault.search.add_eid_term(task.member_id, task.county_code, eid_number)
    parts.reached("number indexed")
    if not await _finish(parts, task, key=key, eid_number=eid_number, account_id=account_id):
        await _clean_up(parts, task, key)


async def _reserve(parts: Parts, task: Task, application: Application, *, key: MemberKey) -> tuple[Task, str]:
    """Give the e-ID its identifier and number, once; an attempt that follows finds them in the task."""
    if task.eid_id is not None and task.eid_number is not None:
        return task, key.open(task.eid_number, place="eid.eid_number")
    now = parts.clock.now()
    async with parts.database.transaction(task.scope) as transaction:
        year, sequence = await next_in_sequence(transaction, task.county_code, SequenceKind.EID, now=now)
        eid_number = eid_number_of(area_of(application.organisation_id), year, sequence=sequence)
        reserved = replace(task, eid_id=new_ulid(parts.clock), eid_number=key.seal(eid_number, place="eid.eid_number"))
        await transaction.execute(
            update(account_task)
            .where(account_task.c.task_id == task.task_id)
            .values(eid_id=reserved.eid_id, eid_number=reserved.eid_number)
        )
    return reserved, eid_number


async def _finish(parts: Parts, task: Task, *, key: MemberKey, eid_number: str, account_id: str) -> bool:
    """Store the e-ID with the application's new state, both events and what follows; False when it is not needed."""
    now = parts.clock.now()
    assert task.application_id is not None
    assert task.eid_id is not None
    async with parts.database.transaction(task.scope) as transaction:
        application = await find_application(transaction, task.application_id, lock=True)
        if application is None or next_state(application.state, Act.ISSUE) is not State.ISSUED:
            return False
        living = await find_living_eid(transaction, application.member_id, lock=True)
        if living is not None:
            # A batch was quicker: its e-ID is the application's, and what was made here is cleaned up.
            await change_application(
                transaction,
                application,
                now=now,
                state=State.ISSUED,
                by_member_id=None,
                values={"eid_id": living.eid_id},
            )
            return False
        eid = _record(parts, application, key=key, eid_id=task.eid_id, eid_number=eid_number, account_id=account_id)
        await insert_eid(transaction, eid)
        await _know(transaction, application, key=key, now=now)
        await give_offices(transaction, [application.member_id], now=now)
        await change_application(
            transaction,
            application,
            now=now,
            state=State.ISSUED,
            by_member_id=None,
            values={"eid_id": task.eid_id},
        )
        settings = await find_settings(transaction, task.county_code)
        if settings.activation_by_telephone:
            await add_task(
                transaction,
                TaskKind.SEND_ACTIVATION,
                county_code=task.county_code,
                member_id=task.member_id,
                eid_id=task.eid_id,
                due_at=now,
            )
        await finish_task(transaction, task, now=now)
        parts.reached("e-ID stored, not committed")
    parts.reached("e-ID committed")
    return True


def _record(
    parts: Parts, application: Application, *, key: MemberKey, eid_id: str, eid_number: str, account_id: str
) -> Eid:
    details = open_details(application, key)
    return Eid(
        eid_id=eid_id,
        county_code=application.county_code,
        organisation_id=application.organisation_id,
        member_id=application.member_id,
        application_id=application.application_id,
        account_id=account_id,
        eid_number=key.seal(eid_number, place="eid.eid_number"),
        real_name=key.seal(details.real_name, place="eid.real_name"),
        resident_number=key.seal(details.resident_number, place="eid.resident_number"),
        telephone=key.seal(details.telephone, place="eid.telephone"),
        branch_id=application.branch_id,
        state=EidState.ISSUED,
        issued_at=parts.clock.now(),
        activated_at=None,
        activation_expires_at=None,
        revoked_at=None,
        revocation_reason=RevocationReason.NONE,
        revocation_note=None,
        version=1,
    )


async def _know(transaction: Transaction, application: Application, *, key: MemberKey, now: datetime) -> None:
    details = open_details(application, key)
    person = PersonDetails(
        real_name=details.real_name, resident_number=details.resident_number, telephone=details.telephone
    )
    record = new_person(
        member_id=application.member_id,
        county_code=application.county_code,
        # Which branch holds the person is for branches to say: the applicant only wishes.
        branch_id="",
        details=seal_details(person, key),
        in_roster=False,
        now=now,
    )
    changed = await know_person(transaction, record, key=key, details=person, now=now)
    if changed is None:
        return
    known, before = changed
    if before.telephone not in ("", person.telephone):
        # Should somebody else have applied in this name, only the number of the roster tells the member.
        await keep_former(transaction, known, before.telephone, key=key)
        transaction.emit(person_events.telephone_changed(known, replaced=True), county_code=known.county_code)
    await add_task(
        transaction, TaskKind.INDEX_MEMBER, county_code=known.county_code, member_id=known.member_id, due_at=now
    )


async def _clean_up(parts: Parts, task: Task, key: MemberKey | None) -> None:
    """Leave nothing of an e-ID whose approval was undone; go on with it when it was approved again meanwhile."""
    if task.eid_id is not None and task.eid_number is not None and key is not None:
        eid_number = key.open(task.eid_number, place="eid.eid_number")
        await parts.accounts.delete(eid_number=eid_number, member_id=task.member_id)
        await parts.vault.drop_seed(task.eid_id, county_code=task.county_code)
    parts.reached("cleaned up")
    assert task.application_id is not None
    async with parts.database.transaction(task.scope) as transaction:
        application = await find_application(transaction, task.application_id, lock=True)
        if application is None or application.state is not State.APPROVED or key is None:
            await finish_task(transaction, task, now=parts.clock.now())
            return
        # Approved again while we cleaned up: the next attempt begins with a number of its own.
        await transaction.execute(
            update(account_task)
            .where(account_task.c.task_id == task.task_id)
            .values(eid_id=None, eid_number=None, leased_until=None, due_at=parts.clock.now())
        )

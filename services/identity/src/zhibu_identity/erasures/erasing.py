"""Erasing a person before two officers: one proposes, another does it within a day. What is destroyed is the key."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.audit_subjects import forget_subject
from zhibu_kit.db import Role, Transaction
from zhibu_kit.etag import check_etag
from zhibu_kit.scope import Scope

from zhibu_identity import faults
from zhibu_identity.eids.records import RevocationReason, find_living_eid
from zhibu_identity.eids.revoking import revoke_eid
from zhibu_identity.erasures.records import Erasure, end_erasure, find_erasure, propose
from zhibu_identity.errors import ERASURE_ENDED, OWN_RECORD, PERSON_ERASED, RECORD_NOT_CLOSED
from zhibu_identity.models import erasure, erasure_proposal
from zhibu_identity.parts import Parts
from zhibu_identity.people import events as person_events
from zhibu_identity.people.records import PersonRecord, change_person
from zhibu_identity.rules.erasure import ErasureState, ended_by, find_confirm_fault

PER_RUN = 200


async def erase_with_two(
    transaction: Transaction, parts: Parts, record: PersonRecord, *, officer_member_id: str, reason: str
) -> Erasure:
    """Propose the erasure of a locked person, or, as another officer, enter it into the list of erasures.

    The caller destroys the key after the commit; should it not come to that, the hourly job does.

    Raises:
        ServiceError: RECORD_NOT_CLOSED, OWN_RECORD, PERSON_ERASED.
    """
    if not record.closed:
        raise RECORD_NOT_CLOSED()
    if officer_member_id == record.member_id:
        raise OWN_RECORD()
    erased = select(erasure.c.member_id).where(erasure.c.member_id == record.member_id)
    if await transaction.scalar(erased) is not None:
        raise PERSON_ERASED()
    now = parts.clock.now()
    before = await find_erasure(transaction, record.member_id)
    if before is None or not before.waits(now) or before.proposed_by_member_id == officer_member_id:
        return await propose(
            transaction,
            before,
            member_id=record.member_id,
            county_code=record.county_code,
            officer=officer_member_id,
            reason=reason,
            now=now,
        )
    return await _erase(transaction, parts, record, before, officer_member_id=officer_member_id)


async def confirm_erasure(
    transaction: Transaction,
    parts: Parts,
    record: PersonRecord,
    waiting: Erasure,
    *,
    officer_member_id: str,
    etag: str,
) -> Erasure:
    """Enter a locked person with a locked erasure into the list of erasures; the caller destroys the key after the commit.

    Raises:
        ServiceError: ERASURE_ENDED, ERASURE_EXPIRED, OTHER_OFFICER_NEEDED, OWN_RECORD, ETAG_MISMATCH, RECORD_NOT_CLOSED.
    """
    fault = find_confirm_fault(
        state=waiting.state,
        officer_member_id=officer_member_id,
        proposed_by_member_id=waiting.proposed_by_member_id,
        member_id=record.member_id,
        expires_at=waiting.expires_at,
        now=parts.clock.now(),
    )
    if fault is not None:
        raise faults.ERASURE[fault]()
    check_etag(etag, waiting.version)
    if not record.closed:
        raise RECORD_NOT_CLOSED()
    return await _erase(transaction, parts, record, waiting, officer_member_id=officer_member_id)


async def refuse_erasure(
    transaction: Transaction, parts: Parts, waiting: Erasure, *, officer_member_id: str, etag: str
) -> Erasure:
    """End a locked erasure without doing anything: taken back by who asked, refused by another officer.

    Raises:
        ServiceError: ERASURE_ENDED, ETAG_MISMATCH.
    """
    if waiting.state is not ErasureState.WAITING:
        raise ERASURE_ENDED()
    check_etag(etag, waiting.version)
    state = ended_by(officer_member_id, proposed_by_member_id=waiting.proposed_by_member_id)
    return await end_erasure(transaction, waiting, state=state, officer=officer_member_id, now=parts.clock.now())


async def expire_erasures(parts: Parts) -> int:
    """End erasures that nobody confirmed within a day; return how many there were."""
    late = (
        select(erasure_proposal.c.member_id, erasure_proposal.c.county_code)
        .where(
            erasure_proposal.c.state == int(ErasureState.WAITING), erasure_proposal.c.expires_at <= parts.clock.now()
        )
        .limit(PER_RUN)
    )
    async with parts.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        rows = await transaction.all(late)
    for row in rows:
        async with parts.database.transaction(Scope.of(row.county_code)) as transaction:
            record, now = await find_erasure(transaction, row.member_id), parts.clock.now()
            if record is not None and record.state is ErasureState.WAITING and not record.waits(now):
                await end_erasure(transaction, record, state=ErasureState.EXPIRED, officer=None, now=now)
    return len(rows)


async def _erase(
    transaction: Transaction, parts: Parts, record: PersonRecord, waiting: Erasure, *, officer_member_id: str
) -> Erasure:
    now = parts.clock.now()
    await transaction.execute(
        insert(erasure).values(member_id=record.member_id, county_code=record.county_code, erased_at=now)
    )
    eid = await find_living_eid(transaction, record.member_id, lock=True)
    if eid is not None:
        await revoke_eid(transaction, parts, eid, reason=RevocationReason.LEFT, note=None)
    gone = await change_person(transaction, record, now=now, values={"details": b""})
    await forget_subject(transaction, record.member_id)
    transaction.emit(person_events.person_erased(gone, at=now), county_code=gone.county_code)
    return await end_erasure(transaction, waiting, state=ErasureState.DONE, officer=officer_member_id, now=now)

"""Erasing a person before two officers: one proposes, another does it within a day. What is destroyed is the key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction

from zhibu_identity import person_events
from zhibu_identity.eids import RevocationReason, find_living_eid
from zhibu_identity.errors import OWN_RECORD, PERSON_ERASED, RECORD_NOT_CLOSED
from zhibu_identity.models import erasure, erasure_proposal
from zhibu_identity.parts import Parts
from zhibu_identity.people import PersonRecord, change_person
from zhibu_identity.revoking import revoke_eid

PROPOSAL_HOLDS: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing:
    """How far an erasure is."""

    done: bool
    proposed_by_member_id: str
    expires_at: datetime


async def erase_with_two(
    transaction: Transaction, parts: Parts, record: PersonRecord, *, officer_member_id: str, reason: str
) -> Erasing:
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
    now, table = parts.clock.now(), erasure_proposal
    row = await transaction.one_or_none(select(table).where(table.c.member_id == record.member_id))
    if row is None or row.expires_at <= now or row.proposed_by_member_id == officer_member_id:
        return await _propose(transaction, record, officer_member_id=officer_member_id, reason=reason, now=now)
    await transaction.execute(delete(table).where(table.c.member_id == record.member_id))
    await transaction.execute(
        insert(erasure).values(member_id=record.member_id, county_code=record.county_code, erased_at=now)
    )
    eid = await find_living_eid(transaction, record.member_id, lock=True)
    if eid is not None:
        await revoke_eid(transaction, parts, eid, reason=RevocationReason.LEFT, note=None)
    gone = await change_person(transaction, record, now=now, values={"details": b""})
    transaction.emit(person_events.person_erased(gone, at=now), county_code=gone.county_code)
    return Erasing(done=True, proposed_by_member_id=row.proposed_by_member_id, expires_at=row.expires_at)


async def _propose(
    transaction: Transaction, record: PersonRecord, *, officer_member_id: str, reason: str, now: datetime
) -> Erasing:
    """Store a proposal, or the same officer's again: its time begins anew."""
    expires_at = now + PROPOSAL_HOLDS
    values = {
        "county_code": record.county_code,
        "proposed_by_member_id": officer_member_id,
        "reason": reason,
        "made_at": now,
        "expires_at": expires_at,
    }
    await transaction.execute(
        insert(erasure_proposal)
        .values(member_id=record.member_id, **values)
        .on_conflict_do_update(index_elements=["member_id"], set_=values)
    )
    return Erasing(done=False, proposed_by_member_id=officer_member_id, expires_at=expires_at)

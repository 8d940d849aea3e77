"""Recoveries: the record of giving an e-ID back to its member, how it is found, how it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.paging import Page

from zhibu_identity.models import recovery
from zhibu_identity.people import events as person_events
from zhibu_identity.rules.recovery import RecoveryKind, RecoveryState

NOUN: Final = "recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """One recovery as stored."""

    recovery_id: str
    county_code: str
    organisation_id: str
    eid_id: str
    member_id: str
    kind: RecoveryKind
    reason: int
    state: RecoveryState
    started_by_member_id: str
    confirmed_by_member_id: str | None
    new_eid_id: str | None
    new_eid_number: bytes | None
    created_at: datetime
    expires_at: datetime
    version: int


async def get_recovery(
    transaction: Transaction, recovery_id: str, *, organisation_id: str, lock: bool = False
) -> Recovery:
    """Return a recovery of an organisation.

    Raises:
        ServiceError: NOT_FOUND when there is none, or another organisation's.
    """
    statement = select(recovery).where(
        recovery.c.recovery_id == recovery_id, recovery.c.organisation_id == organisation_id
    )
    row = await transaction.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        raise NOT_FOUND(noun=NOUN)
    return record_of(row)


async def find_waiting(transaction: Transaction, eid_id: str, *, lock: bool = False) -> Recovery | None:
    """Return the recovery of an e-ID that waits for its second officer."""
    statement = select(recovery).where(recovery.c.eid_id == eid_id, recovery.c.state == int(RecoveryState.WAITING))
    row = await transaction.one_or_none(statement.with_for_update() if lock else statement)
    return None if row is None else record_of(row)


async def list_waiting(transaction: Transaction, organisation_id: str, *, now: datetime, page: Page) -> list[Recovery]:
    """Return a page of the recoveries that wait for a second officer, oldest first, and one more."""
    statement = select(recovery).where(
        recovery.c.organisation_id == organisation_id,
        recovery.c.state == int(RecoveryState.WAITING),
        recovery.c.expires_at > now,
    )
    if page.after is not None:
        statement = statement.where(recovery.c.recovery_id > page.after[0])
    rows = await transaction.all(statement.order_by(recovery.c.recovery_id).limit(page.size + 1))
    return [record_of(row) for row in rows]


async def insert_recovery(transaction: Transaction, record: Recovery) -> bool:
    """Store a new recovery with its event; False when another one of the e-ID waits."""
    values = {name: getattr(record, name) for name in recovery.c.keys()}  # noqa: SIM118 - a ColumnCollection is no dict
    values |= {"kind": int(record.kind), "state": int(record.state)}
    stored = await transaction.execute(insert(recovery).values(values).on_conflict_do_nothing())
    if stored.rowcount != 1:
        return False
    transaction.emit(person_events.recovery_changed(record, at=record.created_at), county_code=record.county_code)
    return True


async def change_recovery(
    transaction: Transaction, record: Recovery, *, now: datetime, state: RecoveryState, **values: Any
) -> Recovery:
    """Bring a locked recovery to a state; the version rises and an event tells of it."""
    row = await transaction.one(
        update(recovery)
        .where(recovery.c.recovery_id == record.recovery_id)
        .values(state=int(state), version=record.version + 1, **values)
        .returning(recovery)
    )
    changed = record_of(row)
    transaction.emit(person_events.recovery_changed(changed, at=now), county_code=changed.county_code)
    return changed


async def reserve_eid(transaction: Transaction, record: Recovery, *, eid_id: str, eid_number: bytes) -> Recovery:
    """Keep what a replacement gets; the version stays, because nothing that officers see has changed."""
    row = await transaction.one(
        update(recovery)
        .where(recovery.c.recovery_id == record.recovery_id)
        .values(new_eid_id=eid_id, new_eid_number=eid_number)
        .returning(recovery)
    )
    return record_of(row)


def record_of(row: Row[Any] | Sequence[Any]) -> Recovery:
    """Return a recovery as a row of its table holds it."""
    values: dict[str, Any] = dict(zip(recovery.c.keys(), row, strict=True))
    values["kind"] = RecoveryKind(values["kind"])
    values["state"] = RecoveryState(values["state"])
    return Recovery(**values)

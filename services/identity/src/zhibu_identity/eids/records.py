"""e-IDs: the record, how it is found, how it changes. Each change has a version and an event."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import Row, Select, select, update
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.paging import Page

from zhibu_identity import events
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.models import eid

NOUN: Final = "eid"


class EidState(IntEnum):
    """Where an e-ID stands; the numbers are the contract's."""

    ISSUED = 1
    ACTIVE = 2
    REVOKED = 3


class RevocationReason(IntEnum):
    """Why an e-ID was revoked; the numbers are the contract's."""

    NONE = 0
    LEFT = 1
    DIED = 2
    COMPROMISED = 3
    WRONGLY_ISSUED = 4
    OTHER = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Eid:
    """One e-ID as it is stored: whatever tells whose it is is sealed."""

    eid_id: str
    county_code: str
    organisation_id: str
    member_id: str
    # None for the e-ID of somebody whom a roster names, and for one that replaces another.
    application_id: str | None
    account_id: str
    eid_number: bytes
    real_name: bytes
    resident_number: bytes
    telephone: bytes
    branch_id: str
    state: EidState
    issued_at: datetime
    activated_at: datetime | None
    activation_expires_at: datetime | None
    revoked_at: datetime | None
    revocation_reason: RevocationReason
    revocation_note: bytes | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """What is sealed in an e-ID, opened; empty when the person's key was erased."""

    eid_number: str
    real_name: str
    resident_number: str
    telephone: str


def open_holder(record: Eid, key: MemberKey | None) -> Holder:
    """Open what is sealed."""

    def text(name: str, sealed: bytes) -> str:
        return "" if key is None else key.open(sealed, place=f"eid.{name}")

    return Holder(
        eid_number=text("eid_number", record.eid_number),
        real_name=text("real_name", record.real_name),
        resident_number=text("resident_number", record.resident_number),
        telephone=text("telephone", record.telephone),
    )


def open_number(record: Eid, key: MemberKey | None) -> str:
    """Return the serial number alone."""
    return "" if key is None else key.open(record.eid_number, place="eid.eid_number")


async def get_eid(transaction: Transaction, eid_id: str, *, organisation_id: str, lock: bool = False) -> Eid:
    """Return an e-ID that an organisation issued.

    Raises:
        ServiceError: NOT_FOUND when there is none, or another organisation's.
    """
    found = await find_eid(transaction, eid_id, lock=lock)
    if found is None or found.organisation_id != organisation_id:
        raise NOT_FOUND(noun=NOUN)
    return found


async def find_eid(transaction: Transaction, eid_id: str, *, lock: bool = False) -> Eid | None:
    """Return an e-ID, None when there is none within the transaction's scope."""
    return await _find(transaction, select(eid).where(eid.c.eid_id == eid_id), lock=lock)


async def find_living_eid(transaction: Transaction, member_id: str, *, lock: bool = False) -> Eid | None:
    """Return the member's e-ID that is not revoked."""
    statement = select(eid).where(eid.c.member_id == member_id, eid.c.state != int(EidState.REVOKED))
    return await _find(transaction, statement, lock=lock)


async def find_living_eids(transaction: Transaction, member_ids: Collection[str]) -> dict[str, Eid]:
    """Return the living e-IDs of these members, by member."""
    if not member_ids:
        return {}
    statement = select(eid).where(eid.c.member_id.in_(member_ids), eid.c.state != int(EidState.REVOKED))
    return {row.member_id: record_of(row) for row in await transaction.all(statement)}


async def find_holders(transaction: Transaction, member_ids: Collection[str]) -> frozenset[str]:
    """Return those of these members who have a living e-ID."""
    statement = select(eid.c.member_id).where(eid.c.member_id.in_(member_ids), eid.c.state != int(EidState.REVOKED))
    return frozenset(row.member_id for row in await transaction.all(statement))


async def list_eids(
    transaction: Transaction,
    organisation_id: str,
    *,
    states: Collection[EidState],
    page: Page,
    member_ids: Collection[str] | None = None,
) -> list[Eid]:
    """Return a page of e-IDs, newest first, and one more when there is a next page."""
    statement = select(eid).where(eid.c.organisation_id == organisation_id)
    if states:
        statement = statement.where(eid.c.state.in_([int(state) for state in states]))
    if member_ids is not None:
        statement = statement.where(eid.c.member_id.in_(member_ids))
    if page.after is not None:
        statement = statement.where(eid.c.eid_id < page.after[0])
    rows = await transaction.all(statement.order_by(eid.c.eid_id.desc()).limit(page.size + 1))
    return [record_of(row) for row in rows]


async def insert_eid(transaction: Transaction, record: Eid) -> None:
    """Store a new e-ID with its event."""
    await transaction.execute(insert(eid).values(_values(record)))
    transaction.emit(events.eid_changed(record, at=record.issued_at), county_code=record.county_code)


async def insert_eids(transaction: Transaction, records: Sequence[Eid]) -> frozenset[str]:
    """Store new e-IDs with their events; return the members who got one, which those who have a living one do not."""
    if not records:
        return frozenset()
    rows = await transaction.all(
        insert(eid)
        .values([_values(record) for record in records])
        .on_conflict_do_nothing(index_elements=["member_id"], index_where=sql("state <> 3"))
        .returning(eid.c.member_id)
    )
    stored = frozenset(row.member_id for row in rows)
    for record in records:
        if record.member_id in stored:
            transaction.emit(events.eid_changed(record, at=record.issued_at), county_code=record.county_code)
    return stored


async def change_eid(transaction: Transaction, record: Eid, *, now: datetime, values: dict[str, Any]) -> Eid:
    """Change a locked e-ID; the version rises and an event tells of it."""
    row = await transaction.one(
        update(eid).where(eid.c.eid_id == record.eid_id).values(version=record.version + 1, **values).returning(eid)
    )
    changed = record_of(row)
    transaction.emit(events.eid_changed(changed, at=now), county_code=changed.county_code)
    return changed


def _values(record: Eid) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in eid.c.keys()}  # noqa: SIM118 - a ColumnCollection is no dict
    return values | {"state": int(record.state), "revocation_reason": int(record.revocation_reason)}


async def _find(transaction: Transaction, statement: Select[Any], *, lock: bool = False) -> Eid | None:
    row = await transaction.one_or_none(statement.with_for_update() if lock else statement)
    return None if row is None else record_of(row)


def record_of(row: Row[Any] | Sequence[Any]) -> Eid:
    """Return an e-ID as a row of its table holds it."""
    values: dict[str, Any] = dict(zip(eid.c.keys(), row, strict=True))
    values["state"] = EidState(values["state"])
    values["revocation_reason"] = RevocationReason(values["revocation_reason"])
    return Eid(**values)

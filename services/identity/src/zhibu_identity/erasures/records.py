"""Erasures before two officers: the record, how it is found, how it changes. A member has one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.paging import Page

from zhibu_identity.models import erasure_proposal, person
from zhibu_identity.people import events as person_events
from zhibu_identity.people.reach import Reach
from zhibu_identity.rules.erasure import PROPOSAL_HOLDS, ErasureState

NOUN: Final = "erasure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One erasure as stored; the next one of the same member takes its row over."""

    member_id: str
    county_code: str
    proposed_by_member_id: str
    reason: str
    made_at: datetime
    expires_at: datetime
    state: ErasureState
    decided_by_member_id: str | None
    version: int

    def waits(self, now: datetime) -> bool:
        """Whether a second officer can still confirm it."""
        return self.state is ErasureState.WAITING and now < self.expires_at


async def get_erasure(transaction: Transaction, member_id: str) -> Erasure:
    """Return the erasure of a member, locked.

    Raises:
        ServiceError: NOT_FOUND.
    """
    found = await find_erasure(transaction, member_id)
    if found is None:
        raise NOT_FOUND(noun=NOUN)
    return found


async def find_erasure(transaction: Transaction, member_id: str) -> Erasure | None:
    """Return the erasure of a member, locked; None when none was ever asked for."""
    statement = select(erasure_proposal).where(erasure_proposal.c.member_id == member_id)
    row = await transaction.one_or_none(statement.with_for_update())
    return None if row is None else record_of(row)


async def list_waiting(
    transaction: Transaction, reach: Reach, *, now: datetime, page: Page, member_id: str = ""
) -> list[Erasure]:
    """Return a page of the erasures that wait for a second officer, oldest first, and one more."""
    table = erasure_proposal.c
    statement = (
        select(erasure_proposal).join(person, person.c.member_id == table.member_id).where(*_waiting(reach, now))
    )
    if member_id:
        statement = statement.where(table.member_id == member_id)
    if page.after is not None:
        made_at, after = datetime.fromisoformat(page.after[0]), page.after[1]
        statement = statement.where(func.row(table.made_at, table.member_id) > func.row(made_at, after))
    rows = await transaction.all(statement.order_by(table.made_at, table.member_id).limit(page.size + 1))
    return [record_of(row) for row in rows]


async def count_waiting(transaction: Transaction, reach: Reach, *, now: datetime) -> int:
    """Return how many wait for a second officer."""
    people = erasure_proposal.join(person, person.c.member_id == erasure_proposal.c.member_id)
    return int(await transaction.scalar(select(func.count()).select_from(people).where(*_waiting(reach, now))))


async def propose(
    transaction: Transaction,
    before: Erasure | None,
    *,
    member_id: str,
    county_code: str,
    officer: str,
    reason: str,
    now: datetime,
) -> Erasure:
    """Store an erasure that waits, in place of an earlier one; its time begins anew."""
    values = {
        "county_code": county_code,
        "proposed_by_member_id": officer,
        "reason": reason,
        "made_at": now,
        "expires_at": now + PROPOSAL_HOLDS,
        "state": int(ErasureState.WAITING),
        "decided_by_member_id": None,
        "version": before.version + 1 if before else 1,
    }
    row = await transaction.one(
        insert(erasure_proposal)
        .values(member_id=member_id, **values)
        .on_conflict_do_update(index_elements=["member_id"], set_=values)
        .returning(erasure_proposal)
    )
    return _told(transaction, row, at=now)


async def end_erasure(
    transaction: Transaction, record: Erasure, *, state: ErasureState, officer: str | None, now: datetime
) -> Erasure:
    """Bring a locked erasure to its end."""
    row = await transaction.one(
        update(erasure_proposal)
        .where(erasure_proposal.c.member_id == record.member_id)
        .values(state=int(state), decided_by_member_id=officer, version=record.version + 1)
        .returning(erasure_proposal)
    )
    return _told(transaction, row, at=now)


def _waiting(reach: Reach, now: datetime) -> tuple[Any, ...]:
    table = erasure_proposal.c
    return (
        table.county_code == reach.county_code,
        table.state == int(ErasureState.WAITING),
        table.expires_at > now,
        reach.holds(),
    )


def _told(transaction: Transaction, row: Row[Any], *, at: datetime) -> Erasure:
    record = record_of(row)
    transaction.emit(person_events.erasure_changed(record, at=at), county_code=record.county_code)
    return record


def record_of(row: Row[Any] | Sequence[Any]) -> Erasure:
    """Return an erasure as a row of its table holds it."""
    values: dict[str, Any] = dict(zip(erasure_proposal.c.keys(), row, strict=True))
    values["state"] = ErasureState(values["state"])
    return Erasure(**values)

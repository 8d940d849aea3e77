"""The people of a batch of e-IDs, one item each: what is reserved for them, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select, update
from zhibu_kit.db import Transaction
from zhibu_kit.paging import Page

from zhibu_identity.eid_batches.records import WAITING, EidBatch
from zhibu_identity.rosters.models import eid_batch_item


class ItemState(IntEnum):
    """What became of one person of a batch."""

    WAITING = WAITING
    ISSUED = 2
    FAILED = 3
    # Got theirs by another way in the meantime.
    SKIPPED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One person of a batch, with the e-ID that is reserved for them, and how often issuing it failed."""

    position: int
    member_id: str
    eid_id: str | None
    eid_number: bytes | None
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A person who got none, and why."""

    position: int
    member_id: str
    reason: str


async def list_failures(transaction: Transaction, eid_batch_id: str, *, page: Page) -> list[Failure]:
    """Return a page of those who got none, and one more when there is a next page."""
    table = eid_batch_item
    statement = select(table.c.position, table.c.member_id, table.c.failure_reason).where(
        table.c.eid_batch_id == eid_batch_id, table.c.state == int(ItemState.FAILED)
    )
    if page.after is not None:
        statement = statement.where(table.c.position > int(page.after[0]))
    rows = await transaction.all(statement.order_by(table.c.position).limit(page.size + 1))
    return [Failure(position=row.position, member_id=row.member_id, reason=row.failure_reason) for row in rows]


async def list_waiting(
    transaction: Transaction, batch: EidBatch, *, now: datetime, most: int
) -> tuple[list[int], list[int]]:
    """Return the positions of people whose turn it is: those who have not been tried, and those for whom it failed."""
    table = eid_batch_item
    rows = await transaction.all(
        _waiting(batch)
        .with_only_columns(table.c.position, table.c.attempts)
        .where(or_(table.c.due_at.is_(None), table.c.due_at <= now))
        .limit(most)
    )
    return (
        [row.position for row in rows if row.attempts == 0],
        [row.position for row in rows if row.attempts > 0],
    )


async def find_next_turn(transaction: Transaction, batch: EidBatch, *, now: datetime) -> datetime:
    """Return when it is somebody's turn, at the earliest now."""
    earliest = func.min(func.coalesce(eid_batch_item.c.due_at, now))
    due_at = await transaction.scalar(_waiting(batch).with_only_columns(earliest).order_by(None))
    return max(due_at or now, now)


async def load_items(
    transaction: Transaction, batch: EidBatch, positions: Sequence[int], *, lock: bool = False
) -> list[Item]:
    """Return those people of a part of a batch who still wait."""
    statement = _waiting(batch).where(eid_batch_item.c.position.in_(positions))
    rows = await transaction.all(statement.with_for_update() if lock else statement)
    return [
        Item(
            position=row.position,
            member_id=row.member_id,
            eid_id=row.eid_id,
            eid_number=row.eid_number,
            attempts=row.attempts,
        )
        for row in rows
    ]


async def reserve_eids(transaction: Transaction, batch: EidBatch, items: Sequence[Item]) -> None:
    """Keep the identifiers and numbers that locked items were given."""
    if items:
        await transaction.execute(
            update(eid_batch_item)
            .where(eid_batch_item.c.eid_batch_id == batch.eid_batch_id, eid_batch_item.c.position == bindparam("at"))
            .values(eid_id=bindparam("reserved_id"), eid_number=bindparam("reserved_number")),
            [{"at": item.position, "reserved_id": item.eid_id, "reserved_number": item.eid_number} for item in items],
        )


async def postpone_item(transaction: Transaction, batch: EidBatch, item: Item, *, due_at: datetime) -> None:
    """Count that issuing to a locked person failed, and have it tried again later."""
    await transaction.execute(
        update(eid_batch_item)
        .where(eid_batch_item.c.eid_batch_id == batch.eid_batch_id, eid_batch_item.c.position == item.position)
        .values(attempts=item.attempts + 1, due_at=due_at)
    )


async def settle_items(
    transaction: Transaction, batch: EidBatch, items: Sequence[Item], state: ItemState, *, reason: str = ""
) -> None:
    """Say what became of locked items."""
    if items:
        positions = [item.position for item in items]
        await transaction.execute(
            update(eid_batch_item)
            .where(eid_batch_item.c.eid_batch_id == batch.eid_batch_id, eid_batch_item.c.position.in_(positions))
            .values(state=int(state), failure_reason=reason)
        )


def _waiting(batch: EidBatch) -> Select[Any]:
    table = eid_batch_item
    return (
        select(table)
        .where(table.c.eid_batch_id == batch.eid_batch_id, table.c.state == int(ItemState.WAITING))
        .order_by(table.c.position)
    )

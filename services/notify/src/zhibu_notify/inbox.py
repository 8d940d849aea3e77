"""A member's inbox: items, and how many of them are unread."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select, update
from zhibu_kit.db import Transaction

from zhibu_notify.inbox_models import inbox_item, inbox_unread
from zhibu_notify.member_rows import act_for
from zhibu_notify.texts import Kind


async def list_items(
    transaction: Transaction,
    member_id: str,
    *,
    unread_only: bool,
    kind: Kind | None,
    before: str | None,
    count_max: int,
) -> Sequence[Row[Any]]:
    """A member's items, the newest first, those before an identifier."""
    await act_for(transaction, [member_id])
    statement = select(inbox_item).where(inbox_item.c.member_id == member_id)
    if unread_only:
        statement = statement.where(inbox_item.c.read_time.is_(None))
    if kind is not None:
        statement = statement.where(inbox_item.c.kind == int(kind))
    if before is not None:
        statement = statement.where(inbox_item.c.inbox_item_id < before)
    return await transaction.all(statement.order_by(inbox_item.c.inbox_item_id.desc()).limit(count_max))


async def count_unread(transaction: Transaction, member_id: str) -> int:
    """How many items of a member are unread: one row, whatever the inbox holds."""
    await act_for(transaction, [member_id])
    count = select(inbox_unread.c.unread_count).where(inbox_unread.c.member_id == member_id)
    return await transaction.scalar(count) or 0


async def mark_read(transaction: Transaction, member_id: str, *, inbox_item_ids: Collection[str], now: datetime) -> int:
    """Marks items as read, all of them when none is named; returns how many are left unread."""
    await act_for(transaction, [member_id])
    # The counter first: whoever changes a member's items waits here and not in the middle.
    await transaction.execute(
        select(inbox_unread.c.unread_count).where(inbox_unread.c.member_id == member_id).with_for_update()
    )
    unread = (inbox_item.c.member_id == member_id) & inbox_item.c.read_time.is_(None)
    if inbox_item_ids:
        unread &= inbox_item.c.inbox_item_id.in_(list(inbox_item_ids))
    marked = (await transaction.execute(update(inbox_item).where(unread).values(read_time=now))).rowcount
    await _lower(transaction, {member_id: marked})
    return await count_unread(transaction, member_id)


async def purge_items(transaction: Transaction, *, before: datetime, count_max: int) -> int:
    """Deletes items older than an instant, so many at most, whoever's they are; returns how many.

    The transaction runs as the relay, which sees every member.
    """
    old = await transaction.all(
        select(inbox_item.c.inbox_item_id, inbox_item.c.member_id)
        .where(inbox_item.c.create_time < before)
        .limit(count_max)
    )
    # The counters first, as in mark_read: a member who reads an item at this moment and this would wait for each other.
    await transaction.all(
        select(inbox_unread.c.member_id)
        .where(inbox_unread.c.member_id.in_({row.member_id for row in old}))
        .order_by(inbox_unread.c.member_id)
        .with_for_update()
    )
    gone = await transaction.all(
        delete(inbox_item)
        .where(inbox_item.c.inbox_item_id.in_([row.inbox_item_id for row in old]))
        .returning(inbox_item.c.member_id, inbox_item.c.read_time)
    )
    unread: dict[str, int] = {}
    for row in gone:
        if row.read_time is None:
            unread[row.member_id] = unread.get(row.member_id, 0) + 1
    await _lower(transaction, unread)
    return len(gone)


async def _lower(transaction: Transaction, by: dict[str, int]) -> None:
    for member_id, count in sorted(by.items()):
        if count:
            await transaction.execute(
                update(inbox_unread)
                .where(inbox_unread.c.member_id == member_id)
                .values(unread_count=func.greatest(inbox_unread.c.unread_count - count, 0))
            )

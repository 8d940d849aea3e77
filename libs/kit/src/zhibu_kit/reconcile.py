"""Reconciling: an owner says again what it said and how everything of its own stands, and whoever missed something catches up.

After JetStream was wiped, or a consumer was away longer than the streams keep, `python -m zhibu_<service> reconcile`
publishes the rows that the outbox still keeps once more, and then puts the present state of each aggregate into it.
Consumers that know an event or a version leave it out; the others apply it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

from google.protobuf.message import Message
from sqlalchemy import func, select, update

from zhibu_kit import tables
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.notifications import OUTBOX_CHANNEL
from zhibu_kit.scope import Scope

# Yields the present state of each aggregate as the event that would tell of it, and its county.
Snapshot = Callable[[Transaction], AsyncIterator[tuple[Message, str]]]

# Events put into the outbox at once; more would hold too much in memory.
BATCH: Final = 1000
# Rows of the outbox marked in one transaction.
MARK: Final = 10_000


async def reconcile(database: Database, snapshot: Snapshot | None = None) -> int:
    """Have everything published again; return how many events are on their way. Reads all counties, as the relay's role."""
    count = await _publish_again(database)
    if snapshot is None:
        return count
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        pending = 0
        async for event, county_code in snapshot(transaction):
            transaction.emit(event, county_code=county_code)
            pending += 1
            if pending % BATCH == 0:
                await transaction.flush()
    return count + pending


async def _publish_again(database: Database) -> int:
    """Mark what was published as waiting, the latest first, so that the relay meets each key's rows in their order."""
    columns = tables.outbox.c
    count, below = 0, None
    while True:
        async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            published = select(columns.position).where(columns.published_at.is_not(None))
            if below is not None:
                published = published.where(columns.position < below)
            positions = [
                row.position for row in await transaction.all(published.order_by(columns.position.desc()).limit(MARK))
            ]
            if not positions:
                return count
            await transaction.execute(
                update(tables.outbox).where(columns.position.in_(positions)).values(published_at=None, attempts=0)
            )
            await transaction.execute(select(func.pg_notify(OUTBOX_CHANNEL, "")))
        count += len(positions)
        below = positions[-1]

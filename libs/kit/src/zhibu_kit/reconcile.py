"""Reconciling: an owner says again how everything of its own stands, and whoever missed something catches up.

After JetStream was wiped, or a consumer was away longer than the streams keep, `python -m zhibu_<service> reconcile` puts
the present state of each aggregate into the outbox. Consumers that know the version leave it out; the others apply it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final

from google.protobuf.message import Message

from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.scope import Scope

# Yields the present state of each aggregate as the event that would tell of it, and its county.
Snapshot = Callable[[Transaction], AsyncIterator[tuple[Message, str]]]

# Events put into the outbox at once; more would hold too much in memory.
BATCH: Final = 1000


async def reconcile(database: Database, snapshot: Snapshot) -> int:
    """Emit the present state of every aggregate; return how many there were. Reads all counties, as the relay's role."""
    count = 0
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        async for event, county_code in snapshot(transaction):
            transaction.emit(event, county_code=county_code)
            count += 1
            if count % BATCH == 0:
                await transaction.flush()
    return count

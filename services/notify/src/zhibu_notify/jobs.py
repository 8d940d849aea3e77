"""Work that repeats: sending what waits, clearing up after processes that died, and removing what is old."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from zhibu_kit.background import Job
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.scope import Scope

from zhibu_notify.deliveries import purge_deliveries
from zhibu_notify.inbox import purge_items
from zhibu_notify.notice_queue import purge_messages, take_over
from zhibu_notify.notice_sender import NoticeSender

# What the privacy notice promises.
RETENTION: Final = timedelta(days=30)
# An inbox is a memory of somewhat more than a year.
INBOX_RETENTION: Final = timedelta(days=400)
_PURGE_EVERY_S: Final = 3600.0
# One transaction deletes this many; the rest waits for the next.
PURGE_COUNT_MAX: Final = 1000
# Urgent messages are told of; the look is for the case that this was lost. Ordinary ones have time.
_URGENT_EVERY_S: Final = 5.0
_ORDINARY_EVERY_S: Final = 2.0
# A round may be long (the whole county in one night); what it has not done when it is cut off, the next one does.
_ROUND_TIMEOUT_S: Final = 3600.0
# No message is in a living worker's hand for so long.
STALE: Final = timedelta(minutes=10)
_TAKE_OVER_EVERY_S: Final = 60.0

_Purge = Callable[[Transaction, datetime], Awaitable[int]]


def purge_job(database: Database, clock: Clock) -> Job:
    """Deletes records older than the retention. Running twice at once does no harm."""

    async def deliveries(transaction: Transaction, now: datetime) -> int:
        return await purge_deliveries(transaction, before=now - RETENTION, count_max=PURGE_COUNT_MAX)

    async def messages(transaction: Transaction, now: datetime) -> int:
        return await purge_messages(transaction, before=now - RETENTION, count_max=PURGE_COUNT_MAX)

    async def items(transaction: Transaction, now: datetime) -> int:
        return await purge_items(transaction, before=now - INBOX_RETENTION, count_max=PURGE_COUNT_MAX)

    async def purge() -> None:
        # Codes belong to no county and are seen by this service's own role; notices by the relay, for all counties.
        for one, role in ((deliveries, Role.APP), (messages, Role.RELAY), (items, Role.RELAY)):
            await _purge_all(database, one, role=role, now=clock.now())

    return Job(name="purge deliveries", run=purge, every_s=_PURGE_EVERY_S)


def sending_jobs(sender: NoticeSender, *, urgent_woken: asyncio.Event) -> list[Job]:
    """Sends urgent notices at once, and ordinary ones beside them at their times: neither waits for the other."""

    async def urgent() -> None:
        await sender.send_waiting(urgent=True)

    async def ordinary() -> None:
        await sender.send_waiting(urgent=False)

    return [
        Job(
            name="send urgent notices",
            run=urgent,
            every_s=_URGENT_EVERY_S,
            woken=urgent_woken,
            timeout_s=_ROUND_TIMEOUT_S,
        ),
        Job(name="send notices", run=ordinary, every_s=_ORDINARY_EVERY_S, timeout_s=_ROUND_TIMEOUT_S),
    ]


def take_over_job(database: Database, clock: Clock) -> Job:
    """Clears up after workers that died with messages in hand."""

    async def clear_up() -> None:
        now = clock.now()
        async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            await take_over(transaction, before=now - STALE, now=now)

    return Job(name="take over notices", run=clear_up, every_s=_TAKE_OVER_EVERY_S)


async def _purge_all(database: Database, purge: _Purge, *, role: Role, now: datetime) -> None:
    count = PURGE_COUNT_MAX
    while count == PURGE_COUNT_MAX:
        async with database.transaction(Scope.none(), role=role) as transaction:
            count = await purge(transaction, now)

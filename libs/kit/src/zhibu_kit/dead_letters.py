"""Dead letters: events that a consumer could not handle, kept until somebody has mended the cause and replays them.

`python -m zhibu_<service> dead-letters replay ID` asks for a replay; the running service does it, with its own handlers.
`… discard ID` throws one away, whose news came some other way (`reconcile` of the publisher) or is of no use any more.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from google.protobuf.message import DecodeError
from sqlalchemy import delete, func, select, update

from zhibu_kit import tables
from zhibu_kit.clock import Clock
from zhibu_kit.consumers import ConsumerRunner
from zhibu_kit.db import Database
from zhibu_kit.events import EventContext
from zhibu_kit.metrics import gauge
from zhibu_kit.notifications import DEAD_LETTER_CHANNEL
from zhibu_kit.scope import Scope

log = logging.getLogger("zhibu.dead_letters")

POLL_S: Final = 30.0
# Letters listed or replayed at once.
LIMIT: Final = 1000

WAITING: Final = gauge("zhibu.dead_letters.waiting", "Events set aside and not yet replayed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One event that was set aside."""

    dead_letter_id: str
    consumer: str
    event_id: str
    subject: str
    reason: str
    failed_at: datetime
    replayed_at: datetime | None


async def list_dead_letters(database: Database, *, include_replayed: bool = False) -> Sequence[DeadLetter]:
    """Return the dead letters, oldest first."""
    columns = tables.dead_letter.c
    statement = select(
        columns.dead_letter_id,
        columns.consumer,
        columns.event_id,
        columns.subject,
        columns.reason,
        columns.failed_at,
        columns.replayed_at,
    ).order_by(columns.failed_at)
    if not include_replayed:
        statement = statement.where(columns.replayed_at.is_(None))
    async with database.transaction(Scope.none()) as transaction:
        return [DeadLetter(**row._mapping) for row in await transaction.all(statement.limit(LIMIT))]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - its public name


async def count_dead_letters(database: Database) -> int:
    """Return how many wait to be replayed."""
    waiting = select(func.count()).where(tables.dead_letter.c.replayed_at.is_(None))
    async with database.transaction(Scope.none()) as transaction:
        return int(await transaction.scalar(waiting))


async def request_replay(database: Database, dead_letter_id: str, *, now: datetime) -> bool:
    """Ask the running service to replay a letter ("all": every one); return whether there was one to replay."""
    columns = tables.dead_letter.c
    statement = update(tables.dead_letter).where(columns.replayed_at.is_(None)).values(replay_requested_at=now)
    if dead_letter_id != "all":
        statement = statement.where(columns.dead_letter_id == dead_letter_id)
    async with database.transaction(Scope.none()) as transaction:
        found = (await transaction.execute(statement)).rowcount > 0
        await transaction.execute(select(func.pg_notify(DEAD_LETTER_CHANNEL, "")))
    return found


async def discard(database: Database, dead_letter_id: str) -> bool:
    """Throw a letter away that can never be handled; return whether there was one that waited."""
    columns = tables.dead_letter.c
    statement = delete(tables.dead_letter).where(
        columns.dead_letter_id == dead_letter_id, columns.replayed_at.is_(None)
    )
    async with database.transaction(Scope.none()) as transaction:
        found = (await transaction.execute(statement)).rowcount > 0
        await transaction.execute(select(func.pg_notify(DEAD_LETTER_CHANNEL, "")))
    return found


async def replay_requested(database: Database, runners: Mapping[str, ConsumerRunner], *, clock: Clock) -> int:
    """Replay what was asked for, each letter in a transaction of its own; return how many succeeded."""
    columns = tables.dead_letter.c
    async with database.transaction(Scope.none()) as transaction:
        letters = await transaction.all(
            select(tables.dead_letter)
            .where(columns.replay_requested_at.is_not(None), columns.replayed_at.is_(None))
            .order_by(columns.failed_at)
            .limit(LIMIT)
        )
    replayed = 0
    for letter in letters:
        values: dict[str, object] = {"replay_requested_at": None}
        try:
            context = EventContext.of(letter.subject, letter.headers)
            runner = runners[letter.consumer]
            await runner.effects.apply(runner.consumer.event.FromString(bytes(letter.payload)), context)
        except (KeyError, ValueError, DecodeError) as error:
            log.warning("A dead letter cannot be replayed", extra={"fields": {"reason": type(error).__name__}})
        except Exception as error:  # The handler failed once more, and the letter stays
            log.warning("A dead letter failed again", exc_info=error)
            values["reason"] = type(error).__name__
        else:
            values["replayed_at"] = clock.now()
            replayed += 1
        async with database.transaction(Scope.none()) as transaction:
            await transaction.execute(
                update(tables.dead_letter).where(columns.dead_letter_id == letter.dead_letter_id).values(**values)
            )
    return replayed

"""The worker of e-ID batches: takes one that waits and does its parts, two at a time.

While Keycloak opens the accounts of one part, the other part's numbers, seeds and records are made: Keycloak never waits
for us. When a part fails and what it needs is there, its people are tried singly (`singly`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain
from typing import Final

from zhibu_kit.errors import ServiceError

from zhibu_identity.eid_batches.issuing import issue_part
from zhibu_identity.eid_batches.items import find_next_turn, list_waiting
from zhibu_identity.eid_batches.records import (
    EidBatch,
    LeaseLostError,
    finish_batch,
    keep_batch,
    lease_batch,
    postpone_batch,
)
from zhibu_identity.eid_batches.singly import describe, issue_singly, may_be_of_one
from zhibu_identity.eids.accounts import AccountsError
from zhibu_identity.parts import Parts
from zhibu_identity.tasks.leases import kept

log = logging.getLogger("zhibu.identity.eid_batches")

# Of more accounts in one import each takes Keycloak longer: fifty go three times as fast as a hundred (bench/eid_issuing.py).
PART_SIZE: Final = 50
SIDE_BY_SIDE: Final = 2
# People of one batch before another one that waits has its turn: half a minute's work.
PEOPLE_PER_TURN: Final = 1_000
FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=5)


async def work_eid_batches(parts: Parts, *, per_turn: int = PEOPLE_PER_TURN) -> int:
    """Work on every batch that waits, each in its turn; return how many times one was taken."""
    taken = 0
    while (batch := await lease_batch(parts.database, now=parts.clock.now())) is not None:
        taken += 1
        await _attempt(parts, batch, per_turn=per_turn)
    return taken


async def _attempt(parts: Parts, batch: EidBatch, *, per_turn: int) -> None:
    try:
        async with kept(
            lambda: keep_batch(parts.database, batch, now=parts.clock.now()),
            give_back=lambda: postpone_batch(parts.database, batch, due_at=parts.clock.now()),
        ):
            await _work_on(parts, batch, per_turn=per_turn)
    except Exception as error:  # noqa: BLE001 - the outermost loop of the worker
        cause = _first_of(error)
        if isinstance(cause, LeaseLostError):
            return
        known = isinstance(cause, AccountsError | ServiceError | TimeoutError)
        log.log(
            logging.WARNING if known else logging.ERROR,
            "Work on an e-ID batch failed and is tried again",
            extra={
                "fields": {
                    "eid_batch": batch.eid_batch_id,
                    "attempts": batch.attempts,
                    **describe(cause),
                }
            },
        )
        pause = min(FIRST_PAUSE * 2 ** min(batch.attempts, 16), LONGEST_PAUSE)
        await postpone_batch(parts.database, batch, due_at=parts.clock.now() + pause)


async def _work_on(parts: Parts, batch: EidBatch, *, per_turn: int) -> None:
    """Do as much as a turn allows, and finish the batch or give it back to the end of the queue."""
    async with parts.database.transaction(batch.scope) as transaction:
        fresh, failed = await list_waiting(transaction, batch, now=parts.clock.now(), most=per_turn)
    todo = chain(_parts_of(fresh), ([position] for position in failed))
    async with asyncio.TaskGroup() as group:
        for _ in range(SIDE_BY_SIDE):
            group.create_task(_work_through(parts, batch, todo))
    async with parts.database.transaction(batch.scope) as transaction:
        await finish_batch(transaction, batch, now=parts.clock.now())
        due_at = await find_next_turn(transaction, batch, now=parts.clock.now())
    # Of a batch that is finished nothing changes.
    await postpone_batch(parts.database, batch, due_at=due_at)


async def _work_through(parts: Parts, batch: EidBatch, todo: Iterator[list[int]]) -> None:
    """Do one part after the other; several do so side by side, each part once."""
    for positions in todo:
        if len(positions) == 1 or not await _issue_together(parts, batch, positions):
            await issue_singly(parts, batch, positions)


async def _issue_together(parts: Parts, batch: EidBatch, positions: Sequence[int]) -> bool:
    """Issue e-IDs to a part; False when that fails and one of its people may be why."""
    try:
        await issue_part(parts, batch, positions)
    except Exception as error:
        if not may_be_of_one(error):
            raise
        return False
    return True


def _parts_of(positions: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(positions), PART_SIZE):
        yield list(positions[start : start + PART_SIZE])


def _first_of(error: BaseException) -> BaseException:
    """Return the error that ended the work: of several at once, the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error

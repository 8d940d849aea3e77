"""The people of a part whose issuing failed, one by one: whoever is at fault is found, and the others get theirs.

A person for whom it fails again and again gets none from this batch; the clerk sees why, and may begin another one.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from grpc import StatusCode
from zhibu_kit.errors import ServiceError

from zhibu_identity.eid_batches.fates import clean_up, drop_elsewhere, settle
from zhibu_identity.eid_batches.issuing import issue_part
from zhibu_identity.eid_batches.items import Item, load_items, postpone_item
from zhibu_identity.eid_batches.records import Counts, EidBatch, LeaseLostError, advance_batch
from zhibu_identity.eids.accounts import AccountRefusedError, AccountsError
from zhibu_identity.errors import ACCOUNT_REFUSED, ISSUING_FAILED
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import find_counties, find_people

log = logging.getLogger("zhibu.identity.eid_batches")

# So often a person is tried before the batch goes on without them: two minutes with the waits in between.
MOST_ATTEMPTS: Final = 4
# How long they wait after the first failure, and how much longer after each one that follows.
FIRST_WAIT: Final = timedelta(seconds=10)
LONGER_BY: Final = 3
# When it fails for so many people of a part and for none it works, it is not they who are at fault: the batch waits.
MOST_AT_FAULT: Final = 10
_FRAMES: Final = 4


def may_be_of_one(error: Exception) -> bool:
    """Say whether a failure may come from one person; a Keycloak or a database that is away fails for all."""
    match error:
        case AccountRefusedError():
            return True
        case ServiceError():
            return error.code is not StatusCode.UNAVAILABLE
        case _:
            return not isinstance(error, AccountsError | TimeoutError | LeaseLostError)


async def issue_singly(parts: Parts, batch: EidBatch, positions: Sequence[int]) -> None:
    """Issue e-IDs to people of a part one by one; those for whom it fails wait, or are told to the clerk.

    Raises:
        Exception: what ended the first attempt that may not be one person's fault, or of so many failures the last.
    """
    failed: dict[int, Exception] = {}
    for number, position in enumerate(positions, start=1):
        try:
            await issue_part(parts, batch, [position])
        except Exception as error:
            failed[position] = error
            if not may_be_of_one(error) or len(failed) == number == MOST_AT_FAULT:
                raise
    for position, error in failed.items():
        await _note_failure(parts, batch, position, error)


def describe(error: BaseException) -> dict[str, str]:
    """Return what a log may say of an error: the text of most may hold what stands in a record, type and place do not."""
    known = isinstance(error, AccountsError | ServiceError)
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return {
        "because": str(error) if known else type(error).__name__,
        "at": " > ".join(f"{Path(frame.filename).stem}:{frame.lineno}" for frame in frames),
    }


async def _note_failure(parts: Parts, batch: EidBatch, position: int, error: Exception) -> None:
    """Have a person tried again later, or after the last attempt say that they get none."""
    async with parts.database.transaction(batch.scope) as transaction:
        items = await load_items(transaction, batch, [position], lock=True)
        waits = [item for item in items if item.attempts + 1 < MOST_ATTEMPTS]
        now = parts.clock.now()
        for item in waits:
            await postpone_item(transaction, batch, item, due_at=now + FIRST_WAIT * LONGER_BY**item.attempts)
        await advance_batch(transaction, batch, Counts(), now=now)
    for item in items:
        log.log(
            logging.WARNING if isinstance(error, AccountsError | ServiceError) else logging.ERROR,
            "Issuing an e-ID of a batch failed for one person",
            extra={
                "fields": {
                    "eid_batch": batch.eid_batch_id,
                    "position": position,
                    "attempts": item.attempts + 1,
                    "tried_again": item in waits,
                    **describe(error),
                }
            },
        )
    if len(waits) < len(items):
        reason = (ACCOUNT_REFUSED if isinstance(error, AccountRefusedError) else ISSUING_FAILED).reason
        await _give_up(parts, batch, items, reason=reason)


async def _give_up(parts: Parts, batch: EidBatch, items: Sequence[Item], *, reason: str) -> None:
    """Say that people get none; what an attempt may have opened is deleted wherever they are."""
    counties = await find_counties(parts.database, [item.member_id for item in items])
    now = parts.clock.now()
    async with parts.database.transaction(batch.scope) as transaction:
        items = await load_items(transaction, batch, [item.position for item in items], lock=True)
        people = await find_people(transaction, [item.member_id for item in items])
        moved = {member_id: county for member_id, county in counties.items() if county != batch.county_code}
        await clean_up(transaction, batch, {reason: list(items)}, people=people, account_ids={}, now=now)
        await drop_elsewhere(transaction, items, county_codes=moved, now=now)
        await settle(transaction, batch, {reason: list(items)}, issued=(), now=now)

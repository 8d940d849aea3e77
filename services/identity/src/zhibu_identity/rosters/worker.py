"""The worker of rosters: takes one that waits, checks or commits it, and gives it back when something is away."""

from __future__ import annotations

import logging
import traceback
from datetime import timedelta
from pathlib import Path
from typing import Final

from zhibu_kit.errors import ServiceError

from zhibu_identity.parts import Parts
from zhibu_identity.rosters.checking import check
from zhibu_identity.rosters.committing import commit, settle
from zhibu_identity.rosters.records import LeaseLostError, Roster, RosterState, keep_lease, lease_roster, postpone
from zhibu_identity.tasks.leases import kept

log = logging.getLogger("zhibu.identity.rosters")

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=5)
_FRAMES: Final = 4


async def work_rosters(parts: Parts) -> int:
    """Work on every roster that waits; return how many times one was taken."""
    taken = 0
    while (record := await lease_roster(parts.database, now=parts.clock.now())) is not None:
        taken += 1
        await _attempt(parts, record)
    return taken


async def _attempt(parts: Parts, record: Roster) -> None:
    try:
        async with kept(
            lambda: keep_lease(parts.database, record, now=parts.clock.now()),
            give_back=lambda: postpone(parts.database, record, due_at=parts.clock.now()),
        ):
            await _work_on(parts, record)
    except LeaseLostError:
        # Cancelled, mapped anew, or somebody else's by now.
        return
    except Exception as error:  # noqa: BLE001 - the outermost loop of the worker
        known = isinstance(error, ServiceError)
        log.log(
            logging.WARNING if known else logging.ERROR,
            "Work on a roster failed and is tried again",
            # The text of an error may hold what stands in the file; its type and place do not.
            extra={
                "fields": {
                    "roster": record.roster_id,
                    "state": record.state.name,
                    "attempts": record.attempts,
                    "because": str(error) if known else type(error).__name__,
                    "at": _place_of(error),
                }
            },
        )
        pause = min(FIRST_PAUSE * 2 ** min(record.attempts, 16), LONGEST_PAUSE)
        await postpone(parts.database, record, due_at=parts.clock.now() + pause)


def _place_of(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return " > ".join(f"{Path(frame.filename).stem}:{frame.lineno}" for frame in frames[-_FRAMES:])


async def _work_on(parts: Parts, record: Roster) -> None:
    match record.state:
        case RosterState.CHECKING:
            await check(parts, record)
        case RosterState.COMMITTING:
            await commit(parts, record)
        case _:
            await settle(parts, record)

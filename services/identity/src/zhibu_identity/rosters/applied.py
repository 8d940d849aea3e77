"""What branches tells about rosters: every row of one was looked at."""

from __future__ import annotations

from zhibu.branches.v1 import branches_events_pb2
from zhibu_kit.consumers import Consumer
from zhibu_kit.db import Transaction
from zhibu_kit.events import EventContext

from zhibu_identity.parts import Parts
from zhibu_identity.rosters.committing import note_applied


def roster_consumers(parts: Parts) -> list[Consumer]:
    """Return the consumers of rosters."""

    async def applied(
        transaction: Transaction, event: branches_events_pb2.RosterApplied, context: EventContext
    ) -> None:
        await note_applied(transaction, event.roster_id, now=parts.clock.now())

    return [Consumer(name="roster_applied", event=branches_events_pb2.RosterApplied, handle=applied)]

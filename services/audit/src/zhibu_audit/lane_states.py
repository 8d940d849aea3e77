"""Where a lane stands, read and written under the lock of its row."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu.audit.v1.audit_events_pb2 import RowsWanted
from zhibu_kit.db import Transaction

from zhibu_audit import models
from zhibu_audit.chains import NO_HASH, Link


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """A lane: where it goes on, what came too early, since when it waits, and how often rows were asked for."""

    lane: str
    link: Link
    ahead_sequence: int
    ahead_chain: bytes
    seen_sequence: int
    stopped_at: datetime | None
    incident_id: str | None
    asked_version: int
    asked_count: int
    asked_at: datetime | None
    updated_at: datetime

    @property
    def is_behind(self) -> bool:
        """Whether rows are known to be missing."""
        return self.seen_sequence > self.link.sequence


async def lock_lane(transaction: Transaction, lane: str, *, now: datetime) -> LaneState:
    """Read a lane, and let nobody else move it until the transaction ends; a new one begins before its first row."""
    new = insert(models.lane).values(
        lane=lane,
        sequence=0,
        chain_hash=NO_HASH,
        anchored=False,
        ahead_sequence=0,
        seen_sequence=0,
        asked_version=0,
        asked_count=0,
        updated_at=now,
    )
    await transaction.execute(new.on_conflict_do_nothing())
    row = await transaction.one(select(models.lane).where(models.lane.c.lane == lane).with_for_update())
    return LaneState(
        lane=lane,
        link=Link(sequence=row.sequence, chain=bytes(row.chain_hash), anchored=row.anchored),
        ahead_sequence=row.ahead_sequence,
        ahead_chain=bytes(row.ahead_chain_hash or b""),
        seen_sequence=row.seen_sequence,
        stopped_at=row.stopped_at,
        incident_id=row.incident_id,
        asked_version=row.asked_version,
        asked_count=row.asked_count,
        asked_at=row.asked_at,
        updated_at=row.updated_at,
    )


async def save_lane(transaction: Transaction, state: LaneState) -> None:
    """Write a lane that is locked."""
    await transaction.execute(
        update(models.lane)
        .where(models.lane.c.lane == state.lane)
        .values(
            sequence=state.link.sequence,
            chain_hash=state.link.chain,
            anchored=state.link.anchored,
            ahead_sequence=state.ahead_sequence,
            ahead_chain_hash=state.ahead_chain or None,
            seen_sequence=state.seen_sequence,
            stopped_at=state.stopped_at,
            incident_id=state.incident_id,
            asked_version=state.asked_version,
            asked_count=state.asked_count,
            asked_at=state.asked_at,
            updated_at=state.updated_at,
        )
    )


def ask_for_rows(transaction: Transaction, lane: str, *, from_sequence: int, version: int, now: datetime) -> int:
    """Ask a service for its rows from a number on, with the commit; return the version of the asking."""
    # Of two askings the later one counts, also when this database was restored in between.
    version = max(version + 1, int(now.timestamp() * 1000))
    wanted = RowsWanted(lane=lane, version=version, from_sequence=max(from_sequence, 1))
    transaction.emit(wanted, county_code="")
    return version

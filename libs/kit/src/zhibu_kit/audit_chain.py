"""Numbers and chains audit rows after commit, so that a missing or changed one shows.

Rows commit unnumbered and are numbered within a second, in batches, by one process at a time. Until then whoever can
change the database could remove a row unseen; docs/architecture.md names this window. The chain: SHA-256 over the hash
before it and the row's canonical JSON (keys sorted, bytes in hexadecimal, instants in ISO 8601).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
import orjson
from sqlalchemy import RowMapping, bindparam, func, select, update

from zhibu_kit import tables
from zhibu_kit.audit_subjects import find_wrong_commitments
from zhibu_kit.db import Database, Role
from zhibu_kit.metrics import gauge
from zhibu_kit.scope import Scope

# Not woken by each write: what comes within this time is numbered together.
EVERY_S: Final = 0.5
BATCH: Final = 1000
# The age of the oldest row without a number is looked up this often.
LOOK_S: Final = 5.0
UNNUMBERED_AGE: Final = gauge(
    "zhibu.audit.unnumbered_age", "Age of the oldest audit row that has no number yet.", unit="s"
)
_UNCHAINED: Final = frozenset({"sequence", "chain_hash", "commitment_salt"})


def canonical_row(sequence: int, row: RowMapping | asyncpg.Record) -> bytes:
    """Return what the chain covers of a row: not the salt, so that it can be destroyed with a member's key."""
    fields = {str(name): _plain(value) for name, value in row.items() if str(name) not in _UNCHAINED}
    fields["sequence"] = sequence
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)


def chain_hash(previous: bytes, sequence: int, row: RowMapping) -> bytes:
    """Return the hash of a row after `previous`."""
    return hashlib.sha256(previous + canonical_row(sequence, row)).digest()


async def number_audit_rows(database: Database) -> int:
    """Number the rows that have no number yet, and return how many there were."""
    total = 0
    while True:
        numbered = await _number_batch(database)
        total += numbered
        if numbered < BATCH:
            return total


async def _number_batch(database: Database) -> int:
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        # The head's row is the lock: a second process leaves the rows to the one that is at it.
        head = await transaction.one_or_none(select(tables.audit_head).with_for_update(skip_locked=True))
        if head is None:
            return 0
        rows = await transaction.all(
            select(tables.audit)
            .where(tables.audit.c.sequence.is_(None))
            .order_by(tables.audit.c.occurred_at, tables.audit.c.audit_id)
            .limit(BATCH)
        )
        if not rows:
            return 0
        sequence, previous = head.sequence, bytes(head.chain_hash)
        changes: list[dict[str, Any]] = []
        for row in rows:
            sequence += 1
            previous = chain_hash(previous, sequence, row._mapping)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - its public name
            changes.append({"row_id": row.audit_id, "number": sequence, "hash": previous})
        await transaction.execute(
            update(tables.audit)
            .where(tables.audit.c.audit_id == bindparam("row_id"))
            .values(sequence=bindparam("number"), chain_hash=bindparam("hash")),
            changes,
        )
        await transaction.execute(update(tables.audit_head).values(sequence=sequence, chain_hash=previous))
        return len(rows)


async def unnumbered_age_s(database: Database, *, now: datetime) -> float:
    """Return the age of the oldest row without a number, 0 when there is none: one look into an index."""
    waiting = select(func.min(tables.audit.c.occurred_at)).where(tables.audit.c.sequence.is_(None))
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        oldest = await transaction.scalar(waiting)
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0


async def verify_audit_chain(database: Database) -> list[str]:
    """Recompute the chain and the commitments and return what is wrong with them; an empty list when nothing is."""
    faults: list[str] = []
    previous, expected = bytes(32), 0
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        while True:
            rows = await transaction.all(
                select(tables.audit)
                .where(tables.audit.c.sequence > expected)
                .order_by(tables.audit.c.sequence)
                .limit(BATCH)
            )
            for row in rows:
                expected += 1
                if row.sequence != expected:
                    faults.append(f"numbers {expected} to {row.sequence - 1} are missing")
                    expected = row.sequence
                elif chain_hash(previous, expected, row._mapping) != bytes(row.chain_hash):  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - its public name
                    faults.append(f"row {expected} was changed")
                previous = bytes(row.chain_hash)
            wrong = await find_wrong_commitments(transaction, rows)
            faults += [f"whom row {sequence} is about was changed" for sequence in wrong]
            if len(rows) < BATCH:
                break
        head = await transaction.one(select(tables.audit_head))
    if head.sequence != expected or bytes(head.chain_hash) != previous:
        faults.append(f"the last rows are missing: the head says {head.sequence}, the rows end at {expected}")
    return faults


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value

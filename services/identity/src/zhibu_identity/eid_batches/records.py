"""e-IDs for many people: the batch, its people, how far it is. `issuing` does the work.

Each person is one item, and two batches are never at the same people: a unique index over waiting items holds that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, and_, exists, func, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.ids import new_ulid
from zhibu_kit.paging import Page
from zhibu_kit.scope import Scope

from zhibu_identity.eid_batches.candidates import candidates_of
from zhibu_identity.errors import EID_BATCH_RUNNING
from zhibu_identity.parts import Parts
from zhibu_identity.people.reach import Reach
from zhibu_identity.rosters.models import eid_batch, eid_batch_item
from zhibu_identity.tasks.leases import LEASE

NOUN: Final = "eid_batch"
# Wakes the worker and whoever watches.
CHANNEL: Final = "identity_eid_batch"
# State of a person who waits; what else can become of them says `items`.
WAITING: Final = 1


class LeaseLostError(Exception):
    """Somebody else works on the batch by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EidBatch:
    """A batch as stored."""

    eid_batch_id: str
    county_code: str
    organisation_id: str
    made_by_member_id: str
    total_count: int
    issued_count: int
    failed_count: int
    skipped_count: int
    leased_until: datetime | None
    lease: int
    due_at: datetime
    attempts: int
    created_at: datetime
    finished_at: datetime | None

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.finished_at is not None

    @property
    def scope(self) -> Scope:
        """The scope in which it is worked on."""
        return Scope.of(self.county_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """By how much a batch advanced."""

    issued: int = 0
    failed: int = 0
    skipped: int = 0


async def create_batch(
    transaction: Transaction, parts: Parts, reach: Reach, *, organisation_id: str, member_id: str
) -> tuple[EidBatch, Sequence[str]]:
    """Store a batch for everybody who is entitled and never had an e-ID; return it with their members.

    Raises:
        ServiceError: EID_BATCH_RUNNING when another one is at some of them.
    """
    batch_id, now = new_ulid(parts.clock), parts.clock.now()
    people = candidates_of(reach)
    position = func.row_number().over(order_by=(people.c.branch_id, people.c.member_id)) - 1
    chosen = select(literal(batch_id), people.c.county_code, position, people.c.member_id, literal(WAITING)).where(
        people.c.entitled, people.c.eids == 0
    )
    try:
        await transaction.execute(
            insert(eid_batch).values(
                eid_batch_id=batch_id,
                county_code=reach.county_code,
                organisation_id=organisation_id,
                made_by_member_id=member_id,
                total_count=0,
                due_at=now,
                created_at=now,
            )
        )
        rows = await transaction.all(
            insert(eid_batch_item)
            .from_select(["eid_batch_id", "county_code", "position", "member_id", "state"], chosen)
            .returning(eid_batch_item.c.member_id)
        )
    except IntegrityError:
        # One of the two indexes that say: one batch at a time.
        raise EID_BATCH_RUNNING() from None
    row = await transaction.one(
        update(eid_batch)
        .where(eid_batch.c.eid_batch_id == batch_id)
        .values(total_count=len(rows), finished_at=None if rows else now)
        .returning(eid_batch)
    )
    await notify(transaction)
    return record_of(row), [each.member_id for each in rows]


async def get_batch(transaction: Transaction, eid_batch_id: str, *, organisation_id: str) -> EidBatch:
    """Return a batch of an organisation.

    Raises:
        ServiceError: NOT_FOUND.
    """
    row = await transaction.one_or_none(
        select(eid_batch).where(
            eid_batch.c.eid_batch_id == eid_batch_id, eid_batch.c.organisation_id == organisation_id
        )
    )
    if row is None:
        raise NOT_FOUND(noun=NOUN)
    return record_of(row)


async def list_batches(transaction: Transaction, organisation_id: str, *, page: Page) -> list[EidBatch]:
    """Return a page of batches, newest first, and one more when there is a next page."""
    statement = select(eid_batch).where(eid_batch.c.organisation_id == organisation_id)
    if page.after is not None:
        statement = statement.where(eid_batch.c.eid_batch_id < page.after[0])
    rows = await transaction.all(statement.order_by(eid_batch.c.eid_batch_id.desc()).limit(page.size + 1))
    return [record_of(row) for row in rows]


async def lease_batch(database: Database, *, now: datetime) -> EidBatch | None:
    """Take a batch that waits to be worked on."""
    due = (
        select(eid_batch.c.eid_batch_id)
        .where(
            eid_batch.c.finished_at.is_(None),
            eid_batch.c.due_at <= now,
            or_(eid_batch.c.leased_until.is_(None), eid_batch.c.leased_until < now),
        )
        .order_by(eid_batch.c.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        row = await transaction.one_or_none(
            update(eid_batch)
            .where(eid_batch.c.eid_batch_id.in_(due.scalar_subquery()))
            .values(leased_until=now + LEASE, lease=eid_batch.c.lease + 1, attempts=eid_batch.c.attempts + 1)
            .returning(eid_batch)
        )
    return None if row is None else record_of(row)


async def advance_batch(transaction: Transaction, batch: EidBatch, counts: Counts, *, now: datetime) -> None:
    """Count what was done, and renew the lease.

    Raises:
        LeaseLostError: when somebody else works on it by now; nothing of the transaction may stay.
    """
    advanced = await transaction.one_or_none(
        update(eid_batch)
        .where(_leased(batch))
        .values(
            issued_count=eid_batch.c.issued_count + counts.issued,
            failed_count=eid_batch.c.failed_count + counts.failed,
            skipped_count=eid_batch.c.skipped_count + counts.skipped,
            leased_until=now + LEASE,
            attempts=0,
        )
        .returning(eid_batch.c.eid_batch_id)
    )
    if advanced is None:
        raise LeaseLostError
    if counts != Counts():
        await notify(transaction)


async def finish_batch(transaction: Transaction, batch: EidBatch, *, now: datetime) -> None:
    """Say that nothing is left to do, if that is so."""
    waiting = exists().where(eid_batch_item.c.eid_batch_id == batch.eid_batch_id, eid_batch_item.c.state == WAITING)
    await transaction.execute(
        update(eid_batch).where(_leased(batch), ~waiting).values(finished_at=now, leased_until=None)
    )
    await notify(transaction)


async def keep_batch(database: Database, batch: EidBatch, *, now: datetime) -> None:
    """Keep a leased batch while a part of it takes long; one that is lost stays lost."""
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(
            update(eid_batch)
            .where(_leased(batch), eid_batch.c.leased_until.is_not(None))
            .values(leased_until=now + LEASE)
        )


async def postpone_batch(database: Database, batch: EidBatch, *, due_at: datetime) -> None:
    """Give a batch back for later: what it needs is away, or others wait for longer."""
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(update(eid_batch).where(_leased(batch)).values(due_at=due_at, leased_until=None))


async def notify(transaction: Transaction) -> None:
    """Wake the worker and whoever watches, with the commit."""
    await transaction.execute(select(func.pg_notify(CHANNEL, "")))


def record_of(row: Row[Any]) -> EidBatch:
    """Return a batch as a row of its table holds it."""
    values: dict[str, Any] = dict(zip(eid_batch.c.keys(), row, strict=True))
    return EidBatch(**values)


def _leased(batch: EidBatch) -> Any:
    return and_(
        eid_batch.c.eid_batch_id == batch.eid_batch_id,
        eid_batch.c.lease == batch.lease,
        eid_batch.c.finished_at.is_(None),
    )

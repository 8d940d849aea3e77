"""Approving many applications at once: a list that a job works through, one application in each transaction.

What became of an application is written in the very transaction that approves it, so a crash in the middle neither loses
nor repeats anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final

from grpc import StatusCode
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Role, Transaction
from zhibu_kit.errors import NOT_FOUND, ServiceError
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope

from zhibu_identity.applications.decisions import approve, lock_application
from zhibu_identity.models import approval_batch, approval_batch_item
from zhibu_identity.parts import Parts

NOUN: Final = "approval_batch"
CHANNEL: Final = "identity_batch"
# Batches looked at in one run of the job; the next run takes the others.
BATCHES_PER_RUN: Final = 50


class ItemState(IntEnum):
    """What became of one application of a batch; the numbers are the contract's."""

    WAITING = 1
    APPROVED = 2
    FAILED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One application as the clerk saw it."""

    application_id: str
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One application of a batch."""

    application_id: str
    state: ItemState
    failure_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch and what became of each application, in the order given."""

    approval_batch_id: str
    organisation_id: str
    made_at: datetime
    items: Sequence[Item]

    def count(self, state: ItemState) -> int:
        """Return how many items are in a state."""
        return sum(item.state is state for item in self.items)

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return self.count(ItemState.WAITING) == 0


async def create_batch(
    transaction: Transaction,
    parts: Parts,
    entries: Sequence[Entry],
    *,
    organisation_id: str,
    county_code: str,
    member_id: str,
) -> Batch:
    """Store a batch; the job begins with the commit."""
    batch_id, now = new_ulid(parts.clock), parts.clock.now()
    await transaction.execute(
        insert(approval_batch).values(
            approval_batch_id=batch_id,
            county_code=county_code,
            organisation_id=organisation_id,
            made_by_member_id=member_id,
            total_count=len(entries),
            made_at=now,
        )
    )
    await transaction.execute(
        insert(approval_batch_item),
        [
            {
                "approval_batch_id": batch_id,
                "county_code": county_code,
                "position": position,
                "application_id": entry.application_id,
                "etag": entry.etag,
                "state": int(ItemState.WAITING),
                "failure_reason": "",
            }
            for position, entry in enumerate(entries)
        ],
    )
    await _notify(transaction)
    return await get_batch(transaction, batch_id, organisation_id=organisation_id)


async def get_batch(transaction: Transaction, approval_batch_id: str, *, organisation_id: str) -> Batch:
    """Return a batch of an organisation.

    Raises:
        ServiceError: NOT_FOUND.
    """
    row = await transaction.one_or_none(
        select(approval_batch.c.made_at).where(
            approval_batch.c.approval_batch_id == approval_batch_id,
            approval_batch.c.organisation_id == organisation_id,
        )
    )
    if row is None:
        raise NOT_FOUND(noun=NOUN)
    table = approval_batch_item
    items = await transaction.all(
        select(table.c.application_id, table.c.state, table.c.failure_reason)
        .where(table.c.approval_batch_id == approval_batch_id)
        .order_by(table.c.position)
    )
    return Batch(
        approval_batch_id=approval_batch_id,
        organisation_id=organisation_id,
        made_at=row.made_at,
        items=[
            Item(application_id=item.application_id, state=ItemState(item.state), failure_reason=item.failure_reason)
            for item in items
        ],
    )


async def work_batches(parts: Parts) -> None:
    """Work through whatever waits in any batch."""
    table = approval_batch_item
    waiting = (
        select(table.c.approval_batch_id, table.c.county_code)
        .where(table.c.state == int(ItemState.WAITING))
        .distinct()
        .limit(BATCHES_PER_RUN)
    )
    async with parts.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        batches = await transaction.all(waiting)
    for batch in batches:
        while await _work_one(parts, batch.approval_batch_id, scope=Scope.of(batch.county_code)):
            parts.reached("one of a batch decided")


async def _work_one(parts: Parts, approval_batch_id: str, *, scope: Scope) -> bool:
    """Decide the next application of a batch; False when none is left that nobody else is at."""
    table = approval_batch_item
    async with parts.database.transaction(scope) as transaction:
        row = await transaction.one_or_none(
            select(table, approval_batch.c.organisation_id, approval_batch.c.made_by_member_id)
            .join(approval_batch, approval_batch.c.approval_batch_id == table.c.approval_batch_id)
            .where(table.c.approval_batch_id == approval_batch_id, table.c.state == int(ItemState.WAITING))
            .order_by(table.c.position)
            .limit(1)
            .with_for_update(skip_locked=True, of=table)
        )
        if row is None:
            return False
        failure_reason = ""
        try:
            async with transaction.connection.begin_nested():
                record = await lock_application(transaction, row.application_id, organisation_id=row.organisation_id)
                await approve(
                    transaction,
                    parts,
                    record,
                    member_id=row.made_by_member_id,
                    etag=row.etag,
                    findings_checked=False,
                )
        except ServiceError as error:
            if error.code is StatusCode.UNAVAILABLE:
                raise
            failure_reason = error.reason
        await transaction.execute(
            update(table)
            .where(table.c.approval_batch_id == approval_batch_id, table.c.position == row.position)
            .values(
                state=int(ItemState.FAILED if failure_reason else ItemState.APPROVED), failure_reason=failure_reason
            )
        )
        await _notify(transaction)
        parts.reached("one of a batch decided, not committed")
    return True


async def _notify(transaction: Transaction) -> None:
    await transaction.execute(select(func.pg_notify(CHANNEL, "")))

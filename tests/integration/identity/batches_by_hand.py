"""Batches of e-IDs on the workbench: begun, worked out a minute after the other, looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integration.identity.people_by_hand import (
    RosterPerson,
    enter_people,
    give_status,
)
from integration.identity.running_identity import (
    CLERK,
    LINQU,
)
from integration.identity.setting_up import Workbench
from zhibu_identity.eid_batches.items import list_failures
from zhibu_identity.eid_batches.records import EidBatch, create_batch, get_batch
from zhibu_identity.eid_batches.worker import work_eid_batches
from zhibu_identity.people.reach import reach_of
from zhibu_identity.tasks.leases import LEASE
from zhibu_kit.paging import Page
from zhibu_kit.scope import Scope

SCOPE = Scope.of(LINQU)
FULL, APPLICANT = 5, 1
# Rounds of the worker, a minute apart, after which nothing may be left to do.
MOST_ROUNDS = 6


async def enter(workbench: Workbench, people: Sequence[RosterPerson], *, status: int = FULL) -> list[str]:
    await enter_people(workbench.parts, people)
    member_ids = [one.member_id for one in people]
    await give_status(workbench.databases, member_ids, status)
    return member_ids


async def begin(workbench: Workbench, organisation_id: str = LINQU) -> EidBatch:
    async with workbench.parts.database.transaction(Scope.of(organisation_id[:6])) as transaction:
        reach = await reach_of(transaction, organisation_id)
        batch, _ = await create_batch(
            transaction, workbench.parts, reach, organisation_id=organisation_id, member_id=CLERK.member_id
        )
    return batch


async def work_out(workbench: Workbench, batch: EidBatch) -> EidBatch:
    """Work until the batch is done, a minute after the other: leases end, pauses are over."""
    for _ in range(MOST_ROUNDS):
        await work_eid_batches(workbench.parts)
        workbench.clock.advance(LEASE.total_seconds() + 1)
    async with workbench.parts.database.transaction(batch.scope) as transaction:
        found = await get_batch(transaction, batch.eid_batch_id, organisation_id=batch.organisation_id)
    assert found.done
    return found


async def failures_of(workbench: Workbench, batch: EidBatch) -> dict[str, str]:
    async with workbench.parts.database.transaction(SCOPE) as transaction:
        found = await list_failures(transaction, batch.eid_batch_id, page=Page(size=200, after=None))
    return {one.member_id: one.reason for one in found}


async def eids_in(workbench: Workbench, member_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    rows = await workbench.databases.owner.fetch("select * from eid where member_id = any($1)", list(member_ids))
    return {row["member_id"]: dict(row) for row in rows}


def counts_of(batch: EidBatch) -> tuple[int, int, int, int]:
    return batch.total_count, batch.issued_count, batch.failed_count, batch.skipped_count


async def load(workbench: Workbench, batch: EidBatch) -> EidBatch:
    async with workbench.parts.database.transaction(batch.scope) as transaction:
        return await get_batch(transaction, batch.eid_batch_id, organisation_id=batch.organisation_id)

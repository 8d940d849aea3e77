"""Steps on the workbench: the use cases called one after another, with the power cut where a test wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from integration.identity.running_identity import CLERK, Applicant
from integration.identity.setting_up import PowerCutError, Workbench
from zhibu_identity.applications.batches import Batch, Entry, create_batch, get_batch
from zhibu_identity.applications.decisions import approve, lock_application, undo
from zhibu_identity.applications.records import Application, find_application
from zhibu_identity.applications.submissions import Submission, submit
from zhibu_identity.eids.records import Eid, record_of
from zhibu_identity.models import eid as eid_table
from zhibu_identity.parts import Parts
from zhibu_identity.tasks import worker as work
from zhibu_identity.tasks.queue import LEASE, TaskKind
from zhibu_identity.telephones import proofs as telephone_proofs
from zhibu_kit.etag import etag_of
from zhibu_kit.scope import Scope

EVERY_KIND = frozenset(TaskKind)
MOST_ROUNDS = 12


async def file_by_hand(
    workbench: Workbench, applicant: Applicant | None = None, *, parts: Parts | None = None
) -> Application:
    applicant = applicant or Applicant()
    parts = parts or workbench.parts
    async with parts.database.transaction(Scope.none()) as transaction:
        proof = await telephone_proofs.start_proof(transaction, parts, applicant.telephone)
    async with parts.database.transaction(Scope.none()) as transaction:
        token = await telephone_proofs.confirm_proof(transaction, parts, proof.telephone_proof_id, code=proof.code)
    assert token is not None
    async with parts.database.transaction(Scope.of(applicant.organisation_id)) as transaction:
        filed = await submit(
            transaction,
            parts,
            Submission(
                organisation_id=applicant.organisation_id,
                real_name=applicant.real_name,
                resident_number=applicant.resident_number,
                telephone=applicant.telephone,
                proof_token=token,
                branch_id=applicant.branch_id,
                membership_claim=1,
                consent_version="2026-11",
            ),
        )
    return filed.application


async def approve_by_hand(workbench: Workbench, application: Application) -> Application:
    async with workbench.parts.database.transaction(Scope.of(application.county_code)) as transaction:
        record = await lock_application(
            transaction, application.application_id, organisation_id=application.organisation_id
        )
        return await approve(
            transaction, workbench.parts, record, member_id=CLERK.member_id, etag="", findings_checked=True
        )


async def undo_by_hand(workbench: Workbench, application: Application) -> Application:
    async with workbench.parts.database.transaction(Scope.of(application.county_code)) as transaction:
        record = await lock_application(
            transaction, application.application_id, organisation_id=application.organisation_id
        )
        return await undo(transaction, workbench.parts, record, member_id=CLERK.member_id, etag="", reason="点错了。")


async def load(workbench: Workbench, application: Application) -> Application:
    async with workbench.parts.database.transaction(Scope.of(application.county_code)) as transaction:
        record = await find_application(transaction, application.application_id)
    assert record is not None
    return record


async def eids_of(workbench: Workbench, application: Application) -> list[Eid]:
    async with workbench.parts.database.transaction(Scope.of(application.county_code)) as transaction:
        rows = await transaction.all(
            eid_table.select().where(eid_table.c.member_id == application.member_id).order_by(eid_table.c.eid_id)
        )
    return [record_of(row) for row in rows]


async def work_with_a_power_cut(workbench: Workbench, step: str) -> None:
    """Work until the power goes off at a step; what was leased is free again when its lease has ended."""
    with pytest.raises(BaseExceptionGroup) as cut:
        await work.work_once(workbench.cut_at(step), EVERY_KIND)
    assert cut.group_contains(PowerCutError, match=step)
    workbench.clock.advance(LEASE.total_seconds() + 1)


async def stop_at(workbench: Workbench, step: str, run: Callable[[Parts], Awaitable[object]]) -> None:
    """Have a worker run and tell it to stop at a step, as a process does on SIGTERM."""

    def reached(at: str) -> None:
        if at == step:
            working.cancel()

    working = asyncio.ensure_future(run(replace(workbench.parts, reached=reached)))
    with pytest.raises(asyncio.CancelledError):
        await working


async def work_to_the_end(workbench: Workbench) -> None:
    """Work until nothing is left that is due within the next minutes."""
    for _ in range(MOST_ROUNDS):
        await work.work_once(workbench.parts, EVERY_KIND)
        workbench.clock.advance(60)


async def batch_by_hand(workbench: Workbench, applications: list[Application]) -> Batch:
    first = applications[0]
    async with workbench.parts.database.transaction(Scope.of(first.county_code)) as transaction:
        return await create_batch(
            transaction,
            workbench.parts,
            [
                Entry(application_id=application.application_id, etag=etag_of(application.version))
                for application in applications
            ],
            organisation_id=first.organisation_id,
            county_code=first.county_code,
            member_id=CLERK.member_id,
        )


async def load_batch(workbench: Workbench, batch: Batch) -> Batch:
    async with workbench.parts.database.transaction(Scope.of(batch.organisation_id)) as transaction:
        return await get_batch(transaction, batch.approval_batch_id, organisation_id=batch.organisation_id)

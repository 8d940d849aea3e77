"""Many applications at once: batches that are watched, and the export."""

from __future__ import annotations

import asyncio
import csv
import io

from integration.identity.running_identity import CLERK, LINQU, LINQU_ADMIN, LINQU_BRANCH, Applicant, Identity
from integration.identity.setting_up import Databases
from support.rpc import refusal_of
from zhibu.identity.v1 import application_pb2
from zhibu.identity.v1 import application_service_pb2 as pb
from zhibu_kit.ids import new_ulid


async def test_a_batch_is_watched_until_it_is_done(identity: Identity) -> None:
    filed = [await identity.file() for _ in range(4)]
    applications = [await identity.find(one) for one in filed]
    metadata = identity.officer(CLERK)
    request = pb.CreateApprovalBatchRequest(
        organisation_id=LINQU,
        entries=[pb.ApprovalBatchEntry(application_id=one.application_id, etag=one.etag) for one in applications],
        request_id=new_ulid(),
    )
    created = await identity.applications.CreateApprovalBatch(request, metadata=metadata)
    batch = created.approval_batch
    assert (batch.total_count, batch.done) == (4, False)
    assert await identity.applications.CreateApprovalBatch(request, metadata=metadata) == created
    watch = identity.applications.WatchApprovalBatch(
        pb.WatchApprovalBatchRequest(organisation_id=LINQU, approval_batch_id=batch.approval_batch_id),
        metadata=metadata,
    )
    async with asyncio.timeout(20):
        seen = [response.approval_batch async for response in watch]
    counts = [one.approved_count for one in seen]
    assert counts == sorted(counts)
    assert (seen[-1].done, seen[-1].approved_count, seen[-1].failed_count) == (True, 4, 0)
    got = await identity.applications.GetApprovalBatch(
        pb.GetApprovalBatchRequest(organisation_id=LINQU, approval_batch_id=batch.approval_batch_id),
        metadata=metadata,
    )
    assert got.approval_batch == seen[-1]
    await asyncio.gather(*(identity.issued(one) for one in filed))


async def test_a_batch_of_another_organisation_is_not_there(identity: Identity) -> None:
    error = await refusal_of(
        lambda: identity.applications.GetApprovalBatch(
            pb.GetApprovalBatchRequest(organisation_id=LINQU, approval_batch_id=new_ulid()),
            metadata=identity.officer(CLERK),
        )
    )
    assert error.reason == "NOT_FOUND"


async def test_the_export_opens_in_spreadsheets_with_rare_names_unharmed_and_is_logged_first(
    identity: Identity, databases: Databases
) -> None:
    names = ["王𠮷", "李㛃", "刘䶮", "陈𬍛", "阿卜杜拉·买买提"]
    filed = [await identity.file(Applicant(real_name=name, branch_id=LINQU_BRANCH)) for name in names]
    call = identity.applications.ExportApplications(
        pb.ExportApplicationsRequest(organisation_id=LINQU, states=[application_pb2.APPLICATION_STATE_SUBMITTED]),
        metadata=identity.officer(LINQU_ADMIN),
    )
    pieces = [piece async for piece in call]
    assert {piece.content_type for piece in pieces} == {"text/csv; charset=utf-8"}
    content = b"".join(piece.data for piece in pieces)
    assert content.startswith(b"\xef\xbb\xbf")
    rows = {row["受理号"]: row for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))}
    for one in filed:
        row = rows[one.case_number]
        assert (row["姓名"], row["意向党支部"]) == (one.applicant.real_name, "临朐县第一党支部")
        assert row["公民身份号码（后四位）"] == one.applicant.resident_number[-4:]
        assert one.applicant.resident_number not in content.decode()
    logged = await databases.owner.fetchrow(
        "select outcome, subjects_count from kit_audit where action = 'identity.applications.exported'"
    )
    assert logged is not None
    assert (logged["outcome"], logged["subjects_count"]) == ("read", len(rows))


async def test_only_who_may_export_exports(identity: Identity) -> None:
    async def export() -> None:
        call = identity.applications.ExportApplications(
            pb.ExportApplicationsRequest(organisation_id=LINQU), metadata=identity.officer(CLERK)
        )
        async for _ in call:
            pass

    assert (await refusal_of(export)).reason == "PERMISSION_DENIED"


async def test_the_export_pages_through_a_long_queue(identity: Identity, databases: Databases) -> None:
    await identity.file()
    columns = await databases.owner.fetchval(
        "select string_agg(quote_ident(column_name), ', ') from information_schema.columns"
        " where table_name = 'application' and column_name not in ('application_id', 'member_id', 'case_number')"
    )
    # Copies without a key: rows of people whose data were erased are exported with blanks.
    await databases.owner.execute(
        f"insert into application (application_id, member_id, case_number, {columns})"
        f" select 'copy' || lpad(n::text, 22, '0'), 'copy' || n, 'copy' || n, {columns}"
        " from (select * from application limit 1) as one, generate_series(1, 450) as n"
    )
    call = identity.applications.ExportApplications(
        pb.ExportApplicationsRequest(organisation_id=LINQU), metadata=identity.officer(LINQU_ADMIN)
    )
    pieces = [piece.data async for piece in call]
    assert len(pieces) >= 4
    rows = list(csv.DictReader(io.StringIO(b"".join(pieces).decode("utf-8-sig"), newline="")))
    numbers = [row["受理号"] for row in rows]
    assert len(numbers) == len(set(numbers)) >= 451

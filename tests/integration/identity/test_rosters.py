"""Rosters come in, are checked, shown and committed as a whole; cut off anywhere, they end as if nothing had happened."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from google.api import httpbody_pb2
from integration.identity.running_identity import CLERK, LINQU, LINQU_ADMIN, LINQU_BRANCH, QINGZHOU, Applicant, Identity
from integration.identity.setting_up import PowerCutError, Workbench
from integration.identity.working_by_hand import stop_at
from support.roster_files import HEADINGS, number_of, person_row, xlsx
from support.rpc import outcome_of
from zhibu.branches.v1 import branches_events_pb2, organisation_pb2
from zhibu.identity.v1 import application_pb2, roster_events_pb2, roster_pb2
from zhibu.identity.v1 import roster_service_pb2 as pb
from zhibu.identity.v1.roster_service_pb2_grpc import RosterServiceStub
from zhibu_identity.erasures.destroying import UNCONFIRMED_AFTER, sweep_unconfirmed
from zhibu_identity.keys.numbers import NumberKind
from zhibu_identity.models import person as person_table
from zhibu_identity.people.records import open_details, record_of
from zhibu_identity.rosters import records as rosters
from zhibu_identity.rosters.committing import check_anew
from zhibu_identity.rosters.payloads import FILE_NAME, open_row
from zhibu_identity.rosters.reading.problems import Reason
from zhibu_identity.rosters.records import (
    LeaseLostError,
    Roster,
    RosterState,
    begin_checking,
    change_roster,
    find_roster,
)
from zhibu_identity.rosters.worker import work_rosters
from zhibu_identity.tasks.leases import LEASE
from zhibu_kit.events import EventContext, event_type_of
from zhibu_kit.ids import new_ulid
from zhibu_kit.projections import OrganisationProjection
from zhibu_kit.scope import Scope

if TYPE_CHECKING:
    from zhibu.identity.v1.roster_service_pb2_grpc import RosterServiceAsyncStub

SCOPE = Scope.of(LINQU)


def service(identity: Identity) -> RosterServiceAsyncStub:
    return RosterServiceStub(identity.channel)


async def upload(
    identity: Identity, content: bytes, *, organisation_id: str = LINQU, request_id: str | None = None
) -> roster_pb2.Roster:
    request_id = request_id or new_ulid()

    async def pieces() -> AsyncIterator[pb.UploadRosterRequest]:
        for at in range(0, len(content), 3000):
            yield pb.UploadRosterRequest(
                organisation_id=organisation_id,
                file_name="花名册.xlsx",
                file=httpbody_pb2.HttpBody(data=content[at : at + 3000]),
                request_id=request_id,
            )

    uploaded = await service(identity).UploadRoster(pieces(), metadata=identity.officer(LINQU_ADMIN))
    return uploaded.roster


async def settled(identity: Identity, roster_id: str, *, organisation_id: str = LINQU) -> roster_pb2.Roster:
    """Watch a roster until there is nothing to wait for, and return it whole."""
    metadata = identity.officer(LINQU_ADMIN)
    request = pb.WatchRosterRequest(organisation_id=organisation_id, roster_id=roster_id)
    async with asyncio.timeout(10):
        async for message in service(identity).WatchRoster(request, metadata=metadata):
            if message.roster.state == roster_pb2.ROSTER_STATE_COMMITTED:
                break
    got = await service(identity).GetRoster(
        pb.GetRosterRequest(organisation_id=organisation_id, roster_id=roster_id), metadata=metadata
    )
    return got.roster


async def checked(
    identity: Identity, rows: Sequence[Sequence[Any]], *, organisation_id: str = LINQU
) -> roster_pb2.Roster:
    uploaded = await upload(identity, xlsx([HEADINGS, *rows]), organisation_id=organisation_id)
    return await settled(identity, uploaded.roster_id, organisation_id=organisation_id)


async def commit(identity: Identity, roster: roster_pb2.Roster, *, leave_out: bool = False) -> roster_pb2.Roster:
    await service(identity).CommitRoster(
        pb.CommitRosterRequest(
            organisation_id=roster.organisation_id,
            roster_id=roster.roster_id,
            leave_out_problems=leave_out,
            etag=roster.etag,
            request_id=new_ulid(),
        ),
        metadata=identity.officer(LINQU_ADMIN),
    )
    return await settled(identity, roster.roster_id, organisation_id=roster.organisation_id)


async def rows_of(
    identity: Identity, roster: roster_pb2.Roster, difference: roster_pb2.RosterDifference.ValueType
) -> list[roster_pb2.RosterRow]:
    listed = await service(identity).ListRosterRows(
        pb.ListRosterRowsRequest(
            organisation_id=roster.organisation_id, roster_id=roster.roster_id, difference=difference, page_size=200
        ),
        metadata=identity.officer(LINQU_ADMIN),
    )
    return list(listed.rows)


async def download(call: Any) -> bytes:
    return b"".join([body.data async for body in call])


# Through the service


async def test_a_roster_is_checked_shown_and_committed_and_repeating_it_changes_nothing(identity: Identity) -> None:
    known, other = person_row("张伟"), person_row("李娜", branch="临朐县第九党支部")
    broken = person_row("王芳", "990724800517002")
    roster = await checked(identity, [known, other, broken])
    assert roster.state == roster_pb2.ROSTER_STATE_CHECKED
    assert (roster.row_count, roster.new_count, roster.problem_count) == (3, 1, 2)
    assert [(each.branch_name, each.row_count) for each in roster.missing_branches] == [("临朐县第九党支部", 1)]
    assert roster.columns[0].reason
    problems = await rows_of(identity, roster, roster_pb2.ROSTER_DIFFERENCE_PROBLEM)
    assert [(row.real_name, row.problems[0].cell, row.problems[0].reason) for row in problems] == [
        ("李娜", "I3", "BRANCH_UNKNOWN"),
        ("王芳", "B4", "RESIDENT_NUMBER_15_DIGITS"),
    ]
    assert await outcome_of(commit(identity, roster)) == "ROSTER_HAS_PROBLEMS"
    committed = await commit(identity, roster, leave_out=True)
    assert committed.state == roster_pb2.ROSTER_STATE_COMMITTED
    again = await checked(identity, [known])
    assert again.roster_id != roster.roster_id
    # The branch's word comes with the status; until then the roster's stands.
    assert (again.new_count, again.changed_count, again.same_count, again.problem_count) == (0, 0, 1, 0)
    assert (await commit(identity, again)).state == roster_pb2.ROSTER_STATE_APPLIED
    changed = await checked(identity, [[*known[:6], "2002-08-01", *known[7:]]])
    (row,) = await rows_of(identity, changed, roster_pb2.ROSTER_DIFFERENCE_CHANGED)
    assert [(each.field, each.old_value, each.new_value) for each in row.changes] == [
        (roster_pb2.ROSTER_FIELD_ADMITTED_DATE, "2001-07-01", "2002-08-01")
    ]


async def test_the_same_file_is_the_same_roster_and_one_request_id_is_one_file(identity: Identity) -> None:
    content, request_id = xlsx([HEADINGS, person_row()]), new_ulid()
    first = await upload(identity, content, request_id=request_id)
    assert (await upload(identity, content, request_id=request_id)).roster_id == first.roster_id
    assert (await upload(identity, content)).roster_id == first.roster_id
    assert await outcome_of(upload(identity, content + b" ", request_id=request_id)) == "REQUEST_ID_REUSED"


async def test_the_problems_are_mended_in_their_own_file_and_uploaded_again(identity: Identity) -> None:
    number = number_of(order=345)
    data = xlsx(
        [
            ["临朐县党员花名册"],
            [*HEADINGS, "备考"],
            [*person_row("赵强", number, status="群众"), "注"],
            person_row("孙丽"),
        ]
    )
    roster = await settled(identity, (await upload(identity, data)).roster_id)
    assert (roster.heading_row, roster.problem_count) == (2, 1)
    request = pb.DownloadRosterProblemsRequest(organisation_id=LINQU, roster_id=roster.roster_id)
    problems = await download(service(identity).DownloadRosterProblems(request, metadata=identity.officer(LINQU_ADMIN)))
    from zhibu_identity.rosters.reading.files import inspect  # noqa: PLC0415 - what the file holds

    (sheet,) = inspect(io.BytesIO(problems))
    title, headings, row = sheet.first_rows
    assert title[0] == "临朐县党员花名册"
    assert headings[:9] == list(HEADINGS)
    assert str(row[10]).startswith("F3 看不懂人员类别")
    mended = [list(cells) for cells in sheet.first_rows]
    mended[2][5] = "正式党员"
    again = await settled(identity, (await upload(identity, xlsx(mended))).roster_id)
    assert (again.new_count, again.problem_count) == (1, 0)


async def test_another_mapping_is_checked_anew_and_an_old_etag_is_refused(identity: Identity) -> None:
    number = number_of(order=346)
    uploaded = await upload(
        identity, xlsx([["甲", "乙", "类别", "支部"], ["钱进", number, "正式", "临朐县第一党支部"]])
    )
    roster = await settled(identity, uploaded.roster_id)
    assert (roster.state, roster.failure_reason) == (roster_pb2.ROSTER_STATE_FAILED, "HEADINGS_NOT_FOUND")
    assert roster.failure
    request = pb.UpdateRosterMappingRequest(
        organisation_id=LINQU,
        roster_id=roster.roster_id,
        columns=[roster_pb2.RosterColumn(index=0, field=roster_pb2.ROSTER_FIELD_REAL_NAME)],
        etag=roster.etag,
        request_id=new_ulid(),
    )
    await service(identity).UpdateRosterMapping(request, metadata=identity.officer(LINQU_ADMIN))
    mapped = await settled(identity, roster.roster_id)
    assert (mapped.state, mapped.new_count) == (roster_pb2.ROSTER_STATE_CHECKED, 1)
    request.request_id = new_ulid()
    assert (
        await outcome_of(service(identity).UpdateRosterMapping(request, metadata=identity.officer(LINQU_ADMIN)))
        == "ETAG_MISMATCH"
    )


async def test_a_cancelled_roster_leaves_nothing_that_could_be_read(identity: Identity) -> None:
    roster = await checked(identity, [person_row()])
    await service(identity).CancelRoster(
        pb.CancelRosterRequest(
            organisation_id=LINQU, roster_id=roster.roster_id, etag=roster.etag, request_id=new_ulid()
        ),
        metadata=identity.officer(LINQU_ADMIN),
    )
    assert await identity.parts.vault.find_member_key(roster.roster_id, LINQU) is None
    cancelled = await settled(identity, roster.roster_id)
    assert (cancelled.state, cancelled.file_name) == (roster_pb2.ROSTER_STATE_CANCELLED, "")
    assert await outcome_of(commit(identity, cancelled)) == "ROSTER_NOT_OPEN"


@pytest.mark.parametrize("form", ["xlsx", "csv"])
async def test_what_is_exported_is_read_again_without_a_difference(identity: Identity, form: str) -> None:
    roster = await commit(identity, await checked(identity, [person_row("周敏", telephone=""), person_row("吴刚")]))
    assert roster.state == roster_pb2.ROSTER_STATE_COMMITTED
    request = pb.ExportRosterRequest(organisation_id=LINQU_BRANCH, format=form)
    exported = await download(service(identity).ExportRoster(request, metadata=identity.officer(LINQU_ADMIN)))
    again = await settled(identity, (await upload(identity, exported)).roster_id)
    assert again.row_count >= 2
    assert (again.same_count, again.gone_count) == (again.row_count, 0)


async def test_people_whom_a_roster_no_longer_names_are_shown_and_nothing_is_done_about_them(
    identity: Identity,
) -> None:
    await commit(identity, await checked(identity, [person_row("郑爽")]))
    roster = await checked(identity, [person_row("冯远")])
    gone = await rows_of(identity, roster, roster_pb2.ROSTER_DIFFERENCE_GONE)
    assert len(gone) == roster.gone_count
    assert ("郑爽", 0) in [(row.real_name, row.row_number) for row in gone]


async def test_a_file_that_cannot_be_read_says_why(identity: Identity) -> None:
    roster = await settled(identity, (await upload(identity, b"<html><table></table></html>")).roster_id)
    assert (roster.state, roster.failure_reason) == (roster_pb2.ROSTER_STATE_FAILED, "HTML")


async def test_a_clerk_who_may_not_import_is_refused(identity: Identity) -> None:
    request = pb.ListRostersRequest(organisation_id=QINGZHOU)
    assert (
        await outcome_of(service(identity).ListRosters(request, metadata=identity.officer(LINQU_ADMIN)))
        == "PERMISSION_DENIED"
    )


# By hand, with the power cut


async def roster_by_hand(
    workbench: Workbench, rows: Sequence[Sequence[Any]], *, organisation_id: str = LINQU
) -> Roster:
    """Store a file and have it checked."""
    parts, roster_id = workbench.parts, new_ulid(workbench.clock)
    key = await parts.vault.create_member(roster_id, LINQU, now=workbench.clock.now())
    async with parts.database.transaction(SCOPE) as transaction:
        await rosters.insert_roster(
            transaction,
            roster_id=roster_id,
            county_code=LINQU,
            organisation_id=organisation_id,
            member_id=CLERK.member_id,
            file_name=key.seal("花名册.xlsx", place=FILE_NAME),
            now=workbench.clock.now(),
        )
        await rosters.add_piece(transaction, key, county_code=LINQU, position=0, content=xlsx([HEADINGS, *rows]))
        record = await find_roster(transaction, roster_id, lock=True)
        assert record is not None
        return await begin_checking(transaction, record, now=workbench.clock.now())


async def load(workbench: Workbench, roster_id: str) -> Roster:
    async with workbench.parts.database.transaction(SCOPE) as transaction:
        record = await find_roster(transaction, roster_id)
    assert record is not None
    return record


async def commit_by_hand(workbench: Workbench, roster_id: str) -> Roster:
    async with workbench.parts.database.transaction(SCOPE) as transaction:
        record = await find_roster(transaction, roster_id, lock=True)
        assert record is not None
        return await change_roster(transaction, record, now=workbench.clock.now(), state=RosterState.COMMITTING)


async def work_with_a_power_cut(workbench: Workbench, step: str) -> None:
    with pytest.raises(PowerCutError, match=step):
        await work_rosters(workbench.cut_at(step))
    workbench.clock.advance(LEASE.total_seconds() + 1)


async def people_of(workbench: Workbench) -> list[tuple[str, str]]:
    async with workbench.parts.database.transaction(SCOPE) as transaction:
        rows = await transaction.all(person_table.select().order_by(person_table.c.member_id))
    people = [record_of(row) for row in rows]
    keys = await workbench.vault.member_keys([each.member_id for each in people], LINQU)
    return sorted((open_details(each.details, keys[each.member_id]).real_name, each.branch_id) for each in people)


def many(count: int) -> list[list[Any]]:
    return [person_row("张伟") for _ in range(count)]


@pytest.mark.parametrize("step", ["file read", "rows staged"])
async def test_a_check_that_is_cut_off_goes_on_where_it_was(workbench: Workbench, step: str) -> None:
    rows = many(520)
    roster = await roster_by_hand(workbench, [*rows, rows[0]])
    await work_with_a_power_cut(workbench, step)
    await work_rosters(workbench.parts)
    record = await load(workbench, roster.roster_id)
    assert (record.state, record.row_count, record.new_count, record.problem_count) == (
        RosterState.CHECKED,
        521,
        520,
        1,
    )
    assert await workbench.databases.owner.fetchval("select count(*) from roster_row") == 521


@pytest.mark.parametrize("step", ["file read", "rows staged"])
async def test_a_process_that_is_told_to_stop_gives_its_roster_back_at_once(workbench: Workbench, step: str) -> None:
    roster = await roster_by_hand(workbench, many(510))
    await stop_at(workbench, step, work_rosters)
    # The next process begins in the same second.
    await work_rosters(workbench.parts)
    record = await load(workbench, roster.roster_id)
    assert (record.state, record.new_count) == (RosterState.CHECKED, 510)


@pytest.mark.parametrize(
    "step",
    [
        "members named",
        "keys made",
        "rows prepared",
        "roster written, not committed",
        "roster committed",
        "people settled",
    ],
)
async def test_a_commit_that_is_cut_off_ends_with_everybody_once(workbench: Workbench, step: str) -> None:
    roster = await roster_by_hand(workbench, many(510))
    await work_rosters(workbench.parts)
    await commit_by_hand(workbench, roster.roster_id)
    await work_with_a_power_cut(workbench, step)
    owner, keys_owner = workbench.databases.owner, workbench.databases.keys_owner
    if step not in ("roster committed", "people settled"):
        assert await owner.fetchval("select count(*) from person") == 0
    await work_rosters(workbench.parts)
    record = await load(workbench, roster.roster_id)
    assert (record.state, record.settled, record.committed_count) == (RosterState.COMMITTED, True, 510)
    assert len(await people_of(workbench)) == 510
    assert (
        await keys_owner.fetchval(
            "select count(*) from member_key where not confirmed and member_id <> $1", roster.roster_id
        )
        == 0
    )
    assert await keys_owner.fetchval("select count(*) from member_key") == 511
    parts = [
        roster_events_pb2.RosterEntriesCommitted.FromString(row["payload"])
        for row in await owner.fetch(
            "select payload from kit_outbox where event_type like '%RosterEntriesCommitted' order by position"
        )
    ]
    assert [(part.part, part.part_count, len(part.entries)) for part in parts] == [(1, 2, 500), (2, 2, 10)]
    assert {entry.status for part in parts for entry in part.entries} == {"FULL"}
    assert len({entry.member_id for part in parts for entry in part.entries}) == 510


async def test_keys_of_a_commit_that_waits_for_hours_are_not_swept_away(workbench: Workbench) -> None:
    roster = await roster_by_hand(workbench, many(510))
    await work_rosters(workbench.parts)
    await commit_by_hand(workbench, roster.roster_id)
    await work_with_a_power_cut(workbench, "rows prepared")
    # The machine was off over night: the sweep runs before the commit goes on.
    workbench.clock.advance(UNCONFIRMED_AFTER.total_seconds() + 1)
    assert await sweep_unconfirmed(workbench.parts) == 0
    await work_rosters(workbench.parts)
    assert (await load(workbench, roster.roster_id)).state is RosterState.COMMITTED
    # Each record opens with its key.
    assert len(await people_of(workbench)) == 510


async def test_who_has_lost_the_lease_destroys_nothing_of_what_another_has_committed(workbench: Workbench) -> None:
    roster = await roster_by_hand(workbench, many(3))
    await work_rosters(workbench.parts)
    late = await commit_by_hand(workbench, roster.roster_id)
    await work_rosters(workbench.parts)
    with pytest.raises(LeaseLostError):
        await check_anew(workbench.parts, late)
    assert len(await people_of(workbench)) == 3


async def test_of_two_rosters_with_one_person_the_second_is_checked_anew(workbench: Workbench) -> None:
    row = person_row("褚卫")
    first = await roster_by_hand(workbench, [row])
    second = await roster_by_hand(workbench, [row, person_row("卫青")])
    await work_rosters(workbench.parts)
    await commit_by_hand(workbench, first.roster_id)
    await commit_by_hand(workbench, second.roster_id)
    await work_rosters(workbench.parts)
    assert (await load(workbench, first.roster_id)).state is RosterState.COMMITTED
    again = await load(workbench, second.roster_id)
    assert (again.state, again.same_count, again.new_count) == (RosterState.CHECKED, 1, 1)
    assert await people_of(workbench) == [("褚卫", LINQU_BRANCH)]


async def test_somebody_of_another_county_and_of_another_organisation_is_a_problem(workbench: Workbench) -> None:
    vault, number = workbench.vault, number_of(order=401)
    member_id = new_ulid(workbench.clock)
    await vault.create_member(member_id, QINGZHOU, now=workbench.clock.now())
    await vault.numbers.put(member_id, QINGZHOU, [(NumberKind.RESIDENT, number)])
    roster = await roster_by_hand(workbench, [person_row("蒋勤", number)])
    await work_rosters(workbench.parts)
    record = await load(workbench, roster.roster_id)
    assert (record.state, record.problem_count) == (RosterState.CHECKED, 1)


async def test_a_virtual_branch_takes_nobody_from_a_roster(workbench: Workbench) -> None:
    event = branches_events_pb2.OrganisationChanged(
        organisation_id="370724-b01jd0000000000000000000004",
        parent_id=LINQU,
        level=organisation_pb2.ORGANISATION_LEVEL_BRANCH,
        name="临朐县蔬菜产业党支部",
        county_code=LINQU,
        active=True,
        virtual=True,
        version=1,
    )
    context = EventContext(
        event_id=new_ulid(),
        subject=event_type_of(event.DESCRIPTOR).subject,
        key=event.organisation_id,
        version=1,
        county_code=LINQU,
        traceparent="",
        occurred_at=workbench.clock.now(),
    )
    tree = OrganisationProjection(workbench.parts.database).consumer()
    async with workbench.parts.database.transaction(SCOPE) as transaction:
        await tree.handle(transaction, event, context)
    try:
        roster = await roster_by_hand(workbench, [person_row("田苗", branch="临朐县蔬菜产业党支部")])
        await work_rosters(workbench.parts)
    finally:
        await workbench.databases.owner.execute(
            "delete from kit_organisation where organisation_id = $1", event.organisation_id
        )
    record = await load(workbench, roster.roster_id)
    assert (record.state, record.new_count, record.problem_count) == (RosterState.CHECKED, 0, 1)
    key = await workbench.vault.find_member_key(record.roster_id, LINQU)
    assert key is not None
    payload: bytes | None = await workbench.databases.owner.fetchval("select payload from roster_row")
    assert payload is not None
    assert [problem.reason for problem in open_row(payload, key).problems] == [Reason.BRANCH_VIRTUAL]
    # It is there, so nobody is asked to make it.
    assert await workbench.databases.owner.fetchval("select missing_branch from roster_row") == ""


async def test_a_changed_person_is_found_by_what_they_are_now(workbench: Workbench) -> None:
    row = person_row("沈心")
    first = await roster_by_hand(workbench, [row])
    await work_rosters(workbench.parts)
    await commit_by_hand(workbench, first.roster_id)
    await work_rosters(workbench.parts)
    second = await roster_by_hand(workbench, [["沈新", *row[1:]]])
    await work_rosters(workbench.parts)
    await commit_by_hand(workbench, second.roster_id)
    await work_rosters(workbench.parts)
    assert await people_of(workbench) == [("沈新", LINQU_BRANCH)]
    from zhibu_identity.rules.search_terms import terms_of_query  # noqa: PLC0415 - used once

    search = workbench.vault.search
    assert len(await search.find_members(LINQU, terms_of_query("沈新"))) == 1
    assert await search.find_members(LINQU, terms_of_query("沈心")) == []


async def test_nothing_of_a_roster_stands_readable_in_the_database(workbench: Workbench) -> None:
    row = person_row("韩正")
    roster = await roster_by_hand(workbench, [row, person_row("杨帆", "990724800517002")])
    await work_rosters(workbench.parts)
    record = await load(workbench, roster.roster_id)
    for table in ("roster", "roster_piece", "roster_row"):
        for stored in await workbench.databases.owner.fetch(f"select * from {table}"):
            text = repr(tuple(stored.values()))
            assert all(secret not in text for secret in ("韩正", row[1], row[7], "杨帆", "990724800517002"))
    workbench.clock.advance(rosters.KEEP.total_seconds() + 1)
    await rosters.purge_rosters(replace(workbench.parts))
    assert await workbench.databases.owner.fetchval("select count(*) from roster_row") == 0
    assert await workbench.vault.find_member_key(record.roster_id, LINQU) is None


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        (RosterState.ARRIVING, rosters.KEEP_UPLOAD),
        (RosterState.CHECKED, rosters.KEEP),
        (RosterState.FAILED, rosters.KEEP),
        (RosterState.COMMITTED, rosters.KEEP),
        (RosterState.APPLIED, rosters.KEEP_APPLIED),
    ],
)
async def test_file_and_rows_of_a_roster_are_thrown_away_when_it_is_old(
    workbench: Workbench, state: RosterState, kept: timedelta
) -> None:
    roster = await roster_by_hand(workbench, [person_row("许可")])
    arrives = state is RosterState.ARRIVING
    if not arrives:
        await work_rosters(workbench.parts)
    if state in (RosterState.COMMITTED, RosterState.APPLIED):
        await commit_by_hand(workbench, roster.roster_id)
        await work_rosters(workbench.parts)
    await workbench.databases.owner.execute("update roster set state = $1", int(state))
    left = "select (select count(*) from roster_piece) + (select count(*) from roster_row)"
    workbench.clock.advance(kept.total_seconds() - 1)
    assert await rosters.purge_rosters(workbench.parts) == 0
    # A piece of the file and, once it was read, a row.
    assert await workbench.databases.owner.fetchval(left) == (1 if arrives else 2)
    workbench.clock.advance(2)
    assert await rosters.purge_rosters(workbench.parts) == 1
    assert await workbench.databases.owner.fetchval(left) == 0
    assert await workbench.vault.find_member_key(roster.roster_id, LINQU) is None
    # Once is enough.
    assert await rosters.purge_rosters(workbench.parts) == 0


@pytest.mark.parametrize("state", [RosterState.CHECKING, RosterState.COMMITTING])
async def test_a_roster_that_is_worked_on_is_never_thrown_away(workbench: Workbench, state: RosterState) -> None:
    roster = await roster_by_hand(workbench, [person_row("许可")])
    await work_rosters(workbench.parts)
    await workbench.databases.owner.execute("update roster set state = $1", int(state))
    workbench.clock.advance(rosters.KEEP.total_seconds() * 2)
    assert await rosters.purge_rosters(workbench.parts) == 0
    assert await workbench.vault.find_member_key(roster.roster_id, LINQU) is not None


async def test_an_application_of_somebody_on_a_roster_is_noticed_and_approval_makes_them_one(
    identity: Identity,
) -> None:
    applicant = Applicant(real_name="秦岚")
    row = person_row("秦岚", applicant.resident_number, telephone=applicant.telephone)
    await commit(identity, await checked(identity, [row]))
    filed = await identity.file(applicant)
    application = await identity.find(filed)
    assert list(application.findings) == [application_pb2.FINDING_ON_ROSTER]
    other = await identity.find(
        await identity.file(Applicant(real_name="秦兰", resident_number=applicant.resident_number))
    )
    assert application_pb2.FINDING_ROSTER_DIFFERS in other.findings
    await identity.approve(application)
    issued = await identity.issued(filed)
    eid = await identity.get_eid(issued.eid_id)
    people = await identity.parts.vault.numbers.find_here(
        NumberKind.RESIDENT, [applicant.resident_number], county_code=LINQU
    )
    assert eid.member_id in people[applicant.resident_number]
    again = await checked(identity, [row])
    (same,) = await rows_of(identity, again, roster_pb2.ROSTER_DIFFERENCE_SAME)
    assert same.member_id == eid.member_id

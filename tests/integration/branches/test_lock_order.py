"""Writers who need the same rows in what used to be opposite orders: each meeting is forced, and both get through.

A third connection holds the row at which both must wait, so that the order in which they come to it is known; nothing is
left to chance. Before locks had one order (zhibu_branches.locks), PostgreSQL ended one of the two as a deadlock.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from integration.branches.bare_tree import LINQU, BareTree, today
from zhibu_branches.changes import Wish, perform
from zhibu_branches.committees.establishing import NewCommittee, establish_committee
from zhibu_branches.member_places import own_record
from zhibu_branches.memberships import (
    NewRecord,
    lock_branches,
    move_members,
    physical_of,
    records_of,
    show_all_of,
)
from zhibu_branches.planning import change_or_plan, do_due_changes
from zhibu_branches.queries import find_organisation
from zhibu_branches.records import Document, place_member, record_decision
from zhibu_branches.rosters.applying import apply_rows
from zhibu_branches.rules.changes import ChangeKind
from zhibu_branches.rules.committees import Appointment, Post, Source
from zhibu_branches.rules.decisions import Decision
from zhibu_branches.rules.members import EndReason, Occupation, PartyStatus, Standing
from zhibu_branches.rules.rosters import Row
from zhibu_branches.surveys.answers import state_answer
from zhibu_branches.surveys.counting import go_online
from zhibu_kit.db import Database, Scope
from zhibu_kit.errors import ServiceError
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.engines import Postgres

_HERE = Scope.of(LINQU)
_DOCUMENT = Document(number="临组〔2026〕3号", made_by_member_id="")


class Meeting:
    """Two writers at one row."""

    def __init__(self, tree: BareTree, *, dsn: str, owner: asyncpg.Connection) -> None:
        self.tree = tree
        self.owner = owner
        self._dsn = dsn

    async def at(self, row: str, identifier: str, *writers: Coroutine[Any, Any, object]) -> list[str]:
        """Hold a row until all writers wait, let them go in the order in which they came, and say how each ended."""
        holder: asyncpg.Connection = await asyncpg.connect(self._dsn)
        try:
            held = holder.transaction()
            await held.start()
            await holder.execute(f"select 1 from {row} = $1 for update", identifier)
            async with asyncio.TaskGroup() as group:
                running: list[asyncio.Task[str]] = []
                for writer in writers:
                    running.append(group.create_task(_outcome(writer)))
                    await wait_until(lambda: self._waits(len(running)))
                await held.rollback()
            return [one.result() for one in running]
        finally:
            await holder.close()

    async def _waits(self, count: int) -> bool:
        # Nobody else is at this database.
        waiting = await self.owner.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        )
        return waiting == count

    async def merge(self, gone: str, stays: str) -> None:
        wish = Wish(kind=ChangeKind.MERGE, organisation_id=gone, target_id=stays)
        async with self.tree.database.transaction(_HERE) as transaction:
            await perform(transaction, wish, now=datetime.now(UTC))

    async def die(self, member_id: str) -> None:
        decision = Decision(decision_date=today(), standing=Standing.DIED, has_document=True)
        async with self.tree.database.transaction(_HERE) as transaction:
            record = await show_all_of(transaction, member_id)
            await record_decision(
                transaction, record, decision, document=_DOCUMENT, today=today(), now=datetime.now(UTC)
            )

    async def answer(self, member_id: str) -> None:
        async with self.tree.database.transaction(_HERE) as transaction:
            record = await own_record(transaction, member_id)
            await state_answer(transaction, record, has_device=True, has_network=True, now=datetime.now(UTC))

    async def online(self, branch_id: str) -> None:
        async with self.tree.database.transaction(_HERE) as transaction:
            branch = await find_organisation(transaction, branch_id)
            assert branch is not None
            await go_online(transaction, branch, now=datetime.now(UTC))

    async def appoint(self, branch_id: str, member_id: str) -> None:
        new = NewCommittee(
            appointments=(Appointment(member_id=member_id, post=Post.SECRETARY),),
            start_date=today(),
            document_number="1号",
            source=Source.APPOINTMENT,
        )
        async with self.tree.database.transaction(_HERE) as transaction:
            await establish_committee(transaction, branch_id, new, etag="", now=datetime.now(UTC))

    async def transfer(self, member_id: str, branch_id: str) -> None:
        async with self.tree.database.transaction(_HERE) as transaction:
            target = (await lock_branches(transaction, [branch_id]))[branch_id]
            await records_of(transaction, [member_id], lock=True)
            await move_members(
                transaction,
                await physical_of(transaction, [member_id]),
                target=target,
                reason=EndReason.TRANSFERRED,
                move_date=today(),
                now=datetime.now(UTC),
            )

    async def has_ended(self, branch_id: str) -> bool:
        return not await self.owner.fetchval("select active from organisation where organisation_id = $1", branch_id)


@pytest.fixture(scope="module")
async def meeting(postgres: Postgres, service_database: DatabaseMaker) -> AsyncGenerator[Meeting]:
    made = await service_database("branches")
    dsn = postgres.dsn(made.name)
    owner: asyncpg.Connection = await asyncpg.connect(dsn)
    database = Database(made.app_url, service="branches")
    tree = BareTree(database)
    await tree.begin()
    yield Meeting(tree, dsn=dsn, owner=owner)
    await database.close()
    await owner.close()


async def _outcome(work: Coroutine[Any, Any, object]) -> str:
    try:
        await work
    except ServiceError as error:
        return error.reason
    return "OK"


_RECORD = "member_record where member_id"


async def test_a_record_that_is_written_twice_does_not_wait_for_the_change_of_its_branch(meeting: Meeting) -> None:
    """PostgreSQL looks at a foreign key anew when a row is written twice in a transaction, and locks what it names."""
    gone, stays = await meeting.tree.create(), await meeting.tree.create()
    one, other = await meeting.tree.people(gone, 2)
    # Leaving the virtual branch is the first writing of the record, its end the second.
    await meeting.tree.join(one, await meeting.tree.create(virtual=True))
    assert await meeting.at(_RECORD, one, meeting.die(one), meeting.merge(gone, stays)) == ["OK", "OK"]
    assert await meeting.has_ended(gone)
    rows = await meeting.owner.fetch(
        "select branch_id, standing from member_record where member_id = any($1) order by member_id", [one, other]
    )
    assert [tuple(row) for row in rows] == [(gone, Standing.DIED), (stays, Standing.PRESENT)]


async def test_a_holder_of_a_post_dies_while_the_branch_is_merged(meeting: Meeting) -> None:
    gone, stays = await meeting.tree.create(), await meeting.tree.create()
    (holder, _) = await meeting.tree.people(gone, 2)
    await meeting.appoint(gone, holder)
    assert await meeting.at(_RECORD, holder, meeting.die(holder), meeting.merge(gone, stays)) == ["OK", "OK"]
    assert await meeting.has_ended(gone)
    held = "select from committee_post where branch_id = $1 and end_date is null"
    assert await meeting.owner.fetch(held, gone) == []


async def test_a_member_answers_the_survey_while_the_branch_is_merged(meeting: Meeting) -> None:
    gone, stays = await meeting.tree.create(), await meeting.tree.create()
    one, other = await meeting.tree.people(gone, 2)
    await meeting.answer(other)
    assert await meeting.at(_RECORD, one, meeting.answer(one), meeting.merge(gone, stays)) == ["OK", "OK"]
    assert await meeting.owner.fetchval("select count(*) from branch_survey where branch_id = $1", gone) == 0
    states = await meeting.owner.fetch("select state from survey_answer where member_id = any($1)", [one, other])
    assert [row["state"] for row in states] == [1, 1]


async def test_a_branch_goes_online_while_it_is_merged(meeting: Meeting) -> None:
    """Going online writes the survey twice; who comes when the branch is gone is told so."""
    for merged_first in (False, True):
        gone, stays = await meeting.tree.create(), await meeting.tree.create()
        for member_id in await meeting.tree.people(gone, 2):
            await meeting.answer(member_id)
        # What is counted is not what is written, so that counting writes too.
        await meeting.owner.execute("update branch_survey set equipped_count = 1 where branch_id = $1", gone)
        writers = [meeting.online(gone), meeting.merge(gone, stays)]
        outcomes = await meeting.at(
            "branch_survey where branch_id", gone, *(reversed(writers) if merged_first else writers)
        )
        assert outcomes == (["OK", "ORGANISATION_DISSOLVED"] if merged_first else ["OK", "OK"])
        assert await meeting.has_ended(gone)
        counted = await meeting.owner.fetchval("select sum(count) from tally where key = 'online'")
        assert (counted or 0) == await meeting.owner.fetchval("select count(*) from branch_survey where state <> 1")


async def test_a_planned_change_comes_due_while_its_branch_is_merged(
    meeting: Meeting, caplog: pytest.LogCaptureFixture
) -> None:
    gone, stays, other = [await meeting.tree.create() for _ in range(3)]
    await meeting.tree.people(gone, 1)
    due = datetime.now(UTC) + timedelta(days=1)
    async with meeting.tree.database.transaction(_HERE) as transaction:
        planned = await change_or_plan(
            transaction,
            Wish(kind=ChangeKind.MERGE, organisation_id=gone, target_id=other),
            effective_date=today() + timedelta(days=1),
            document_number="",
            made_by_member_id="",
            etag="",
            now=datetime.now(UTC),
        )
    outcomes = await meeting.at(
        "organisation where organisation_id",
        gone,
        meeting.merge(gone, stays),
        do_due_changes(meeting.tree.database, now=due),
    )
    assert outcomes == ["OK", "OK"]
    # The job keeps what passes by itself to itself, but for a line in the log.
    assert [record.getMessage() for record in caplog.records if record.name == "zhibu.branches.planning"] == []
    # Whoever came first did it; the plan failed by that, and says so.
    successor = await meeting.owner.fetchval("select successor_id from organisation where organisation_id = $1", gone)
    assert successor == stays
    row = await meeting.owner.fetchrow(
        "select state, failure_reason from organisation_change where organisation_change_id = $1",
        planned.organisation_change_id,
    )
    assert row is not None
    assert tuple(row) == (4, "ORGANISATION_DISSOLVED")


async def test_a_roster_takes_up_whom_an_officer_is_placing(meeting: Meeting) -> None:
    branch_id, member_id = await meeting.tree.create(), new_ulid()
    await meeting.owner.execute(
        "insert into unplaced_member values ($1, $2, $3, $4, now())", member_id, LINQU, new_ulid(), branch_id
    )

    async def roster() -> None:
        row = Row(
            member_id=member_id,
            row_number=1,
            branch_id=branch_id,
            status=PartyStatus.FULL,
            applied_date=None,
            admitted_date=None,
            confirmed_date=None,
            occupation=Occupation.RETIRED,
        )
        async with meeting.tree.database.transaction(_HERE) as transaction:
            await apply_rows(
                transaction, [row], roster_id=new_ulid(), county_code=LINQU, today=today(), now=datetime.now(UTC)
            )

    async def place() -> None:
        new = NewRecord(
            member_id=member_id,
            branch_id=branch_id,
            status=PartyStatus.FULL,
            status_date=date(2001, 7, 1),
            occupation=Occupation.FARMER,
            admitted_date=date(2000, 7, 1),
            confirmed_date=date(2001, 7, 1),
        )
        async with meeting.tree.database.transaction(_HERE) as transaction:
            await place_member(transaction, new, document=_DOCUMENT, today=today(), now=datetime.now(UTC))

    assert await meeting.at("unplaced_member where member_id", member_id, place(), roster()) == ["OK", "OK"]
    assert await meeting.owner.fetchval("select count(*) from membership where member_id = $1", member_id) == 1


async def test_a_split_is_judged_by_who_is_still_there(meeting: Meeting) -> None:
    branch_id, target_id = await meeting.tree.create(), await meeting.tree.create()
    one, other = await meeting.tree.people(branch_id, 2)

    async def split() -> None:
        wish = Wish(
            kind=ChangeKind.SPLIT,
            organisation_id=branch_id,
            new_name=f"分出的{new_ulid()}",
            member_ids=(other,),
            every_member=False,
        )
        async with meeting.tree.database.transaction(_HERE) as transaction:
            await perform(transaction, wish, now=datetime.now(UTC))

    outcomes = await meeting.at(_RECORD, one, meeting.transfer(one, target_id), split())
    # With the first one gone, nobody would have stayed.
    assert outcomes == ["OK", "SPLIT_NOBODY_STAYS"]

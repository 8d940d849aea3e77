"""Writes are done once for each request id; writes, refusals and readings leave their audit rows, numbered and chained."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from integration.kit_data.audit_rows import as_superuser, audit_rows
from integration.kit_data.records import COUNTY, RECORD, call_of, change_record, relay_of, rows
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu_kit import tables
from zhibu_kit.audit_chain import number_audit_rows, verify_audit_chain
from zhibu_kit.bus import Bus
from zhibu_kit.call import Call
from zhibu_kit.db import Database, Role, Scope
from zhibu_kit.errors import ServiceError
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.engines import Postgres


def request_of(request_id: str, *, body: str = "甲", record_id: str = "r1") -> pb.UpdateRecordRequest:
    record = pb.Record(record_id=record_id, text=body)
    return pb.UpdateRecordRequest(organisation_id=COUNTY, record_id=record_id, record=record, request_id=request_id)


async def write_record(database: Database, call: Call, request: pb.UpdateRecordRequest) -> pb.UpdateRecordResponse:
    """Do what a handler does: raise the version by one and answer with it."""
    async with database.write(call, request, pb.UpdateRecordResponse) as write:
        if write.replayed is not None:
            return write.replayed
        known = await write.scalar(select(RECORD.c.version).where(RECORD.c.record_id == request.record_id)) or 0
        await change_record(write, request.record_id, version=known + 1, text=request.record.text)
        return write.reply(pb.UpdateRecordResponse(record=request.record, etag=str(known + 1)))


async def test_the_same_request_id_gives_the_same_answer_and_is_done_once(owner: Database, owner_bus: Bus) -> None:
    first = await write_record(owner, call_of("UpdateRecord"), request_of("id-1"))
    again = await write_record(owner, call_of("UpdateRecord"), request_of("id-1"))
    assert first == again
    assert await rows(owner, RECORD) == [("r1", "甲", 1)]
    assert [row.action for row in await audit_rows(owner)] == ["testing.record.updated"]
    assert (await relay_of(owner, owner_bus).relay_once()).published == 1


async def test_another_body_with_the_same_request_id_is_refused(owner: Database) -> None:
    await write_record(owner, call_of("UpdateRecord"), request_of("id-1"))
    with pytest.raises(ServiceError, match="REQUEST_ID_REUSED"):
        await write_record(owner, call_of("UpdateRecord"), request_of("id-1", body="乙"))
    assert await rows(owner, RECORD) == [("r1", "甲", 1)]


async def test_request_ids_belong_to_their_caller(owner: Database) -> None:
    await write_record(owner, call_of("UpdateRecord"), request_of("id-1"))
    await write_record(owner, call_of("UpdateRecord", account_id="account-2"), request_of("id-1", body="乙"))
    await write_record(owner, call_of("UpdateRecord", account_id=None), request_of("id-1", body="丙"))
    assert await rows(owner, RECORD) == [("r1", "丙", 3)]


async def test_without_a_request_id_each_call_counts(owner: Database) -> None:
    for _ in range(2):
        await write_record(owner, call_of("UpdateRecord"), request_of(""))
    assert await rows(owner, RECORD) == [("r1", "甲", 2)]


async def test_the_same_request_made_many_times_at_once_is_done_once(owner: Database) -> None:
    answers = await asyncio.gather(
        *(write_record(owner, call_of("UpdateRecord"), request_of("id-1")) for _ in range(8))
    )
    assert [answer.etag for answer in answers] == ["1"] * 8
    assert await rows(owner, RECORD) == [("r1", "甲", 1)]


async def test_a_request_that_failed_can_be_made_again(owner: Database) -> None:
    async def fail() -> None:
        async with owner.write(call_of("UpdateRecord"), request_of("id-1"), pb.UpdateRecordResponse) as write:
            await change_record(write, "r1", version=1)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await fail()
    assert await audit_rows(owner) == []
    assert (await write_record(owner, call_of("UpdateRecord"), request_of("id-1"))).etag == "1"


async def test_the_second_of_two_waits_and_takes_over_when_the_first_fails(owner: Database) -> None:
    inside, let_go = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with owner.write(call_of("UpdateRecord"), request_of("id-1"), pb.UpdateRecordResponse):
            inside.set()
            await let_go.wait()
            raise RuntimeError("no")

    failing = asyncio.create_task(first())
    await inside.wait()
    second = asyncio.create_task(write_record(owner, call_of("UpdateRecord"), request_of("id-1")))
    await wait_until(lambda: _is_somebody_waiting(owner))
    let_go.set()
    with pytest.raises(RuntimeError, match="no"):
        await failing
    assert (await second).etag == "1"


async def test_a_stored_answer_and_the_hash_of_its_request_are_sealed(owner: Database) -> None:
    class Sealer:
        def seal(self, plain: bytes) -> bytes:
            return b"sealed:" + plain[::-1]

        def open(self, sealed: bytes) -> bytes:
            return sealed.removeprefix(b"sealed:")[::-1]

    owner.sealer = Sealer()
    first = await write_record(owner, call_of("UpdateRecord"), request_of("id-1"))
    async with owner.transaction(Scope.none()) as transaction:
        row = await transaction.one(select(tables.request))
    assert bytes(row.response).startswith(b"sealed:")
    assert bytes(row.body_hash).startswith(b"sealed:")
    assert await write_record(owner, call_of("UpdateRecord"), request_of("id-1")) == first
    with pytest.raises(ServiceError, match="REQUEST_ID_REUSED"):
        await write_record(owner, call_of("UpdateRecord"), request_of("id-1", body="乙"))


async def test_a_handler_that_forgets_to_reply_changes_nothing(owner: Database) -> None:
    async def forget() -> None:
        async with owner.write(call_of("UpdateRecord"), request_of("id-1"), pb.UpdateRecordResponse) as write:
            await change_record(write, "r1", version=1)

    with pytest.raises(RuntimeError, match="reply"):
        await forget()
    assert await rows(owner, RECORD) == []


async def test_a_write_leaves_who_did_what_by_which_office(owner: Database) -> None:
    call = call_of("UpdateRecord", request_id="gateway-1")
    await write_record(owner, call, request_of("id-1"))
    [row] = await audit_rows(owner)
    assert _plain(row) == {
        "action": "testing.record.updated",
        "outcome": "done",
        "reason": "",
        "method": "zhibu.testing.v1.ProbeService/UpdateRecord",
        "account_id": "account-1",
        "member_id": "member-1",
        "service": "",
        "offices": ["county_approver@370724"],
        "organisation_id": COUNTY,
        "county_code": COUNTY,
        "subject_id": "r1",
        "subjects_count": 0,
        "subjects_commitment": None,
        "commitment_salt": None,
        "request_id": "gateway-1",
        "trace_id": call.trace_id,
    }


async def test_a_refused_attempt_leaves_a_row_of_its_own(owner: Database) -> None:
    call = call_of("UpdateRecord", scope=Scope.none())
    await owner.audit_refusal(call, request_of("id-1", record_id="r9"), "PERMISSION_DENIED")
    [row] = await audit_rows(owner)
    assert (row.outcome, row.reason, row.subject_id) == ("refused", "PERMISSION_DENIED", "r9")


async def test_a_reading_leaves_one_row_that_says_about_how_many_it_is(owner: Database) -> None:
    request = pb.GetRecordRequest(organisation_id=COUNTY, record_id="r1")
    async with owner.read(call_of("GetRecord"), request) as read:
        read.reply(pb.GetRecordResponse(), subjects=["member-2", "member-1"])
    [row] = await audit_rows(owner)
    assert (row.outcome, row.subject_id, row.subjects_count) == ("read", "r1", 2)


async def test_a_reading_that_the_contract_does_not_audit_leaves_nothing(owner: Database) -> None:
    request = pb.ListRecordsRequest(organisation_id=COUNTY)
    async with owner.read(call_of("ListRecords"), request) as read:
        read.reply(pb.ListRecordsResponse(), subjects=["member-1"])
    assert await audit_rows(owner) == []


async def test_numbers_are_gapless_and_the_chain_whole_with_two_relays_at_work(owner: Database) -> None:
    second = Database(owner.url, service="testing")
    done = asyncio.Event()

    async def number(database: Database) -> None:
        while not done.is_set():
            await number_audit_rows(database)

    numbering = [asyncio.create_task(number(database)) for database in (owner, second)]
    await asyncio.gather(
        *(write_record(owner, call_of("UpdateRecord"), request_of(f"id-{at}", record_id=f"r{at}")) for at in range(60))
    )
    done.set()
    await asyncio.gather(*numbering)
    await number_audit_rows(owner)
    numbers = sorted(row.sequence for row in await audit_rows(owner))
    assert numbers == list(range(1, 61))
    assert await verify_audit_chain(owner) == []
    await second.close()


async def test_a_row_that_was_changed_or_removed_shows(postgres: Postgres, owner: Database) -> None:
    for at in range(5):
        await write_record(owner, call_of("UpdateRecord"), request_of(f"id-{at}", record_id=f"r{at}"))
    await number_audit_rows(owner)
    assert await verify_audit_chain(owner) == []
    await as_superuser(postgres, owner, "update kit_audit set account_id = 'somebody else' where sequence = 2")
    assert await verify_audit_chain(owner) == ["row 2 was changed"]
    await as_superuser(postgres, owner, "delete from kit_audit where sequence = 4")
    assert await verify_audit_chain(owner) == ["row 2 was changed", "numbers 4 to 4 are missing"]
    await as_superuser(postgres, owner, "delete from kit_audit where sequence = 5")
    assert "the last rows are missing" in (await verify_audit_chain(owner))[-1]


@pytest.mark.parametrize("role", [Role.APP, Role.PROVINCE, Role.RELAY])
async def test_nobody_at_run_time_changes_or_removes_an_audit_row(owner: Database, role: Role) -> None:
    await write_record(owner, call_of("UpdateRecord"), request_of("id-1"))

    async def attempt(statement: Any) -> None:
        async with owner.transaction(Scope.none(), role=role) as transaction:
            await transaction.execute(statement)

    for statement in (
        update(tables.audit).values(account_id="somebody else"),
        text("delete from kit_audit"),
        text("truncate kit_audit"),
        update(tables.audit_subject).values(subject_id="somebody else"),
        text("delete from kit_audit_subject"),
    ):
        with pytest.raises(Exception, match="permission denied"):
            await attempt(statement)


async def test_an_error_of_the_database_shows_no_parameters(owner: Database) -> None:
    async def fail() -> None:
        async with owner.transaction(Scope.of(COUNTY)) as transaction:
            for _ in range(2):
                await transaction.execute(
                    insert(RECORD).values(record_id="twice", county_code=COUNTY, text="张三", version=1)
                )

    with pytest.raises(IntegrityError) as raised:
        await fail()
    assert "张三" not in str(raised.value)


def _plain(row: Any) -> dict[str, Any]:
    drawn = {"audit_id", "sequence", "chain_hash", "occurred_at"}
    return {name: value for name, value in row._asdict().items() if name not in drawn}


async def _is_somebody_waiting(database: Database) -> bool:
    waiting = text(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    async with database.transaction(Scope.none()) as transaction:
        return await transaction.scalar(waiting) > 0

"""A batch of e-IDs in which issuing to one person always fails: the others get theirs, the clerk sees who did not and why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from integration.identity.batches_by_hand import (
    begin,
    counts_of,
    eids_in,
    enter,
    failures_of,
    load,
    work_out,
)
from integration.identity.people_by_hand import RosterPerson, add_organisations_and_officers, enter_people, give_status
from integration.identity.running_identity import LINQU, LINQU_ADMIN, Identity
from integration.identity.setting_up import Databases, Workbench
from integration.identity.working_by_hand import work_to_the_end
from zhibu.identity.v1 import eid_batch_service_pb2 as pb
from zhibu.identity.v1.eid_batch_service_pb2_grpc import EidBatchServiceStub
from zhibu_identity.eid_batches.records import CHANNEL, EidBatch
from zhibu_identity.eid_batches.singly import FIRST_WAIT, LONGER_BY, MOST_AT_FAULT, MOST_ATTEMPTS
from zhibu_identity.eid_batches.worker import PART_SIZE, work_eid_batches
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.waiting import wait_until

WAITS = [FIRST_WAIT * LONGER_BY**number for number in range(MOST_ATTEMPTS - 1)]
MOMENT = timedelta(milliseconds=100)


async def reached(count: Callable[[], Awaitable[int]], number: int) -> bool:
    return await count() == number


async def work_through_the_waits(workbench: Workbench, batch: EidBatch) -> EidBatch:
    """Work as often as a person is tried, each time when their wait is over."""
    await work_eid_batches(workbench.parts)
    for wait in WAITS:
        workbench.clock.advance((wait + MOMENT).total_seconds())
        await work_eid_batches(workbench.parts)
    return await load(workbench, batch)


async def test_one_whose_account_is_refused_does_not_hold_up_the_others(workbench: Workbench) -> None:
    member_ids = await enter(workbench, [RosterPerson() for _ in range(PART_SIZE + 20)])
    refused = member_ids[3]
    workbench.accounts.refused = {refused}
    batch = await begin(workbench)
    await work_eid_batches(workbench.parts)
    after_one_round = await load(workbench, batch)
    assert counts_of(after_one_round) == (len(member_ids), len(member_ids) - 1, 0, 0)
    assert not after_one_round.done
    assert set(await eids_in(workbench, member_ids)) == set(member_ids) - {refused}
    assert len(workbench.accounts.accounts) == len(member_ids) - 1


async def test_who_is_refused_again_and_again_is_told_to_the_clerk_and_can_be_tried_again(workbench: Workbench) -> None:
    refused, _ = await enter(workbench, [RosterPerson() for _ in range(2)])
    workbench.accounts.refused = {refused}
    batch = await begin(workbench)
    await work_eid_batches(workbench.parts)
    # Once with the others, once alone.
    tried = workbench.accounts.refused_count
    assert tried == 2
    for number, wait in enumerate(WAITS, start=1):
        workbench.clock.advance((wait - MOMENT).total_seconds())
        await work_eid_batches(workbench.parts)
        assert workbench.accounts.refused_count == tried + number - 1
        assert not (await load(workbench, batch)).done
        workbench.clock.advance((2 * MOMENT).total_seconds())
        await work_eid_batches(workbench.parts)
        assert workbench.accounts.refused_count == tried + number
    done = await load(workbench, batch)
    assert (counts_of(done), done.done) == ((2, 1, 1, 0), True)
    assert await failures_of(workbench, batch) == {refused: "ACCOUNT_REFUSED"}
    await work_to_the_end(workbench)
    seeds = await workbench.databases.keys_owner.fetchval("select count(*) from totp_seed")
    assert seeds == 1
    workbench.accounts.refused = set()
    assert counts_of(await work_out(workbench, await begin(workbench))) == (1, 1, 0, 0)
    assert len(workbench.accounts.of_member(refused)) == 1


async def test_who_is_alone_in_a_batch_and_refused_is_told_too(workbench: Workbench) -> None:
    (refused,) = await enter(workbench, [RosterPerson()])
    workbench.accounts.refused = {refused}
    batch = await begin(workbench)
    assert counts_of(await work_through_the_waits(workbench, batch)) == (1, 0, 1, 0)
    assert workbench.accounts.refused_count == MOST_ATTEMPTS


async def test_a_keycloak_that_is_away_is_not_a_failure_of_the_one_who_waits(workbench: Workbench) -> None:
    refused, _ = await enter(workbench, [RosterPerson() for _ in range(2)])
    workbench.accounts.refused = {refused}
    batch = await begin(workbench)
    await work_eid_batches(workbench.parts)
    workbench.accounts.down = True
    for _ in range(2 * MOST_ATTEMPTS):
        workbench.clock.advance(timedelta(minutes=10).total_seconds())
        await work_eid_batches(workbench.parts)
    assert counts_of(await load(workbench, batch)) == (2, 1, 0, 0)
    workbench.accounts.down, workbench.accounts.refused = False, set()
    assert counts_of(await work_out(workbench, batch)) == (2, 2, 0, 0)


async def test_a_keycloak_that_refuses_everybody_makes_the_batch_wait(workbench: Workbench) -> None:
    member_ids = await enter(workbench, [RosterPerson() for _ in range(MOST_AT_FAULT + 5)])
    workbench.accounts.refused = set(member_ids)
    batch = await begin(workbench)
    for _ in range(2 * MOST_ATTEMPTS):
        await work_eid_batches(workbench.parts)
        workbench.clock.advance(timedelta(minutes=10).total_seconds())
    waiting = await load(workbench, batch)
    assert (counts_of(waiting), waiting.done) == ((len(member_ids), 0, 0, 0), False)
    workbench.accounts.refused = set()
    assert counts_of(await work_out(workbench, batch)) == (len(member_ids), len(member_ids), 0, 0)


async def test_a_record_that_cannot_be_read_holds_up_nobody_else(
    workbench: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    broken, good = await enter(workbench, [RosterPerson() for _ in range(2)])
    batch = await begin(workbench)
    await workbench.databases.owner.execute("update person set details = 'broken' where member_id = $1", broken)
    done = await work_through_the_waits(workbench, batch)
    assert (counts_of(done), done.done) == ((2, 1, 1, 0), True)
    assert await failures_of(workbench, batch) == {broken: "ISSUING_FAILED"}
    assert set(await eids_in(workbench, [broken, good])) == {good}
    assert broken not in caplog.text


async def test_the_clerk_reads_why_in_chinese_and_in_english(identity: Identity, databases: Databases) -> None:
    await add_organisations_and_officers(databases)
    person = RosterPerson()
    await enter_people(identity.parts, [person])
    await give_status(databases, [person.member_id], 5)
    identity.accounts.refused = {person.member_id}
    service = EidBatchServiceStub(identity.channel)
    created = await service.CreateEidBatch(
        pb.CreateEidBatchRequest(organisation_id=LINQU, request_id=new_ulid()), metadata=identity.officer(LINQU_ADMIN)
    )
    batch_id = created.eid_batch.eid_batch_id

    async def attempts() -> int:
        row = await databases.owner.fetchrow("select attempts from eid_batch_item where eid_batch_id = $1", batch_id)
        assert row is not None
        return row["attempts"]

    async def failed() -> bool:
        row = await databases.owner.fetchrow("select failed_count from eid_batch where eid_batch_id = $1", batch_id)
        return row is not None and row["failed_count"] == 1

    for number, wait in enumerate(WAITS, start=1):
        await wait_until(lambda number=number: reached(attempts, number))
        identity.clock.advance((wait + MOMENT).total_seconds())
        await databases.owner.execute("select pg_notify($1, '')", CHANNEL)
    await wait_until(failed)
    messages: list[str] = []
    for language in ("zh-CN", "en"):
        listed = await service.ListEidBatchFailures(
            pb.ListEidBatchFailuresRequest(organisation_id=LINQU, eid_batch_id=batch_id),
            metadata=[*identity.officer(LINQU_ADMIN), ("accept-language", language)],
        )
        assert [(one.member_id, one.reason) for one in listed.failures] == [(person.member_id, "ACCOUNT_REFUSED")]
        messages.append(listed.failures[0].message)
    assert messages[0].startswith("试了几次")
    assert messages[1].startswith("The log-in system")

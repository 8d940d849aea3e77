"""e-IDs for everybody of an organisation: who gets one, who does not and why, one batch at a time."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import pytest
from integration.identity.batches_by_hand import (
    APPLICANT,
    FULL,
    SCOPE,
    begin,
    counts_of,
    eids_in,
    enter,
    failures_of,
    work_out,
)
from integration.identity.people_by_hand import (
    SECOND_ADMIN,
    TOWNSHIP,
    TOWNSHIP_BRANCH,
    VIRTUAL_BRANCH,
    RosterPerson,
    add_organisations_and_officers,
    enter_people,
    give_status,
)
from integration.identity.running_identity import (
    CLERK,
    LINQU,
    LINQU_ADMIN,
    LINQU_BRANCH,
    QINGZHOU_CLERK,
    Identity,
)
from integration.identity.setting_up import Databases, Workbench
from integration.identity.working_by_hand import approve_by_hand, file_by_hand, work_to_the_end
from support.rpc import outcome_of
from zhibu.identity.v1 import eid_batch_service_pb2 as pb
from zhibu.identity.v1 import identity_events_pb2
from zhibu.identity.v1.eid_batch_service_pb2_grpc import EidBatchServiceStub
from zhibu_identity.eid_batches.candidates import preview_batch
from zhibu_identity.eid_batches.records import EidBatch
from zhibu_identity.people.reach import reach_of
from zhibu_identity.rules.search_terms import terms_of_query
from zhibu_kit.errors import ServiceError
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.waiting import wait_until

if TYPE_CHECKING:
    from zhibu.identity.v1.eid_batch_service_pb2_grpc import EidBatchServiceAsyncStub


def service(identity: Identity) -> EidBatchServiceAsyncStub:
    return EidBatchServiceStub(identity.channel)


@pytest.fixture(scope="module", autouse=True)
async def more_organisations(databases: Databases, workbench_databases: Databases) -> None:
    for made in (databases, workbench_databases):
        await add_organisations_and_officers(made)


# Through the service


async def test_a_batch_is_watched_until_everybody_has_an_e_id(identity: Identity, databases: Databases) -> None:
    people = [RosterPerson() for _ in range(7)]
    unknown = RosterPerson()
    incomplete = RosterPerson(telephone="")
    await enter_people(identity.parts, [*people, unknown, incomplete])
    await give_status(databases, [one.member_id for one in [*people, incomplete]], FULL)
    metadata = identity.officer(LINQU_ADMIN)
    preview = await service(identity).PreviewEidBatch(
        pb.PreviewEidBatchRequest(organisation_id=LINQU), metadata=metadata
    )
    assert (preview.preview.entitled_count, preview.preview.status_unknown_count) == (8, 1)
    request = pb.CreateEidBatchRequest(organisation_id=LINQU, request_id=new_ulid())
    created = await service(identity).CreateEidBatch(request, metadata=metadata)
    assert await service(identity).CreateEidBatch(request, metadata=metadata) == created
    batch = created.eid_batch
    assert (batch.total_count, batch.issued_count, batch.done) == (8, 0, False)
    last = None
    async with asyncio.timeout(10):
        watch = pb.WatchEidBatchRequest(organisation_id=LINQU, eid_batch_id=batch.eid_batch_id)
        async for message in service(identity).WatchEidBatch(watch, metadata=metadata):
            last = message.eid_batch
    assert last is not None
    assert (last.total_count, last.issued_count, last.failed_count, last.skipped_count) == (8, 7, 1, 0)
    assert last.done
    got = await service(identity).GetEidBatch(
        pb.GetEidBatchRequest(organisation_id=LINQU, eid_batch_id=batch.eid_batch_id), metadata=metadata
    )
    assert got.eid_batch == last
    listed = await service(identity).ListEidBatches(pb.ListEidBatchesRequest(organisation_id=LINQU), metadata=metadata)
    assert last in listed.eid_batches
    failures = await service(identity).ListEidBatchFailures(
        pb.ListEidBatchFailuresRequest(organisation_id=LINQU, eid_batch_id=batch.eid_batch_id), metadata=metadata
    )
    assert [(one.member_id, one.reason) for one in failures.failures] == [(incomplete.member_id, "PERSON_INCOMPLETE")]
    assert failures.failures[0].message
    for one in people:
        (account,) = identity.accounts.of_member(one.member_id)
        assert account.eid_number.startswith("37072426")
    # Nobody has one twice, whoever asks; who could not get one is tried again.
    again = await service(identity).CreateEidBatch(
        pb.CreateEidBatchRequest(organisation_id=LINQU, request_id=new_ulid()), metadata=identity.officer(SECOND_ADMIN)
    )
    assert again.eid_batch.total_count == 1


async def test_issuing_is_told_as_of_single_e_ids_and_the_act_leaves_one_row_in_the_log(
    identity: Identity, databases: Databases
) -> None:
    people = [RosterPerson(branch_id=TOWNSHIP_BRANCH) for _ in range(3)]
    await enter_people(identity.parts, people)
    await give_status(databases, [one.member_id for one in people], FULL)
    created = await service(identity).CreateEidBatch(
        pb.CreateEidBatchRequest(organisation_id=TOWNSHIP, request_id=new_ulid()), metadata=identity.officer(CLERK)
    )
    assert created.eid_batch.total_count == 3

    async def told() -> list[Any]:
        rows = await databases.owner.fetch(
            "select payload from kit_outbox where event_type = 'zhibu.identity.v1.EidChanged'"
        )
        events = [identity_events_pb2.EidChanged.FromString(row["payload"]) for row in rows]
        mine = [event for event in events if event.branch_id == TOWNSHIP_BRANCH]
        return mine if len(mine) == 3 else []

    events = await wait_until(told)
    assert events is not None
    assert {event.member_id for event in events} == {one.member_id for one in people}
    assert {(event.state, event.version, event.county_code) for event in events} == {(1, 1, LINQU)}
    rows = await databases.owner.fetch(
        "select subject_id, outcome, member_id, subjects_count from kit_audit"
        " where action = 'identity.eid_batch.created' and subject_id = $1",
        TOWNSHIP,
    )
    assert [tuple(row) for row in rows] == [(TOWNSHIP, "done", CLERK.member_id, 3)]


async def test_other_counties_and_other_organisations_see_no_batch(identity: Identity) -> None:
    created = await service(identity).CreateEidBatch(
        pb.CreateEidBatchRequest(organisation_id=TOWNSHIP_BRANCH, request_id=new_ulid()),
        metadata=identity.officer(CLERK),
    )
    # Nobody to issue one to: done at once.
    assert (created.eid_batch.total_count, created.eid_batch.done) == (0, True)
    request = pb.GetEidBatchRequest(organisation_id=LINQU_BRANCH, eid_batch_id=created.eid_batch.eid_batch_id)
    assert await outcome_of(service(identity).GetEidBatch(request, metadata=identity.officer(CLERK))) == "NOT_FOUND"
    refused = service(identity).GetEidBatch(request, metadata=identity.officer(QINGZHOU_CLERK))
    assert await outcome_of(refused) == "PERMISSION_DENIED"


# On the workbench


async def test_the_e_ids_of_a_batch_are_like_one_issued_after_an_approval(workbench: Workbench) -> None:
    (member_id,) = await enter(workbench, [RosterPerson(real_name="王𠮷")])
    await work_out(workbench, await begin(workbench))
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    await work_to_the_end(workbench)
    of_batch = (await eids_in(workbench, [member_id]))[member_id]
    single = (await eids_in(workbench, [application.member_id]))[application.member_id]
    same = ("county_code", "organisation_id", "state", "activated_at", "activation_expires_at", "revoked_at", "version")
    assert {name: of_batch[name] for name in same} == {name: single[name] for name in same}
    key = await workbench.vault.find_member_key(member_id, LINQU)
    assert key is not None
    assert key.open(of_batch["real_name"], place="eid.real_name") == "王𠮷"
    accounts = [workbench.accounts.of_member(one)[0] for one in (member_id, application.member_id)]
    assert len({account.county_code for account in accounts}) == 1
    assert [len(base64.b32decode(account.totp_seed)) for account in accounts] == [20, 20]
    number = accounts[0].eid_number
    found = await workbench.vault.search.find_members(LINQU, terms_of_query(number))
    assert found == [member_id]


async def test_more_people_than_one_part_holds_get_different_numbers(workbench: Workbench) -> None:
    member_ids = await enter(workbench, [RosterPerson() for _ in range(230)])
    done = await work_out(workbench, await begin(workbench))
    assert counts_of(done) == (230, 230, 0, 0)
    assert len({account.eid_number for account in workbench.accounts.accounts.values()}) == 230
    assert set(await eids_in(workbench, member_ids)) == set(member_ids)


async def test_two_batches_are_never_at_the_same_people(workbench: Workbench) -> None:
    await enter(workbench, [RosterPerson() for _ in range(2)])
    batch = await begin(workbench, LINQU_BRANCH)
    for organisation_id in (LINQU_BRANCH, LINQU):
        with pytest.raises(ServiceError) as refused:
            await begin(workbench, organisation_id)
        assert refused.value.reason == "EID_BATCH_RUNNING"
    await work_out(workbench, batch)
    assert (await begin(workbench, LINQU)).total_count == 0


async def test_whoever_began_last_is_told_that_a_batch_runs_even_at_the_same_moment(workbench: Workbench) -> None:
    await enter(workbench, [RosterPerson() for _ in range(20)])
    outcomes = await asyncio.gather(
        begin(workbench, LINQU), begin(workbench, LINQU_BRANCH), begin(workbench, LINQU), return_exceptions=True
    )
    begun = [one for one in outcomes if isinstance(one, EidBatch)]
    refused = [one.reason for one in outcomes if isinstance(one, ServiceError)]
    assert (len(begun), refused) == (1, ["EID_BATCH_RUNNING"] * 2)


async def test_reasons_are_kept_for_those_who_cannot_get_one_and_the_others_get_theirs(workbench: Workbench) -> None:
    good, incomplete, twice, ended, erased = people = [
        RosterPerson(),
        RosterPerson(telephone=""),
        RosterPerson(),
        RosterPerson(),
        RosterPerson(),
    ]
    await enter(workbench, people)
    (other,) = await enter(workbench, [RosterPerson()], status=0)
    assert await workbench.vault.numbers.hold(twice.resident_number, other)
    batch = await begin(workbench)
    await workbench.databases.owner.execute("update person set standing = 2 where member_id = $1", ended.member_id)
    await workbench.vault.erase(erased.member_id)
    done = await work_out(workbench, batch)
    assert counts_of(done) == (5, 1, 4, 0)
    assert await failures_of(workbench, batch) == {
        incomplete.member_id: "PERSON_INCOMPLETE",
        twice.member_id: "NUMBER_HAS_EID",
        ended.member_id: "PERSON_CHANGED",
        erased.member_id: "MEMBER_KEY_GONE",
    }
    assert [account.member_id for account in workbench.accounts.accounts.values()] == [good.member_id]


async def test_who_had_an_e_id_that_was_revoked_is_not_given_another_by_a_batch(workbench: Workbench) -> None:
    (member_id,) = await enter(workbench, [RosterPerson()])
    await work_out(workbench, await begin(workbench))
    await workbench.databases.owner.execute("update eid set state = 3 where member_id = $1", member_id)
    assert (await begin(workbench)).total_count == 0
    async with workbench.parts.database.transaction(SCOPE) as transaction:
        preview = await preview_batch(transaction, await reach_of(transaction, LINQU), organisation_id=LINQU)
    assert (preview.entitled_count, preview.holder_count, preview.revoked_count) == (0, 0, 1)


async def test_until_a_branch_has_told_the_status_is_the_rosters(workbench: Workbench) -> None:
    people = [RosterPerson(), RosterPerson()]
    await enter_people(workbench.parts, people)
    await workbench.databases.owner.execute(
        "insert into roster_fact values ($1, $2, $3, '', '', '', 0)", people[0].member_id, LINQU, APPLICANT
    )
    batch = await begin(workbench)
    assert batch.total_count == 1


async def test_offices_of_posts_follow_the_e_id(workbench: Workbench) -> None:
    member_ids = await enter(workbench, [RosterPerson() for _ in range(3)])
    await workbench.databases.owner.executemany(
        "insert into member_post values ($1, $2, $3, $4, $5, true, '2026-01-01', '2029-01-01', 1)",
        [
            (new_ulid(), member_ids[0], LINQU_BRANCH, LINQU, 1),
            (new_ulid(), member_ids[1], LINQU_BRANCH, LINQU, 3),
        ],
    )
    await work_out(workbench, await begin(workbench))
    rows = await workbench.databases.owner.fetch("select member_id, office, account_id from office_grant")
    assert {(row["member_id"], row["office"], row["account_id"]) for row in rows} == {
        (member_id, office, workbench.accounts.of_member(member_id)[0].account_id)
        for member_id, office in zip(member_ids[:2], ("branch_secretary", "branch_organiser"), strict=True)
    }


async def test_a_virtual_branchs_batch_is_about_those_of_its_county(workbench: Workbench) -> None:
    member_ids = await enter(workbench, [RosterPerson() for _ in range(2)])
    await workbench.databases.owner.execute(
        "insert into member_place values ($1, $2, $3, $4, 2, true, 1)", new_ulid(), member_ids[1], VIRTUAL_BRANCH, LINQU
    )
    batch = await begin(workbench, VIRTUAL_BRANCH)
    assert batch.total_count == 1

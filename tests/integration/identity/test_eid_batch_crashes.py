"""A batch of e-IDs that is cut off, overtaken or disturbed: one account and one e-ID for each, nothing left over."""

from __future__ import annotations

from dataclasses import replace

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
from integration.identity.people_by_hand import (
    RosterPerson,
)
from integration.identity.running_identity import (
    LINQU,
    QINGZHOU,
    QINGZHOU_BRANCH,
    Applicant,
)
from integration.identity.setting_up import PowerCutError, Workbench
from integration.identity.working_by_hand import approve_by_hand, file_by_hand, stop_at, work_to_the_end
from zhibu_identity.eid_batches.worker import work_eid_batches
from zhibu_identity.rules.application import State as ApplicationState
from zhibu_identity.tasks import worker as work
from zhibu_identity.tasks.leases import LEASE
from zhibu_identity.tasks.queue import TaskKind
from zhibu_kit.ids import new_ulid

# Every point at which the process may end, in order.
STEPS = (
    "numbers held",
    "numbers reserved, not committed",
    "numbers reserved",
    "seeds kept",
    "accounts opened",
    "e-IDs stored, not committed",
    "e-IDs committed",
)


@pytest.mark.parametrize("step", STEPS)
async def test_cut_off_at_any_step_everybody_ends_with_one_e_id_and_one_account(
    workbench: Workbench, step: str
) -> None:
    member_ids = await enter(workbench, [RosterPerson() for _ in range(5)])
    batch = await begin(workbench)
    with pytest.raises(BaseExceptionGroup) as cut:
        await work_eid_batches(workbench.cut_at(step))
    assert cut.group_contains(PowerCutError, match=step)
    # The lease has not ended: nobody else begins before it has.
    assert await work_eid_batches(workbench.parts) == 0
    workbench.clock.advance(LEASE.total_seconds() + 1)
    done = await work_out(workbench, batch)
    assert counts_of(done) == (5, 5, 0, 0)
    eids = await eids_in(workbench, member_ids)
    assert set(eids) == set(member_ids)
    assert len(workbench.accounts.accounts) == 5
    for member_id, eid in eids.items():
        (account,) = workbench.accounts.of_member(member_id)
        key = await workbench.vault.find_member_key(member_id, LINQU)
        assert key is not None
        assert (eid["account_id"], key.open(eid["eid_number"], place="eid.eid_number")) == (
            account.account_id,
            account.eid_number,
        )
        assert account.totp_seed == await workbench.vault.find_seed(key, eid["eid_id"], county_code=LINQU)
    seeds = await workbench.databases.keys_owner.fetchval("select count(*) from totp_seed")
    events = await workbench.databases.owner.fetchval(
        "select count(*) from kit_outbox where event_type = 'zhibu.identity.v1.EidChanged'"
    )
    assert (seeds, events) == (5, 5)


@pytest.mark.parametrize("step", STEPS)
async def test_a_process_that_is_told_to_stop_gives_its_batch_back_at_once(workbench: Workbench, step: str) -> None:
    await enter(workbench, [RosterPerson() for _ in range(5)])
    batch = await begin(workbench)
    await stop_at(workbench, step, work_eid_batches)
    # The next process begins in the same second.
    await work_eid_batches(workbench.parts)
    done = await load(workbench, batch)
    assert (counts_of(done), done.done) == ((5, 5, 0, 0), True)
    assert len(workbench.accounts.accounts) == 5


async def test_while_keycloak_is_away_a_batch_waits_and_then_goes_on(workbench: Workbench) -> None:
    await enter(workbench, [RosterPerson() for _ in range(3)])
    batch = await begin(workbench)
    workbench.accounts.down = True
    await work_eid_batches(workbench.parts)
    assert counts_of(await load(workbench, batch)) == (3, 0, 0, 0)
    workbench.accounts.down = False
    assert counts_of(await work_out(workbench, batch)) == (3, 3, 0, 0)


async def test_an_approval_in_between_and_a_batch_make_one_e_id(workbench: Workbench) -> None:
    person = RosterPerson()
    (member_id,) = await enter(workbench, [person])
    applicant = Applicant(
        real_name=person.real_name, resident_number=person.resident_number, telephone=person.telephone
    )
    application = await file_by_hand(workbench, applicant)
    batch = await begin(workbench)
    approved = await approve_by_hand(workbench, application)
    assert approved.member_id == member_id
    await work_to_the_end(workbench)
    done = await work_out(workbench, batch)
    assert counts_of(done) == (1, 0, 0, 1)
    await work_to_the_end(workbench)
    assert len(workbench.accounts.of_member(member_id)) == 1
    assert len(await eids_in(workbench, [member_id])) == 1


@pytest.mark.parametrize("step", ["numbers reserved", "accounts opened"])
async def test_an_approval_that_a_batch_overtakes_takes_its_e_id_and_leaves_no_second_account(
    workbench: Workbench, step: str
) -> None:
    person = RosterPerson()
    (member_id,) = await enter(workbench, [person])
    applicant = Applicant(
        real_name=person.real_name, resident_number=person.resident_number, telephone=person.telephone
    )
    application = await file_by_hand(workbench, applicant)
    batch = await begin(workbench)
    with pytest.raises(BaseExceptionGroup):
        await work_eid_batches(workbench.cut_at(step))
    await approve_by_hand(workbench, application)
    with pytest.raises(BaseExceptionGroup):
        await work.work_once(workbench.cut_at("account opened"), frozenset(TaskKind))
    workbench.clock.advance(LEASE.total_seconds() + 1)
    assert counts_of(await work_out(workbench, batch)) == (1, 1, 0, 0)
    await work_to_the_end(workbench)
    (account,) = workbench.accounts.of_member(member_id)
    (eid,) = (await eids_in(workbench, [member_id])).values()
    assert eid["account_id"] == account.account_id
    row = await workbench.databases.owner.fetchrow("select state, eid_id from application")
    assert row is not None
    assert tuple(row) == (ApplicationState.ISSUED, eid["eid_id"])


async def test_a_record_that_ends_while_keycloak_works_leaves_no_account_and_gives_the_number_back(
    workbench: Workbench,
) -> None:
    person = RosterPerson()
    (member_id,) = await enter(workbench, [person])
    batch = await begin(workbench)
    with pytest.raises(BaseExceptionGroup):
        await work_eid_batches(workbench.cut_at("accounts opened"))
    await workbench.databases.owner.execute("update person set standing = 2 where member_id = $1", member_id)
    workbench.clock.advance(LEASE.total_seconds() + 1)
    assert counts_of(await work_out(workbench, batch)) == (1, 0, 1, 0)
    await work_to_the_end(workbench)
    assert workbench.accounts.accounts == {}
    assert await workbench.databases.keys_owner.fetchval("select count(*) from totp_seed") == 0
    (other,) = await enter(workbench, [RosterPerson()])
    assert await workbench.vault.numbers.hold(person.resident_number, other)


async def test_who_moves_to_another_county_while_a_batch_is_cut_off_leaves_no_account_behind(
    workbench: Workbench,
) -> None:
    (member_id,) = await enter(workbench, [RosterPerson()])
    batch = await begin(workbench)
    with pytest.raises(BaseExceptionGroup):
        await work_eid_batches(workbench.cut_at("accounts opened"))
    assert len(workbench.accounts.of_member(member_id)) == 1
    # As `moving` does, which knows of no e-ID yet.
    await workbench.vault.move_member(member_id, from_county=LINQU, to_county=QINGZHOU)
    await workbench.databases.owner.execute(
        "update person set county_code = $2, branch_id = $3 where member_id = $1", member_id, QINGZHOU, QINGZHOU_BRANCH
    )
    workbench.clock.advance(LEASE.total_seconds() + 1)
    assert counts_of(await work_out(workbench, batch)) == (1, 0, 1, 0)
    await work_to_the_end(workbench)
    assert workbench.accounts.of_member(member_id) == []
    assert await workbench.databases.keys_owner.fetchval("select count(*) from totp_seed") == 0
    # There they get theirs, and have one account.
    assert counts_of(await work_out(workbench, await begin(workbench, QINGZHOU))) == (1, 1, 0, 0)
    assert len(workbench.accounts.of_member(member_id)) == 1


async def test_a_number_whose_account_is_somebody_elses_is_replaced_by_the_next_batch(workbench: Workbench) -> None:
    (member_id,) = await enter(workbench, [RosterPerson()])
    batch = await begin(workbench)
    with pytest.raises(BaseExceptionGroup):
        await work_eid_batches(workbench.cut_at("accounts opened"))
    (account,) = workbench.accounts.accounts.values()
    account.member_id = new_ulid()
    workbench.clock.advance(LEASE.total_seconds() + 1)
    await work_out(workbench, batch)
    assert await failures_of(workbench, batch) == {member_id: "ACCOUNT_FOREIGN"}
    await work_to_the_end(workbench)
    second = await work_out(workbench, await begin(workbench))
    assert counts_of(second) == (1, 1, 0, 0)
    (mine,) = workbench.accounts.of_member(member_id)
    assert mine.eid_number != account.eid_number


async def test_a_small_batch_has_its_turn_while_a_large_one_is_worked_on(workbench: Workbench) -> None:
    await enter(workbench, [RosterPerson() for _ in range(5)])
    await enter(workbench, [RosterPerson(county_code=QINGZHOU, branch_id=QINGZHOU_BRANCH)])
    large, small = await begin(workbench), await begin(workbench, QINGZHOU)

    def pass_time(_step: str) -> None:
        workbench.clock.advance(0.1)

    await work_eid_batches(replace(workbench.parts, reached=pass_time), per_turn=2)
    large, small = await load(workbench, large), await load(workbench, small)
    assert (counts_of(large), counts_of(small)) == ((5, 5, 0, 0), (1, 1, 0, 0))
    assert large.finished_at is not None
    assert small.finished_at is not None
    assert small.finished_at < large.finished_at

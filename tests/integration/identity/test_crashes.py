"""Cut off at any point, issuing ends with exactly one account and one e-ID, and a batch approves each case once."""

from __future__ import annotations

import asyncio

import pytest
from integration.identity.running_identity import Applicant
from integration.identity.setting_up import PowerCutError, Workbench
from integration.identity.working_by_hand import (
    EVERY_KIND,
    approve_by_hand,
    batch_by_hand,
    eids_of,
    file_by_hand,
    load,
    load_batch,
    stop_at,
    undo_by_hand,
    work_to_the_end,
    work_with_a_power_cut,
)
from zhibu_identity.applications import batches
from zhibu_identity.applications.batches import ItemState
from zhibu_identity.county_settings import CountySettings, replace_settings
from zhibu_identity.eids.records import EidState
from zhibu_identity.erasures import destroying as erasure
from zhibu_identity.rules.application import State
from zhibu_identity.tasks import worker as work
from zhibu_identity.telephones.sending import Purpose
from zhibu_kit.scope import Scope

ISSUING_STEPS = (
    "number reserved",
    "seed kept",
    "account opened",
    "number indexed",
    "e-ID stored, not committed",
    "e-ID committed",
)


@pytest.mark.parametrize("step", ISSUING_STEPS)
async def test_issuing_that_is_cut_off_ends_with_one_account_and_one_eid(workbench: Workbench, step: str) -> None:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    await work_with_a_power_cut(workbench, step)
    await work_to_the_end(workbench)
    (eid,) = await eids_of(workbench, application)
    (account,) = workbench.accounts.accounts.values()
    assert (eid.account_id, eid.state) == (account.account_id, EidState.ISSUED)
    key = await workbench.vault.find_member_key(application.member_id, application.county_code)
    assert key is not None
    assert await workbench.vault.find_seed(key, eid.eid_id, county_code=eid.county_code) == account.totp_seed
    assert (await load(workbench, application)).state is State.ISSUED
    assert workbench.accounts.opened_count == 1


@pytest.mark.parametrize("step", ISSUING_STEPS[:-1])
async def test_told_to_stop_a_worker_gives_its_tasks_back_and_the_next_one_need_not_wait(
    workbench: Workbench, step: str
) -> None:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    await stop_at(workbench, step, lambda parts: work.work_once(parts, EVERY_KIND))
    # At the same instant: no lease is waited for.
    await work.work_once(workbench.parts, EVERY_KIND)
    assert len(await eids_of(workbench, application)) == workbench.accounts.opened_count == 1
    assert (await load(workbench, application)).state is State.ISSUED
    tries = await workbench.databases.owner.fetch("select attempts from account_task where done_at is not null")
    assert {row["attempts"] for row in tries} == {1}


@pytest.mark.parametrize("step", ISSUING_STEPS[:-2])
async def test_an_approval_that_is_undone_while_issuing_is_cut_off_leaves_nothing(
    workbench: Workbench, step: str
) -> None:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    await work_with_a_power_cut(workbench, step)
    await undo_by_hand(workbench, application)
    await work_to_the_end(workbench)
    assert not workbench.accounts.accounts
    assert not await eids_of(workbench, application)
    assert await workbench.databases.keys_owner.fetchval("select count(*) from totp_seed") == 0
    assert (await load(workbench, application)).state is State.SUBMITTED


async def test_an_approval_that_is_undone_and_given_again_while_issuing_is_cut_off_ends_with_one(
    workbench: Workbench,
) -> None:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    await work_with_a_power_cut(workbench, "account opened")
    await undo_by_hand(workbench, application)
    await approve_by_hand(workbench, application)
    await work_to_the_end(workbench)
    (eid,) = await eids_of(workbench, application)
    assert list(workbench.accounts.accounts) == [eid.account_id]


@pytest.mark.parametrize("step", ["account deleted", None])
async def test_an_issued_eid_that_is_undone_and_approved_again_has_one_living_account(
    workbench: Workbench, step: str | None
) -> None:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    await work_to_the_end(workbench)
    await undo_by_hand(workbench, application)
    await approve_by_hand(workbench, application)
    if step is not None:
        await work_with_a_power_cut(workbench, step)
    await work_to_the_end(workbench)
    first, second = await eids_of(workbench, application)
    assert (first.state, second.state) == (EidState.REVOKED, EidState.ISSUED)
    assert list(workbench.accounts.accounts) == [second.account_id]


async def test_while_keycloak_is_away_an_eid_waits_and_then_comes(workbench: Workbench) -> None:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    workbench.accounts.down = True
    await work_to_the_end(workbench)
    assert (await load(workbench, application)).state is State.APPROVED
    workbench.accounts.down = False
    await work_to_the_end(workbench)
    assert (await load(workbench, application)).state is State.ISSUED
    assert len(workbench.accounts.accounts) == 1


async def test_two_workers_at_once_issue_one_eid_for_each_approval(workbench: Workbench) -> None:
    applications = [await approve_by_hand(workbench, await file_by_hand(workbench)) for _ in range(5)]
    await asyncio.gather(*(work.work_once(workbench.parts, EVERY_KIND) for _ in range(3)))
    for application in applications:
        assert len(await eids_of(workbench, application)) == 1
    assert workbench.accounts.opened_count == 5


@pytest.mark.parametrize("step", ["expiry stored", "code set"])
async def test_an_activation_message_that_is_cut_off_is_sent_and_holds_the_code_that_is_good(
    workbench: Workbench, step: str
) -> None:
    async with workbench.parts.database.transaction(Scope.of("370724")) as transaction:
        await replace_settings(transaction, "370724", CountySettings(activation_by_telephone=True), etag="v0")
    applicant = Applicant()
    await approve_by_hand(workbench, await file_by_hand(workbench, applicant))
    await work_with_a_power_cut(workbench, step)
    await work_to_the_end(workbench)
    code = await workbench.telephones.wait_for(applicant.telephone, Purpose.ACTIVATION)
    (account,) = workbench.accounts.accounts.values()
    assert account.password == code


@pytest.mark.parametrize("step", ["one of a batch decided, not committed", "one of a batch decided"])
async def test_a_batch_that_is_cut_off_in_the_middle_approves_each_case_once(workbench: Workbench, step: str) -> None:
    applications = [await file_by_hand(workbench) for _ in range(4)]
    batch = await batch_by_hand(workbench, applications)
    for _ in range(2):
        with pytest.raises(PowerCutError):
            await batches.work_batches(workbench.cut_at(step))
    assert not (await load_batch(workbench, batch)).done
    await batches.work_batches(workbench.parts)
    done = await load_batch(workbench, batch)
    assert [item.state for item in done.items] == [ItemState.APPROVED] * 4
    await work_to_the_end(workbench)
    assert workbench.accounts.opened_count == 4


async def test_a_batch_tells_of_each_case_that_could_not_be_approved(workbench: Workbench) -> None:
    plain = await file_by_hand(workbench)
    rare = await file_by_hand(workbench, Applicant(real_name="王𠮷"))
    decided = await file_by_hand(workbench)
    await approve_by_hand(workbench, decided)
    other_county = await file_by_hand(workbench, Applicant(organisation_id="370781"))
    batch = await batch_by_hand(workbench, [plain, rare, decided, other_county])
    await batches.work_batches(workbench.parts)
    done = await load_batch(workbench, batch)
    assert [item.failure_reason for item in done.items] == [
        "",
        "FINDINGS_NOT_CHECKED",
        "APPLICATION_ALREADY_DECIDED",
        "NOT_FOUND",
    ]


async def test_two_workers_on_one_batch_share_it(workbench: Workbench) -> None:
    applications = [await file_by_hand(workbench) for _ in range(6)]
    batch = await batch_by_hand(workbench, applications)
    await asyncio.gather(*(batches.work_batches(workbench.parts) for _ in range(3)))
    assert (await load_batch(workbench, batch)).count(ItemState.APPROVED) == 6
    tasks = await workbench.databases.owner.fetchval("select count(*) from account_task where kind = 1")
    assert tasks == 6


async def test_a_filing_that_is_cut_off_leaves_a_key_that_is_swept_away(workbench: Workbench) -> None:
    applicant = Applicant()
    with pytest.raises(PowerCutError):
        await file_by_hand(workbench, applicant, parts=workbench.cut_at("person indexed"))
    kept = await file_by_hand(workbench)
    keys = workbench.databases.keys_owner
    assert await keys.fetchval("select count(*) from member_key") == 2
    workbench.clock.advance(erasure.UNCONFIRMED_AFTER.total_seconds() + 1)
    assert await erasure.sweep_unconfirmed(workbench.parts) == 1
    assert await keys.fetchval("select array_agg(member_id) from member_key") == [kept.member_id]
    assert await keys.fetchval("select bool_and(confirmed) from member_key")
    assert await keys.fetchval("select count(*) from number_index") == 2

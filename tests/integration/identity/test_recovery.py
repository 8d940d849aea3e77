"""Recovery before two officers: credentials renewed or another e-ID, whatever is cut off and whoever comes at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from integration.identity.people_by_hand import (
    SECOND_ADMIN,
    add_organisations_and_officers,
    as_member,
    people_of,
    recoveries_of,
)
from integration.identity.running_identity import (
    CLERK,
    LINQU,
    LINQU_ADMIN,
    OTHER_CLERK,
    QINGZHOU,
    QINGZHOU_BRANCH,
    QINGZHOU_CLERK,
    Identity,
    Officer,
)
from integration.identity.setting_up import Databases, PowerCutError, Workbench
from integration.identity.working_by_hand import approve_by_hand, eids_of, file_by_hand, work_to_the_end
from support.rpc import outcome_of
from zhibu.identity.v1 import eid_pb2, grant_service_pb2
from zhibu.identity.v1 import eid_service_pb2 as eid_pb
from zhibu.identity.v1 import people_service_pb2 as people_pb
from zhibu.identity.v1 import recovery_service_pb2 as pb
from zhibu.identity.v1.identity_events_pb2 import GrantChanged
from zhibu.identity.v1.roster_events_pb2 import RecoveryChanged
from zhibu_identity.cards.signed import list_revoked_cards, sign_card_of
from zhibu_identity.eids.records import Eid, EidState, find_eid
from zhibu_identity.parts import Parts
from zhibu_identity.people.places import PHYSICAL, MemberPlace, settle_branch, store_place
from zhibu_identity.recoveries import recovering
from zhibu_identity.recoveries.records import Recovery, get_recovery
from zhibu_identity.rules.recovery import RecoveryKind, RecoveryState
from zhibu_identity.telephones.sending import Purpose
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope
from zhibu_kit.testing.waiting import wait_until


@pytest.fixture(scope="module", autouse=True)
async def more(databases: Databases) -> None:
    await add_organisations_and_officers(databases)


async def start(identity: Identity, eid: eid_pb2.Eid, officer: Officer = CLERK) -> pb.Recovery:
    started = await recoveries_of(identity).StartRecovery(
        pb.StartRecoveryRequest(
            organisation_id=eid.organisation_id,
            eid_id=eid.eid_id,
            reason=pb.RECOVERY_REASON_PASSWORD_FORGOTTEN,
            request_id=new_ulid(),
        ),
        metadata=identity.officer(officer),
    )
    return started.recovery


async def start_replacing(identity: Identity, eid: eid_pb2.Eid, officer: Officer = CLERK) -> pb.Recovery:
    started = await recoveries_of(identity).ReplaceEid(
        pb.ReplaceEidRequest(
            organisation_id=eid.organisation_id,
            eid_id=eid.eid_id,
            reason=pb.RECOVERY_REASON_CARD_LOST,
            request_id=new_ulid(),
        ),
        metadata=identity.officer(officer),
    )
    return started.recovery


async def confirm(
    identity: Identity, recovery: pb.Recovery, officer: Officer = OTHER_CLERK, *, request_id: str = ""
) -> pb.ConfirmRecoveryResponse:
    return await recoveries_of(identity).ConfirmRecovery(
        pb.ConfirmRecoveryRequest(
            organisation_id=LINQU,
            recovery_id=recovery.recovery_id,
            etag=recovery.etag,
            request_id=request_id or new_ulid(),
        ),
        metadata=identity.officer(officer),
    )


async def test_a_recovered_account_has_new_credentials_and_its_tokens_are_refused(
    identity: Identity, databases: Databases
) -> None:
    eid = await identity.issue()
    (account,) = identity.accounts.of_member(eid.member_id)
    before = as_member(identity, eid.member_id)
    await identity.eids.GetMyEid(eid_pb.GetMyEidRequest(), metadata=before)
    account.own_password, old_seed = True, account.totp_seed
    recovery = await start(identity, eid)
    request_id = new_ulid()
    done = await confirm(identity, recovery, request_id=request_id)
    assert await confirm(identity, recovery, request_id=request_id) == done
    assert (done.recovery.state, done.eid_number) == (pb.RECOVERY_STATE_DONE, eid.eid_number)
    assert (account.password, account.own_password, account.ended_sessions) == (done.activation_code, False, 1)
    assert account.totp_seed != old_seed
    assert (await identity.get_eid(eid.eid_id)).state == eid_pb2.EID_STATE_ISSUED

    async def refused() -> bool:
        return await outcome_of(identity.eids.GetMyEid(eid_pb.GetMyEidRequest(), metadata=before)) == "UNAUTHENTICATED"

    await wait_until(refused)
    # Whoever logs in with the code is not refused: nothing reaches further than this moment.
    identity.clock.advance(1)
    mine = await identity.eids.GetMyEid(eid_pb.GetMyEidRequest(), metadata=as_member(identity, eid.member_id))
    assert mine.eid.state == eid_pb2.EID_STATE_ACTIVE
    rows = await databases.owner.fetch(
        "select payload from kit_outbox where key = $1 order by version", recovery.recovery_id
    )
    assert [RecoveryChanged.FromString(row["payload"]).state for row in rows] == [1, 2]


async def test_login_codes_come_from_the_renewed_seed(identity: Identity) -> None:
    eid = await identity.issue()
    await confirm(identity, await start(identity, eid))
    (account,) = identity.accounts.of_member(eid.member_id)
    key = await identity.parts.vault.find_member_key(eid.member_id, LINQU)
    assert key is not None
    assert await identity.parts.vault.find_seed(key, eid.eid_id, county_code=LINQU) == account.totp_seed


async def test_a_replacement_has_another_number_and_the_member_keeps_the_offices(
    identity: Identity, databases: Databases
) -> None:
    eid = await identity.issue()
    (old_account,) = identity.accounts.of_member(eid.member_id)
    granted = await identity.grants.MakeGrant(
        grant_service_pb2.MakeGrantRequest(
            organisation_id=LINQU,
            eid_number=eid.eid_number,
            office="county_clerk",
            end_date=(identity.clock.now() + timedelta(days=300)).date().isoformat(),
            request_id=new_ulid(),
        ),
        metadata=identity.officer(LINQU_ADMIN),
    )
    done = await confirm(identity, await start_replacing(identity, eid))
    new_account = identity.accounts.by_number(done.eid_number)
    assert new_account is not None
    assert (done.eid_number != eid.eid_number, new_account.member_id) == (True, eid.member_id)
    assert new_account.password == done.activation_code
    old, new = await identity.get_eid(eid.eid_id), await identity.get_eid(done.recovery.new_eid_id)
    assert (old.state, old.revocation_reason) == (eid_pb2.EID_STATE_REVOKED, eid_pb2.REVOCATION_REASON_COMPROMISED)
    assert (new.state, new.member_id, new.real_name, new.telephone) == (
        eid_pb2.EID_STATE_ISSUED,
        eid.member_id,
        eid.real_name,
        eid.telephone,
    )
    await wait_until(lambda: not old_account.enabled)
    rows = await databases.owner.fetch(
        "select payload from kit_outbox where key = $1 order by version", granted.grant.grant_id
    )
    events = [GrantChanged.FromString(row["payload"]) for row in rows]
    assert [(one.account_id, one.revoked) for one in events] == [
        (old_account.account_id, False),
        (new_account.account_id, False),
    ]
    identity.clock.advance(1)
    listed = await people_of(identity).ListPeople(
        people_pb.ListPeopleRequest(organisation_id=LINQU), metadata=as_member(identity, eid.member_id)
    )
    assert listed.total_count > 0
    await identity.eids.SendLoginCode(eid_pb.SendLoginCodeRequest(eid_number=done.eid_number))
    key = await identity.parts.vault.find_member_key(eid.member_id, LINQU)
    person = (
        await people_of(identity).GetPerson(
            people_pb.GetPersonRequest(organisation_id=LINQU, member_id=eid.member_id), metadata=identity.officer(CLERK)
        )
    ).person
    assert key is not None
    assert await identity.telephones.wait_for(person.telephone, Purpose.LOGIN)


async def test_neither_the_same_officer_nor_the_member_nor_another_county_confirms(identity: Identity) -> None:
    eid = await identity.issue()
    recovery = await start(identity, eid)
    assert await outcome_of(confirm(identity, recovery, CLERK)) == "OTHER_OFFICER_NEEDED"
    assert await outcome_of(confirm(identity, recovery, QINGZHOU_CLERK)) == "PERMISSION_DENIED"
    theirs = pb.ConfirmRecoveryRequest(
        organisation_id=QINGZHOU, recovery_id=recovery.recovery_id, etag=recovery.etag, request_id=new_ulid()
    )
    call = recoveries_of(identity).ConfirmRecovery(theirs, metadata=identity.officer(QINGZHOU_CLERK))
    assert await outcome_of(call) == "NOT_FOUND"
    own = Officer(account_id=SECOND_ADMIN.account_id, member_id=eid.member_id, county_code=LINQU)
    assert await outcome_of(confirm(identity, recovery, own)) == "OWN_RECORD"
    assert await outcome_of(start(identity, await identity.issue(), own)) == "OK"
    assert await outcome_of(start(identity, eid, own)) == "OWN_RECORD"


async def test_one_recovery_at_a_time_and_its_day_ends(identity: Identity) -> None:
    eid = await identity.issue()
    outcomes = await asyncio.gather(
        *(outcome_of(start(identity, eid, one)) for one in (CLERK, OTHER_CLERK, LINQU_ADMIN))
    )
    assert sorted(outcomes) == ["OK", "RECOVERY_OPEN", "RECOVERY_OPEN"]
    waiting = await recoveries_of(identity).ListRecoveries(
        pb.ListRecoveriesRequest(organisation_id=LINQU, page_size=200), metadata=identity.officer(CLERK)
    )
    (recovery,) = [one for one in waiting.recoveries if one.eid_id == eid.eid_id]
    assert recovery.real_name == eid.real_name
    identity.clock.advance(timedelta(days=1).total_seconds())
    officer = LINQU_ADMIN if recovery.started_by_member_id != LINQU_ADMIN.member_id else CLERK
    assert await outcome_of(confirm(identity, recovery, officer)) == "RECOVERY_EXPIRED"
    assert await outcome_of(start(identity, eid)) == "OK"
    async with identity.parts.database.transaction(Scope.of(LINQU)) as transaction:
        late = await get_recovery(transaction, recovery.recovery_id, organisation_id=LINQU)
    assert late.state is RecoveryState.EXPIRED


async def test_the_officer_who_began_can_end_it_without_anything_done(identity: Identity) -> None:
    eid = await identity.issue()
    (account,) = identity.accounts.of_member(eid.member_id)
    password = account.password
    recovery = await start_replacing(identity, eid)
    refused = await recoveries_of(identity).RefuseRecovery(
        pb.RefuseRecoveryRequest(
            organisation_id=LINQU, recovery_id=recovery.recovery_id, etag=recovery.etag, request_id=new_ulid()
        ),
        metadata=identity.officer(CLERK),
    )
    assert refused.recovery.state == pb.RECOVERY_STATE_REFUSED
    assert await outcome_of(confirm(identity, recovery)) == "RECOVERY_ENDED"
    assert (account.password, account.enabled) == (password, True)


async def test_of_two_who_confirm_at_once_one_gets_the_code_that_is_good(identity: Identity) -> None:
    eid = await identity.issue()
    recovery = await start_replacing(identity, eid)
    answers = await asyncio.gather(
        confirm(identity, recovery, OTHER_CLERK), confirm(identity, recovery, LINQU_ADMIN), return_exceptions=True
    )
    (done,) = [one for one in answers if isinstance(one, pb.ConfirmRecoveryResponse)]
    account = identity.accounts.by_number(done.eid_number)
    assert account is not None
    assert account.password == done.activation_code
    assert len(identity.accounts.of_member(eid.member_id)) == 2


async def test_while_keycloak_is_away_nothing_is_done_and_it_can_be_confirmed_later(identity: Identity) -> None:
    eid = await identity.issue()
    recovery = await start_replacing(identity, eid)
    identity.accounts.down = True
    assert await outcome_of(confirm(identity, recovery)) == "UNAVAILABLE"
    identity.accounts.down = False
    assert (await identity.get_eid(eid.eid_id)).state == eid_pb2.EID_STATE_ISSUED
    done = await confirm(identity, recovery)
    assert len(identity.accounts.of_member(eid.member_id)) == 2
    assert identity.accounts.by_number(done.eid_number) is not None


async def issued_by_hand(workbench: Workbench) -> Eid:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    await work_to_the_end(workbench)
    (eid,) = await eids_of(workbench, application)
    return eid


async def start_by_hand(workbench: Workbench, eid: Eid, kind: RecoveryKind) -> Recovery:
    async with workbench.parts.database.transaction(Scope.of(LINQU)) as transaction:
        locked = await find_eid(transaction, eid.eid_id, lock=True)
        assert locked is not None
        return await recovering.start_recovery(
            transaction, workbench.parts, locked, kind=kind, reason=3, officer_member_id=CLERK.member_id
        )


async def confirm_by_hand(parts: Parts, recovery: Recovery) -> recovering.Confirmed:
    officer = OTHER_CLERK.member_id
    await recovering.reserve(
        parts,
        recovery.recovery_id,
        organisation_id=LINQU,
        scope=Scope.of(LINQU),
        officer_member_id=officer,
        etag="",
    )
    async with parts.database.transaction(Scope.of(LINQU)) as transaction:
        locked = await get_recovery(transaction, recovery.recovery_id, organisation_id=LINQU, lock=True)
        return await recovering.confirm(transaction, parts, locked, officer_member_id=officer, etag="")


REPLACING = ("replacement reserved", "replacement opened", "replacement indexed", "recovery stored, not committed")
RENEWING = ("next seed kept", "account renewed", "seed replaced", "recovery stored, not committed")


@pytest.mark.parametrize("step", REPLACING)
async def test_a_replacement_that_is_cut_off_ends_with_one_account_more_and_one_living_eid(
    workbench: Workbench, step: str
) -> None:
    eid = await issued_by_hand(workbench)
    recovery = await start_by_hand(workbench, eid, RecoveryKind.REPLACE)
    with pytest.raises(PowerCutError):
        await confirm_by_hand(workbench.cut_at(step), recovery)
    done = await confirm_by_hand(workbench.parts, recovery)
    await work_to_the_end(workbench)
    accounts = workbench.accounts.of_member(eid.member_id)
    assert [one.enabled for one in accounts] == [False, True]
    assert accounts[1].eid_number == done.eid_number
    rows = await workbench.databases.owner.fetch(
        "select eid_id, state from eid where member_id = $1 order by eid_id", eid.member_id
    )
    assert [row["state"] for row in rows] == [int(EidState.REVOKED), int(EidState.ISSUED)]
    key = await workbench.vault.find_member_key(eid.member_id, LINQU)
    assert key is not None
    seed = await workbench.vault.find_seed(key, rows[1]["eid_id"], county_code=LINQU)
    assert seed == accounts[1].totp_seed


async def test_the_cards_of_a_replaced_eid_are_good_no_longer(workbench: Workbench) -> None:
    eid = await issued_by_hand(workbench)
    lost = await sign_card_of(workbench.parts, eid)
    await confirm_by_hand(workbench.parts, await start_by_hand(workbench, eid, RecoveryKind.REPLACE))
    revoked = await list_revoked_cards(workbench.parts.database, since=None, now=workbench.clock.now())
    assert revoked.digests == [lost.card.digest]


@pytest.mark.parametrize("step", REPLACING[:-1])
async def test_a_replacement_that_is_cut_off_and_refused_leaves_the_old_eid_alone(
    workbench: Workbench, step: str
) -> None:
    eid = await issued_by_hand(workbench)
    recovery = await start_by_hand(workbench, eid, RecoveryKind.REPLACE)
    with pytest.raises(PowerCutError):
        await confirm_by_hand(workbench.cut_at(step), recovery)
    workbench.clock.advance(timedelta(days=1).total_seconds())
    assert await recovering.expire_recoveries(workbench.parts) == 1
    await work_to_the_end(workbench)
    (account,) = workbench.accounts.of_member(eid.member_id)
    assert (account.account_id, account.enabled) == (eid.account_id, True)
    assert await workbench.databases.keys_owner.fetchval("select count(*) from totp_seed") == 1


async def test_who_moves_to_another_county_leaves_no_half_replaced_eid_behind(workbench: Workbench) -> None:
    eid = await issued_by_hand(workbench)
    recovery = await start_by_hand(workbench, eid, RecoveryKind.REPLACE)
    with pytest.raises(PowerCutError):
        await confirm_by_hand(workbench.cut_at("replacement opened"), recovery)
    async with workbench.parts.database.transaction(Scope.of(QINGZHOU)) as transaction:
        place = MemberPlace(
            membership_id=new_ulid(),
            member_id=eid.member_id,
            branch_id=QINGZHOU_BRANCH,
            county_code=QINGZHOU,
            kind=PHYSICAL,
            active=True,
            version=1,
        )
        await store_place(transaction, place)
        await settle_branch(transaction, workbench.parts, eid.member_id)
    await work_to_the_end(workbench)
    await recovering.expire_recoveries(workbench.parts)
    await work_to_the_end(workbench)
    (account,) = workbench.accounts.of_member(eid.member_id)
    assert (account.account_id, account.county_code) == (eid.account_id, QINGZHOU)
    states = await workbench.databases.owner.fetch("select state from recovery")
    assert [row["state"] for row in states] == [int(RecoveryState.EXPIRED)]


@pytest.mark.parametrize("step", RENEWING)
async def test_a_renewal_that_is_cut_off_ends_with_one_seed_at_both_ends(workbench: Workbench, step: str) -> None:
    eid = await issued_by_hand(workbench)
    recovery = await start_by_hand(workbench, eid, RecoveryKind.RECOVER)
    with pytest.raises(PowerCutError):
        await confirm_by_hand(workbench.cut_at(step), recovery)
    done = await confirm_by_hand(workbench.parts, recovery)
    (account,) = workbench.accounts.of_member(eid.member_id)
    key = await workbench.vault.find_member_key(eid.member_id, LINQU)
    assert key is not None
    assert await workbench.vault.find_seed(key, eid.eid_id, county_code=LINQU) == account.totp_seed
    assert account.password == done.activation_code
    assert await workbench.databases.keys_owner.fetchval("select count(*) from totp_seed") == 1
    revoked_at = await workbench.databases.owner.fetchval(
        "select revoked_at from revocation where account_id = $1", eid.account_id
    )
    assert revoked_at == workbench.clock.now().astimezone(UTC)
    assert isinstance(revoked_at, datetime)

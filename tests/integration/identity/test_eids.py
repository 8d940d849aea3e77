"""e-IDs: the member's own page and card, activation, log-in codes, revocation."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta

import pytest
from integration.identity.running_identity import (
    CLERK,
    LINQU,
    LINQU_ADMIN,
    LINQU_BRANCH,
    QINGZHOU,
    QINGZHOU_CLERK,
    Applicant,
    Identity,
    Officer,
)
from integration.identity.setting_up import Databases
from PIL import Image
from pyotp.totp import TOTP
from support.rpc import bearer, outcome_of, refusal_of
from zhibu.identity.v1 import county_settings_service_pb2 as settings_pb
from zhibu.identity.v1 import eid_pb2
from zhibu.identity.v1 import eid_service_pb2 as pb
from zhibu.identity.v1 import revocation_service_pb2 as revocation_pb
from zhibu.identity.v1.identity_events_pb2 import AccessRevoked, DenyListHeartbeat, EidChanged
from zhibu_identity.telephones.sending import Purpose
from zhibu_kit.deny_list_feed import HEARTBEAT_SUBJECT
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.nats_server import ADMIN, NatsServer
from zhibu_kit.testing.waiting import wait_until


async def activation_code(
    identity: Identity, eid: eid_pb2.Eid, *, send: bool = False, request_id: str = ""
) -> pb.IssueActivationCodeResponse:
    return await identity.eids.IssueActivationCode(
        pb.IssueActivationCodeRequest(
            organisation_id=LINQU, eid_id=eid.eid_id, send_to_telephone=send, request_id=request_id or new_ulid()
        ),
        metadata=identity.officer(CLERK),
    )


async def revoke(identity: Identity, eid: eid_pb2.Eid, officer: Officer = LINQU_ADMIN) -> eid_pb2.Eid:
    revoked = await identity.eids.RevokeEid(
        pb.RevokeEidRequest(
            organisation_id=eid.organisation_id,
            eid_id=eid.eid_id,
            etag=eid.etag,
            reason=eid_pb2.REVOCATION_REASON_COMPROMISED,
            note="手机丢失。",
            request_id=new_ulid(),
        ),
        metadata=identity.officer(officer),
    )
    return revoked.eid


@pytest.mark.parametrize("name", ["王𠮷", "李㛃", "刘䶮", "陈𬍛", "阿卜杜拉·买买提", "葛\U000e0100城"])
async def test_a_rare_name_passes_unharmed_from_form_to_own_page_card_and_search(identity: Identity, name: str) -> None:
    eid = await identity.issue(Applicant(real_name=name, branch_id=LINQU_BRANCH))
    assert eid.real_name == name
    metadata = identity.member(eid)
    mine = await identity.eids.GetMyEid(pb.GetMyEidRequest(), metadata=metadata)
    assert (mine.eid.real_name, mine.eid.eid_number, mine.eid.branch_id) == (name, eid.eid_number, LINQU_BRANCH)
    card = await identity.eids.GetMyCard(pb.GetMyCardRequest(), metadata=metadata)
    assert card.content_type == "image/png"
    assert Image.open(io.BytesIO(card.data)).size == (1011, 638)
    for query in (name, eid.eid_number):
        found = await identity.eids.SearchEids(
            pb.SearchEidsRequest(organisation_id=LINQU, query=query), metadata=identity.officer(CLERK)
        )
        assert eid.eid_id in {one.eid_id for one in found.eids}


async def test_the_account_carries_member_county_and_the_seed_of_its_codes(identity: Identity) -> None:
    eid = await identity.issue()
    (account,) = identity.accounts.of_member(eid.member_id)
    assert (account.eid_number, account.county_code, account.enabled) == (eid.eid_number, LINQU, True)
    assert len(account.totp_seed) == 32
    assert len(account.password) >= 40


async def test_the_first_look_at_the_own_page_marks_the_eid_as_in_use(identity: Identity, databases: Databases) -> None:
    eid = await identity.issue()
    assert eid.state == eid_pb2.EID_STATE_ISSUED
    metadata = identity.member(eid)
    for _ in range(2):
        mine = await identity.eids.GetMyEid(pb.GetMyEidRequest(), metadata=metadata)
        assert mine.eid.state == eid_pb2.EID_STATE_ACTIVE
    payloads = await databases.owner.fetch("select payload from kit_outbox where key = $1 order by version", eid.eid_id)
    states = [EidChanged.FromString(row["payload"]).state for row in payloads]
    assert states == [eid_pb2.EID_STATE_ISSUED, eid_pb2.EID_STATE_ACTIVE]


async def test_nobody_sees_an_own_page_through_an_account_that_is_not_theirs(identity: Identity) -> None:
    eid = await identity.issue()
    forged = bearer(identity.issuer.token("another-account", member_id=eid.member_id, county_code=LINQU))
    error = await refusal_of(lambda: identity.eids.GetMyEid(pb.GetMyEidRequest(), metadata=forged))
    assert error.reason == "NOT_FOUND"


async def test_an_activation_code_is_shown_once_and_ends_the_last_one(identity: Identity) -> None:
    eid = await identity.issue()
    (account,) = identity.accounts.of_member(eid.member_id)
    request_id = new_ulid()
    first = await activation_code(identity, eid, request_id=request_id)
    assert account.password == first.activation_code
    assert await activation_code(identity, eid, request_id=request_id) == first
    second = await activation_code(identity, eid)
    assert account.password == second.activation_code != first.activation_code
    assert second.expire_time.ToDatetime() - identity.clock.now().replace(tzinfo=None) == timedelta(days=7)


async def test_a_code_that_was_not_used_within_seven_days_is_good_no_more(identity: Identity) -> None:
    eid = await identity.issue()
    (account,) = identity.accounts.of_member(eid.member_id)
    code = (await activation_code(identity, eid)).activation_code
    identity.clock.advance(timedelta(days=7, seconds=1).total_seconds())
    # Anything wakes the worker; a log-in code for nobody does not, so another e-ID is issued.
    await identity.issue()
    await wait_until(lambda: account.password != code)
    assert len(account.password) >= 40


async def test_a_password_of_their_own_outlives_the_code_and_is_never_replaced(identity: Identity) -> None:
    eid = await identity.issue()
    (account,) = identity.accounts.of_member(eid.member_id)
    await activation_code(identity, eid)
    account.own_password, account.password = True, "their own words"
    error = await refusal_of(lambda: activation_code(identity, eid))
    assert error.reason == "EID_ALREADY_ACTIVE"
    identity.clock.advance(timedelta(days=7, seconds=1).total_seconds())
    await identity.issue()

    async def active() -> bool:
        return (await identity.get_eid(eid.eid_id)).state == eid_pb2.EID_STATE_ACTIVE

    await wait_until(active)
    assert account.password == "their own words"


async def test_a_code_goes_to_the_telephone_only_where_the_county_allows_it(identity: Identity) -> None:
    applicant = Applicant()
    eid = await identity.issue(applicant)
    error = await refusal_of(lambda: activation_code(identity, eid, send=True))
    assert error.reason == "ACTIVATION_BY_TELEPHONE_OFF"
    metadata = identity.officer(LINQU_ADMIN)
    got = await identity.settings.GetCountySettings(settings_pb.GetCountySettingsRequest(organisation_id=LINQU))

    def update(etag: str, *, allowed: bool) -> settings_pb.UpdateCountySettingsRequest:
        return settings_pb.UpdateCountySettingsRequest(
            organisation_id=LINQU,
            settings=settings_pb.CountySettings(
                applications_open=True, activation_by_telephone=allowed, help_telephone="0536-3212345"
            ),
            etag=etag,
            request_id=new_ulid(),
        )

    changed = await identity.settings.UpdateCountySettings(update(got.etag, allowed=True), metadata=metadata)
    stale = await refusal_of(
        lambda: identity.settings.UpdateCountySettings(update(got.etag, allowed=False), metadata=metadata)
    )
    assert stale.reason == "ETAG_MISMATCH"
    sent = await activation_code(identity, eid, send=True)
    assert sent.activation_code == ""
    (account,) = identity.accounts.of_member(eid.member_id)
    assert await identity.telephones.wait_for(applicant.telephone, Purpose.ACTIVATION) == account.password
    # From now on a new e-ID's code is sent by itself, and the applicant is told so.
    filed = await identity.file()
    await identity.approve(await identity.find(filed))
    await identity.issued(filed)
    await identity.telephones.wait_for(filed.applicant.telephone, Purpose.ACTIVATION)
    case = await identity.look_up(filed)
    assert (case.activation_sent_to_telephone, case.help_telephone) == (True, "0536-3212345")
    assert case.eid_number
    await identity.settings.UpdateCountySettings(update(changed.etag, allowed=False), metadata=metadata)


async def test_a_closed_county_takes_no_applications(identity: Identity) -> None:
    metadata = identity.officer(LINQU_ADMIN)
    got = await identity.settings.GetCountySettings(settings_pb.GetCountySettingsRequest(organisation_id=LINQU))

    async def set_open(etag: str, *, applications_open: bool) -> str:
        response = await identity.settings.UpdateCountySettings(
            settings_pb.UpdateCountySettingsRequest(
                organisation_id=LINQU,
                settings=settings_pb.CountySettings(applications_open=applications_open),
                etag=etag,
                request_id=new_ulid(),
            ),
            metadata=metadata,
        )
        return response.etag

    etag = await set_open(got.etag, applications_open=False)
    error = await refusal_of(identity.file)
    assert error.reason == "COUNTY_CLOSED"
    await set_open(etag, applications_open=True)
    await identity.file()


async def test_a_log_in_code_is_what_keycloak_expects_at_that_moment(identity: Identity) -> None:
    applicant = Applicant()
    eid = await identity.issue(applicant)
    spaced = " ".join(eid.eid_number[at : at + 4] for at in range(0, 16, 4))
    await identity.eids.SendLoginCode(pb.SendLoginCodeRequest(eid_number=spaced))
    code = await identity.telephones.wait_for(applicant.telephone, Purpose.LOGIN)
    (account,) = identity.accounts.of_member(eid.member_id)
    assert code == TOTP(account.totp_seed, digest=hashlib.sha256).at(identity.clock.now())


@pytest.mark.parametrize("known", [True, False])
async def test_log_in_codes_are_limited_alike_for_numbers_that_exist_and_those_that_do_not(
    identity: Identity, *, known: bool
) -> None:
    number = (await identity.issue()).eid_number if known else "9999999999999999"
    request = pb.SendLoginCodeRequest(eid_number=number)
    first = await identity.eids.SendLoginCode(request)
    assert first.resend_after_s == 60
    error = await refusal_of(lambda: identity.eids.SendLoginCode(request))
    assert (error.reason, error.metadata) == ("RESEND_TOO_SOON", {"retry_after_s": "60"})
    for _ in range(9):
        identity.clock.advance(60)
        await identity.eids.SendLoginCode(request)
    identity.clock.advance(60)
    assert (await refusal_of(lambda: identity.eids.SendLoginCode(request))).reason == "RESEND_TOO_SOON"


async def test_a_revoked_eid_is_refused_at_once_listed_and_its_account_closed(
    identity: Identity, databases: Databases
) -> None:
    eid = await identity.issue()
    metadata = identity.member(eid)
    await identity.eids.GetMyEid(pb.GetMyEidRequest(), metadata=metadata)
    (account,) = identity.accounts.of_member(eid.member_id)
    stale = await refusal_of(lambda: revoke(identity, eid))
    assert stale.reason == "ETAG_MISMATCH"
    revoked = await revoke(identity, await identity.get_eid(eid.eid_id))
    assert (revoked.state, revoked.revocation_reason) == (
        eid_pb2.EID_STATE_REVOKED,
        eid_pb2.REVOCATION_REASON_COMPROMISED,
    )

    async def refused() -> bool:
        outcome = await outcome_of(identity.eids.GetMyCard(pb.GetMyCardRequest(), metadata=metadata))
        return outcome == "UNAUTHENTICATED"

    await wait_until(refused)
    await wait_until(lambda: not account.enabled)
    listed = await identity.revocations.ListRevocations(
        revocation_pb.ListRevocationsRequest(), metadata=bearer(identity.issuer.token("x", service="branches"))
    )
    assert account.account_id in {one.account_id for one in listed.revocations}
    payload = await databases.owner.fetchval(
        "select payload from kit_outbox where key = $1 and event_type like '%AccessRevoked'", account.account_id
    )
    assert isinstance(payload, bytes)
    # It reaches into the future: Keycloak may hand out a token before it has closed the account.
    assert AccessRevoked.FromString(payload).revoked_at.ToDatetime() > identity.clock.now().replace(tzinfo=None)
    assert (await refusal_of(lambda: revoke(identity, revoked))).reason == "EID_REVOKED"


async def test_while_keycloak_cannot_close_an_account_the_revocation_is_made_to_reach_further(
    identity: Identity, databases: Databases
) -> None:
    eid = await identity.issue()
    (account,) = identity.accounts.of_member(eid.member_id)
    identity.accounts.down = True
    await revoke(identity, eid)

    async def attempted() -> bool:
        query = "select attempts from account_task where account_id = $1 and kind = 4 and leased_until is null"
        return (await databases.owner.fetchval(query, account.account_id) or 0) >= 1

    await wait_until(attempted)
    before = await databases.owner.fetchval(
        "select revoked_at from revocation where account_id = $1", account.account_id
    )
    identity.clock.advance(600)
    identity.accounts.down = False
    await wait_until(lambda: not account.enabled)
    assert before is not None


async def test_whoever_was_revoked_may_apply_again_and_gets_another_number(identity: Identity) -> None:
    applicant = Applicant()
    first = await identity.issue(applicant)
    await revoke(identity, first)
    identity.clock.advance(61)
    moved = Applicant(resident_number=applicant.resident_number, organisation_id=QINGZHOU)
    filed = await identity.file(moved)

    async def approved() -> bool:
        application = await identity.find(filed, QINGZHOU_CLERK)
        outcome = await outcome_of(identity.approve(application, QINGZHOU_CLERK))
        # The number is let go a moment after the revocation.
        assert outcome in {"OK", "NUMBER_HAS_EID"}
        return outcome == "OK"

    await wait_until(approved)
    issued = await identity.issued(filed, QINGZHOU_CLERK)
    second = await identity.get_eid(issued.eid_id, QINGZHOU, QINGZHOU_CLERK)
    assert second.eid_number[:6] == QINGZHOU
    assert second.member_id != first.member_id


async def test_a_heartbeat_tells_every_few_seconds_that_all_revocations_are_published(
    identity: Identity, nats: NatsServer
) -> None:
    admin = await nats.connect(ADMIN)
    try:
        subscription = await admin.client.subscribe(HEARTBEAT_SUBJECT)
        message = await subscription.next_msg(timeout=8)
    finally:
        await admin.close()
    sent_at = DenyListHeartbeat.FromString(message.data).sent_at.ToDatetime()
    assert sent_at <= identity.clock.now().replace(tzinfo=None)


async def test_eids_are_listed_newest_first(identity: Identity) -> None:
    # One more than fits on the page, so that there is a next one.
    await identity.issue()
    identity.clock.advance(1)
    older = await identity.issue()
    identity.clock.advance(1)
    newer = await identity.issue()
    listed = await identity.eids.ListEids(
        pb.ListEidsRequest(organisation_id=LINQU, page_size=2), metadata=identity.officer(CLERK)
    )
    assert [one.eid_id for one in listed.eids] == [newer.eid_id, older.eid_id]
    assert listed.next_page_token
    error = await refusal_of(
        lambda: identity.eids.ListEids(
            pb.ListEidsRequest(organisation_id=LINQU), metadata=identity.officer(QINGZHOU_CLERK)
        )
    )
    assert error.reason == "PERMISSION_DENIED"

"""Offices: nobody grants what they do not hold; the first one comes from a code that works once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from integration.identity.running_identity import (
    CLERK,
    LINQU,
    LINQU_ADMIN,
    PROVINCE,
    PROVINCE_ADMIN,
    QINGZHOU,
    QINGZHOU_CLERK,
    Applicant,
    Filed,
    Identity,
    Officer,
)
from integration.identity.setting_up import Databases
from support.rpc import outcome_of, refusal_of
from zhibu.identity.v1 import application_service_pb2 as applications_pb
from zhibu.identity.v1 import eid_pb2, grant_pb2
from zhibu.identity.v1 import eid_service_pb2 as eids_pb
from zhibu.identity.v1 import grant_service_pb2 as pb
from zhibu_identity.bootstrap import BootstrapError, find_open_code, make_bootstrap_code
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.waiting import wait_until


async def make_grant(
    identity: Identity,
    eid_number: str,
    *,
    granter: Officer = LINQU_ADMIN,
    organisation_id: str = LINQU,
    office: str = "county_approver",
    start_date: str = "",
    end_date: str = "2029-12-31",
) -> grant_pb2.Grant:
    made = await identity.grants.MakeGrant(
        pb.MakeGrantRequest(
            organisation_id=organisation_id,
            eid_number=eid_number,
            office=office,
            start_date=start_date,
            end_date=end_date,
            request_id=new_ulid(),
        ),
        metadata=identity.officer(granter),
    )
    return made.grant


async def fault_of(identity: Identity, eid_number: str, **values: str) -> str:
    error = await refusal_of(lambda: make_grant(identity, eid_number, **values))  # pyright: ignore[reportArgumentType] - texts only
    return error.fields[0].reason if error.fields else error.reason


async def may_list(identity: Identity, eid: eid_pb2.Eid) -> bool:
    listing = identity.applications.ListApplications(
        applications_pb.ListApplicationsRequest(organisation_id=LINQU), metadata=identity.member(eid)
    )
    outcome = await outcome_of(listing)
    assert outcome in {"OK", "PERMISSION_DENIED"}
    return outcome == "OK"


async def test_an_office_holds_from_its_grant_to_its_end(identity: Identity) -> None:
    eid = await identity.issue()
    assert not await may_list(identity, eid)
    grant = await make_grant(identity, eid.eid_number)
    assert (grant.member_id, grant.real_name, grant.made_by_member_id) == (
        eid.member_id,
        eid.real_name,
        LINQU_ADMIN.member_id,
    )
    assert await may_list(identity, eid)
    mine = await identity.eids.GetMyEid(eids_pb.GetMyEidRequest(), metadata=identity.member(eid))
    assert [one.office for one in mine.grants] == ["county_approver"]
    ended = await identity.grants.EndGrant(
        pb.EndGrantRequest(organisation_id=LINQU, grant_id=grant.grant_id, request_id=new_ulid()),
        metadata=identity.officer(LINQU_ADMIN),
    )
    assert ended.grant.ended
    assert not await may_list(identity, eid)
    again = await refusal_of(
        lambda: identity.grants.EndGrant(
            pb.EndGrantRequest(organisation_id=LINQU, grant_id=grant.grant_id, request_id=new_ulid()),
            metadata=identity.officer(LINQU_ADMIN),
        )
    )
    assert again.reason == "GRANT_ENDED"


async def test_an_office_that_begins_later_does_not_hold_yet(identity: Identity) -> None:
    eid = await identity.issue()
    await make_grant(identity, eid.eid_number, start_date="2027-12-01", end_date="2028-12-01")
    assert not await may_list(identity, eid)


async def test_nobody_grants_what_they_do_not_hold(identity: Identity) -> None:
    eid = await identity.issue()
    # A security officer at the province may revoke, which a county administrator holds only in the county.
    assert await fault_of(identity, eid.eid_number, organisation_id=PROVINCE) == "PERMISSION_DENIED"
    assert await fault_of(identity, eid.eid_number, organisation_id=QINGZHOU) == "PERMISSION_DENIED"
    error = await refusal_of(lambda: make_grant(identity, eid.eid_number, granter=CLERK))
    assert error.reason == "PERMISSION_DENIED"


async def test_a_grant_needs_a_known_office_at_its_level_a_real_term_and_a_living_eid(identity: Identity) -> None:
    number = (await identity.issue()).eid_number
    assert await fault_of(identity, number, office="emperor") == "OFFICE_UNKNOWN"
    assert await fault_of(identity, number, office="branch_secretary") == "OFFICE_WRONG_LEVEL"
    assert await fault_of(identity, number, end_date="2026-01-01") == "TERM_ENDED"
    assert await fault_of(identity, number, start_date="2027-02-01", end_date="2027-01-01") == "TERM_REVERSED"
    assert await fault_of(identity, number, start_date="2026-12-01", end_date="2033-01-01") == "TERM_TOO_LONG"
    assert await fault_of(identity, number, end_date="2026-02-30") == "DATE_UNREAL"
    assert await fault_of(identity, "3707242699999999") == "EID_UNKNOWN"


async def test_a_county_cannot_find_out_which_numbers_of_another_exist(identity: Identity) -> None:
    elsewhere = await identity.issue(Applicant(organisation_id=QINGZHOU), QINGZHOU_CLERK)
    assert await fault_of(identity, elsewhere.eid_number) == "EID_UNKNOWN"
    assert await fault_of(identity, "3707812699999999") == "EID_UNKNOWN"
    grant = await make_grant(
        identity,
        elsewhere.eid_number,
        granter=PROVINCE_ADMIN,
        organisation_id=PROVINCE,
        office="security_officer",
    )
    assert grant.organisation_id == PROVINCE


async def test_revocation_ends_every_office_wherever_it_is_held(identity: Identity) -> None:
    eid = await identity.issue()
    await make_grant(identity, eid.eid_number)
    await make_grant(
        identity, eid.eid_number, granter=PROVINCE_ADMIN, organisation_id=PROVINCE, office="security_officer"
    )
    await identity.eids.RevokeEid(
        eids_pb.RevokeEidRequest(
            organisation_id=LINQU,
            eid_id=eid.eid_id,
            etag=eid.etag,
            reason=eid_pb2.REVOCATION_REASON_LEFT,
            request_id=new_ulid(),
        ),
        metadata=identity.officer(LINQU_ADMIN),
    )
    for organisation_id in (LINQU, PROVINCE):
        listed = await identity.grants.ListGrants(
            pb.ListGrantsRequest(organisation_id=organisation_id, include_ended=True),
            metadata=identity.officer(PROVINCE_ADMIN),
        )
        assert [grant.ended for grant in listed.grants if grant.member_id == eid.member_id] == [True]


async def test_offices_are_told_in_both_languages(identity: Identity) -> None:
    zh = await identity.grants.ListOffices(pb.ListOfficesRequest())
    en = await identity.grants.ListOffices(pb.ListOfficesRequest(), metadata=(("accept-language", "en"),))
    assert {"县级审批员"} < {office.display_name for office in zh.offices}
    assert {"County approver"} < {office.display_name for office in en.offices}


async def bootstrap_code(identity: Identity, organisation_id: str = PROVINCE, office: str = "province_admin") -> str:
    made = await make_bootstrap_code(
        identity.parts.database, identity.clock, organisation_id=organisation_id, office=office
    )
    return made.code


async def redeem(identity: Identity, code: str, filed: Filed) -> pb.RedeemBootstrapCodeResponse:
    return await identity.grants.RedeemBootstrapCode(
        pb.RedeemBootstrapCodeRequest(bootstrap_code=code, case_number=filed.case_number, case_code=filed.case_code)
    )


async def test_a_bootstrap_code_gives_the_first_office_once(identity: Identity, databases: Databases) -> None:
    code = await bootstrap_code(identity)
    filed = await identity.file(Applicant(organisation_id=PROVINCE, real_name="王𠮷"))
    redeemed = await redeem(identity, code, filed)
    assert (redeemed.office, redeemed.organisation_id) == ("province_admin", PROVINCE)
    account = identity.accounts.by_number(redeemed.eid_number)
    assert account is not None
    assert account.password == redeemed.activation_code
    case = await identity.look_up(filed)
    assert case.eid_number == redeemed.eid_number
    other = await identity.file()
    for again in (filed, other):
        assert (await refusal_of(lambda again=again: redeem(identity, code, again))).reason == "BOOTSTRAP_REFUSED"

    async def in_force() -> bool:
        query = "select count(*) from kit_grant where account_id = $1 and office = 'province_admin'"
        return await databases.owner.fetchval(query, account.account_id) == 1

    await wait_until(in_force)
    actions = await databases.owner.fetch("select action from kit_audit where action like 'identity.bootstrap.%'")
    assert {row["action"] for row in actions} == {"identity.bootstrap.code_made", "identity.bootstrap.redeemed"}


async def test_a_code_that_waits_is_found_until_it_is_redeemed_or_over(identity: Identity) -> None:
    async def good_until(office: str = "county_clerk") -> datetime | None:
        return await find_open_code(identity.parts.database, identity.clock, organisation_id=LINQU, office=office)

    assert await good_until() is None
    code = await bootstrap_code(identity, LINQU, "county_clerk")
    assert await good_until() == identity.clock.now() + timedelta(hours=24)
    assert await good_until("county_approver") is None
    await redeem(identity, code, await identity.file(Applicant(organisation_id=LINQU)))
    assert await good_until() is None
    await bootstrap_code(identity, LINQU, "county_clerk")
    identity.clock.advance(24 * 3600)
    assert await good_until() is None


async def test_a_bootstrap_code_ends_after_a_day_and_is_not_guessed(identity: Identity) -> None:
    code = await bootstrap_code(identity)
    identity.clock.advance(24 * 3600)
    filed = await identity.file(Applicant(organisation_id=PROVINCE))
    assert (await refusal_of(lambda: redeem(identity, code, filed))).reason == "BOOTSTRAP_REFUSED"
    assert (await refusal_of(lambda: redeem(identity, "A" * 28, filed))).reason == "BOOTSTRAP_REFUSED"
    wrong = Filed(applicant=filed.applicant, case_number=filed.case_number, case_code="A" * 10)
    assert (await refusal_of(lambda: redeem(identity, code, wrong))).reason == "BOOTSTRAP_REFUSED"


async def test_a_code_that_met_a_dead_keycloak_works_when_it_is_back(identity: Identity) -> None:
    code = await bootstrap_code(identity, LINQU, "county_admin")
    filed = await identity.file()
    await identity.approve(await identity.find(filed))
    await identity.issued(filed)
    identity.accounts.down = True
    try:
        assert (await refusal_of(lambda: redeem(identity, code, filed))).reason == "UNAVAILABLE"
    finally:
        identity.accounts.down = False
    assert (await redeem(identity, code, filed)).office == "county_admin"


@pytest.mark.parametrize(
    ("organisation_id", "office"),
    [("37", "emperor"), ("37", "county_admin"), ("370724", "province_admin"), ("x", "member")],
)
async def test_no_code_is_made_for_an_office_that_cannot_be(
    identity: Identity, organisation_id: str, office: str
) -> None:
    with pytest.raises(BootstrapError):
        await bootstrap_code(identity, organisation_id, office)

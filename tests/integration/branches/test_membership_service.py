"""MembershipService: what members see and ask, what officers decide, and what counts once (A3, B5, D1)."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from integration.branches.membership_support import issue_eid, memberships, publish, virtual_branch
from integration.branches.party import Party, Person
from integration.branches.running_branches import LINQU_ADMIN, LINQU_APPROVER, PROVINCE_ADMIN
from support.rpc import bearer, outcome_of, refusal_of
from zhibu.branches.v1 import (
    branches_events_pb2,
    committee_pb2,
    committee_service_pb2,
    committee_service_pb2_grpc,
    founding_service_pb2,
    founding_service_pb2_grpc,
    membership_pb2,
    survey_service_pb2,
    survey_service_pb2_grpc,
)
from zhibu.branches.v1 import membership_service_pb2 as pb
from zhibu.identity.v1 import roster_events_pb2
from zhibu_branches.requests import lapse_everywhere
from zhibu_branches.rules.members import PartyStatus
from zhibu_branches.rules.rights import ACTS
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until

VIRTUAL = membership_pb2.MEMBERSHIP_KIND_VIRTUAL


async def join(party: Party, person: Person, branch_id: str, *, admit: bool = True) -> pb.MembershipRequest:
    """Ask, and have the county decide."""
    stub = memberships(party)
    asked = await stub.RequestMembership(
        pb.RequestMembershipRequest(branch_id=branch_id, reason="同乡", request_id=new_ulid()),
        metadata=party.as_member(person),
    )
    decided = await stub.DecideMembershipRequest(
        pb.DecideMembershipRequestRequest(
            organisation_id=branch_id,
            membership_request_id=asked.request.membership_request_id,
            admit=admit,
            refusal_note="" if admit else "不符合条件",
            etag=asked.etag,
            request_id=new_ulid(),
        ),
        metadata=party.as_account(PROVINCE_ADMIN),
    )
    return decided.request


async def test_both_branches_stand_side_by_side_and_each_says_what_it_entitles_to(party: Party) -> None:
    home = await party.branch()
    club = await virtual_branch(party, "370781")
    (person,) = await party.people(home, 1)
    await join(party, person, club)
    mine = await memberships(party).ListMyMemberships(pb.ListMyMembershipsRequest(), metadata=party.as_member(person))
    assert [(one.branch_id, one.kind, one.county_code) for one in mine.memberships] == [
        (home, membership_pb2.MEMBERSHIP_KIND_PHYSICAL, "370724"),
        (club, VIRTUAL, "370781"),
    ]
    assert set(mine.memberships[0].acts) == set(ACTS)
    assert list(mine.memberships[1].acts) == ["committee_vote", "committee_candidacy", "decision_vote", "meeting"]


async def test_a_request_is_refused_with_its_reason_and_can_be_made_again(party: Party) -> None:
    club = await virtual_branch(party)
    (person,) = await party.people(await party.branch(), 1)
    refused = await join(party, person, club, admit=False)
    assert (refused.state, refused.refusal_note) == (pb.MEMBERSHIP_REQUEST_STATE_REFUSED, "不符合条件")
    admitted = await join(party, person, club)
    assert admitted.state == pb.MEMBERSHIP_REQUEST_STATE_ADMITTED
    stub = memberships(party)
    listed = await stub.ListMyMembershipRequests(pb.ListMyMembershipRequestsRequest(), metadata=party.as_member(person))
    assert [one.state for one in listed.requests] == [admitted.state, refused.state]
    again = stub.RequestMembership(pb.RequestMembershipRequest(branch_id=club), metadata=party.as_member(person))
    assert await outcome_of(again) == "ALREADY_MEMBER"


async def test_what_cannot_be_asked_is_refused(party: Party) -> None:
    home, club = await party.branch(), await virtual_branch(party)
    (person,) = await party.people(home, 1)
    stub, me = memberships(party), party.as_member(person)

    async def ask(branch_id: str) -> str:
        return await outcome_of(
            stub.RequestMembership(pb.RequestMembershipRequest(branch_id=branch_id, request_id=new_ulid()), metadata=me)
        )

    assert await ask(home) == "BRANCH_IS_PHYSICAL"
    assert await ask("370724-bnowhere") == "NOT_FOUND"
    assert [await ask(club), await ask(club)] == ["OK", "REQUEST_OPEN_ALREADY"]
    (mine,) = (await stub.ListMyMembershipRequests(pb.ListMyMembershipRequestsRequest(), metadata=me)).requests
    stranger = (await party.people(home, 1))[0]
    withdraw = pb.WithdrawMembershipRequestRequest(membership_request_id=mine.membership_request_id)
    assert await outcome_of(stub.WithdrawMembershipRequest(withdraw, metadata=party.as_member(stranger))) == "NOT_FOUND"
    assert (await stub.WithdrawMembershipRequest(withdraw, metadata=me)).request.state == (
        pb.MEMBERSHIP_REQUEST_STATE_WITHDRAWN
    )
    assert await outcome_of(stub.WithdrawMembershipRequest(withdraw, metadata=me)) == "REQUEST_ALREADY_DECIDED"


async def test_a_request_lapses_after_sixty_days_and_not_before(party: Party) -> None:
    club = await virtual_branch(party)
    (person,) = await party.people(await party.branch(), 1)
    stub, me = memberships(party), party.as_member(person)
    await stub.RequestMembership(pb.RequestMembershipRequest(branch_id=club), metadata=me)

    async def state_after(days: float) -> int:
        await lapse_everywhere(party.database, now=datetime.now(UTC) + timedelta(days=days))
        (one,) = (await stub.ListMyMembershipRequests(pb.ListMyMembershipRequestsRequest(), metadata=me)).requests
        return one.state

    assert await state_after(59.9) == pb.MEMBERSHIP_REQUEST_STATE_OPEN
    assert await state_after(60.1) == pb.MEMBERSHIP_REQUEST_STATE_LAPSED


async def test_the_virtual_branch_can_be_left_and_the_physical_one_cannot(party: Party) -> None:
    home, club = await party.branch(), await virtual_branch(party, "370781")
    (person,) = await party.people(home, 1)
    await join(party, person, club)
    stub, me = memberships(party), party.as_member(person)
    assert await outcome_of(stub.LeaveBranch(pb.LeaveBranchRequest(branch_id=home), metadata=me)) == (
        "BRANCH_IS_PHYSICAL"
    )
    left = (await stub.LeaveBranch(pb.LeaveBranchRequest(branch_id=club), metadata=me)).membership
    assert (left.end_reason, bool(left.end_date)) == (membership_pb2.MEMBERSHIP_END_REASON_WITHDREW, True)
    assert await outcome_of(stub.LeaveBranch(pb.LeaveBranchRequest(branch_id=club), metadata=me)) == "NOT_A_MEMBER"


async def test_fellow_members_are_shown_to_members_alone(party: Party) -> None:
    home = await party.branch()
    people = await party.people(home, 5)
    stub = memberships(party)
    first = await stub.ListMyFellowMembers(
        pb.ListMyFellowMembersRequest(branch_id=home, page_size=3), metadata=party.as_member(people[0])
    )
    second = await stub.ListMyFellowMembers(
        pb.ListMyFellowMembersRequest(branch_id=home, page_size=3, page_token=first.next_page_token),
        metadata=party.as_member(people[0]),
    )
    shown = [one.member_id for one in (*first.memberships, *second.memberships)]
    assert (shown, second.next_page_token) == (sorted(person.member_id for person in people), "")
    (stranger,) = await party.people(await party.branch(), 1)
    asked = stub.ListMyFellowMembers(pb.ListMyFellowMembersRequest(branch_id=home), metadata=party.as_member(stranger))
    assert await outcome_of(asked) == "PERMISSION_DENIED"


async def test_a_list_of_members_comes_in_pages_by_status_and_with_its_count(party: Party) -> None:
    township = await party.branches.create("370724", 4, "冶源镇", code="370724102")
    one, other = await party.branch(township.organisation_id), await party.branch(township.organisation_id)
    full = await party.people(one, 4)
    probationary = await party.people(other, 3, PartyStatus.PROBATIONARY)
    await party.people(await party.branch(), 2)
    stub, officer = memberships(party), party.as_account(LINQU_ADMIN)
    request = pb.ListMembersRequest(organisation_id="370724102", page_size=4)
    shown: list[str] = []
    while True:
        page = await stub.ListMembers(request, metadata=officer)
        shown += [member.member_id for member in page.members]
        assert page.total_count == 7
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert shown == sorted(person.member_id for person in (*full, *probationary))
    some = await stub.ListMembers(
        pb.ListMembersRequest(organisation_id="370724102", statuses=[membership_pb2.PARTY_STATUS_PROBATIONARY]),
        metadata=officer,
    )
    assert {member.member_id for member in some.members} == {person.member_id for person in probationary}
    assert all(member.memberships[0].branch_id == other for member in some.members)
    above = stub.ListMembers(pb.ListMembersRequest(organisation_id="37"), metadata=party.as_account(PROVINCE_ADMIN))
    assert await outcome_of(above) == "COUNTY_WANTED"


async def test_members_of_a_virtual_branch_are_listed_whatever_county_they_come_from(party: Party) -> None:
    club = await virtual_branch(party)
    (here,) = await party.people(await party.branch(), 1)
    (there,) = await party.people(await party.branch("370781"), 1, PartyStatus.PROBATIONARY)
    for person in (here, there):
        await join(party, person, club)
    stub, officer = memberships(party), party.as_account(LINQU_ADMIN)
    page = await stub.ListMembers(pb.ListMembersRequest(organisation_id=club), metadata=officer)
    assert {(member.member_id, member.county_code) for member in page.members} == {
        (here.member_id, "370724"),
        (there.member_id, "370781"),
    }
    full = await stub.ListMembers(
        pb.ListMembersRequest(organisation_id=club, statuses=[membership_pb2.PARTY_STATUS_FULL], kind=VIRTUAL),
        metadata=officer,
    )
    assert ([member.member_id for member in full.members], full.total_count) == ([here.member_id], 1)


async def test_a_virtual_branch_sees_its_member_and_not_what_the_physical_one_wrote(
    party: Party, owner: asyncpg.Connection
) -> None:
    home, club, other = await party.branch("370781"), await virtual_branch(party), await virtual_branch(party, "370781")
    (person,) = await party.people(home, 1, PartyStatus.PROBATIONARY)
    for branch_id in (club, other):
        await join(party, person, branch_id)
    at_home = {"organisation_id": "370781", "account": PROVINCE_ADMIN}
    await decide(party, person, status=membership_pb2.PARTY_STATUS_FULL, **at_home)

    async def seen(organisation_id: str, account: str) -> tuple[set[str], list[str]]:
        found = await memberships(party).GetMemberRecord(
            pb.GetMemberRecordRequest(organisation_id=organisation_id, member_id=person.member_id),
            metadata=party.as_account(account),
        )
        assert found.record.status == membership_pb2.PARTY_STATUS_FULL
        return {one.branch_id for one in found.record.memberships}, [one.document_number for one in found.decisions]

    assert await seen(home, PROVINCE_ADMIN) == ({home, club, other}, ["临组〔2026〕12号"])
    # The county of the virtual branch sees its own: neither the history nor where else the member belongs.
    assert await seen(club, LINQU_ADMIN) == ({club}, [])
    assert await seen("370724", LINQU_ADMIN) == ({club}, [])


async def decide(party: Party, person: Person, account: str = LINQU_ADMIN, **what: object) -> pb.RecordDecisionResponse:
    """Record a decision of today on the present version."""
    stub, officer = memberships(party), party.as_account(account)
    organisation_id = str(what.get("organisation_id", "370724"))
    present = await stub.GetMemberRecord(
        pb.GetMemberRecordRequest(organisation_id=organisation_id, member_id=person.member_id), metadata=officer
    )
    values: dict[str, object] = {
        "organisation_id": organisation_id,
        "member_id": person.member_id,
        "decision_date": datetime.now(UTC).date().isoformat(),
        "document_number": "临组〔2026〕12号",
        "etag": present.etag,
        "request_id": new_ulid(),
        **what,
    }
    request = pb.RecordDecisionRequest(**values)  # pyright: ignore[reportArgumentType] - the values are of the fields' types
    return await stub.RecordDecision(request, metadata=officer)


async def test_a_probationary_member_is_confirmed_by_a_document_and_the_history_tells(party: Party) -> None:
    (person,) = await party.people(await party.branch(), 1, PartyStatus.PROBATIONARY)
    done = await decide(party, person, status=membership_pb2.PARTY_STATUS_FULL)
    assert (done.record.status, done.record.confirmed_date) == (
        membership_pb2.PARTY_STATUS_FULL,
        done.decision.decision_date,
    )
    mine = await memberships(party).GetMyRecord(pb.GetMyRecordRequest(), metadata=party.as_member(person))
    assert mine.record == done.record
    assert [(entry.status, entry.document_number) for entry in mine.decisions] == [
        (membership_pb2.PARTY_STATUS_FULL, "临组〔2026〕12号")
    ]


async def test_a_decision_from_an_older_version_or_out_of_order_changes_nothing(party: Party) -> None:
    (person,) = await party.people(await party.branch(), 1, PartyStatus.ACTIVIST)
    assert await outcome_of(decide(party, person, status=membership_pb2.PARTY_STATUS_FULL)) == "STATUS_NOT_REACHABLE"
    assert await outcome_of(decide(party, person, standing=membership_pb2.STANDING_DIED, etag="v7")) == (
        "ETAG_MISMATCH"
    )
    future = await refusal_of(
        lambda: decide(party, person, occupation=membership_pb2.OCCUPATION_CATEGORY_RETIRED, decision_date="2099-01-01")
    )
    assert [(one.field, one.reason) for one in future.fields] == [("decision_date", "DATE_IN_FUTURE")]
    no_day = await refusal_of(
        lambda: decide(party, person, occupation=membership_pb2.OCCUPATION_CATEGORY_RETIRED, decision_date="2026-02-30")
    )
    assert [(one.field, one.reason) for one in no_day.fields] == [("decision_date", "DATE_NOT_A_DAY")]
    no_document = await refusal_of(
        lambda: decide(party, person, status=membership_pb2.PARTY_STATUS_DEVELOPMENT_TARGET, document_number=" ")
    )
    assert [(one.field, one.reason) for one in no_document.fields] == [("document_number", "DOCUMENT_WANTED")]
    assert await outcome_of(decide(party, person, account=LINQU_APPROVER, standing=2)) == "PERMISSION_DENIED"


async def test_no_officer_decides_about_themselves(party: Party) -> None:
    home, club = await party.branch(), await virtual_branch(party)
    (person,) = await party.people(home, 1, PartyStatus.PROBATIONARY)
    stub = memberships(party)
    officer = bearer(
        party.branches.issuer.token(LINQU_ADMIN, member_id=person.member_id, county_code=person.county_code)
    )
    present = await stub.GetMemberRecord(
        pb.GetMemberRecordRequest(organisation_id="370724", member_id=person.member_id), metadata=officer
    )
    confirm = pb.RecordDecisionRequest(
        organisation_id="370724",
        member_id=person.member_id,
        decision_date=datetime.now(UTC).date().isoformat(),
        status=membership_pb2.PARTY_STATUS_FULL,
        document_number="临组〔2026〕12号",
        etag=present.etag,
        request_id=new_ulid(),
    )
    assert await outcome_of(stub.RecordDecision(confirm, metadata=officer)) == "OWN_MATTER"
    asked = await stub.RequestMembership(
        pb.RequestMembershipRequest(branch_id=club, request_id=new_ulid()), metadata=officer
    )
    admit = pb.DecideMembershipRequestRequest(
        organisation_id=club,
        membership_request_id=asked.request.membership_request_id,
        admit=True,
        etag=asked.etag,
        request_id=new_ulid(),
    )
    assert await outcome_of(stub.DecideMembershipRequest(admit, metadata=officer)) == "OWN_MATTER"


async def test_death_ends_every_membership_and_request_also_in_other_counties(
    party: Party, owner: asyncpg.Connection
) -> None:
    home, club, other = await party.branch(), await virtual_branch(party, "370781"), await virtual_branch(party)
    (person,) = await party.people(home, 1)
    await join(party, person, club)
    await memberships(party).RequestMembership(
        pb.RequestMembershipRequest(branch_id=other), metadata=party.as_member(person)
    )
    done = await decide(party, person, standing=membership_pb2.STANDING_DIED)
    assert (done.record.standing, list(done.record.memberships)) == (membership_pb2.STANDING_DIED, [])
    ended = await owner.fetch(
        "select branch_id, end_reason from membership where member_id = $1 order by kind", person.member_id
    )
    assert [tuple(row) for row in ended] == [(home, 7), (club, 7)]
    states = await owner.fetch("select state from membership_request where member_id = $1", person.member_id)
    assert sorted(row["state"] for row in states) == [2, 5]
    assert await outcome_of(decide(party, person, occupation=3)) == "MEMBER_NOT_PRESENT"
    said = await owner.fetchval(
        """select count(*) from kit_outbox where event_type = 'zhibu.branches.v1.MembershipChanged'
           and key in (select membership_id from membership where member_id = $1)""",
        person.member_id,
    )
    assert said == 4


async def restore(
    party: Party, person: Person, branch_id: str, account: str = LINQU_ADMIN, **what: object
) -> pb.RestoreMemberResponse:
    """Open an ended record again, by a decision of today on the present version."""
    stub = memberships(party)
    present = await stub.GetMemberRecord(
        pb.GetMemberRecordRequest(organisation_id="370724", member_id=person.member_id),
        metadata=party.as_account(LINQU_ADMIN),
    )
    values: dict[str, object] = {
        "organisation_id": branch_id,
        "member_id": person.member_id,
        "reason": membership_pb2.RESTORE_REASON_ENTERED_WRONGLY,
        "decision_date": datetime.now(UTC).date().isoformat(),
        "document_number": "临组〔2026〕31号",
        "etag": present.etag,
        "request_id": new_ulid(),
        **what,
    }
    request = pb.RestoreMemberRequest(**values)  # pyright: ignore[reportArgumentType] - the values are of the fields' types
    return await stub.RestoreMember(request, metadata=party.as_account(account))


async def test_who_was_expelled_wrongly_is_a_member_again_in_one_branch_with_the_history(
    party: Party, owner: asyncpg.Connection
) -> None:
    home, club, other = await party.branch(), await virtual_branch(party), await party.branch()
    (person,) = await party.people(home, 1)
    await join(party, person, club)
    await decide(party, person, standing=membership_pb2.STANDING_EXPELLED)
    done = await restore(party, person, other, reason=membership_pb2.RESTORE_REASON_REINSTATED)
    assert (done.record.standing, done.record.status, done.record.end_date) == (
        membership_pb2.STANDING_PRESENT,
        membership_pb2.PARTY_STATUS_FULL,
        "",
    )
    # One physical branch, the chosen one; what ended stays ended.
    assert [(one.branch_id, one.kind) for one in done.record.memberships] == [(other, 1)]
    shown = await memberships(party).GetMemberRecord(
        pb.GetMemberRecordRequest(organisation_id=other, member_id=person.member_id),
        metadata=party.as_account(LINQU_ADMIN),
    )
    assert [(one.standing, one.restore_reason, one.branch_id) for one in shown.decisions[:2]] == [
        (membership_pb2.STANDING_PRESENT, membership_pb2.RESTORE_REASON_REINSTATED, other),
        (membership_pb2.STANDING_EXPELLED, membership_pb2.RESTORE_REASON_UNSPECIFIED, home),
    ]
    assert shown.decisions[0].document_number == "临组〔2026〕31号"
    rows = await owner.fetch(
        "select payload from kit_outbox where key = $1 and event_type like '%MemberRecordChanged' order by version",
        person.member_id,
    )
    told = [branches_events_pb2.MemberRecordChanged.FromString(row["payload"]) for row in rows]
    assert [(one.standing, one.branch_id) for one in told[-2:]] == [(4, home), (1, other)]
    assert told[-1].source == membership_pb2.DECISION_SOURCE_RECORDED
    # A record that is open again ends again as any other.
    ended = await decide(party, person, standing=membership_pb2.STANDING_DIED)
    assert ended.record.standing == membership_pb2.STANDING_DIED


async def test_what_cannot_be_restored_is_refused_and_changes_nothing(party: Party, owner: asyncpg.Connection) -> None:
    home, elsewhere = await party.branch(), await party.branch("370781")
    (person,) = await party.people(home, 1)
    assert await outcome_of(restore(party, person, home)) == "MEMBER_PRESENT"
    await decide(party, person, standing=membership_pb2.STANDING_DIED)
    before = (datetime.now(UTC) - timedelta(days=30)).date().isoformat()
    ahead = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    assert await outcome_of(restore(party, person, home, LINQU_APPROVER)) == "PERMISSION_DENIED"
    wrongs: tuple[dict[str, Any], ...] = (
        {"reason": membership_pb2.RESTORE_REASON_REINSTATED},
        {"reason": membership_pb2.RESTORE_REASON_RETURNED},
        {"decision_date": before},
        {"decision_date": ahead},
        {"document_number": " "},
    )
    for wrong in wrongs:
        assert await outcome_of(restore(party, person, home, **wrong)) == "INVALID_ARGUMENT", wrong
    assert await outcome_of(restore(party, person, await virtual_branch(party))) == "BRANCH_IS_VIRTUAL"
    assert await outcome_of(restore(party, person, elsewhere, PROVINCE_ADMIN)) == "NOT_FOUND"
    assert await outcome_of(restore(party, person, home, etag="v1")) == "ETAG_MISMATCH"
    await owner.execute("insert into erased_member values ($1, now())", person.member_id)
    assert await outcome_of(restore(party, person, home)) == "MEMBER_ERASED"
    assert await owner.fetchval("select standing from member_record where member_id = $1", person.member_id) == 2


async def test_of_two_who_restore_one_member_at_once_one_does(party: Party) -> None:
    home, other = await party.branch(), await party.branch()
    (person,) = await party.people(home, 1)
    await decide(party, person, standing=membership_pb2.STANDING_MOVED_OUT)
    outcomes = await asyncio.gather(
        *(
            outcome_of(restore(party, person, one, reason=membership_pb2.RESTORE_REASON_RETURNED))
            for one in (home, other)
        )
    )
    assert sorted(outcomes) in (["ETAG_MISMATCH", "OK"], ["MEMBER_PRESENT", "OK"])


async def test_whose_data_were_erased_is_known_from_the_event(
    party: Party, owner: asyncpg.Connection, nats: NatsServer
) -> None:
    member_id = new_ulid()
    event = roster_events_pb2.PersonErased(member_id=member_id, county_code="370724", version=3)
    event.change_time.FromDatetime(datetime.now(UTC))
    # Somebody looked at them once.
    await owner.execute("insert into kit_audit_subject values ($1, $2, $3, $4)", new_ulid(), b"c", member_id, b"salt")
    await publish(nats, event, key=member_id, version=3, county="370724")
    known = "select count(*) from erased_member where member_id = $1"

    async def is_known() -> bool:
        return bool(await owner.fetchval(known, member_id))

    await wait_until(is_known)
    assert await owner.fetchval("select count(*) from kit_audit_subject where subject_id = $1", member_id) == 0


async def test_a_record_of_another_county_is_not_found(party: Party) -> None:
    (person,) = await party.people(await party.branch("370781"), 1)
    assert await outcome_of(decide(party, person, occupation=3)) == "NOT_FOUND"


async def test_people_with_an_e_id_wait_for_a_branch_until_they_are_placed(party: Party, nats: NatsServer) -> None:
    home = await party.branch()
    member_id = await issue_eid(nats, county="370724", branch_id=home)
    stub, officer = memberships(party), party.as_account(LINQU_ADMIN)

    async def waiting() -> list[tuple[str, str]]:
        listed = await stub.ListUnplacedMembers(
            pb.ListUnplacedMembersRequest(organisation_id="370724"), metadata=officer
        )
        return [(one.member_id, one.wanted_branch_id) for one in listed.members if one.member_id == member_id]

    async def known() -> bool:
        return await waiting() == [(member_id, home)]

    await wait_until(known)
    request = pb.PlaceMemberRequest(
        organisation_id=home,
        member_id=member_id,
        status=membership_pb2.PARTY_STATUS_FULL,
        status_date="2001-07-01",
        occupation=membership_pb2.OCCUPATION_CATEGORY_FARMER,
        request_id=new_ulid(),
    )
    wanted = await refusal_of(lambda: stub.PlaceMember(request, metadata=officer))
    assert [(one.field, one.reason) for one in wanted.fields] == [("admitted_date", "ADMISSION_DATE_WANTED")]
    request.admitted_date = "2000-07-01"
    placed = await stub.PlaceMember(request, metadata=officer)
    assert (placed.record.branch_id, placed.record.status) == (home, membership_pb2.PARTY_STATUS_FULL)
    assert await stub.PlaceMember(request, metadata=officer) == placed
    assert await waiting() == []
    request.request_id = new_ulid()
    assert await outcome_of(stub.PlaceMember(request, metadata=officer)) == "MEMBER_HAS_RECORD"
    request.member_id = new_ulid()
    assert await outcome_of(stub.PlaceMember(request, metadata=officer)) == "MEMBER_NOT_UNPLACED"


async def test_an_act_counts_once_in_the_branch_that_the_rights_say(party: Party) -> None:
    home, club = await party.branch(), await virtual_branch(party, "370781")
    (person,) = await party.people(home, 1)
    await join(party, person, club)
    service = bearer(party.branches.issuer.token("account-of-svc-points", service="points"))

    async def count(act: str, branch_id: str, subject: str = "lesson-1") -> tuple[bool, str]:
        answer = await memberships(party).CountAct(
            pb.CountActRequest(member_id=person.member_id, act=act, subject_id=subject, branch_id=branch_id),
            metadata=service,
        )
        return answer.counted, answer.counted_branch_id

    assert await count("study_credits", club) == (True, home)
    assert await count("study_credits", home) == (False, home)
    assert await count("meeting", club) == (True, club)
    assert await count("meeting", home) == (False, club)
    assert await count("study_credits", home, "lesson-2") == (True, home)
    elsewhere = await party.branch()
    wrong = memberships(party).CountAct(
        pb.CountActRequest(member_id=person.member_id, act="meeting", subject_id="x", branch_id=elsewhere),
        metadata=service,
    )
    assert await outcome_of(wrong) == "NOT_A_MEMBER"


async def test_a_county_decides_its_rights_and_another_keeps_the_defaults(party: Party) -> None:
    stub, officer = memberships(party), party.as_account(PROVINCE_ADMIN)
    present = await stub.GetMembershipRights(pb.GetMembershipRightsRequest(organisation_id="370781"))
    changed = [
        pb.MembershipRight(
            act=right.act,
            by_physical=right.by_physical,
            by_virtual=right.by_virtual and right.act != "decision_vote",
            full_members_only=right.full_members_only,
            article=right.article,
        )
        for right in present.rights
    ]
    request = pb.UpdateMembershipRightsRequest(
        organisation_id="370781", rights=changed, etag=present.etag, request_id=new_ulid()
    )
    await stub.UpdateMembershipRights(request, metadata=officer)
    (person,) = await party.people(await party.branch("370781"), 1)
    club = await virtual_branch(party, "370781")
    await join(party, person, club)
    mine = await stub.ListMyMemberships(pb.ListMyMembershipsRequest(), metadata=party.as_member(person))
    assert list(mine.memberships[1].acts) == ["committee_vote", "committee_candidacy", "meeting"]
    other = await stub.GetMembershipRights(pb.GetMembershipRightsRequest(organisation_id="370724"))
    assert {right.act: right.by_virtual for right in other.rights}["decision_vote"]
    request.request_id = new_ulid()
    assert await outcome_of(stub.UpdateMembershipRights(request, metadata=officer)) == "ETAG_MISMATCH"


async def test_a_member_downloads_everything_that_is_kept_of_them(party: Party) -> None:
    home, club = await party.branch(), await virtual_branch(party, "370781")
    (person,) = await party.people(home, 1)
    await join(party, person, club)
    body = await memberships(party).DownloadMyRecord(pb.DownloadMyRecordRequest(), metadata=party.as_member(person))
    kept = json.loads(body.data)
    assert (body.content_type, kept["record"]["branch_id"]) == ("application/json", home)
    assert [one["branch_id"] for one in kept["memberships"]] == [home, club]
    assert [one["reason"] for one in kept["membership_requests"]] == ["同乡"]


async def test_the_download_tells_of_survey_posts_foundings_and_acts_too(
    party: Party, owner: asyncpg.Connection
) -> None:
    home = await party.branch()
    (person,) = await party.people(home, 1)
    me = party.as_member(person)
    channel = party.branches.channel
    surveys = survey_service_pb2_grpc.SurveyServiceStub(channel)
    await surveys.AnswerMySurvey(survey_service_pb2.AnswerMySurveyRequest(has_device=True), metadata=me)
    # In another county than the member's own.
    foundings = founding_service_pb2_grpc.FoundingServiceStub(channel)
    proposed = await foundings.ProposeFounding(
        founding_service_pb2.ProposeFoundingRequest(
            organisation_id="370781",
            name=party.name("花卉"),
            kind="trade",
            purpose="花卉行业的党员在网上交流种植技术。",
        ),
        metadata=me,
    )
    committees = committee_service_pb2_grpc.CommitteeServiceStub(channel)
    await committees.AppointCommittee(
        committee_service_pb2.AppointCommitteeRequest(
            organisation_id=home,
            appointments=[
                committee_service_pb2.PostAppointment(member_id=person.member_id, post=committee_pb2.POST_SECRETARY)
            ],
            start_date="2026-01-01",
            document_number="临组〔2026〕3号",
        ),
        metadata=party.as_account(LINQU_ADMIN),
    )
    await memberships(party).CountAct(
        pb.CountActRequest(member_id=person.member_id, act="meeting", subject_id="lesson-7", branch_id=home),
        metadata=bearer(party.branches.issuer.token("account-of-svc-points", service="points")),
    )
    body = await memberships(party).DownloadMyRecord(pb.DownloadMyRecordRequest(), metadata=me)
    kept = json.loads(body.data)
    assert (kept["survey_answer"]["has_device"], kept["survey_answer"]["state"]) == (True, "SURVEY_ANSWER_STATE_STATED")
    assert [one["founding_id"] for one in kept["foundings"]] == [proposed.founding.founding_id]
    assert [(one["branch_id"], one["post"], one["document_number"]) for one in kept["posts"]] == [
        (home, "POST_SECRETARY", "临组〔2026〕3号")
    ]
    assert [(one["act"], one["subject_id"], one["branch_id"]) for one in kept["acts"]] == [
        ("meeting", "lesson-7", home)
    ]
    # Whatever table of this service names the member is in the file; a new one has to be added to it.
    told = {
        "member_record", "membership", "member_decision", "membership_request", "survey_answer", "founding_cosigner",
        "committee_post", "counted_act", "unplaced_member", "roster_conflict",
    }  # fmt: skip
    tables = await owner.fetch(
        "select table_name from information_schema.columns where column_name = 'member_id' and table_schema = 'public'"
    )
    # Whose data were erased cannot log in any more.
    beside = told | {"erased_member"}
    assert {row["table_name"] for row in tables if not row["table_name"].startswith("kit_")} == beside


async def test_a_township_sees_only_the_unplaced_who_asked_for_its_branches(party: Party, nats: NatsServer) -> None:
    township = (await party.branches.create("370724", 4, party.name("某镇"))).organisation_id
    mine, elsewhere = await party.branch(township), await party.branch()
    wants_mine = await issue_eid(nats, county="370724", branch_id=mine)
    others = {
        await issue_eid(nats, county="370724", branch_id=elsewhere),
        await issue_eid(nats, county="370724"),
    }
    stub, officer = memberships(party), party.as_account(LINQU_ADMIN)

    async def listed(organisation_id: str) -> set[str]:
        request = pb.ListUnplacedMembersRequest(organisation_id=organisation_id)
        return {one.member_id for one in (await stub.ListUnplacedMembers(request, metadata=officer)).members}

    async def all_known() -> bool:
        return {wants_mine, *others} <= await listed("370724")

    await wait_until(all_known)
    assert await listed(township) == {wants_mine}
    assert await listed(mine) == {wants_mine}

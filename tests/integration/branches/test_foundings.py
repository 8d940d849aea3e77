"""Founding a virtual branch: proposed, signed by people of several counties, handed in, decided, or over in time (A1)."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from integration.branches.party import Party, Person
from integration.branches.running_branches import LINQU_ADMIN, LINQU_APPROVER, PROVINCE_ADMIN, STRANGER
from nats.aio.msg import Msg
from support.rpc import bearer, outcome_of, refusal_of
from zhibu.branches.v1 import founding_pb2, founding_service_pb2_grpc, organisation_pb2
from zhibu.branches.v1 import founding_service_pb2 as pb
from zhibu.branches.v1.branches_events_pb2 import FoundingChanged
from zhibu_branches.assembly import snapshot
from zhibu_branches.following import on_organisation_ended
from zhibu_branches.foundings.deciding import expire_foundings
from zhibu_branches.foundings.lapsing import lapse_signatures
from zhibu_branches.rules.foundings import OPEN_DAYS
from zhibu_branches.rules.members import PartyStatus
from zhibu_kit.db import Role, Scope
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until

COLLECTING = founding_pb2.FOUNDING_STATE_COLLECTING
SUBMITTED = founding_pb2.FOUNDING_STATE_SUBMITTED
APPROVED = founding_pb2.FOUNDING_STATE_APPROVED
REFUSED = founding_pb2.FOUNDING_STATE_REFUSED
WITHDRAWN = founding_pb2.FOUNDING_STATE_WITHDRAWN
EXPIRED = founding_pb2.FOUNDING_STATE_EXPIRED
_PURPOSE = "把外出务工的党员组织起来，按月开展网上组织生活。"


class Foundings:
    """FoundingService as members and the county call it."""

    def __init__(self, party: Party) -> None:
        self.party = party
        self.stub = founding_service_pb2_grpc.FoundingServiceStub(party.branches.channel)

    async def propose(
        self, person: Person, *, name: str = "", organisation_id: str = "370724", kind: str = "mobile_members"
    ) -> founding_pb2.Founding:
        response = await self.stub.ProposeFounding(
            pb.ProposeFoundingRequest(
                organisation_id=organisation_id,
                name=name or self.party.name("虚拟"),
                kind=kind,
                purpose=_PURPOSE,
                request_id=new_ulid(),
            ),
            metadata=self.party.as_member(person),
        )
        return response.founding

    async def cosign(self, founding_id: str, person: Person) -> founding_pb2.Founding:
        response = await self.stub.CosignFounding(
            pb.CosignFoundingRequest(founding_id=founding_id, request_id=new_ulid()),
            metadata=self.party.as_member(person),
        )
        return response.founding

    async def take_back(self, founding_id: str, person: Person) -> founding_pb2.Founding:
        response = await self.stub.WithdrawSignature(
            pb.WithdrawSignatureRequest(founding_id=founding_id, request_id=new_ulid()),
            metadata=self.party.as_member(person),
        )
        return response.founding

    async def submit(self, found: founding_pb2.Founding, person: Person) -> founding_pb2.Founding:
        response = await self.stub.SubmitFounding(
            pb.SubmitFoundingRequest(founding_id=found.founding_id, etag=found.etag, request_id=new_ulid()),
            metadata=self.party.as_member(person),
        )
        return response.founding

    async def withdraw(self, found: founding_pb2.Founding, person: Person) -> founding_pb2.Founding:
        response = await self.stub.WithdrawFounding(
            pb.WithdrawFoundingRequest(founding_id=found.founding_id, etag=found.etag, request_id=new_ulid()),
            metadata=self.party.as_member(person),
        )
        return response.founding

    async def get(self, founding_id: str, person: Person) -> pb.GetFoundingResponse:
        return await self.stub.GetFounding(
            pb.GetFoundingRequest(founding_id=founding_id), metadata=self.party.as_member(person)
        )

    async def approve(
        self, found: founding_pb2.Founding, *, account_id: str = LINQU_APPROVER, organisation_id: str = "370724"
    ) -> founding_pb2.Founding:
        response = await self.stub.ApproveFounding(
            pb.ApproveFoundingRequest(
                organisation_id=organisation_id, founding_id=found.founding_id, etag=found.etag, request_id=new_ulid()
            ),
            metadata=self.party.as_account(account_id),
        )
        return response.founding

    async def refuse(self, found: founding_pb2.Founding) -> founding_pb2.Founding:
        response = await self.stub.RefuseFounding(
            pb.RefuseFoundingRequest(
                organisation_id="370724",
                founding_id=found.founding_id,
                refusal_note="请先与乡镇党委沟通。",
                etag=found.etag,
                request_id=new_ulid(),
            ),
            metadata=self.party.as_account(LINQU_APPROVER),
        )
        return response.founding

    async def signed(self, people: list[Person]) -> founding_pb2.Founding:
        """A founding by the first, signed by the others."""
        found = await self.propose(people[0])
        for person in people[1:]:
            found = await self.cosign(found.founding_id, person)
        return found

    async def submitted(self, people: list[Person]) -> founding_pb2.Founding:
        return await self.submit(await self.signed(people), people[0])


@pytest.fixture(scope="module")
def foundings(party: Party) -> Foundings:
    return Foundings(party)


@pytest.fixture(scope="module")
async def linqu(party: Party) -> list[Person]:
    """Five full members of Linqu."""
    return await party.people(await party.branch(), 5)


@pytest.fixture(scope="module")
async def qingzhou(party: Party) -> list[Person]:
    """Three full members of Qingzhou."""
    return await party.people(await party.branch("370781"), 3)


@pytest.fixture(scope="module")
async def published(nats: NatsServer, party: Party) -> AsyncGenerator[list[FoundingChanged]]:
    admin = await nats.connect("admin")
    events: list[FoundingChanged] = []

    async def keep(message: Msg) -> None:
        events.append(FoundingChanged.FromString(message.data))

    await admin.jetstream.subscribe("zhibu.branches.v1.founding_changed", cb=keep, ordered_consumer=True)
    yield events
    await admin.close()


async def _virtual_members(owner: asyncpg.Connection, branch_id: str) -> set[str]:
    rows = await owner.fetch(
        "select member_id from membership where branch_id = $1 and kind = 2 and end_date is null", branch_id
    )
    return {row["member_id"] for row in rows}


async def test_three_full_members_of_two_counties_found_a_branch(
    foundings: Foundings,
    linqu: list[Person],
    qingzhou: list[Person],
    owner: asyncpg.Connection,
    published: list[FoundingChanged],
) -> None:
    people = [linqu[0], linqu[1], qingzhou[0]]
    found = await foundings.signed(people)
    assert (found.state, found.cosigner_count, found.full_member_count, found.required_count) == (COLLECTING, 3, 3, 3)
    handed_in = await foundings.submit(found, linqu[0])
    assert handed_in.state == SUBMITTED
    approved = await foundings.approve(handed_in)
    assert approved.state == APPROVED
    branch = await foundings.party.branches.get(approved.branch_id)
    assert (branch.name, branch.virtual, branch.parent_id, branch.active) == (found.name, True, "370724", True)
    expected = {person.member_id for person in people}
    assert await _virtual_members(owner, approved.branch_id) == expected
    await wait_until(lambda: sum(event.founding_id == found.founding_id for event in published) == 5)
    events = [event for event in published if event.founding_id == found.founding_id]
    assert [(event.version, event.state, event.full_member_count) for event in events] == [
        (1, COLLECTING, 1),
        (2, COLLECTING, 2),
        (3, COLLECTING, 3),
        (4, SUBMITTED, 3),
        (5, APPROVED, 3),
    ]
    assert set(events[-1].cosigner_member_ids) == expected
    assert events[-1].branch_id == approved.branch_id
    # Who signed is nobody's business before a decision.
    assert not any(event.cosigner_member_ids for event in events[:-1])


async def test_signing_twice_changes_nothing(foundings: Foundings, linqu: list[Person]) -> None:
    found = await foundings.propose(linqu[0])
    first = await foundings.cosign(found.founding_id, linqu[1])
    assert await foundings.cosign(found.founding_id, linqu[1]) == first
    again = await foundings.cosign(found.founding_id, linqu[0])
    assert (again.cosigner_count, again.etag) == (2, first.etag)


async def test_a_hundred_sign_at_once_and_nobody_is_lost(
    foundings: Foundings, party: Party, linqu: list[Person], owner: asyncpg.Connection
) -> None:
    found = await foundings.propose(linqu[0])
    crowd = await party.people(await party.branch(), 60) + await party.people(await party.branch("370781"), 40)

    async def sign(person: Person) -> None:
        # What passes by itself (no connection free just now) is tried again, as every client does.
        await wait_until(lambda: _signed(person), timeout_s=60)

    async def _signed(person: Person) -> bool:
        outcome = await outcome_of(foundings.cosign(found.founding_id, person))
        assert outcome in {"OK", "UNAVAILABLE"}
        return outcome == "OK"

    await asyncio.gather(*(sign(person) for person in crowd))
    shown = await foundings.get(found.founding_id, linqu[0])
    assert (shown.founding.cosigner_count, shown.founding.full_member_count) == (101, 101)
    assert {cosigner.member_id for cosigner in shown.cosigners} == {person.member_id for person in [linqu[0], *crowd]}
    assert shown.founding.etag == "v101"
    # The initiator who saw the first version may hand it in: signatures are no conflict.
    handed_in = await foundings.submit(found, linqu[0])
    approved = await foundings.approve(handed_in)
    assert len(await _virtual_members(owner, approved.branch_id)) == 101


async def test_only_full_members_count_and_an_activist_may_sign(
    foundings: Foundings, party: Party, linqu: list[Person]
) -> None:
    branch_id = await party.branch()
    (activist,) = await party.people(branch_id, 1, PartyStatus.ACTIVIST)
    (probationary,) = await party.people(branch_id, 1, PartyStatus.PROBATIONARY)
    (under_probation,) = await party.people(branch_id, 1, PartyStatus.UNDER_PROBATION)
    found = await foundings.signed([linqu[0], linqu[1], activist, probationary, under_probation])
    assert (found.cosigner_count, found.full_member_count) == (5, 2)
    error = await refusal_of(lambda: foundings.submit(found, linqu[0]))
    assert (error.reason, error.metadata["count"], error.metadata["required"]) == ("FULL_MEMBERS_MISSING", "2", "3")
    third = await foundings.cosign(found.founding_id, linqu[2])
    assert (await foundings.submit(third, linqu[0])).state == SUBMITTED


async def test_the_records_of_the_day_decide_at_submission_and_at_approval(
    foundings: Foundings, party: Party, linqu: list[Person], owner: asyncpg.Connection
) -> None:
    people = await party.people(await party.branch(), 5)
    found = await foundings.signed(people)
    # One is put under probation before the submission, one dies between submission and approval.
    await _set_status(owner, people[4], PartyStatus.UNDER_PROBATION)
    handed_in = await foundings.submit(found, people[0])
    assert (handed_in.cosigner_count, handed_in.full_member_count) == (5, 4)
    await _end_record(owner, people[3])
    approved = await foundings.approve(handed_in)
    assert (approved.cosigner_count, approved.full_member_count) == (4, 3)
    members = await _virtual_members(owner, approved.branch_id)
    assert members == {person.member_id for person in (people[0], people[1], people[2], people[4])}


async def test_a_founding_is_shown_as_the_records_of_the_day_say(
    foundings: Foundings, party: Party, owner: asyncpg.Connection
) -> None:
    branch_id = await party.branch()
    people = await party.people(branch_id, 3)
    (probationary,) = await party.people(branch_id, 1, PartyStatus.PROBATIONARY)
    found = await foundings.signed([people[0], people[1], probationary])
    assert (found.cosigner_count, found.full_member_count) == (3, 2)
    # Whoever is confirmed counts from then on: otherwise nobody would learn that it can be handed in.
    await _set_status(owner, probationary, PartyStatus.FULL)
    shown = await foundings.get(found.founding_id, people[0])
    assert (shown.founding.cosigner_count, shown.founding.full_member_count, shown.etag) == (3, 3, found.etag)
    assert [one.full_member for one in shown.cosigners] == [True] * 3
    handed_in = await foundings.submit(shown.founding, people[0])
    await _end_record(owner, people[1])
    seen = await foundings.stub.GetFoundingToDecide(
        pb.GetFoundingToDecideRequest(organisation_id="370724", founding_id=handed_in.founding_id),
        metadata=party.as_account(LINQU_APPROVER),
    )
    assert (seen.founding.cosigner_count, seen.founding.full_member_count) == (2, 2)
    assert {one.member_id for one in seen.cosigners} == {people[0].member_id, probationary.member_id}


async def test_an_approval_is_refused_when_full_members_have_become_too_few(
    foundings: Foundings, party: Party, owner: asyncpg.Connection
) -> None:
    people = await party.people(await party.branch(), 3)
    handed_in = await foundings.submitted(people)
    await _set_status(owner, people[1], PartyStatus.UNDER_PROBATION)
    error = await refusal_of(lambda: foundings.approve(handed_in))
    assert (error.reason, error.metadata["count"]) == ("FULL_MEMBERS_MISSING", "2")
    shown = await foundings.get(handed_in.founding_id, people[0])
    assert (shown.founding.state, shown.founding.branch_id) == (SUBMITTED, "")
    assert (await foundings.refuse(shown.founding)).state == REFUSED


async def _set_status(owner: asyncpg.Connection, person: Person, status: PartyStatus) -> None:
    await owner.execute("update member_record set status = $2 where member_id = $1", person.member_id, int(status))


async def _end_record(owner: asyncpg.Connection, person: Person) -> None:
    async with owner.transaction():
        await owner.execute(
            "update membership set end_date = start_date, end_reason = 7 where member_id = $1", person.member_id
        )
        await owner.execute(
            "update member_record set standing = 2, end_date = '2026-01-01' where member_id = $1", person.member_id
        )


async def test_a_signature_can_be_taken_back_while_it_collects(foundings: Foundings, linqu: list[Person]) -> None:
    found = await foundings.signed(linqu[:3])
    left = await foundings.take_back(found.founding_id, linqu[2])
    assert (left.cosigner_count, left.full_member_count, left.signed_by_me) == (2, 2, False)
    assert (await foundings.take_back(found.founding_id, linqu[2])).etag == left.etag
    error = await refusal_of(lambda: foundings.take_back(found.founding_id, linqu[0]))
    assert error.reason == "INITIATOR_SIGNS"
    back = await foundings.cosign(found.founding_id, linqu[2])
    await foundings.submit(back, linqu[0])
    error = await refusal_of(lambda: foundings.take_back(found.founding_id, linqu[2]))
    assert error.reason == "FOUNDING_NOT_COLLECTING"


async def test_only_the_initiator_hands_in_and_withdraws(
    foundings: Foundings, party: Party, published: list[FoundingChanged]
) -> None:
    people = await party.people(await party.branch(), 3)
    found = await foundings.signed(people)
    assert (await refusal_of(lambda: foundings.submit(found, people[1]))).reason == "INITIATOR_ONLY"
    assert (await refusal_of(lambda: foundings.withdraw(found, people[1]))).reason == "INITIATOR_ONLY"
    withdrawn = await foundings.withdraw(found, people[0])
    assert withdrawn.state == WITHDRAWN
    await wait_until(lambda: any(event.state == WITHDRAWN for event in published))
    (told,) = [event for event in published if event.founding_id == found.founding_id and event.state == WITHDRAWN]
    assert set(told.cosigner_member_ids) == {person.member_id for person in people}
    assert (await refusal_of(lambda: foundings.withdraw(withdrawn, people[0]))).reason == "FOUNDING_CLOSED"
    assert (
        await refusal_of(lambda: foundings.cosign(found.founding_id, people[1]))
    ).reason == "FOUNDING_NOT_COLLECTING"


async def test_a_refusal_says_why_and_is_decided_once(
    foundings: Foundings, party: Party, published: list[FoundingChanged]
) -> None:
    people = await party.people(await party.branch(), 3)
    handed_in = await foundings.submitted(people)
    refused = await foundings.refuse(handed_in)
    assert (refused.state, refused.refusal_note) == (REFUSED, "请先与乡镇党委沟通。")
    assert (await refusal_of(lambda: foundings.approve(refused))).reason == "FOUNDING_NOT_SUBMITTED"
    await wait_until(
        lambda: any(event.founding_id == refused.founding_id and event.state == REFUSED for event in published)
    )
    # A decision made from an older state is refused before anything else.
    assert (await refusal_of(lambda: foundings.approve(handed_in))).reason == "ETAG_MISMATCH"


async def test_who_proposed_a_branch_does_not_decide_about_it(
    foundings: Foundings, party: Party, linqu: list[Person]
) -> None:
    handed_in = await foundings.submitted(linqu[:3])

    async def approve_as(person: Person) -> str:
        request = pb.ApproveFoundingRequest(
            organisation_id="370724", founding_id=handed_in.founding_id, etag=handed_in.etag, request_id=new_ulid()
        )
        token = party.branches.issuer.token(LINQU_APPROVER, member_id=person.member_id, county_code=person.county_code)
        return await outcome_of(foundings.stub.ApproveFounding(request, metadata=bearer(token)))

    assert await approve_as(linqu[0]) == "OWN_MATTER"
    # The organisation department's own cadres found branches too, and somebody of them has to decide.
    assert await approve_as(linqu[1]) == "OK"


async def test_two_officers_decide_at_once_and_one_decision_holds(
    foundings: Foundings, party: Party, owner: asyncpg.Connection
) -> None:
    handed_in = await foundings.submitted(await party.people(await party.branch(), 3))
    outcomes = await asyncio.gather(
        *(outcome_of(foundings.approve(handed_in)) for _ in range(4)), outcome_of(foundings.refuse(handed_in))
    )
    assert sorted(outcomes) == ["ETAG_MISMATCH"] * 4 + ["OK"]
    made = await owner.fetchval("select count(*) from organisation where name = $1", handed_in.name)
    assert made in {0, 1}


async def test_the_same_request_approves_once(foundings: Foundings, party: Party) -> None:
    handed_in = await foundings.submitted(await party.people(await party.branch(), 3))
    request = pb.ApproveFoundingRequest(
        organisation_id="370724", founding_id=handed_in.founding_id, etag=handed_in.etag, request_id=new_ulid()
    )
    metadata = party.as_account(LINQU_APPROVER)
    first = await foundings.stub.ApproveFounding(request, metadata=metadata)
    assert await foundings.stub.ApproveFounding(request, metadata=metadata) == first


async def test_a_name_is_taken_by_a_branch_or_by_an_open_founding(foundings: Foundings, party: Party) -> None:
    one, other = await party.people(await party.branch(), 2)
    name = party.name("同名")
    outcomes = await asyncio.gather(*(outcome_of(foundings.propose(person, name=name)) for person in (one, other)))
    assert sorted(outcomes) == ["FOUNDING_NAME_TAKEN", "OK"]
    branch = await party.branches.get(await party.branch())
    assert (await refusal_of(lambda: foundings.propose(one, name=branch.name))).reason == "ORGANISATION_NAME_TAKEN"
    # Below another organisation the name is free.
    assert (await foundings.propose(one, name=name, organisation_id="370781")).county_code == "370781"


async def test_an_initiator_has_at_most_five_open(foundings: Foundings, party: Party) -> None:
    (person,) = await party.people(await party.branch(), 1)
    found = [await foundings.propose(person) for _ in range(5)]
    assert (await refusal_of(lambda: foundings.propose(person))).reason == "TOO_MANY_FOUNDINGS"
    await foundings.withdraw(found[0], person)
    assert (await foundings.propose(person)).state == COLLECTING


@pytest.mark.parametrize(
    ("organisation_id", "kind", "reason", "field"),
    [
        ("3707", "trade", "INVALID_ARGUMENT", "organisation_id"),
        ("370799", "trade", "NOT_FOUND", None),
        ("370724", "chess_club", "INVALID_ARGUMENT", "kind"),
    ],
)
async def test_what_cannot_be_founded_is_refused_with_the_field(  # noqa: PLR0917 - one argument for each column
    foundings: Foundings, linqu: list[Person], organisation_id: str, kind: str, reason: str, field: str | None
) -> None:
    error = await refusal_of(lambda: foundings.propose(linqu[3], organisation_id=organisation_id, kind=kind))
    assert error.reason == reason
    assert [violation.field for violation in error.fields] == ([field] if field else [])


async def test_whoever_no_branch_holds_neither_proposes_nor_signs(foundings: Foundings, linqu: list[Person]) -> None:
    nobody = Person(member_id=new_ulid(), county_code="370724")
    assert (await refusal_of(lambda: foundings.propose(nobody))).reason == "MEMBER_RECORD_REQUIRED"
    found = await foundings.propose(linqu[4])
    assert (await refusal_of(lambda: foundings.cosign(found.founding_id, nobody))).reason == "MEMBER_RECORD_REQUIRED"
    await foundings.withdraw(found, linqu[4])


async def test_who_signed_is_shown_to_signers_and_to_the_county_alone(
    foundings: Foundings, party: Party, linqu: list[Person], qingzhou: list[Person]
) -> None:
    found = await foundings.signed([linqu[1], linqu[2]])
    assert len((await foundings.get(found.founding_id, linqu[2])).cosigners) == 2
    outside = await foundings.get(found.founding_id, qingzhou[2])
    assert (list(outside.cosigners), outside.founding.signed_by_me, outside.founding.cosigner_count) == ([], False, 2)
    request = pb.GetFoundingToDecideRequest(organisation_id="370724", founding_id=found.founding_id)
    shown = await foundings.stub.GetFoundingToDecide(request, metadata=party.as_account(LINQU_APPROVER))
    assert {cosigner.member_id for cosigner in shown.cosigners} == {linqu[1].member_id, linqu[2].member_id}
    await foundings.withdraw(found, linqu[1])


async def test_the_list_shows_a_county_and_mine_shows_every_county(
    foundings: Foundings, party: Party, qingzhou: list[Person]
) -> None:
    (person,) = await party.people(await party.branch(), 1)
    here = await foundings.propose(person)
    there = await foundings.propose(person, organisation_id="370781")
    metadata = party.as_member(person)

    async def ids(request: pb.ListFoundingsRequest) -> list[str]:
        response = await foundings.stub.ListFoundings(request, metadata=metadata)
        return [founding.founding_id for founding in response.foundings]

    own = await ids(pb.ListFoundingsRequest())
    assert own[0] == here.founding_id
    assert own == sorted(own, reverse=True)
    assert await ids(pb.ListFoundingsRequest(county_code="370781", page_size=1)) == [there.founding_id]
    assert await ids(pb.ListFoundingsRequest(mine=True)) == [there.founding_id, here.founding_id]
    first = await foundings.stub.ListFoundings(pb.ListFoundingsRequest(mine=True, page_size=1), metadata=metadata)
    assert await ids(pb.ListFoundingsRequest(mine=True, page_token=first.next_page_token)) == [here.founding_id]
    assert all(founding.signed_by_me and founding.initiated_by_me for founding in first.foundings)


@pytest.mark.parametrize(
    ("account_id", "organisation_id", "expected"),
    [
        (LINQU_APPROVER, "370724", "OK"),
        (LINQU_ADMIN, "370724", "OK"),
        (PROVINCE_ADMIN, "37", "OK"),
        (LINQU_APPROVER, "370781", "PERMISSION_DENIED"),
        # Permitted there, but the founding is not below it.
        (PROVINCE_ADMIN, "370781", "NOT_FOUND"),
        (STRANGER, "370724", "PERMISSION_DENIED"),
    ],
)
async def test_only_the_county_above_decides(
    foundings: Foundings, party: Party, account_id: str, organisation_id: str, expected: str
) -> None:
    handed_in = await foundings.submitted(await party.people(await party.branch(), 3))
    approval = foundings.approve(handed_in, account_id=account_id, organisation_id=organisation_id)
    assert await outcome_of(approval) == expected


async def test_the_county_lists_what_waits_the_oldest_first(foundings: Foundings, party: Party) -> None:
    handed_in = [await foundings.submitted(await party.people(await party.branch(), 3)) for _ in range(2)]
    request = pb.ListFoundingsToDecideRequest(organisation_id="370724", page_size=200)
    for account_id, organisation_id in ((LINQU_APPROVER, "370724"), (PROVINCE_ADMIN, "37")):
        request.organisation_id = organisation_id
        response = await foundings.stub.ListFoundingsToDecide(request, metadata=party.as_account(account_id))
        ids = [founding.founding_id for founding in response.foundings]
        assert ids == sorted(ids)
        assert ids[-2:] == [founding.founding_id for founding in handed_in]
        assert response.total_count == len(ids)
        assert {founding.state for founding in response.foundings} == {SUBMITTED}


async def test_what_is_not_handed_in_or_not_decided_in_time_expires_once(
    foundings: Foundings, party: Party, published: list[FoundingChanged], owner: asyncpg.Connection
) -> None:
    people = await party.people(await party.branch(), 3)
    collecting = await foundings.propose(people[0])
    waiting = await foundings.submitted(people)
    now = datetime.now(UTC)
    await expire_foundings(party.database, now=now + timedelta(days=OPEN_DAYS - 1))
    assert (await foundings.get(collecting.founding_id, people[0])).founding.state == COLLECTING
    later = now + timedelta(days=OPEN_DAYS + 1)
    # Several processes look at once; a founding expires in one of them.
    await asyncio.gather(*(expire_foundings(party.database, now=later) for _ in range(3)))
    for found in (collecting, waiting):
        assert (await foundings.get(found.founding_id, people[0])).founding.state == EXPIRED
    assert await expire_foundings(party.database, now=later) == 0
    expired = {collecting.founding_id, waiting.founding_id}
    await wait_until(lambda: expired <= {event.founding_id for event in published if event.state == EXPIRED})
    # A second telling may still be on its way to the stream; the outbox has all that will ever be told.
    told = await owner.fetch("select key, payload from kit_outbox where key = any($1)", sorted(expired))
    ends = [row["key"] for row in told if FoundingChanged.FromString(row["payload"]).state == EXPIRED]
    assert sorted(ends) == sorted(expired)
    # Whoever signed is told by notify, which knows of them from nowhere else.
    (of_waiting,) = [
        event for event in published if event.founding_id == waiting.founding_id and event.state == EXPIRED
    ]
    assert set(of_waiting.cosigner_member_ids) == {person.member_id for person in people}
    # Its name is free again.
    assert (await foundings.propose(people[1], name=waiting.name)).state == COLLECTING


async def test_open_foundings_follow_the_successor_of_what_they_were_to_stand_below(
    foundings: Foundings, party: Party
) -> None:
    people = await party.people(await party.branch(), 3)
    township = organisation_pb2.ORGANISATION_LEVEL_TOWNSHIP
    ended = await party.branches.create("370724", township, "并入他乡的镇", code="370724198")
    stays = await party.branches.create("370724", township, "留下的镇", code="370724199")
    name = party.name("随迁")
    follows = await foundings.propose(people[0], organisation_id=ended.organisation_id)
    clashes = await foundings.propose(people[0], organisation_id=ended.organisation_id, name=name)
    await foundings.propose(people[1], organisation_id=stays.organisation_id, name=name)
    async with party.database.transaction(Scope.of("370724")) as transaction:
        await on_organisation_ended(
            transaction,
            organisation_id=ended.organisation_id,
            successor_id=stays.organisation_id,
            now=datetime.now(UTC),
        )
    moved = (await foundings.get(follows.founding_id, people[0])).founding
    assert (moved.state, moved.organisation_id) == (COLLECTING, stays.organisation_id)
    refused = (await foundings.get(clashes.founding_id, people[0])).founding
    assert refused.state == REFUSED
    assert refused.refusal_note


async def test_a_signature_lapses_with_the_record(foundings: Foundings, party: Party, linqu: list[Person]) -> None:
    (person,) = await party.people(await party.branch(), 1)
    found = await foundings.propose(linqu[4])
    assert (await foundings.cosign(found.founding_id, person)).full_member_count == 2
    async with party.database.transaction(Scope.of("370724")) as transaction:
        await lapse_signatures(transaction, [person.member_id], now=datetime.now(UTC))
    after = (await foundings.get(found.founding_id, linqu[4])).founding
    assert (after.cosigner_count, after.full_member_count) == (1, 1)
    await foundings.withdraw(after, linqu[4])


async def test_a_county_keeps_its_own_kinds(foundings: Foundings, party: Party, qingzhou: list[Person]) -> None:
    listing = pb.ListFoundingKindsRequest(organisation_id="370781")
    known = await foundings.stub.ListFoundingKinds(listing)
    assert [kind.display_name_zh for kind in known.kinds] == [
        "流动党员",
        "大学生村官",
        "行业（如铝型材行业）",
        "组工干部",
        "入党积极分子",
    ]
    await foundings.propose(qingzhou[0], organisation_id="370781", kind="trade")
    own = founding_pb2.FoundingKind(kind="silk_trade", display_name_zh="丝绸行业", active=True)

    async def replace(kinds: list[founding_pb2.FoundingKind], etag: str) -> pb.UpdateFoundingKindsResponse:
        return await foundings.stub.UpdateFoundingKinds(
            pb.UpdateFoundingKindsRequest(organisation_id="370781", kinds=kinds, etag=etag, request_id=new_ulid()),
            metadata=party.as_account(PROVINCE_ADMIN),
        )

    without_trade = [kind for kind in known.kinds if kind.kind != "trade"]
    assert (await refusal_of(lambda: replace([*without_trade, own], known.etag))).reason == "KIND_IN_USE"
    closed = founding_pb2.FoundingKind(kind="trade", display_name_zh="行业", active=False)
    changed = await replace([*without_trade, closed, own], known.etag)
    assert (await refusal_of(lambda: replace([own, closed], known.etag))).reason == "ETAG_MISMATCH"
    assert await foundings.stub.ListFoundingKinds(listing) == pb.ListFoundingKindsResponse(
        kinds=changed.kinds, etag="v1"
    )
    error = await refusal_of(lambda: foundings.propose(qingzhou[1], organisation_id="370781", kind="trade"))
    assert [violation.field for violation in error.fields] == ["kind"]
    assert (await foundings.propose(qingzhou[1], organisation_id="370781", kind="silk_trade")).kind == "silk_trade"
    # The other county still has the five.
    other = await foundings.stub.ListFoundingKinds(pb.ListFoundingKindsRequest(organisation_id="370724"))
    assert (len(other.kinds), other.etag) == (5, "v0")


async def test_the_database_shows_signatures_to_their_county_alone(
    app_connection: asyncpg.Connection, foundings: Foundings, linqu: list[Person]
) -> None:
    found = await foundings.propose(linqu[3])
    for scope, expected in (("370781", 0), ("", 0), ("370724", 1)):
        async with app_connection.transaction():
            await app_connection.execute("select set_config('zhibu.counties', $1, true)", scope)
            seen = await app_connection.fetchval(
                "select count(*) from founding_cosigner where founding_id = $1", found.founding_id
            )
            changed = await app_connection.execute(
                "update founding set purpose = '改' where founding_id = $1", found.founding_id
            )
        assert (seen, changed) == (expected, f"UPDATE {expected}")


async def test_reconciling_tells_every_founding_as_it_stands(
    party: Party, foundings: Foundings, linqu: list[Person], published: list[FoundingChanged]
) -> None:
    found = await foundings.propose(linqu[2])
    await wait_until(lambda: any(event.founding_id == found.founding_id for event in published))
    async with party.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        told = {
            event.founding_id: event async for event, _ in snapshot(transaction) if isinstance(event, FoundingChanged)
        }
    last = {event.founding_id: event for event in published}
    assert last.keys() <= told.keys()
    assert told[found.founding_id] == last[found.founding_id]

"""Committees by recorded appointment: posts, terms, vacancies, warnings, and how they end (A5)."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, time, timedelta

import asyncpg
import pytest
from integration.branches.party import Party, Person
from integration.branches.running_branches import LINQU_ADMIN, LINQU_APPROVER, PROVINCE_ADMIN, STRANGER
from nats.aio.msg import Msg
from support.rpc import outcome_of, refusal_of
from zhibu.branches.v1 import committee_pb2, committee_service_pb2_grpc
from zhibu.branches.v1 import committee_service_pb2 as pb
from zhibu.branches.v1.branches_events_pb2 import CommitteeTermWarned, PostChanged
from zhibu_branches.committees.establishing import NewCommittee, establish_committee
from zhibu_branches.committees.events import committee_snapshot
from zhibu_branches.committees.terms import warn_of_terms
from zhibu_branches.following import on_organisation_ended
from zhibu_branches.memberships import (
    end_membership,
    lock_branches,
    members_of,
    move_members,
    open_membership,
    show_all_of,
)
from zhibu_branches.records import Document, record_decision
from zhibu_branches.rules.committees import Appointment, Post, Source, add_months, term_end
from zhibu_branches.rules.decisions import Decision
from zhibu_branches.rules.members import EndReason, MembershipKind, PartyStatus
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Role, Scope
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until

_S, _D, _O, _P, _C, _Y, _M = (committee_pb2.Post.ValueType(number) for number in range(1, 8))
_TODAY = datetime.now(UTC).astimezone(SHANGHAI).date()


class Committees:
    """CommitteeService as the organisation above calls it."""

    def __init__(self, party: Party) -> None:
        self.party = party
        self.stub = committee_service_pb2_grpc.CommitteeServiceStub(party.branches.channel)

    async def appoint(
        self,
        branch_id: str,
        posts: "list[tuple[Person, committee_pb2.Post.ValueType]]",
        *,
        start_date: date = _TODAY,
        etag: str = "",
        account_id: str = LINQU_ADMIN,
    ) -> committee_pb2.Committee:
        response = await self.stub.AppointCommittee(
            pb.AppointCommitteeRequest(
                organisation_id=branch_id,
                appointments=[pb.PostAppointment(member_id=person.member_id, post=post) for person, post in posts],
                start_date=start_date.isoformat(),
                document_number="临组干〔2026〕12号",
                etag=etag,
                request_id=new_ulid(),
            ),
            metadata=self.party.as_account(account_id),
        )
        return response.committee

    async def fill(
        self, present: committee_pb2.Committee, person: Person, post: "committee_pb2.Post.ValueType"
    ) -> committee_pb2.Committee:
        response = await self.stub.FillPost(
            pb.FillPostRequest(
                organisation_id=present.branch_id,
                appointment=pb.PostAppointment(member_id=person.member_id, post=post),
                start_date=_TODAY.isoformat(),
                document_number="临组干〔2026〕13号",
                etag=present.etag,
                request_id=new_ulid(),
            ),
            metadata=self.party.as_account(LINQU_ADMIN),
        )
        return response.committee

    async def end(self, present: committee_pb2.Committee, post_id: str) -> committee_pb2.Committee:
        response = await self.stub.EndPost(
            pb.EndPostRequest(
                organisation_id=present.branch_id,
                post_id=post_id,
                end_reason=committee_pb2.POST_END_REASON_RESIGNED,
                end_date=_TODAY.isoformat(),
                etag=present.etag,
                request_id=new_ulid(),
            ),
            metadata=self.party.as_account(LINQU_ADMIN),
        )
        return response.committee

    async def get(self, branch_id: str, person: Person | None = None) -> committee_pb2.Committee:
        reader = person or Person(member_id=new_ulid(), county_code="370781")
        response = await self.stub.GetCommittee(
            pb.GetCommitteeRequest(organisation_id=branch_id), metadata=self.party.as_member(reader)
        )
        return response.committee

    async def history(self, branch_id: str) -> list[committee_pb2.Committee]:
        response = await self.stub.ListCommitteeHistory(
            pb.ListCommitteeHistoryRequest(organisation_id=branch_id), metadata=self.party.as_account(LINQU_ADMIN)
        )
        return list(response.committees)

    async def years(self, branch_id: str, years: int) -> None:
        await self.stub.SetTermYears(
            pb.SetTermYearsRequest(organisation_id=branch_id, term_years=years, request_id=new_ulid()),
            metadata=self.party.as_account(LINQU_ADMIN),
        )

    async def small(self, *, start_date: date = _TODAY) -> tuple[committee_pb2.Committee, list[Person]]:
        """A branch of three with a secretary and a deputy."""
        branch_id = await self.party.branch()
        people = await self.party.people(branch_id, 3)
        posts = [(people[0], _S), (people[1], _D)]
        return await self.appoint(branch_id, posts, start_date=start_date), people

    async def large(self) -> tuple[committee_pb2.Committee, list[Person]]:
        """A branch of eight with a committee of three."""
        branch_id = await self.party.branch()
        people = await self.party.people(branch_id, 8)
        return await self.appoint(branch_id, [(people[0], _S), (people[1], _O), (people[2], _P)]), people


def _posts(found: committee_pb2.Committee) -> dict[int, str]:
    return {holder.post: holder.member_id for holder in found.holders if not holder.end_date}


@pytest.fixture(scope="module")
def committees(party: Party) -> Committees:
    return Committees(party)


@pytest.fixture(scope="module")
async def posts(nats: NatsServer, party: Party) -> AsyncGenerator[list[PostChanged]]:
    admin = await nats.connect("admin")
    events: list[PostChanged] = []

    async def keep(message: Msg) -> None:
        events.append(PostChanged.FromString(message.data))

    await admin.jetstream.subscribe("zhibu.branches.v1.post_changed", cb=keep, ordered_consumer=True)
    yield events
    await admin.close()


@pytest.fixture(scope="module")
async def warnings(nats: NatsServer, party: Party) -> AsyncGenerator[list[CommitteeTermWarned]]:
    admin = await nats.connect("admin")
    events: list[CommitteeTermWarned] = []

    async def keep(message: Msg) -> None:
        events.append(CommitteeTermWarned.FromString(message.data))

    await admin.jetstream.subscribe("zhibu.branches.v1.committee_term_warned", cb=keep, ordered_consumer=True)
    yield events
    await admin.close()


async def test_a_committee_is_appointed_and_everybody_may_see_it(
    committees: Committees, posts: list[PostChanged]
) -> None:
    made, people = await committees.large()
    assert _posts(made) == {_S: people[0].member_id, _O: people[1].member_id, _P: people[2].member_id}
    assert (made.source, list(made.vacancies), made.etag) == (
        committee_pb2.COMMITTEE_SOURCE_APPOINTMENT,
        [],
        "v1",
    )
    assert made.term_end_date == term_end(_TODAY, 3).isoformat()
    # A member of another county sees who leads the branch.
    assert await committees.get(made.branch_id) == made
    await wait_until(lambda: sum(event.branch_id == made.branch_id for event in posts) == 3)
    told = {event.post: event for event in posts if event.branch_id == made.branch_id}
    assert all(event.active and event.version == 1 for event in told.values())
    assert told[_S].member_id == people[0].member_id
    assert told[_S].end_date == made.term_end_date


async def test_a_branch_of_fewer_than_seven_has_a_secretary_and_a_deputy(committees: Committees, party: Party) -> None:
    branch_id = await party.branch()
    people = await party.people(branch_id, 6)
    await party.people(branch_id, 3, PartyStatus.PROBATIONARY)
    error = await refusal_of(lambda: committees.appoint(branch_id, [(people[0], _S), (people[1], _O), (people[2], _P)]))
    assert [(violation.field, violation.reason) for violation in error.fields] == [
        ("appointments[1].post", "BRANCH_WITHOUT_COMMITTEE")
    ]
    assert (await committees.get(branch_id)).committee_id == ""
    made = await committees.appoint(branch_id, [(people[0], _S), (people[1], _D)])
    assert _posts(made) == {_S: people[0].member_id, _D: people[1].member_id}


async def test_only_full_members_of_the_branch_hold_posts(committees: Committees, party: Party) -> None:
    branch_id = await party.branch()
    (secretary,) = await party.people(branch_id, 1)
    (probationary,) = await party.people(branch_id, 1, PartyStatus.PROBATIONARY)
    (under_probation,) = await party.people(branch_id, 1, PartyStatus.UNDER_PROBATION)
    (outsider,) = await party.people(await party.branch(), 1)
    for person in (probationary, under_probation, outsider):
        error = await refusal_of(lambda person=person: committees.appoint(branch_id, [(secretary, _S), (person, _D)]))
        assert [(violation.field, violation.reason) for violation in error.fields] == [
            ("appointments[1].member_id", "HOLDER_NOT_ELIGIBLE")
        ]


async def test_another_committee_ends_the_one_before(
    committees: Committees, party: Party, posts: list[PostChanged]
) -> None:
    first, people = await committees.small(start_date=date(2025, 3, 1))
    error = await refusal_of(lambda: committees.appoint(first.branch_id, [(people[2], _S)]))
    assert error.reason == "ETAG_MISMATCH"
    second = await committees.appoint(first.branch_id, [(people[2], _S)], etag=first.etag)
    newest, oldest = await committees.history(first.branch_id)
    assert (newest.committee_id, oldest.committee_id) == (second.committee_id, first.committee_id)
    yesterday = (_TODAY - timedelta(days=1)).isoformat()
    assert oldest.end_date == yesterday
    assert {(holder.end_date, holder.end_reason) for holder in oldest.holders} == {
        (yesterday, committee_pb2.POST_END_REASON_TERM_ENDED)
    }
    await wait_until(lambda: sum(event.branch_id == first.branch_id for event in posts) == 5)
    # Of each post in order. Which of two posts is told of first is left open: only the events of one key keep their order.
    told = {
        holder.post_id: [(event.version, event.active) for event in posts if event.post_id == holder.post_id]
        for holder in (*oldest.holders, *newest.holders)
    }
    given, ended = (1, True), (2, False)
    assert told == {
        **{holder.post_id: [given, ended] for holder in oldest.holders},
        **{holder.post_id: [given] for holder in newest.holders},
    }
    error = await refusal_of(
        lambda: committees.appoint(first.branch_id, [(people[0], _S)], start_date=date(2025, 1, 1), etag=second.etag)
    )
    assert [(violation.field, violation.reason) for violation in error.fields] == [("start_date", "DATE_TOO_EARLY")]


async def test_days_that_are_none_or_not_yet_are_refused(committees: Committees, party: Party) -> None:
    branch_id = await party.branch()
    (person,) = await party.people(branch_id, 1)
    error = await refusal_of(
        lambda: committees.appoint(branch_id, [(person, _S)], start_date=_TODAY + timedelta(days=1))
    )
    assert [(violation.field, violation.reason) for violation in error.fields] == [("start_date", "DATE_IN_FUTURE")]


async def test_two_appoint_at_once_and_one_committee_stands(
    committees: Committees, party: Party, owner: asyncpg.Connection
) -> None:
    branch_id = await party.branch()
    people = await party.people(branch_id, 4)
    outcomes = await asyncio.gather(*(outcome_of(committees.appoint(branch_id, [(person, _S)])) for person in people))
    assert sorted(outcomes) == ["ETAG_MISMATCH"] * 3 + ["OK"]
    assert await owner.fetchval("select count(*) from committee where branch_id = $1", branch_id) == 1


async def test_the_same_request_appoints_once(committees: Committees, party: Party) -> None:
    branch_id = await party.branch()
    (person,) = await party.people(branch_id, 1)
    request = pb.AppointCommitteeRequest(
        organisation_id=branch_id,
        appointments=[pb.PostAppointment(member_id=person.member_id, post=_S)],
        start_date=_TODAY.isoformat(),
        document_number="1号",
        request_id=new_ulid(),
    )
    metadata = party.as_account(LINQU_ADMIN)
    first = await committees.stub.AppointCommittee(request, metadata=metadata)
    assert await committees.stub.AppointCommittee(request, metadata=metadata) == first


async def test_a_post_ends_stands_empty_and_is_filled(committees: Committees, posts: list[PostChanged]) -> None:
    made, people = await committees.large()
    organiser = next(holder for holder in made.holders if holder.post == _O)
    left = await committees.end(made, organiser.post_id)
    assert list(left.vacancies) == [_O]
    assert (await refusal_of(lambda: committees.end(left, organiser.post_id))).reason == "POST_ENDED"
    assert (await refusal_of(lambda: committees.fill(left, people[3], _P))).reason == "POST_NOT_VACANT"
    assert (await refusal_of(lambda: committees.fill(made, people[3], _O))).reason == "ETAG_MISMATCH"
    outcomes = await asyncio.gather(*(outcome_of(committees.fill(left, person, _O)) for person in people[3:6]))
    assert sorted(outcomes) == ["ETAG_MISMATCH", "ETAG_MISMATCH", "OK"]
    filled = await committees.get(made.branch_id)
    assert list(filled.vacancies) == []
    await wait_until(lambda: any(e.post_id == organiser.post_id and not e.active for e in posts))
    (history,) = await committees.history(made.branch_id)
    assert len(history.holders) == 4


async def test_a_branch_that_became_too_small_for_a_committee_fills_no_post_of_one(
    committees: Committees, party: Party
) -> None:
    made, people = await committees.large()
    by_post = {holder.post: holder.post_id for holder in made.holders}
    without_organiser = await committees.end(made, by_post[_O])
    present = await committees.end(without_organiser, by_post[_S])
    target = await party.branch()
    async with party.database.transaction(Scope.of("370724")) as transaction:
        locked = await lock_branches(transaction, [made.branch_id, target])
        leaving = {person.member_id for person in people[6:]}
        await move_members(
            transaction,
            [one for one in await members_of(transaction, made.branch_id) if one.member_id in leaving],
            target=locked[target],
            reason=EndReason.MOVED,
            move_date=_TODAY,
            now=datetime.now(UTC),
        )
    error = await refusal_of(lambda: committees.fill(present, people[4], _O))
    assert [(one.field, one.reason) for one in error.fields] == [("appointment.post", "BRANCH_WITHOUT_COMMITTEE")]
    # It keeps whom it has, and is never without a secretary for that.
    filled = await committees.fill(present, people[4], _S)
    assert _posts(filled) == {_S: people[4].member_id, _P: people[2].member_id}


async def test_a_post_ends_when_its_holder_leaves_the_branch(
    committees: Committees, party: Party, posts: list[PostChanged]
) -> None:
    made, people = await committees.small()
    target = await party.branch()
    async with party.database.transaction(Scope.of("370724")) as transaction:
        locked = await lock_branches(transaction, [made.branch_id, target])
        members = await members_of(transaction, made.branch_id)
        await move_members(
            transaction,
            [member for member in members if member.member_id == people[0].member_id],
            target=locked[target],
            reason=EndReason.MOVED,
            move_date=_TODAY,
            now=datetime.now(UTC),
        )
    after = await committees.get(made.branch_id)
    assert (_posts(after), list(after.vacancies)) == ({_D: people[1].member_id}, [_S])
    assert after.etag != made.etag
    await wait_until(lambda: any(e.member_id == people[0].member_id and not e.active for e in posts))
    (history,) = await committees.history(made.branch_id)
    ended = next(holder for holder in history.holders if holder.post == _S)
    assert ended.end_reason == committee_pb2.POST_END_REASON_LEFT_BRANCH


async def test_probation_within_the_party_takes_the_post_away(committees: Committees, party: Party) -> None:
    made, people = await committees.small()
    async with party.database.transaction(Scope.of("370724")) as transaction:
        await record_decision(
            transaction,
            await show_all_of(transaction, people[0].member_id),
            Decision(decision_date=_TODAY, status=PartyStatus.UNDER_PROBATION, has_document=True),
            document=Document(number="临纪〔2026〕3号", made_by_member_id=people[2].member_id),
            today=_TODAY,
            now=datetime.now(UTC),
        )
    (history,) = await committees.history(made.branch_id)
    ended = next(holder for holder in history.holders if holder.post == _S)
    assert ended.end_reason == committee_pb2.POST_END_REASON_DISMISSED


async def test_an_appointment_and_a_leaving_at_once_leave_no_post_behind(
    committees: Committees, party: Party, owner: asyncpg.Connection
) -> None:
    for _ in range(3):
        branch_id, target = await party.branch(), await party.branch()
        people = await party.people(branch_id, 2)

        async def leave(source: str = branch_id, goal: str = target, who: str = people[0].member_id) -> None:
            async with party.database.transaction(Scope.of("370724")) as transaction:
                locked = await lock_branches(transaction, sorted([source, goal]))
                members = await members_of(transaction, source)
                await move_members(
                    transaction,
                    [member for member in members if member.member_id == who],
                    target=locked[goal],
                    reason=EndReason.MOVED,
                    move_date=_TODAY,
                    now=datetime.now(UTC),
                )

        outcome, _ = await asyncio.gather(
            outcome_of(committees.appoint(branch_id, [(people[0], _S), (people[1], _D)])), leave()
        )
        assert outcome in {"OK", "INVALID_ARGUMENT"}
        held = await owner.fetchval(
            "select count(*) from committee_post where member_id = $1 and end_date is null", people[0].member_id
        )
        assert held == 0


async def test_a_virtual_branch_is_led_by_members_of_several_counties(
    committees: Committees, party: Party, owner: asyncpg.Connection
) -> None:
    branch_id = await party.branch(what="虚拟")
    await owner.execute("update organisation set virtual = true where organisation_id = $1", branch_id)
    people = await party.people(await party.branch(), 4) + await party.people(await party.branch("370781"), 3)
    async with party.database.transaction(Scope.of("370724", "370781")) as transaction:
        opened = [
            await open_membership(
                transaction,
                member_id=person.member_id,
                branch_id=branch_id,
                kind=MembershipKind.VIRTUAL,
                start_date=_TODAY,
                now=datetime.now(UTC),
            )
            for person in people
        ]
    # Seven full members over two counties: a committee.
    made = await committees.appoint(branch_id, [(people[6], _S), (people[0], _O), (people[5], _P)])
    assert _posts(made)[_S] == people[6].member_id
    async with party.database.transaction(Scope.of("370724", "370781")) as transaction:
        await end_membership(
            transaction, membership=opened[6], end_date=_TODAY, reason=EndReason.WITHDREW, now=datetime.now(UTC)
        )
    assert list((await committees.get(branch_id)).vacancies) == [_S]


async def test_a_village_serves_five_years_and_the_present_term_follows(
    committees: Committees, posts: list[PostChanged]
) -> None:
    made, _ = await committees.small(start_date=date(2025, 3, 1))
    assert made.term_end_date == "2028-02-29"
    await committees.years(made.branch_id, 5)
    longer = await committees.get(made.branch_id)
    assert longer.term_end_date == "2030-02-28"
    await wait_until(lambda: sum(e.branch_id == made.branch_id and e.version == 2 for e in posts) == 2)
    assert {e.end_date for e in posts if e.branch_id == made.branch_id and e.version == 2} == {"2030-02-28"}
    await committees.years(made.branch_id, 5)
    assert (await committees.get(made.branch_id)).etag == longer.etag
    error = await refusal_of(lambda: committees.years(made.branch_id, 4))
    assert [violation.field for violation in error.fields] == ["term_years"]


async def test_each_warning_is_given_once_and_after_an_outage_the_nearest_alone(
    committees: Committees, party: Party, warnings: list[CommitteeTermWarned], owner: asyncpg.Connection
) -> None:
    made, _ = await committees.small()
    over = date.fromisoformat(made.term_end_date) + timedelta(days=1)

    async def look(day: date) -> None:
        # Several processes look at once, and each looks twice.
        now = datetime.combine(day, time(8), tzinfo=SHANGHAI)
        await asyncio.gather(*(warn_of_terms(party.database, now=now) for _ in range(3)))
        assert await warn_of_terms(party.database, now=now) == 0

    def given() -> list[tuple[int, int]]:
        return [(e.version, e.months_left) for e in warnings if e.committee_id == made.committee_id]

    await look(add_months(over, -6) - timedelta(days=1))
    await look(add_months(over, -6))
    # Nobody looked until two months were left: six are over, three are the nearest.
    await look(add_months(over, -2))
    await look(add_months(over, -1))
    await look(over)
    await look(over + timedelta(days=100))
    await wait_until(lambda: len(given()) == 4)
    assert given() == [(1, 6), (2, 3), (3, 1), (4, 0)]
    # And that is all: whoever served when the term ended serves until somebody follows.
    overdue = await committees.get(made.branch_id)
    assert (_posts(overdue), overdue.end_date) == (_posts(made), "")
    active = await owner.fetch(
        "select end_date, version from committee_post where committee_id = $1", made.committee_id
    )
    assert [tuple(row) for row in active] == [(None, 1)] * 2


async def test_an_election_makes_a_committee_by_the_same_door(committees: Committees, party: Party) -> None:
    made, people = await committees.small(start_date=date(2025, 3, 1))
    async with party.database.transaction(Scope.of("370724")) as transaction:
        await establish_committee(
            transaction,
            made.branch_id,
            NewCommittee(
                appointments=(Appointment(member_id=people[2].member_id, post=Post.SECRETARY),),
                start_date=_TODAY,
                document_number="选举结果",
                source=Source.ELECTION,
            ),
            etag=None,
            now=datetime.now(UTC),
        )
    elected = await committees.get(made.branch_id)
    assert (elected.source, _posts(elected)) == (
        committee_pb2.COMMITTEE_SOURCE_ELECTION,
        {_S: people[2].member_id},
    )


async def test_a_branch_that_ends_takes_its_committee_along(
    committees: Committees, party: Party, posts: list[PostChanged]
) -> None:
    made, people = await committees.small()
    async with party.database.transaction(Scope.of("370724")) as transaction:
        await on_organisation_ended(
            transaction, organisation_id=made.branch_id, successor_id=None, now=datetime.now(UTC)
        )
    assert (await committees.get(made.branch_id)).committee_id == ""
    (history,) = await committees.history(made.branch_id)
    assert {holder.end_reason for holder in history.holders} == {committee_pb2.POST_END_REASON_ORGANISATION_CHANGED}
    members = {person.member_id for person in people[:2]}
    await wait_until(lambda: {e.member_id for e in posts if not e.active} >= members)


async def test_committees_are_listed_the_first_to_end_at_the_front(committees: Committees, party: Party) -> None:
    early, _ = await committees.small(start_date=date(2024, 1, 1))
    late, _ = await committees.small()
    none = await party.branch()

    async def listed(organisation_id: str, account_id: str, **wishes: object) -> list[str]:
        found: list[str] = []
        request = pb.ListCommitteesRequest(organisation_id=organisation_id, page_size=5, **wishes)  # pyright: ignore[reportArgumentType]
        while True:
            response = await committees.stub.ListCommittees(request, metadata=party.as_account(account_id))
            found += [row.branch_id for row in response.committees]
            request.page_token = response.next_page_token
            if not request.page_token:
                return found

    for organisation_id, account_id in (("370724", LINQU_APPROVER), ("37", PROVINCE_ADMIN)):
        found = await listed(organisation_id, account_id)
        assert found.index(early.branch_id) < found.index(late.branch_id)
        assert len(found) == len(set(found))
        soon = await listed(organisation_id, account_id, ends_before_date="2027-01-01")
        assert early.branch_id in soon
        assert late.branch_id not in soon
        without = await listed(organisation_id, account_id, without_committee=True)
        assert none in without
        assert not {early.branch_id, late.branch_id} & set(without)


@pytest.mark.parametrize(
    ("account_id", "expected"),
    [
        (LINQU_ADMIN, "OK"),
        (PROVINCE_ADMIN, "OK"),
        (LINQU_APPROVER, "PERMISSION_DENIED"),
        (STRANGER, "PERMISSION_DENIED"),
    ],
)
async def test_only_the_organisation_above_appoints(
    committees: Committees, party: Party, account_id: str, expected: str
) -> None:
    branch_id = await party.branch()
    (person,) = await party.people(branch_id, 1)
    assert await outcome_of(committees.appoint(branch_id, [(person, _S)], account_id=account_id)) == expected
    abroad = await party.branch("370781")
    (other,) = await party.people(abroad, 1)
    outcome = await outcome_of(committees.appoint(abroad, [(other, _S)], account_id=account_id))
    assert outcome == ("OK" if account_id == PROVINCE_ADMIN else "PERMISSION_DENIED")


async def test_reconciling_tells_every_post(committees: Committees, party: Party, posts: list[PostChanged]) -> None:
    made, _ = await committees.small()
    ids = {holder.post_id for holder in made.holders}
    await wait_until(lambda: ids <= {event.post_id for event in posts})
    async with party.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        told = {e.post_id: e async for e, _ in committee_snapshot(transaction) if isinstance(e, PostChanged)}
    assert [told[event.post_id] for event in posts if event.post_id in ids] == [
        event for event in posts if event.post_id in ids
    ]

"""The survey of computers and networks: answers, reports, rates, going online and warnings (A2)."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from integration.branches.party import Party, Person
from integration.branches.running_branches import LINQU_ADMIN, LINQU_APPROVER, PROVINCE_ADMIN, STRANGER
from nats.aio.msg import Msg
from sqlalchemy import delete
from support.rpc import outcome_of, refusal_of
from zhibu.branches.v1 import survey_pb2, survey_service_pb2_grpc
from zhibu.branches.v1 import survey_service_pb2 as pb
from zhibu.branches.v1.branches_events_pb2 import OnlineStateChanged, SurveyAnswerReported
from zhibu_branches.memberships import lock_branches, members_of, move_members
from zhibu_branches.rules.members import EndReason, MembershipKind, PartyStatus
from zhibu_branches.surveys.counting import recount, recount_due
from zhibu_branches.surveys.events import survey_snapshot
from zhibu_branches.surveys.tables import survey_due
from zhibu_kit.clock import SystemClock
from zhibu_kit.db import Role, Scope
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.engines import Postgres

OFFLINE = survey_pb2.ONLINE_STATE_OFFLINE
ONLINE = survey_pb2.ONLINE_STATE_ONLINE
WARNED = survey_pb2.ONLINE_STATE_WARNED
STATED = survey_pb2.SURVEY_ANSWER_STATE_STATED
REPORTED = survey_pb2.SURVEY_ANSWER_STATE_REPORTED
COUNTERSIGNED = survey_pb2.SURVEY_ANSWER_STATE_COUNTERSIGNED
DISPUTED = survey_pb2.SURVEY_ANSWER_STATE_DISPUTED
_CLOCK = SystemClock()


class Surveys:
    """SurveyService as members, branches and counties call it."""

    def __init__(self, party: Party) -> None:
        self.party = party
        self.stub = survey_service_pb2_grpc.SurveyServiceStub(party.branches.channel)

    async def answer(
        self, person: Person, *, has_device: bool = True, has_network: bool = True
    ) -> survey_pb2.SurveyAnswer:
        response = await self.stub.AnswerMySurvey(
            pb.AnswerMySurveyRequest(has_device=has_device, has_network=has_network, request_id=new_ulid()),
            metadata=self.party.as_member(person),
        )
        return response.answer

    async def mine(self, person: Person) -> survey_pb2.SurveyAnswer:
        response = await self.stub.GetMySurveyAnswer(
            pb.GetMySurveyAnswerRequest(), metadata=self.party.as_member(person)
        )
        return response.answer

    async def countersign(self, person: Person, etag: str, *, agreed: bool = True) -> survey_pb2.SurveyAnswer:
        response = await self.stub.CountersignMySurveyAnswer(
            pb.CountersignMySurveyAnswerRequest(agreed=agreed, etag=etag, request_id=new_ulid()),
            metadata=self.party.as_member(person),
        )
        return response.answer

    async def report(
        self,
        branch_id: str,
        people: list[Person],
        *,
        has_network: bool = True,
        account_id: str = LINQU_ADMIN,
        signed_list_number: str = "",
    ) -> list[survey_pb2.SurveyAnswer]:
        response = await self.stub.ReportSurveyAnswers(
            pb.ReportSurveyAnswersRequest(
                organisation_id=branch_id,
                reports=[
                    pb.SurveyReport(member_id=person.member_id, has_device=True, has_network=has_network)
                    for person in people
                ],
                signed_list_number=signed_list_number,
                request_id=new_ulid(),
            ),
            metadata=self.party.as_account(account_id),
        )
        return list(response.answers)

    async def go_online(self, branch_id: str, *, account_id: str = LINQU_ADMIN) -> survey_pb2.OnlineRate:
        response = await self.stub.GoOnline(
            pb.GoOnlineRequest(organisation_id=branch_id, request_id=new_ulid()),
            metadata=self.party.as_account(account_id),
        )
        return response.rate

    async def rate(self, branch_id: str) -> survey_pb2.OnlineRate:
        return (await self.stub.GetOnlineRate(pb.GetOnlineRateRequest(organisation_id=branch_id))).rate

    async def parameters(
        self, county_code: str, threshold: int, hysteresis: int, etag: str
    ) -> pb.UpdateSurveyParametersResponse:
        return await self.stub.UpdateSurveyParameters(
            pb.UpdateSurveyParametersRequest(
                organisation_id=county_code,
                parameters=pb.SurveyParameters(threshold_permille=threshold, hysteresis_permille=hysteresis),
                etag=etag,
                request_id=new_ulid(),
            ),
            metadata=self.party.as_account(PROVINCE_ADMIN),
        )

    async def settle(self, *branch_ids: str) -> None:
        """Count now; the service's own job may be at it, and is waited for."""
        counties = {branch_id[:6] for branch_id in branch_ids}
        async with self.party.database.transaction(Scope.of(*counties)) as transaction:
            await recount(transaction, branch_ids, now=_CLOCK.now())

    async def online_branch(self, count: int) -> tuple[str, list[Person]]:
        """A branch in which everybody is equipped, online."""
        branch_id = await self.party.branch()
        people = await self.party.people(branch_id, count)
        await asyncio.gather(*(self.answer(person) for person in people))
        await self.go_online(branch_id)
        return branch_id, people

    async def move(self, people: list[Person], source: str, target: str) -> None:
        """Move members to another branch, as a merger or a roster does it."""
        wanted = {person.member_id for person in people}
        async with self.party.database.transaction(Scope.of(source[:6], target[:6])) as transaction:
            branches = await lock_branches(transaction, [source, target])
            members = await members_of(transaction, source, kind=MembershipKind.PHYSICAL)
            await move_members(
                transaction,
                [member for member in members if member.member_id in wanted],
                target=branches[target],
                reason=EndReason.MOVED,
                move_date=date(2026, 11, 1),
                now=datetime.now(UTC),
            )


@pytest.fixture(scope="module")
def surveys(party: Party) -> Surveys:
    return Surveys(party)


@pytest.fixture(scope="module")
async def states(nats: NatsServer, party: Party) -> AsyncGenerator[list[OnlineStateChanged]]:
    admin = await nats.connect("admin")
    events: list[OnlineStateChanged] = []

    async def keep(message: Msg) -> None:
        events.append(OnlineStateChanged.FromString(message.data))

    await admin.jetstream.subscribe("zhibu.branches.v1.online_state_changed", cb=keep, ordered_consumer=True)
    yield events
    await admin.close()


@pytest.fixture(scope="module")
async def reports(nats: NatsServer, party: Party) -> AsyncGenerator[list[SurveyAnswerReported]]:
    admin = await nats.connect("admin")
    events: list[SurveyAnswerReported] = []

    async def keep(message: Msg) -> None:
        events.append(SurveyAnswerReported.FromString(message.data))

    await admin.jetstream.subscribe("zhibu.branches.v1.survey_answer_reported", cb=keep, ordered_consumer=True)
    yield events
    await admin.close()


def _counts(rate: survey_pb2.OnlineRate) -> tuple[int, int, int, int]:
    return rate.member_count, rate.answered_count, rate.equipped_count, rate.rate_permille


async def test_a_branch_goes_online_as_soon_as_half_of_its_members_are_equipped(
    surveys: Surveys, party: Party, states: list[OnlineStateChanged], owner: asyncpg.Connection
) -> None:
    branch_id = await party.branch()
    people = await party.people(branch_id, 3)
    people += await party.people(branch_id, 1, PartyStatus.PROBATIONARY)
    # Whoever is on the way to membership is not counted.
    await party.people(branch_id, 2, PartyStatus.ACTIVIST)
    await surveys.answer(people[0])
    await surveys.answer(people[1], has_network=False)
    assert _counts(await surveys.rate(branch_id)) == (4, 2, 1, 250)
    error = await refusal_of(lambda: surveys.go_online(branch_id))
    assert (error.reason, error.metadata) == ("RATE_TOO_LOW", {"rate": "250", "threshold": "500"})
    await surveys.answer(people[3])
    online = await surveys.go_online(branch_id)
    assert (*_counts(online), online.state) == (4, 3, 2, 500, ONLINE)
    assert online.online_date
    assert (online.threshold_permille, online.warn_below_permille) == (500, 450)
    # Once more changes nothing.
    assert await surveys.go_online(branch_id) == online
    await wait_until(lambda: any(event.branch_id == branch_id for event in states))
    assert [(e.version, e.state, e.rate_permille) for e in states if e.branch_id == branch_id] == [(1, ONLINE, 500)]
    counted = await owner.fetchval("select sum(count) from tally where dimension = 'branch' and key = 'online'")
    assert counted == await owner.fetchval("select count(*) from branch_survey where state <> 1")


async def test_a_report_counts_once_the_member_has_countersigned(
    surveys: Surveys, party: Party, reports: list[SurveyAnswerReported]
) -> None:
    branch_id = await party.branch()
    people = await party.people(branch_id, 3)
    await surveys.answer(people[0], has_device=False, has_network=False)
    answers = await surveys.report(branch_id, people)
    # What a member said stands.
    assert [(answer.state, answer.has_device) for answer in answers] == [
        (STATED, False),
        (REPORTED, True),
        (REPORTED, True),
    ]
    assert _counts(await surveys.rate(branch_id)) == (3, 1, 0, 0)
    await wait_until(lambda: sum(event.branch_id == branch_id for event in reports) == 2)
    assert {event.member_id for event in reports if event.branch_id == branch_id} == {
        people[1].member_id,
        people[2].member_id,
    }
    waiting = await surveys.mine(people[1])
    assert waiting == answers[1]
    assert (await surveys.countersign(people[1], waiting.etag)).state == COUNTERSIGNED
    disputed = await surveys.countersign(people[2], answers[2].etag, agreed=False)
    assert disputed.state == DISPUTED
    assert _counts(await surveys.rate(branch_id)) == (3, 2, 1, 333)
    # The same report again is none; a corrected one waits again, and an older countersign does not fit it.
    assert (await surveys.report(branch_id, people))[2] == disputed
    corrected = (await surveys.report(branch_id, [people[2]], has_network=False))[0]
    assert (corrected.state, corrected.has_network) == (REPORTED, False)
    error = await refusal_of(lambda: surveys.countersign(people[2], answers[2].etag))
    assert error.reason == "ETAG_MISMATCH"
    error = await refusal_of(lambda: surveys.countersign(people[0], answers[0].etag))
    assert error.reason == "NOTHING_TO_COUNTERSIGN"
    # Whoever disputes may simply say how it is.
    assert (await surveys.answer(people[2])).state == STATED


async def test_the_same_report_request_reports_once(
    surveys: Surveys, party: Party, reports: list[SurveyAnswerReported]
) -> None:
    branch_id = await party.branch()
    (person,) = await party.people(branch_id, 1)
    request = pb.ReportSurveyAnswersRequest(
        organisation_id=branch_id,
        reports=[pb.SurveyReport(member_id=person.member_id, has_device=True, has_network=True)],
        request_id=new_ulid(),
    )
    metadata = party.as_account(LINQU_ADMIN)
    first, second = await asyncio.gather(
        *(surveys.stub.ReportSurveyAnswers(request, metadata=metadata) for _ in range(2))
    )
    assert first == second
    later = await surveys.report(branch_id, [person], has_network=False)
    assert later[0].state == REPORTED
    await wait_until(lambda: sum(event.member_id == person.member_id for event in reports) == 2)


async def test_a_report_of_strangers_writes_nothing_and_names_each(surveys: Surveys, party: Party) -> None:
    branch_id, other = await party.branch(), await party.branch()
    mine = await party.people(branch_id, 1)
    strangers = await party.people(other, 1) + await party.people(await party.branch("370781"), 1)
    error = await refusal_of(lambda: surveys.report(branch_id, [*mine, *strangers, *mine]))
    assert [(violation.field, violation.reason) for violation in error.fields] == [
        ("reports[1].member_id", "NOT_OF_THIS_BRANCH"),
        ("reports[2].member_id", "NOT_OF_THIS_BRANCH"),
        ("reports[3].member_id", "NAMED_TWICE"),
    ]
    assert (await surveys.mine(mine[0])).state == survey_pb2.SURVEY_ANSWER_STATE_UNSPECIFIED


async def test_a_list_signed_by_hand_counts_at_once_and_takes_the_branch_online(surveys: Surveys, party: Party) -> None:
    branch_id = await party.branch()
    people = await party.people(branch_id, 4)
    await surveys.settle(branch_id)
    answers = await surveys.report(branch_id, people[:2], signed_list_number="网调〔2026〕1号")
    assert {answer.state for answer in answers} == {survey_pb2.SURVEY_ANSWER_STATE_COUNTERSIGNED}
    assert _counts(await surveys.rate(branch_id)) == (4, 2, 2, 500)
    assert (await surveys.go_online(branch_id)).state == survey_pb2.ONLINE_STATE_ONLINE


async def test_a_branch_that_ends_at_this_moment_does_not_go_online(
    surveys: Surveys, party: Party, owner: asyncpg.Connection, postgres: Postgres, database: ServiceDatabase
) -> None:
    branch_id = await party.branch()
    ending: asyncpg.Connection = await asyncpg.connect(postgres.dsn(database.name))
    try:
        change = ending.transaction()
        await change.start()
        await ending.execute("select from organisation where organisation_id = $1 for update", branch_id)
        going = asyncio.ensure_future(outcome_of(surveys.go_online(branch_id)))

        async def waits() -> bool:
            return bool(await owner.fetchval("select exists (select from pg_locks where not granted)"))

        await wait_until(waits)
        await ending.execute(
            "update organisation set active = false, version = version + 1, update_time = now()"
            " where organisation_id = $1",
            branch_id,
        )
        await change.commit()
        assert await going == "ORGANISATION_DISSOLVED"
    finally:
        await ending.close()


async def test_everybody_answers_at_once_and_all_are_counted(surveys: Surveys, party: Party) -> None:
    branch_id = await party.branch()
    people = await party.people(branch_id, 24)
    due = asyncio.create_task(recount_due(party.database, _CLOCK))
    await asyncio.gather(
        *(surveys.answer(person, has_network=at % 3 != 0) for at, person in enumerate(people)),
    )
    await due
    await surveys.settle(branch_id)
    assert _counts(await surveys.rate(branch_id)) == (24, 24, 16, 666)


async def test_a_branch_is_warned_below_the_hysteresis_and_comes_back_at_the_threshold(
    surveys: Surveys, party: Party, states: list[OnlineStateChanged]
) -> None:
    branch_id, people = await surveys.online_branch(9)
    # Eleven more without an answer: 9 of 20 are 450 in a thousand, which is not below 450.
    newcomers = await party.people(branch_id, 11)
    await surveys.settle(branch_id)
    rate = await surveys.rate(branch_id)
    assert (rate.rate_permille, rate.state) == (450, ONLINE)
    await surveys.answer(people[0], has_network=False)
    rate = await surveys.rate(branch_id)
    assert (rate.rate_permille, rate.state) == (400, WARNED)
    await surveys.answer(newcomers[0])
    assert (await surveys.rate(branch_id)).state == WARNED
    await surveys.answer(newcomers[1])
    rate = await surveys.rate(branch_id)
    assert (rate.rate_permille, rate.state) == (500, ONLINE)
    await wait_until(lambda: sum(event.branch_id == branch_id for event in states) == 3)
    assert [(e.version, e.state, e.rate_permille) for e in states if e.branch_id == branch_id] == [
        (1, ONLINE, 1000),
        (2, WARNED, 400),
        (3, ONLINE, 500),
    ]


async def test_a_running_service_counts_branches_whose_members_changed_by_itself(
    surveys: Surveys, party: Party
) -> None:
    branch_id, _ = await surveys.online_branch(1)
    await party.people(branch_id, 2)

    async def warned() -> bool:
        return (await surveys.rate(branch_id)).state == WARNED

    await wait_until(warned)


async def test_an_answer_moves_with_its_member_and_a_mere_report_stays_behind(
    surveys: Surveys, party: Party, owner: asyncpg.Connection
) -> None:
    source, near, far = await party.branch(), await party.branch(), await party.branch("370781")
    stated, reported, signed = await party.people(source, 3)
    await surveys.answer(stated)
    answers = await surveys.report(source, [reported, signed])
    await surveys.countersign(signed, answers[1].etag)
    await surveys.move([stated, reported], source, near)
    await surveys.move([signed], source, far)
    await surveys.settle(source, near, far)
    assert [_counts(await surveys.rate(branch_id)) for branch_id in (source, near, far)] == [
        (0, 0, 0, 0),
        (2, 1, 1, 500),
        (1, 1, 1, 1000),
    ]
    # Their tokens still name the old county.
    assert (await surveys.mine(signed)).branch_id == far
    assert (await surveys.mine(reported)).state == survey_pb2.SURVEY_ANSWER_STATE_UNSPECIFIED
    county = await owner.fetchval("select county_code from survey_answer where member_id = $1", signed.member_id)
    assert county == "370781"


async def test_a_count_that_failed_is_made_up_for(surveys: Surveys, party: Party) -> None:
    branch_id, _ = await surveys.online_branch(1)
    await party.people(branch_id, 3)
    # The process ends between taking the row and writing the rate: the row is there again.
    with pytest.raises(OSError, match="ends here"):
        await recount_due_and_fail(party, branch_id)
    await recount_due(party.database, _CLOCK)

    async def counted() -> bool:
        return _counts(await surveys.rate(branch_id)) == (4, 1, 1, 250)

    await wait_until(counted)


async def recount_due_and_fail(party: Party, branch_id: str) -> None:
    async with party.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(delete(survey_due))
        await recount(transaction, [branch_id], now=_CLOCK.now())
        raise OSError("the process ends here")


async def test_the_history_keeps_the_end_of_each_day(surveys: Surveys, party: Party) -> None:
    branch_id = await party.branch()
    people = await party.people(branch_id, 2)
    await surveys.answer(people[0])
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    await party.people(branch_id, 2)
    async with party.database.transaction(Scope.of("370724")) as transaction:
        await recount(transaction, [branch_id], now=tomorrow)
    response = await surveys.stub.GetOnlineRate(pb.GetOnlineRateRequest(organisation_id=branch_id))
    assert [(point.rate_permille, point.member_count, point.equipped_count) for point in response.history] in (
        [(500, 2, 1), (250, 4, 1)],
        # The service's own job may have counted the newcomers today already; then nothing changed tomorrow.
        [(250, 4, 1)],
    )
    assert [point.date for point in response.history] == sorted(point.date for point in response.history)


async def test_a_county_sets_its_own_threshold_and_its_branches_are_judged_by_it(
    surveys: Surveys, party: Party
) -> None:
    branch_id = await party.branch("370781")
    people = await party.people(branch_id, 10)
    for person in people[:6]:
        await surveys.answer(person)
    await surveys.go_online(branch_id, account_id=PROVINCE_ADMIN)
    changed = await surveys.parameters("370781", 800, 100, "v0")
    assert changed.etag == "v1"
    rate = await surveys.rate(branch_id)
    assert (rate.state, rate.threshold_permille, rate.warn_below_permille) == (WARNED, 800, 700)
    assert (await refusal_of(lambda: surveys.parameters("370781", 300, 0, "v0"))).reason == "ETAG_MISMATCH"
    await surveys.parameters("370781", 600, 0, "v1")
    assert (await surveys.rate(branch_id)).state == ONLINE
    error = await refusal_of(lambda: surveys.parameters("3707", 600, 0, "v0"))
    assert [violation.field for violation in error.fields] == ["organisation_id"]
    other = await surveys.stub.GetSurveyParameters(pb.GetSurveyParametersRequest(organisation_id="370724"))
    assert (other.parameters.threshold_permille, other.parameters.hysteresis_permille, other.etag) == (500, 50, "v0")


async def test_a_virtual_branch_has_no_survey(surveys: Surveys, party: Party, owner: asyncpg.Connection) -> None:
    branch_id = await party.branch()
    await owner.execute("update organisation set virtual = true where organisation_id = $1", branch_id)
    assert (await refusal_of(lambda: surveys.go_online(branch_id))).reason == "BRANCH_IS_VIRTUAL"
    assert (await refusal_of(lambda: surveys.rate(branch_id))).reason == "BRANCH_IS_VIRTUAL"
    assert (await refusal_of(lambda: surveys.go_online("370724"))).reason == "NOT_FOUND"


@pytest.mark.parametrize(
    ("account_id", "expected"),
    [
        (LINQU_ADMIN, "RATE_TOO_LOW"),
        (PROVINCE_ADMIN, "RATE_TOO_LOW"),
        (LINQU_APPROVER, "PERMISSION_DENIED"),
        (STRANGER, "PERMISSION_DENIED"),
    ],
)
async def test_only_an_office_of_the_branch_or_above_takes_it_online(
    surveys: Surveys, party: Party, account_id: str, expected: str
) -> None:
    branch_id = await party.branch()
    assert await outcome_of(surveys.go_online(branch_id, account_id=account_id)) == expected
    assert await outcome_of(surveys.go_online(await party.branch("370781"), account_id=LINQU_ADMIN)) == (
        "PERMISSION_DENIED"
    )


async def test_whoever_no_branch_holds_has_nothing_to_answer(surveys: Surveys) -> None:
    nobody = Person(member_id=new_ulid(), county_code="370724")
    assert (await refusal_of(lambda: surveys.answer(nobody))).reason == "MEMBER_RECORD_REQUIRED"
    assert (await refusal_of(lambda: surveys.mine(nobody))).reason == "MEMBER_RECORD_REQUIRED"


async def test_the_roster_comes_in_pages_with_the_rate(surveys: Surveys, party: Party) -> None:
    branch_id = await party.branch()
    people = await party.people(branch_id, 5)
    await party.people(branch_id, 1, PartyStatus.APPLICANT)
    await surveys.answer(people[2])
    metadata = party.as_account(LINQU_ADMIN)
    request = pb.ListSurveyAnswersRequest(organisation_id=branch_id, page_size=3)
    first = await surveys.stub.ListSurveyAnswers(request, metadata=metadata)
    request.page_token = first.next_page_token
    second = await surveys.stub.ListSurveyAnswers(request, metadata=metadata)
    rows = [*first.answers, *second.answers]
    assert [row.member_id for row in rows] == sorted(person.member_id for person in people)
    assert {row.member_id for row in rows if row.state == STATED} == {people[2].member_id}
    assert (second.next_page_token, _counts(second.rate)) == ("", (5, 1, 1, 200))


async def test_rates_are_listed_below_every_organisation(surveys: Surveys, party: Party) -> None:
    online, _ = await surveys.online_branch(1)
    offline = await party.branch()
    abroad = await party.branch("370781")
    metadata = party.as_account(PROVINCE_ADMIN)

    async def listed(organisation_id: str, *states: "survey_pb2.OnlineState.ValueType") -> set[str]:
        found: list[str] = []
        request = pb.ListOnlineRatesRequest(organisation_id=organisation_id, states=states, page_size=7)
        while True:
            response = await surveys.stub.ListOnlineRates(request, metadata=metadata)
            found += [rate.branch_id for rate in response.rates]
            request.page_token = response.next_page_token
            if not request.page_token:
                assert len(found) == len(set(found))
                return set(found)

    everywhere = {online, offline, abroad}
    assert await listed("37") >= everywhere
    assert await listed("3707") >= everywhere
    assert await listed("370724") & everywhere == {online, offline}
    assert await listed("370724", ONLINE) & everywhere == {online}
    assert await listed("370724", OFFLINE) & everywhere == {offline}
    assert await listed(online) == {online}


async def test_the_database_shows_answers_to_their_county_alone(
    app_connection: asyncpg.Connection, surveys: Surveys, party: Party
) -> None:
    branch_id = await party.branch()
    (person,) = await party.people(branch_id, 1)
    await surveys.answer(person)
    for scope, expected in (("370781", 0), ("", 0), ("370724", 1)):
        async with app_connection.transaction():
            await app_connection.execute("select set_config('zhibu.counties', $1, true)", scope)
            seen = await app_connection.fetchval(
                "select count(*) from survey_answer where member_id = $1", person.member_id
            )
        assert seen == expected


async def test_reconciling_tells_every_state_and_every_report_that_waits(
    surveys: Surveys, party: Party, states: list[OnlineStateChanged], reports: list[SurveyAnswerReported]
) -> None:
    branch_id, _ = await surveys.online_branch(1)
    (person,) = await party.people(branch_id, 1)
    await surveys.report(branch_id, [person])
    await wait_until(lambda: any(event.member_id == person.member_id for event in reports))
    await wait_until(lambda: any(event.branch_id == branch_id for event in states))
    async with party.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        told = [event async for event, _ in survey_snapshot(transaction)]
    assert next(event for event in reports if event.member_id == person.member_id) in told
    assert branch_id in {event.branch_id for event in told if isinstance(event, OnlineStateChanged)}

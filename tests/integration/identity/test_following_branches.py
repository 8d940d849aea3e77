"""What identity does when branches tells: places, moves to another county, status and standing, posts, successors."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from google.protobuf.message import Message
from integration.identity.people_by_hand import RosterPerson, enter_people
from integration.identity.running_identity import (
    LINQU,
    LINQU_BRANCH,
    QINGZHOU,
    QINGZHOU_BRANCH,
    Applicant,
    Identity,
)
from integration.identity.setting_up import Workbench
from integration.identity.working_by_hand import (
    approve_by_hand,
    eids_of,
    file_by_hand,
    load,
    undo_by_hand,
    work_to_the_end,
    work_with_a_power_cut,
)
from support.rpc import bearer
from zhibu.branches.v1 import branches_events_pb2 as pb
from zhibu.branches.v1 import committee_pb2, membership_pb2, organisation_pb2
from zhibu.identity.v1 import eid_service_pb2 as eid_pb
from zhibu_identity import following_branches as following
from zhibu_identity.eids.accounts import NewAccount
from zhibu_identity.eids.login_codes import find_living_by_number
from zhibu_identity.eids.records import Eid, EidState, RevocationReason
from zhibu_identity.eids.revoking import revoke_eid
from zhibu_identity.erasures.records import propose
from zhibu_identity.grants.records import Grant, list_held_grants
from zhibu_identity.keys.numbers import NumberKind
from zhibu_identity.people.filling_in import fill_in_people
from zhibu_identity.people.records import PersonRecord, open_details, record_of
from zhibu_identity.rules.erasure import ErasureState
from zhibu_identity.rules.search_terms import terms_of_query
from zhibu_identity.tasks.queue import TaskKind, add_task
from zhibu_identity.tasks.worker import work_once
from zhibu_kit.events import EventContext, event_type_of
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope
from zhibu_kit.testing.nats_server import ADMIN, NatsServer
from zhibu_kit.testing.waiting import wait_until

PHYSICAL = membership_pb2.MEMBERSHIP_KIND_PHYSICAL
SECOND_BRANCH = "370724-b01jd0000000000000000000003"


def membership(
    member_id: str, branch_id: str = LINQU_BRANCH, *, active: bool = True, version: int = 1, membership_id: str = ""
) -> pb.MembershipChanged:
    return pb.MembershipChanged(
        membership_id=membership_id or new_ulid(),
        member_id=member_id,
        branch_id=branch_id,
        county_code=branch_id[:6],
        kind=PHYSICAL,
        active=active,
        start_date="2020-07-01",
        version=version,
    )


def post(
    member_id: str, kind: committee_pb2.Post.ValueType, *, active: bool = True, version: int = 1, post_id: str = ""
) -> pb.PostChanged:
    return pb.PostChanged(
        post_id=post_id or new_ulid(),
        member_id=member_id,
        branch_id=LINQU_BRANCH,
        county_code=LINQU,
        post=kind,
        active=active,
        start_date="2026-01-01",
        end_date=(date.today() + timedelta(days=900)).isoformat(),  # noqa: DTZ011 - any day far enough away
        version=version,
    )


async def follow(workbench: Workbench, *events: Message) -> None:
    """Have identity handle events of branches, each in a transaction of its own under the event's county."""
    for event in events:
        async with workbench.parts.database.transaction(Scope.of(LINQU)) as transaction:
            match event:
                case pb.MembershipChanged():
                    await following.follow_membership(transaction, workbench.parts, event)
                case pb.MemberRecordChanged():
                    await following.follow_record(transaction, workbench.parts, event)
                case pb.PostChanged():
                    await following.follow_post(transaction, workbench.parts, event)
                case pb.OrganisationChanged():
                    await following.follow_organisation(transaction, workbench.parts, event)
                case _:
                    raise AssertionError(event.DESCRIPTOR.name)


async def person_of(workbench: Workbench, member_id: str) -> PersonRecord:
    row = await workbench.databases.owner.fetchrow("select * from person where member_id = $1", member_id)
    assert row is not None
    return record_of(tuple(row.values()))


async def issued(workbench: Workbench, applicant: Applicant | None = None) -> Eid:
    application = await approve_by_hand(workbench, await file_by_hand(workbench, applicant))
    await work_to_the_end(workbench)
    *_, eid = await eids_of(workbench, application)
    return eid


async def grants_of(workbench: Workbench, member_id: str) -> list[tuple[str, str, bool]]:
    rows = await workbench.databases.owner.fetch(
        "select office, account_id, ended_at is null as holds from office_grant where member_id = $1 order by office",
        member_id,
    )
    return [(row["office"], row["account_id"], row["holds"]) for row in rows]


async def list_grants_held(workbench: Workbench, member_id: str) -> list[Grant]:
    """What somebody may do by now, ten years on."""
    async with workbench.parts.database.transaction(Scope.of(LINQU)) as transaction:
        later = workbench.parts.clock.now() + timedelta(days=3650)
        return list(await list_held_grants(transaction, member_id, now=later))


def record_says(member_id: str, standing: membership_pb2.Standing.ValueType, *, version: int) -> pb.MemberRecordChanged:
    return pb.MemberRecordChanged(
        member_id=member_id,
        county_code=LINQU,
        branch_id=LINQU_BRANCH,
        status=membership_pb2.PARTY_STATUS_FULL,
        standing=standing,
        version=version,
    )


@pytest.mark.parametrize("together", [False, True])
async def test_who_is_restored_applies_for_a_new_e_id_and_the_old_one_stays_revoked(
    workbench: Workbench, together: bool
) -> None:
    applicant = Applicant(real_name="宋濂")
    old = await issued(workbench, applicant)
    place = membership(old.member_id)
    await follow(workbench, place, record_says(old.member_id, membership_pb2.STANDING_EXPELLED, version=2))
    gone = membership(old.member_id, active=False, version=2, membership_id=place.membership_id)
    await follow(workbench, gone)
    await work_to_the_end(workbench)
    numbers = workbench.vault.numbers
    assert await numbers.find_here(NumberKind.RESIDENT, [applicant.resident_number], county_code=LINQU) == {}
    async with workbench.parts.database.transaction(Scope.of(LINQU)) as transaction:
        await propose(
            transaction,
            None,
            member_id=old.member_id,
            county_code=LINQU,
            officer="0" * 26,
            reason="本人申请。",
            now=workbench.clock.now(),
        )
    opened = record_says(old.member_id, membership_pb2.STANDING_PRESENT, version=3)
    if together:
        async with workbench.parts.database.transaction(Scope.of(LINQU)) as transaction:
            await following.follow_records(transaction, workbench.parts, [opened])
        await follow(workbench, membership(old.member_id))
    else:
        await follow(workbench, membership(old.member_id), opened)
    await work_to_the_end(workbench)
    person = await person_of(workbench, old.member_id)
    assert (person.closed, person.branch_id) == (False, LINQU_BRANCH)
    assert await workbench.databases.owner.fetchval("select state from erasure_proposal") == int(ErasureState.EXPIRED)
    new = await issued(workbench, applicant)
    assert (new.member_id, new.state) == (old.member_id, EidState.ISSUED)
    states = await workbench.databases.owner.fetch("select eid_id, state from eid order by eid_id")
    assert {row["eid_id"]: row["state"] for row in states} == {old.eid_id: 3, new.eid_id: 1}


async def test_a_membership_places_a_person_and_its_end_takes_them_out_in_whatever_order_they_come(
    workbench: Workbench,
) -> None:
    eid = await issued(workbench)
    first = membership(eid.member_id)
    await follow(workbench, first)
    assert (await person_of(workbench, eid.member_id)).branch_id == LINQU_BRANCH
    ended = membership(eid.member_id, membership_id=first.membership_id, active=False, version=2)
    # The new one is told before the end of the old one.
    await follow(workbench, membership(eid.member_id, SECOND_BRANCH), ended)
    assert (await person_of(workbench, eid.member_id)).branch_id == SECOND_BRANCH
    # An old word changes nothing.
    await follow(workbench, first)
    assert (await person_of(workbench, eid.member_id)).branch_id == SECOND_BRANCH
    shown = await workbench.databases.owner.fetchval("select branch_id from eid where eid_id = $1", eid.eid_id)
    assert shown == SECOND_BRANCH


MOVING = ("key moved", "member indexed there", "account moved", "rows moved, not committed")


@pytest.mark.parametrize("step", [None, *MOVING])
async def test_who_moves_to_another_county_takes_key_tokens_eid_and_account_along(
    workbench: Workbench, step: str | None
) -> None:
    applicant = Applicant(real_name="何同志")
    eid = await issued(workbench, applicant)
    await follow(workbench, membership(eid.member_id), membership(eid.member_id, QINGZHOU_BRANCH))
    if step is not None:
        await work_with_a_power_cut(workbench, step)
    await work_to_the_end(workbench)
    record = await person_of(workbench, eid.member_id)
    assert (record.county_code, record.branch_id) == (QINGZHOU, QINGZHOU_BRANCH)
    key = await workbench.vault.find_member_key(eid.member_id, QINGZHOU)
    assert key is not None
    assert open_details(record.details, key).real_name == "何同志"
    assert await workbench.vault.find_member_key(eid.member_id, LINQU) is None
    search = workbench.vault.search.find_members
    assert await search(QINGZHOU, terms_of_query("何同志")) == [eid.member_id]
    assert await search(LINQU, terms_of_query("何同志")) == []
    assert [one.county_code for one in workbench.accounts.of_member(eid.member_id)] == [QINGZHOU]
    living = await find_living_by_number(workbench.parts, workbench.accounts.of_member(eid.member_id)[0].eid_number)
    assert living is not None
    assert (living.county_code, living.organisation_id, living.branch_id) == (QINGZHOU, QINGZHOU, QINGZHOU_BRANCH)
    assert await workbench.vault.find_seed(key, eid.eid_id, county_code=QINGZHOU) is not None


@pytest.mark.parametrize("kind", [TaskKind.DROP_ACCOUNT, TaskKind.DELETE_ACCOUNT])
async def test_an_account_that_is_to_go_while_its_member_moves_goes_when_they_have_moved(
    workbench: Workbench, kind: TaskKind
) -> None:
    eid = await issued(workbench)
    await follow(workbench, membership(eid.member_id), membership(eid.member_id, QINGZHOU_BRANCH))
    await work_with_a_power_cut(workbench, "key moved")
    key = await workbench.vault.find_member_key(eid.member_id, QINGZHOU)
    assert key is not None
    number = "370724269999999"
    unneeded = await workbench.accounts.open(
        NewAccount(eid_number=number, member_id=eid.member_id, county_code=LINQU, totp_seed="A" * 32)
    )
    async with workbench.parts.database.transaction(Scope.of(LINQU)) as transaction:
        await add_task(
            transaction,
            kind,
            county_code=LINQU,
            member_id=eid.member_id,
            eid_id=new_ulid(),
            account_id=unneeded,
            eid_number=key.seal(number, place="eid.eid_number"),
            due_at=workbench.clock.now(),
        )
    # Before the rest of the move: the key stands there, the task here.
    await work_once(workbench.parts, frozenset({kind}))
    assert unneeded in workbench.accounts.accounts
    await work_to_the_end(workbench)
    assert [one.account_id for one in workbench.accounts.of_member(eid.member_id)] == [eid.account_id]
    assert await workbench.databases.owner.fetchval("select count(*) from account_task where done_at is null") == 0


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (membership_pb2.STANDING_DIED, RevocationReason.DIED),
        (membership_pb2.STANDING_LEFT, RevocationReason.LEFT),
        (membership_pb2.STANDING_EXPELLED, RevocationReason.LEFT),
        (membership_pb2.STANDING_MOVED_OUT, RevocationReason.LEFT),
    ],
)
async def test_a_record_that_ended_revokes_the_eid_and_ends_the_offices(
    workbench: Workbench, standing: membership_pb2.Standing.ValueType, reason: RevocationReason
) -> None:
    eid = await issued(workbench)
    await follow(workbench, post(eid.member_id, committee_pb2.POST_SECRETARY))
    event = pb.MemberRecordChanged(
        member_id=eid.member_id,
        county_code=LINQU,
        branch_id=LINQU_BRANCH,
        status=membership_pb2.PARTY_STATUS_FULL,
        standing=standing,
        end_date="2026-11-20",
        version=2,
    )
    await follow(workbench, event, event)
    row = await workbench.databases.owner.fetchrow(
        "select state, revocation_reason from eid where eid_id = $1", eid.eid_id
    )
    assert row is not None
    assert tuple(row) == (int(EidState.REVOKED), int(reason))
    record = await person_of(workbench, eid.member_id)
    assert (record.party_status, record.standing, record.closed) == (5, int(standing), True)
    assert await grants_of(workbench, eid.member_id) == [("branch_secretary", eid.account_id, False)]
    await work_to_the_end(workbench)
    assert not workbench.accounts.accounts[eid.account_id].enabled


async def test_a_present_record_revokes_nothing(workbench: Workbench) -> None:
    eid = await issued(workbench)
    event = pb.MemberRecordChanged(
        member_id=eid.member_id,
        county_code=LINQU,
        status=membership_pb2.PARTY_STATUS_PROBATIONARY,
        standing=membership_pb2.STANDING_PRESENT,
        version=1,
    )
    await follow(workbench, event)
    record = await person_of(workbench, eid.member_id)
    assert (record.party_status, record.standing, record.closed) == (4, 1, False)
    state = await workbench.databases.owner.fetchval("select state from eid where eid_id = $1", eid.eid_id)
    assert state == int(EidState.ISSUED)


async def test_an_office_begins_and_ends_with_its_post_and_some_posts_have_none(workbench: Workbench) -> None:
    eid = await issued(workbench)
    secretary = post(eid.member_id, committee_pb2.POST_SECRETARY)
    await follow(
        workbench,
        secretary,
        post(eid.member_id, committee_pb2.POST_DEPUTY_SECRETARY),
        post(eid.member_id, committee_pb2.POST_ORGANISATION),
        post(eid.member_id, committee_pb2.POST_PUBLICITY),
        post(eid.member_id, committee_pb2.POST_MEMBER),
    )
    assert [(office, holds) for office, _, holds in await grants_of(workbench, eid.member_id)] == [
        ("branch_deputy", True),
        ("branch_organiser", True),
        ("branch_secretary", True),
    ]
    ended = post(eid.member_id, committee_pb2.POST_SECRETARY, active=False, version=2, post_id=secretary.post_id)
    await follow(workbench, ended, ended)
    assert ("branch_secretary", eid.account_id, False) in await grants_of(workbench, eid.member_id)
    held = await workbench.databases.owner.fetchval(
        "select revoked from kit_grant where grant_id = $1", secretary.post_id
    )
    assert held is True


async def test_an_office_outlasts_the_term_as_its_post_does_and_ends_with_it_alone(workbench: Workbench) -> None:
    eid = await issued(workbench)
    secretary = post(eid.member_id, committee_pb2.POST_SECRETARY)
    # The term was over long ago, nobody was elected, and the branch needs somebody to lead it.
    secretary.start_date, secretary.end_date = "2021-01-01", "2023-12-31"
    await follow(workbench, secretary)
    assert await grants_of(workbench, eid.member_id) == [("branch_secretary", eid.account_id, True)]
    (held,) = await list_grants_held(workbench, eid.member_id)
    assert (held.grant_id, held.ends_at) == (secretary.post_id, None)
    successor = post(eid.member_id, committee_pb2.POST_SECRETARY, active=False, version=2, post_id=secretary.post_id)
    await follow(workbench, successor)
    assert await grants_of(workbench, eid.member_id) == [("branch_secretary", eid.account_id, False)]
    assert await list_grants_held(workbench, eid.member_id) == []


async def test_who_gets_an_eid_after_the_post_gets_the_office_with_it(workbench: Workbench) -> None:
    application = await file_by_hand(workbench)
    await follow(workbench, post(application.member_id, committee_pb2.POST_SECRETARY))
    assert await grants_of(workbench, application.member_id) == []
    await approve_by_hand(workbench, application)
    await work_to_the_end(workbench)
    (eid,) = await eids_of(workbench, application)
    assert await grants_of(workbench, application.member_id) == [("branch_secretary", eid.account_id, True)]


async def test_a_post_gives_no_office_back_while_its_holder_has_no_eid(workbench: Workbench) -> None:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    await work_to_the_end(workbench)
    (eid,) = await eids_of(workbench, application)
    secretary = post(eid.member_id, committee_pb2.POST_SECRETARY)
    await follow(workbench, secretary)
    async with workbench.parts.database.transaction(Scope.of(LINQU)) as transaction:
        await revoke_eid(transaction, workbench.parts, eid, reason=RevocationReason.COMPROMISED, note=None)
    assert await grants_of(workbench, eid.member_id) == [("branch_secretary", eid.account_id, False)]
    await follow(workbench, secretary)
    assert await grants_of(workbench, eid.member_id) == [("branch_secretary", eid.account_id, False)]


async def test_a_post_told_while_the_eid_is_being_issued_gives_the_office(workbench: Workbench) -> None:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    async with workbench.parts.database.transaction(Scope.of(LINQU)) as transaction:
        # Neither sees what the other has not committed; whoever comes second must look again.
        await following.follow_post(
            transaction, workbench.parts, post(application.member_id, committee_pb2.POST_SECRETARY)
        )
        issuing = asyncio.create_task(work_to_the_end(workbench))
        await wait_until(lambda: is_over_or_waits(workbench, issuing))
    await issuing
    (eid,) = await eids_of(workbench, application)
    assert await grants_of(workbench, eid.member_id) == [("branch_secretary", eid.account_id, True)]


async def is_over_or_waits(workbench: Workbench, task: asyncio.Task[None]) -> bool:
    waiting = "select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = $1)"
    name = workbench.databases.main.name
    return task.done() or bool(await workbench.databases.owner.fetchval(waiting, name))


async def test_whom_a_branch_holds_stays_one_person_when_they_apply_again(workbench: Workbench) -> None:
    applicant = Applicant(real_name="马云龙")
    eid = await issued(workbench, applicant)
    await follow(workbench, membership(eid.member_id))
    async with workbench.parts.database.transaction(Scope.of(LINQU)) as transaction:
        await revoke_eid(transaction, workbench.parts, eid, reason=RevocationReason.COMPROMISED, note=None)
    await work_to_the_end(workbench)
    again = await issued(workbench, applicant)
    assert again.member_id == eid.member_id
    assert await workbench.databases.owner.fetchval("select count(*) from person") == 1
    # Nothing is left under the identifier that the second application was filed with.
    keys = await workbench.databases.keys_owner.fetch("select member_id from member_key")
    assert [row["member_id"] for row in keys] == [eid.member_id]


async def test_open_applications_and_people_follow_a_merged_branch(workbench: Workbench) -> None:
    waiting = await file_by_hand(workbench, Applicant(branch_id=LINQU_BRANCH))
    person = RosterPerson(branch_id=LINQU_BRANCH)
    await enter_people(workbench.parts, [person])
    event = pb.OrganisationChanged(
        organisation_id=LINQU_BRANCH,
        parent_id=LINQU,
        level=organisation_pb2.ORGANISATION_LEVEL_BRANCH,
        county_code=LINQU,
        active=False,
        successor_id=SECOND_BRANCH,
        version=2,
    )
    await follow(workbench, event)
    assert (await load(workbench, waiting)).branch_id == SECOND_BRANCH
    assert (await person_of(workbench, person.member_id)).branch_id == SECOND_BRANCH


async def test_people_of_eids_that_were_issued_before_there_were_people_are_made_once(workbench: Workbench) -> None:
    applicant = Applicant(real_name="旧同志")
    eid = await issued(workbench, applicant)
    await workbench.databases.owner.execute("delete from person")
    assert await fill_in_people(workbench.parts) == 1
    assert await fill_in_people(workbench.parts) == 0
    record = await person_of(workbench, eid.member_id)
    key = await workbench.vault.find_member_key(eid.member_id, LINQU)
    details = open_details(record.details, key)
    assert (details.real_name, details.resident_number) == (applicant.real_name, applicant.resident_number)


async def test_whom_only_an_undone_approval_made_known_is_not_made_again(workbench: Workbench) -> None:
    application = await approve_by_hand(workbench, await file_by_hand(workbench))
    await work_to_the_end(workbench)
    await undo_by_hand(workbench, await load(workbench, application))
    assert await workbench.databases.owner.fetchval("select count(*) from person") == 0
    assert await fill_in_people(workbench.parts) == 0
    assert await workbench.databases.owner.fetchval("select count(*) from person") == 0


async def test_events_that_come_over_the_bus_are_followed(identity: Identity, nats: NatsServer) -> None:
    eid = await identity.issue()
    metadata = bearer(
        identity.issuer.token(
            identity.accounts.of_member(eid.member_id)[0].account_id, member_id=eid.member_id, county_code=LINQU
        )
    )
    events: list[tuple[Message, str]] = [
        (placed := membership(eid.member_id), placed.membership_id),
        (secretary := post(eid.member_id, committee_pb2.POST_SECRETARY), secretary.post_id),
    ]
    bus = await nats.connect(ADMIN)
    for event, key in events:
        kind = event_type_of(event.DESCRIPTOR)
        context = EventContext(
            event_id=new_ulid(),
            subject=kind.subject,
            key=key,
            version=1,
            county_code=LINQU,
            traceparent="",
            occurred_at=datetime.now(UTC),
        )
        headers = context.headers(event_type=kind.name, source="branches")
        await bus.publish(kind.subject, event.SerializeToString(), headers)
    await bus.close()

    async def in_office_and_in_branch() -> bool:
        mine = await identity.eids.GetMyEid(eid_pb.GetMyEidRequest(), metadata=metadata)
        return mine.eid.branch_id == LINQU_BRANCH and [one.office for one in mine.grants] == ["branch_secretary"]

    await wait_until(in_office_and_in_branch)


async def test_what_is_told_of_many_at_once_ends_as_if_each_were_told_by_itself(workbench: Workbench) -> None:
    """The same stories for two sets of people: one followed event by event, the other all at once."""
    stories = 8
    people: list[list[str]] = []
    for _ in range(2):
        entered = [new_ulid() for _ in range(stories)]
        await enter_people(workbench.parts, [RosterPerson(member_id=one) for one in entered[:-1]])
        people.append(entered)
    told_of = {side: _stories_of(people[side]) for side in range(2)}
    memberships, ends, records = told_of[0]
    await follow(workbench, *memberships, *ends, *records)
    memberships, ends, records = told_of[1]
    # Events of one key never come together.
    for lot in (memberships, ends):
        async with workbench.parts.database.transaction(Scope.of(LINQU)) as transaction:
            await following.follow_memberships(transaction, workbench.parts, lot)
    async with workbench.parts.database.transaction(Scope.of(LINQU)) as transaction:
        await following.follow_records(transaction, workbench.parts, records)
    one_by_one, together = [[await _end_of(workbench, one) for one in entered] for entered in people]
    assert together == one_by_one
    assert together[0] == ((SECOND_BRANCH, 5, 1), [(SECOND_BRANCH, True)], 0)
    assert together[1] == ((SECOND_BRANCH, 5, 1), [(LINQU_BRANCH, False), (SECOND_BRANCH, True)], 0)
    # Who moved to another county is taken there by a task.
    assert [tasks for _, _, tasks in together] == [0, 0, 1, 0, 0, 0, 0, 0]
    assert together[4][0] == ("", 0, 2)
    assert together[-1] == (None, [(LINQU_BRANCH, True)], 0)


def _stories_of(
    members: list[str],
) -> tuple[list[pb.MembershipChanged], list[pb.MembershipChanged], list[pb.MemberRecordChanged]]:
    placed, moved, left, virtual, died, _silent, ended_before, unknown = members
    first, of_died, never = membership(moved), membership(died), membership(ended_before, active=False, version=2)
    apart = membership(virtual, SECOND_BRANCH)
    apart.kind = membership_pb2.MEMBERSHIP_KIND_VIRTUAL
    memberships = [
        membership(placed, SECOND_BRANCH),
        first,
        membership(moved, SECOND_BRANCH),
        membership(left, QINGZHOU_BRANCH),
        apart,
        of_died,
        never,
        membership(unknown),
    ]
    ends = [
        membership(moved, membership_id=first.membership_id, active=False, version=2),
        membership(died, membership_id=of_died.membership_id, active=False, version=2),
        # Older than what was told before.
        membership(ended_before, membership_id=never.membership_id, version=1),
    ]
    records = [
        pb.MemberRecordChanged(
            member_id=one,
            county_code=LINQU,
            status=membership_pb2.PARTY_STATUS_FULL,
            standing=membership_pb2.STANDING_PRESENT,
            version=1,
        )
        for one in (placed, moved, left, virtual, ended_before, unknown)
    ]
    records.append(
        pb.MemberRecordChanged(member_id=died, county_code=LINQU, standing=membership_pb2.STANDING_DIED, version=2)
    )
    return memberships, ends, records


async def _end_of(
    workbench: Workbench, member_id: str
) -> tuple[tuple[str, int, int] | None, list[tuple[str, bool]], int]:
    owner = workbench.databases.owner
    row = await owner.fetchrow("select branch_id, party_status, standing from person where member_id = $1", member_id)
    places = await owner.fetch(
        "select branch_id, active from member_place where member_id = $1 order by membership_id", member_id
    )
    tasks = await owner.fetchval(
        "select count(*) from account_task where member_id = $1 and done_at is null", member_id
    )
    state = None if row is None else (row["branch_id"], row["party_status"], row["standing"])
    return state, [tuple(place) for place in places], int(tasks or 0)

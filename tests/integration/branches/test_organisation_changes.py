"""Moved, merged, split, dissolved: what becomes of members, open work and history; now and on a planned day."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from integration.branches.membership_support import memberships, organisations, virtual_branch
from integration.branches.party import Party
from integration.branches.running_branches import LINQU_ADMIN, LINQU_APPROVER, PROVINCE_ADMIN
from support.rpc import outcome_of, refusal_of
from zhibu.branches.v1 import branches_events_pb2, membership_pb2, organisation_change_pb2, organisation_pb2
from zhibu.branches.v1 import membership_service_pb2 as members_pb
from zhibu.branches.v1 import organisation_service_pb2 as pb
from zhibu_branches.planning import do_due_changes
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.ids import new_ulid

TOWNSHIP = organisation_pb2.ORGANISATION_LEVEL_TOWNSHIP
PLANNED = organisation_change_pb2.ORGANISATION_CHANGE_STATE_PLANNED
DONE = organisation_change_pb2.ORGANISATION_CHANGE_STATE_DONE
CANCELLED = organisation_change_pb2.ORGANISATION_CHANGE_STATE_CANCELLED
FAILED = organisation_change_pb2.ORGANISATION_CHANGE_STATE_FAILED


def today() -> date:
    return datetime.now(SHANGHAI).date()


async def township(party: Party, code: str) -> str:
    made = await party.branches.create("370724", TOWNSHIP, f"第{code}乡党委", code=code)
    return made.organisation_id


async def etag(party: Party, organisation_id: str) -> str:
    return (await party.branches.get(organisation_id)).etag


async def move(
    party: Party, organisation_id: str, target_id: str, *, day: str = "", account: str = LINQU_ADMIN
) -> organisation_change_pb2.OrganisationChange:
    request = pb.MoveOrganisationRequest(
        organisation_id=organisation_id,
        target_id=target_id,
        effective_date=day,
        document_number="临组〔2026〕3号",
        etag=await etag(party, organisation_id),
        request_id=new_ulid(),
    )
    return (await organisations(party).MoveOrganisation(request, metadata=party.as_account(account))).change


async def merge(
    party: Party, organisation_id: str, target_id: str, *, day: str = ""
) -> organisation_change_pb2.OrganisationChange:
    request = pb.MergeOrganisationsRequest(
        organisation_id=organisation_id,
        target_id=target_id,
        effective_date=day,
        etag=await etag(party, organisation_id),
        request_id=new_ulid(),
    )
    return (await organisations(party).MergeOrganisations(request, metadata=party.as_account(LINQU_ADMIN))).change


async def dissolve(
    party: Party, organisation_id: str, target_id: str = "", *, day: str = ""
) -> organisation_change_pb2.OrganisationChange:
    request = pb.DissolveOrganisationRequest(
        organisation_id=organisation_id,
        target_id=target_id,
        effective_date=day,
        etag=await etag(party, organisation_id),
        request_id=new_ulid(),
    )
    return (await organisations(party).DissolveOrganisation(request, metadata=party.as_account(LINQU_ADMIN))).change


async def places(owner: asyncpg.Connection, branch_id: str) -> int:
    count = await owner.fetchval(
        """select count(*) from member_record r join membership m using (member_id)
           where m.end_date is null and m.kind = 1 and m.branch_id = r.branch_id and r.branch_id = $1""",
        branch_id,
    )
    assert isinstance(count, int)
    return count


async def test_a_branch_moves_and_everybody_is_told(party: Party, owner: asyncpg.Connection) -> None:
    one, other = await township(party, "370724110"), await township(party, "370724111")
    branch = await party.branch(one)
    change = await move(party, branch, other)
    assert (change.state, change.target_id, change.document_number) == (DONE, other, "临组〔2026〕3号")
    moved = await party.branches.get(branch)
    assert (moved.parent_id, list(moved.ancestor_ids)) == (other, ["37", "3707", "370724", other])
    payload = await owner.fetchval(
        "select payload from kit_outbox where key = $1 order by version desc limit 1", branch
    )
    assert isinstance(payload, bytes)
    event = branches_events_pb2.OrganisationChanged.FromString(payload)
    assert (event.parent_id, event.version) == (other, 2)
    assert await owner.fetchval("select parent_id from kit_organisation where organisation_id = $1", branch) == other


async def test_a_county_moves_below_another_city_with_all_that_stands_below(
    party: Party, owner: asyncpg.Connection
) -> None:
    await party.branches.create("37", organisation_pb2.ORGANISATION_LEVEL_CITY, "淄博市", code="3703")
    await party.branches.create("3707", organisation_pb2.ORGANISATION_LEVEL_COUNTY, "沂源县", code="370799")
    below = await party.branches.create("370799", TOWNSHIP, "南麻乡", code="370799101")
    branch = await party.branch(below.organisation_id)
    assert await outcome_of(move(party, "370799", "3703")) == "PERMISSION_DENIED"
    await move(party, "370799", "3703", account=PROVINCE_ADMIN)
    assert list((await party.branches.get(branch)).ancestor_ids) == ["37", "3703", "370799", "370799101"]
    told = await owner.fetchval(
        "select count(*) from kit_outbox where key = any($1) and version = 2", ["370799", "370799101", branch]
    )
    assert told == 3
    # Permissions look at the projection: whoever holds an office at the old city has lost the county, at once.
    chain = await owner.fetchval("select parent_id from kit_organisation where organisation_id = '370799'")
    assert chain == "3703"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("370781", "PERMISSION_DENIED"),
        ("370724", "CHANGE_STANDS_THERE"),
        ("self", "CHANGE_INTO_ITSELF"),
        ("branch", "CHANGE_NOT_FOR_LEVEL"),
        ("370724-bnowhere", "PERMISSION_DENIED"),
    ],
)
async def test_a_move_that_does_not_fit_is_refused(party: Party, target: str, expected: str) -> None:
    branch = await party.branch()
    target_id = {"self": branch, "branch": await party.branch()}.get(target, target)
    assert await outcome_of(move(party, branch, target_id)) == expected


async def test_a_merged_branch_gives_its_members_to_the_one_that_stays(party: Party, owner: asyncpg.Connection) -> None:
    gone, stays = await party.branch(), await party.branch()
    people = [*(await party.people(gone, 5)), *(await party.people(stays, 2))]
    change = await merge(party, gone, stays)
    assert (change.state, change.member_count) == (DONE, 5)
    ended = await party.branches.get(gone)
    assert (ended.active, ended.successor_id) == (False, stays)
    assert (await places(owner, gone), await places(owner, stays)) == (0, 7)
    reasons = await owner.fetch("select distinct end_reason from membership where branch_id = $1", gone)
    assert [row["end_reason"] for row in reasons] == [4]
    mine = await memberships(party).ListMyMemberships(
        members_pb.ListMyMembershipsRequest(), metadata=party.as_member(people[0])
    )
    assert [one.branch_id for one in mine.memberships] == [stays]
    # Refused either way: at the door as soon as the kit's cache has forgotten the branch, until then by the rule.
    assert await outcome_of(merge(party, gone, stays)) in {"ORGANISATION_DISSOLVED", "PERMISSION_DENIED"}


async def test_a_merged_township_gives_its_branches_and_two_of_one_name_stop_it(party: Party) -> None:
    gone, stays = await township(party, "370724120"), await township(party, "370724121")
    branch = await party.branch(gone)
    same = [await party.branches.create(one, 5, "同名党支部") for one in (gone, stays)]
    assert await outcome_of(merge(party, gone, stays)) == "ORGANISATION_NAME_TAKEN"
    await party.branches.rename(same[0].organisation_id, "另名党支部", same[0].etag)
    await merge(party, gone, stays)
    moved = await party.branches.get(branch)
    assert (moved.parent_id, list(moved.ancestor_ids)) == (stays, ["37", "3707", "370724", stays])
    assert (await party.branches.get(gone)).active is False


async def test_merged_virtual_branches_take_members_of_other_counties_along(
    party: Party, owner: asyncpg.Connection
) -> None:
    gone, stays = await virtual_branch(party), await virtual_branch(party)
    (here,) = await party.people(await party.branch(), 1)
    (there,) = await party.people(await party.branch("370781"), 1)
    for person, branches in ((here, (gone, stays)), (there, (gone,))):
        for branch_id in branches:
            asked = await memberships(party).RequestMembership(
                members_pb.RequestMembershipRequest(branch_id=branch_id), metadata=party.as_member(person)
            )
            await memberships(party).DecideMembershipRequest(
                members_pb.DecideMembershipRequestRequest(
                    organisation_id=branch_id,
                    membership_request_id=asked.request.membership_request_id,
                    admit=True,
                    etag=asked.etag,
                ),
                metadata=party.as_account(PROVINCE_ADMIN),
            )
    (waiting,) = await party.people(await party.branch(), 1)
    await memberships(party).RequestMembership(
        members_pb.RequestMembershipRequest(branch_id=gone), metadata=party.as_member(waiting)
    )
    assert await outcome_of(merge(party, gone, await party.branch())) == "CHANGE_ANOTHER_KIND"
    await merge(party, gone, stays)
    held = await owner.fetch(
        "select member_id from membership where branch_id = $1 and end_date is null order by 1", stays
    )
    assert [row["member_id"] for row in held] == sorted([here.member_id, there.member_id])
    state = await owner.fetchval("select state from membership_request where member_id = $1", waiting.member_id)
    assert state == members_pb.MEMBERSHIP_REQUEST_STATE_LAPSED


async def split(
    party: Party, branch: str, name: str, member_ids: list[str], *, day: str = ""
) -> organisation_change_pb2.OrganisationChange:
    request = pb.SplitOrganisationRequest(
        organisation_id=branch,
        new_name=name,
        member_ids=member_ids,
        effective_date=day,
        etag=await etag(party, branch),
        request_id=new_ulid(),
    )
    return (await organisations(party).SplitOrganisation(request, metadata=party.as_account(LINQU_ADMIN))).change


async def test_a_split_makes_a_branch_beside_with_the_members_named(party: Party, owner: asyncpg.Connection) -> None:
    branch = await party.branch()
    people = [person.member_id for person in await party.people(branch, 5)]
    assert await outcome_of(split(party, branch, party.name("新"), people)) == "SPLIT_NOBODY_STAYS"
    assert await outcome_of(split(party, branch, party.name("新"), [new_ulid()])) == "SPLIT_MEMBER_NOT_HERE"
    change = await split(party, branch, party.name("新"), people[:2])
    made = await party.branches.get(change.target_id)
    assert (made.parent_id, made.active, change.member_count) == ("370724", True, 2)
    assert (await places(owner, branch), await places(owner, change.target_id)) == (3, 2)
    assert await outcome_of(split(party, await virtual_branch(party), party.name("新"), people[:1])) == (
        "SPLIT_MEMBER_NOT_HERE"
    )


async def test_a_branch_with_members_ends_only_when_another_takes_them(party: Party, owner: asyncpg.Connection) -> None:
    branch, target = await party.branch(), await party.branch()
    await party.people(branch, 3)
    assert await outcome_of(dissolve(party, branch)) == "CHANGE_TARGET_WANTED"
    await dissolve(party, branch, target)
    assert (await places(owner, target), (await party.branches.get(branch)).successor_id) == (3, target)
    empty = await party.branch()
    assert (await dissolve(party, empty)).state == DONE
    above = await township(party, "370724130")
    await party.branch(above)
    assert await outcome_of(dissolve(party, above)) == "ORGANISATION_NOT_EMPTY"


async def test_a_planned_change_waits_for_its_day_and_is_done_at_its_beginning(party: Party) -> None:
    branch = await party.branch()
    day = today() + timedelta(days=30)
    request = pb.RenameOrganisationRequest(
        organisation_id=branch,
        name=party.name("更名"),
        etag=await etag(party, branch),
        effective_date=day.isoformat(),
        request_id=new_ulid(),
    )
    planned = await organisations(party).RenameOrganisation(request, metadata=party.as_account(LINQU_ADMIN))
    assert (planned.change.state, planned.organisation.name == request.name) == (PLANNED, False)
    midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)
    await do_due_changes(party.database, now=midnight - timedelta(seconds=1))
    assert (await party.branches.get(branch)).name != request.name
    await do_due_changes(party.database, now=midnight)
    assert (await party.branches.get(branch)).name == request.name
    listed = await organisations(party).ListOrganisationChanges(
        pb.ListOrganisationChangesRequest(organisation_id=branch), metadata=party.as_account(LINQU_ADMIN)
    )
    assert [(one.state, one.new_name) for one in listed.changes] == [(DONE, request.name)]
    history = await organisations(party).ListOrganisationHistory(
        pb.ListOrganisationHistoryRequest(organisation_id=branch)
    )
    assert [(one.name == request.name, one.start_date, one.end_date) for one in history.versions] == [
        (True, day.isoformat(), ""),
        (False, today().isoformat(), (day - timedelta(days=1)).isoformat()),
    ]


async def test_a_plan_that_cannot_be_done_on_its_day_says_why_and_changes_nothing(
    party: Party, owner: asyncpg.Connection
) -> None:
    branch, target = await party.branch(), await party.branch()
    await party.people(branch, 2)
    day = today() + timedelta(days=1)
    await merge(party, branch, target, day=day.isoformat())
    # Meanwhile the one that was to stay ends, and nobody took it over.
    await dissolve(party, target)
    await do_due_changes(party.database, now=datetime.now(UTC) + timedelta(days=2))
    listed = await organisations(party).ListOrganisationChanges(
        pb.ListOrganisationChangesRequest(organisation_id=branch), metadata=party.as_account(LINQU_ADMIN)
    )
    (change,) = listed.changes
    assert (change.state, change.failure_reason) == (FAILED, "CHANGE_TARGET_DISSOLVED")
    assert change.failure_message
    assert ((await party.branches.get(branch)).active, await places(owner, branch)) == (True, 2)


async def test_a_plan_follows_the_organisation_that_took_over(party: Party) -> None:
    first, second, third = [await party.branch() for _ in range(3)]
    await party.people(first, 1)
    await merge(party, first, second, day=(today() + timedelta(days=1)).isoformat())
    await merge(party, second, third)
    await do_due_changes(party.database, now=datetime.now(UTC) + timedelta(days=2))
    assert (await party.branches.get(first)).successor_id == third


async def test_a_plan_can_be_cancelled_before_its_day_and_only_then(party: Party) -> None:
    branch = await party.branch()
    planned = await dissolve(party, branch, day=(today() + timedelta(days=5)).isoformat())
    request = pb.CancelOrganisationChangeRequest(
        organisation_id=branch, organisation_change_id=planned.organisation_change_id, etag=planned.etag
    )
    stub = organisations(party)
    cancelled = await stub.CancelOrganisationChange(request, metadata=party.as_account(LINQU_ADMIN))
    assert cancelled.change.state == organisation_change_pb2.ORGANISATION_CHANGE_STATE_CANCELLED
    again = stub.CancelOrganisationChange(request, metadata=party.as_account(LINQU_ADMIN))
    assert await outcome_of(again) == "CHANGE_NOT_PLANNED"
    await do_due_changes(party.database, now=datetime.now(UTC) + timedelta(days=6))
    assert (await party.branches.get(branch)).active


async def test_days_that_passed_or_lie_too_far_ahead_are_refused(party: Party) -> None:
    branch = await party.branch()
    for day, reason in (("2020-01-01", "EFFECTIVE_DATE_PASSED"), ("2099-01-01", "EFFECTIVE_DATE_TOO_FAR")):

        async def attempt(day: str = day) -> object:
            return await dissolve(party, branch, day=day)

        refused = await refusal_of(attempt)
        assert [(one.field, one.reason) for one in refused.fields] == [("effective_date", reason)]
    denied = organisations(party).DissolveOrganisation(
        pb.DissolveOrganisationRequest(organisation_id=branch, etag="v1"), metadata=party.as_account(LINQU_APPROVER)
    )
    assert await outcome_of(denied) == "PERMISSION_DENIED"


async def test_the_tree_is_shown_as_of_any_day(party: Party, owner: asyncpg.Connection) -> None:
    one, other = await township(party, "370724140"), await township(party, "370724141")
    branch = await party.branch(one)
    # As if it had been so for a year: history is written by triggers from the time of the change.
    begin = today() - timedelta(days=365)
    await owner.execute(
        "update organisation_version set start_date = $1 where organisation_id = any($2)", begin, [one, other, branch]
    )
    await move(party, branch, other)
    stub = organisations(party)

    async def below(parent: str, day: date) -> list[str]:
        listed = await stub.ListOrganisations(pb.ListOrganisationsRequest(parent_id=parent, as_of_date=day.isoformat()))
        return [found.organisation_id for found in listed.organisations]

    yesterday = today() - timedelta(days=1)
    assert [await below(one, yesterday), await below(other, yesterday)] == [[branch], []]
    assert [await below(one, today()), await below(other, today())] == [[], [branch]]
    then = await stub.GetOrganisation(
        pb.GetOrganisationRequest(organisation_id=branch, as_of_date=yesterday.isoformat())
    )
    assert list(then.organisation.ancestor_ids)[-1] == one
    before = stub.GetOrganisation(
        pb.GetOrganisationRequest(organisation_id=branch, as_of_date=(begin - timedelta(days=1)).isoformat())
    )
    assert await outcome_of(before) == "NOT_FOUND"


async def test_members_who_left_before_the_day_do_not_go_with_a_planned_split(
    party: Party, owner: asyncpg.Connection
) -> None:
    branch = await party.branch()
    people = await party.people(branch, 4)
    day = (today() + timedelta(days=1)).isoformat()
    await split(party, branch, party.name("新"), [person.member_id for person in people[:2]], day=day)
    present = await memberships(party).GetMemberRecord(
        members_pb.GetMemberRecordRequest(organisation_id=branch, member_id=people[0].member_id),
        metadata=party.as_account(LINQU_ADMIN),
    )
    await memberships(party).RecordDecision(
        members_pb.RecordDecisionRequest(
            organisation_id=branch,
            member_id=people[0].member_id,
            decision_date=datetime.now(UTC).date().isoformat(),
            standing=membership_pb2.STANDING_DIED,
            document_number="1",
            etag=present.etag,
        ),
        metadata=party.as_account(LINQU_ADMIN),
    )
    await do_due_changes(party.database, now=datetime.now(UTC) + timedelta(days=2))
    (done,) = (
        await organisations(party).ListOrganisationChanges(
            pb.ListOrganisationChangesRequest(organisation_id=branch, states=[DONE]),
            metadata=party.as_account(LINQU_ADMIN),
        )
    ).changes
    assert (done.member_count, await places(owner, branch), await places(owner, done.target_id)) == (1, 2, 1)


@asynccontextmanager
async def newer(owner: asyncpg.Connection, change_id: str, column: str, number: int) -> AsyncGenerator[int]:
    """Have a change be as only a newer version knows it, as the migration of that version would allow."""
    check = await owner.fetchval(
        "select pg_get_constraintdef(oid) from pg_constraint where conname = $1", f"organisation_change_{column}_check"
    )
    await owner.execute(f"alter table organisation_change drop constraint organisation_change_{column}_check")
    await owner.execute(
        f"update organisation_change set {column} = $2 where organisation_change_id = $1", change_id, number
    )
    yield number
    await owner.execute("delete from organisation_change where organisation_change_id = $1", change_id)
    await owner.execute(f"alter table organisation_change add constraint organisation_change_{column}_check {check}")


async def test_a_change_of_a_kind_that_only_a_newer_version_knows_is_listed_and_never_done(
    party: Party, owner: asyncpg.Connection
) -> None:
    here, there = await township(party, "370724190"), await township(party, "370724191")
    unknown, known = await party.branch(here), await party.branch(here)
    day = today() + timedelta(days=3)
    first = await move(party, unknown, there, day=day.isoformat())
    second = await move(party, known, there, day=day.isoformat())
    unknown_kind = max(organisation_change_pb2.OrganisationChangeKind.values()) + 1
    async with newer(owner, first.organisation_change_id, "kind", unknown_kind):
        # At the township: a dissolved branch is no place any more at which somebody holds an office.
        request = pb.ListOrganisationChangesRequest(organisation_id=here)
        metadata = party.as_account(LINQU_ADMIN)
        changes = (await organisations(party).ListOrganisationChanges(request, metadata=metadata)).changes
        # Planned ones first.
        listed = next(one for one in changes if one.organisation_id == unknown)
        assert (listed.organisation_change_id, listed.kind) == (first.organisation_change_id, unknown_kind)
        # What was planned after it is done.
        await do_due_changes(
            party.database, now=datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)
        )
        assert (await party.branches.get(known)).parent_id == there
        assert (await party.branches.get(unknown)).parent_id == here
        # Nor is it given up when the organisation ends: a process that knows it judges.
        await dissolve(party, unknown)
        left = (await organisations(party).ListOrganisationChanges(request, metadata=metadata)).changes[0]
        assert (left.organisation_change_id, left.state, left.etag) == (listed.organisation_change_id, PLANNED, "v1")
        cancelled = await organisations(party).CancelOrganisationChange(
            pb.CancelOrganisationChangeRequest(
                organisation_id=here, organisation_change_id=left.organisation_change_id, etag=left.etag
            ),
            metadata=metadata,
        )
        assert (cancelled.change.kind, cancelled.change.state) == (unknown_kind, CANCELLED)
    assert second.state == PLANNED


async def test_a_change_in_a_state_that_only_a_newer_version_knows_is_listed_and_left_alone(
    party: Party, owner: asyncpg.Connection
) -> None:
    here, there = await township(party, "370724196"), await township(party, "370724197")
    unknown, known = await party.branch(here), await party.branch(here)
    day = today() + timedelta(days=3)
    first = await move(party, unknown, there, day=day.isoformat())
    await move(party, known, there, day=day.isoformat())
    unknown_state = max(organisation_change_pb2.OrganisationChangeState.values()) + 1
    async with newer(owner, first.organisation_change_id, "state", unknown_state):
        metadata = party.as_account(LINQU_ADMIN)
        # On a page for each: the key of a page holds the state.
        listed: list[organisation_change_pb2.OrganisationChange] = []
        token = ""
        while token or not listed:
            request = pb.ListOrganisationChangesRequest(organisation_id=here, page_size=1, page_token=token)
            page = await organisations(party).ListOrganisationChanges(request, metadata=metadata)
            listed += page.changes
            token = page.next_page_token
        states = {one.organisation_id: one.state for one in listed}
        assert (states[unknown], states[known]) == (unknown_state, PLANNED)
        refused = organisations(party).CancelOrganisationChange(
            pb.CancelOrganisationChangeRequest(
                organisation_id=here, organisation_change_id=first.organisation_change_id, etag="v1"
            ),
            metadata=metadata,
        )
        assert await outcome_of(refused) == "CHANGE_NOT_PLANNED"
        await do_due_changes(
            party.database, now=datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)
        )
        assert (await party.branches.get(known)).parent_id == there
        assert (await party.branches.get(unknown)).parent_id == here
        await dissolve(party, unknown)
        state = await owner.fetchval(
            "select state from organisation_change where organisation_change_id = $1", first.organisation_change_id
        )
        assert state == unknown_state


async def test_a_plan_that_breaks_the_program_keeps_no_other_from_its_day(
    party: Party, owner: asyncpg.Connection
) -> None:
    here, there = await township(party, "370724192"), await township(party, "370724193")
    broken, whole = await party.branch(here), await party.branch(here)
    day = today() + timedelta(days=2)
    first = await move(party, broken, there, day=day.isoformat())
    await move(party, whole, there, day=day.isoformat())
    # Nothing of ours writes a move to nowhere.
    await owner.execute(
        "update organisation_change set target_id = null where organisation_change_id = $1",
        first.organisation_change_id,
    )
    begun = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)
    with pytest.raises(ExceptionGroup):
        await do_due_changes(party.database, now=begun)
    assert (await party.branches.get(whole)).parent_id == there
    await owner.execute(
        "delete from organisation_change where organisation_change_id = $1", first.organisation_change_id
    )

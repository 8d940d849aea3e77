"""New organisations on a day to come: planned, made once at the beginning of the day, cancelled, or failed with the reason."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from integration.branches.membership_support import organisations
from integration.branches.party import Party
from integration.branches.running_branches import LINQU_ADMIN, LINQU_APPROVER, PROVINCE_ADMIN
from support.rpc import outcome_of, refusal_of
from zhibu.branches.v1 import organisation_change_pb2, organisation_pb2
from zhibu.branches.v1 import organisation_service_pb2 as pb
from zhibu_branches.planning import do_due_changes
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.ids import new_ulid

COUNTY = organisation_pb2.ORGANISATION_LEVEL_COUNTY
TOWNSHIP = organisation_pb2.ORGANISATION_LEVEL_TOWNSHIP
BRANCH = organisation_pb2.ORGANISATION_LEVEL_BRANCH
CREATE = organisation_change_pb2.ORGANISATION_CHANGE_KIND_CREATE
PLANNED = organisation_change_pb2.ORGANISATION_CHANGE_STATE_PLANNED
DONE = organisation_change_pb2.ORGANISATION_CHANGE_STATE_DONE
CANCELLED = organisation_change_pb2.ORGANISATION_CHANGE_STATE_CANCELLED
FAILED = organisation_change_pb2.ORGANISATION_CHANGE_STATE_FAILED


def day_ahead(count: int) -> date:
    return datetime.now(SHANGHAI).date() + timedelta(days=count)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def request_of(
    parent_id: str, name: str, *, day: date | str, level: int = BRANCH, code: str = "", term_years: int = 0
) -> pb.CreateOrganisationRequest:
    return pb.CreateOrganisationRequest(
        parent_id=parent_id,
        organisation_id=code,
        level=organisation_pb2.OrganisationLevel.ValueType(level),
        name=name,
        term_years=term_years,
        effective_date=str(day),
        request_id=new_ulid(),
    )


async def plan(
    party: Party, request: pb.CreateOrganisationRequest, *, account: str = LINQU_ADMIN
) -> pb.CreateOrganisationResponse:
    return await organisations(party).CreateOrganisation(request, metadata=party.as_account(account))


async def changes(
    party: Party, organisation_id: str, *, account: str = LINQU_ADMIN
) -> list[organisation_change_pb2.OrganisationChange]:
    listed = await organisations(party).ListOrganisationChanges(
        pb.ListOrganisationChangesRequest(organisation_id=organisation_id), metadata=party.as_account(account)
    )
    return list(listed.changes)


async def below(party: Party, parent_id: str) -> list[str]:
    listed = await organisations(party).ListOrganisations(pb.ListOrganisationsRequest(parent_id=parent_id))
    return [one.name for one in listed.organisations if one.active]


async def township(party: Party, code: str) -> str:
    made = await party.branches.create("370724", TOWNSHIP, f"第{code}乡党委", code=code)
    return made.organisation_id


async def test_a_planned_branch_is_made_once_at_the_beginning_of_its_day(
    party: Party, owner: asyncpg.Connection
) -> None:
    parent, name, day = await township(party, "370724150"), party.name("计划"), day_ahead(30)
    planned = await plan(party, request_of(parent, name, day=day, term_years=5))
    assert (planned.HasField("organisation"), planned.etag) == (False, planned.change.etag)
    assert planned.change == organisation_change_pb2.OrganisationChange(
        organisation_change_id=planned.change.organisation_change_id,
        kind=CREATE,
        organisation_id=parent,
        effective_date=day.isoformat(),
        state=PLANNED,
        new_name=name,
        create_time=planned.change.create_time,
        etag="v1",
        new_level=BRANCH,
        term_years=5,
    )
    await do_due_changes(party.database, now=midnight(day) - timedelta(seconds=1))
    assert await below(party, parent) == []
    # Two processes whose job begins at once.
    await asyncio.gather(*(do_due_changes(party.database, now=midnight(day)) for _ in range(2)))
    await do_due_changes(party.database, now=midnight(day) + timedelta(hours=1))
    (done,) = await changes(party, parent)
    made = await party.branches.get(done.target_id)
    assert (done.state, await below(party, parent)) == (DONE, [name])
    assert (made.name, made.level, made.parent_id, made.term_years, made.start_date, made.etag) == (
        name,
        BRANCH,
        parent,
        5,
        day.isoformat(),
        "v1",
    )
    assert await owner.fetchval("select count(*) from kit_outbox where key = $1", done.target_id) == 1
    assert (
        await owner.fetchval("select parent_id from kit_organisation where organisation_id = $1", done.target_id)
        == parent
    )


async def test_the_province_plans_a_county_with_its_code(party: Party) -> None:
    day = day_ahead(3)
    request = request_of("3707", "规划县", day=day, level=COUNTY, code="370798")
    planned = await plan(party, request, account=PROVINCE_ADMIN)
    assert (planned.change.new_level, planned.change.new_organisation_id, planned.change.term_years) == (
        COUNTY,
        "370798",
        0,
    )
    await do_due_changes(party.database, now=midnight(day))
    made = await party.branches.get("370798")
    assert (made.name, made.county_code, list(made.ancestor_ids)) == ("规划县", "370798", ["37", "3707"])


async def test_the_same_request_plans_one_creation(party: Party) -> None:
    parent = await township(party, "370724151")
    request = request_of(parent, party.name("重复"), day=day_ahead(5))
    first = await plan(party, request)
    assert await plan(party, request) == first
    assert [one.organisation_change_id for one in await changes(party, parent)] == [first.change.organisation_change_id]


async def test_a_creation_now_is_listed_as_done(party: Party) -> None:
    parent = await township(party, "370724152")
    made = await plan(party, request_of(parent, party.name("即日"), day=day_ahead(0)))
    assert not made.HasField("change")
    (done,) = await changes(party, parent)
    assert (done.kind, done.state, done.target_id, done.new_name) == (
        CREATE,
        DONE,
        made.organisation.organisation_id,
        made.organisation.name,
    )


async def test_a_name_that_was_taken_meanwhile_fails_the_plan_with_the_reason(party: Party) -> None:
    parent, name, day = await township(party, "370724153"), party.name("抢先"), day_ahead(2)
    await plan(party, request_of(parent, name, day=day))
    await party.branches.create(parent, BRANCH, name)
    await do_due_changes(party.database, now=midnight(day))
    (failed,) = [one for one in await changes(party, parent) if one.effective_date == day.isoformat()]
    assert (failed.state, failed.failure_reason, failed.target_id) == (FAILED, "ORGANISATION_NAME_TAKEN", "")
    assert failed.failure_message
    assert await below(party, parent) == [name]


async def test_a_code_that_was_taken_meanwhile_fails_the_plan_with_the_reason(party: Party) -> None:
    day = day_ahead(2)
    await plan(party, request_of("370724", "计划的乡党委", day=day, level=TOWNSHIP, code="370724154"))
    await party.branches.create("370724", TOWNSHIP, "先设的乡党委", code="370724154")
    await do_due_changes(party.database, now=midnight(day))
    (failed,) = [one for one in await changes(party, "370724") if one.new_name == "计划的乡党委"]
    assert (failed.state, failed.failure_reason) == (FAILED, "ORGANISATION_EXISTS")
    assert (await party.branches.get("370724154")).name == "先设的乡党委"


async def test_a_planned_creation_is_cancelled_before_its_day(party: Party) -> None:
    parent, day = await township(party, "370724155"), day_ahead(4)
    planned = (await plan(party, request_of(parent, party.name("取消"), day=day))).change
    request = pb.CancelOrganisationChangeRequest(
        organisation_id=parent, organisation_change_id=planned.organisation_change_id, etag=planned.etag
    )
    stub = organisations(party)
    cancelled = await stub.CancelOrganisationChange(request, metadata=party.as_account(LINQU_ADMIN))
    assert cancelled.change.state == CANCELLED
    await do_due_changes(party.database, now=midnight(day))
    assert await below(party, parent) == []


async def test_a_plan_follows_the_organisation_that_took_its_parent_over(party: Party) -> None:
    gone, stays = await township(party, "370724156"), await township(party, "370724157")
    name, day = party.name("随并"), day_ahead(6)
    planned = (await plan(party, request_of(gone, name, day=day))).change
    await organisations(party).MergeOrganisations(
        pb.MergeOrganisationsRequest(organisation_id=gone, target_id=stays, request_id=new_ulid(), etag="v1"),
        metadata=party.as_account(LINQU_ADMIN),
    )
    (followed,) = await changes(party, stays)
    assert (followed.organisation_change_id, followed.state, followed.organisation_id, followed.etag) == (
        planned.organisation_change_id,
        PLANNED,
        stays,
        "v2",
    )
    await do_due_changes(party.database, now=midnight(day))
    (done,) = await changes(party, stays)
    made = await party.branches.get(done.target_id)
    assert (made.name, list(made.ancestor_ids)) == (name, ["37", "3707", "370724", stays])


async def test_a_plan_fails_when_its_parent_ends_and_nobody_takes_over(party: Party) -> None:
    parent, day = await township(party, "370724158"), day_ahead(6)
    planned = (await plan(party, request_of(parent, party.name("无主"), day=day))).change
    await organisations(party).DissolveOrganisation(
        pb.DissolveOrganisationRequest(organisation_id=parent, request_id=new_ulid(), etag="v1"),
        metadata=party.as_account(LINQU_ADMIN),
    )
    await do_due_changes(party.database, now=midnight(day))
    (failed,) = [
        one for one in await changes(party, "370724") if one.organisation_change_id == planned.organisation_change_id
    ]
    assert (failed.state, failed.failure_reason) == (FAILED, "ORGANISATION_DISSOLVED")


@pytest.mark.parametrize(
    ("day", "level", "code", "field", "reason"),
    [
        ("2020-01-01", BRANCH, "", "effective_date", "EFFECTIVE_DATE_PASSED"),
        ("2099-01-01", BRANCH, "", "effective_date", "EFFECTIVE_DATE_TOO_FAR"),
        ("2026-02-30", BRANCH, "", "effective_date", "DATE_NOT_A_DAY"),
        ("", COUNTY, "370724", "level", "LEVEL_NOT_ALLOWED"),
        ("", TOWNSHIP, "370781199", "organisation_id", "CODE_NOT_BELOW_PARENT"),
        ("", BRANCH, "370724199", "organisation_id", "CODE_NOT_ALLOWED"),
    ],
)
async def test_what_could_not_be_made_now_cannot_be_planned(
    party: Party, *, day: str, level: int, code: str, field: str, reason: str
) -> None:
    request = request_of("370724", party.name("不行"), day=day or day_ahead(1), level=level, code=code)
    refused = await refusal_of(lambda: plan(party, request))
    assert [(one.field, one.reason) for one in refused.fields] == [(field, reason)]


async def test_a_taken_name_a_taken_code_and_a_stranger_are_refused_when_planning(party: Party) -> None:
    taken, tomorrow = await township(party, "370724159"), day_ahead(1)
    name = (await party.branches.get(taken)).name
    same_name = request_of("370724", name, day=tomorrow, level=TOWNSHIP)
    assert await outcome_of(plan(party, same_name)) == "ORGANISATION_NAME_TAKEN"
    same_code = request_of("370724", "另一个乡党委", day=tomorrow, level=TOWNSHIP, code=taken)
    assert await outcome_of(plan(party, same_code)) == "ORGANISATION_EXISTS"
    denied = plan(party, request_of("370724", party.name("越权"), day=tomorrow), account=LINQU_APPROVER)
    assert await outcome_of(denied) == "PERMISSION_DENIED"

"""Sums downward: exact, fast, and silent about few people (B5, E3)."""

from datetime import UTC, date, datetime

import asyncpg
from integration.branches.party import Party, Person
from integration.branches.running_branches import LINQU_ADMIN, PROVINCE_ADMIN
from support.rpc import outcome_of
from zhibu.branches.v1 import organisation_pb2, statistics_service_pb2_grpc
from zhibu.branches.v1 import statistics_service_pb2 as pb
from zhibu_branches.memberships import members_of, move_members
from zhibu_branches.queries import find_organisation
from zhibu_branches.rules.members import EndReason, PartyStatus
from zhibu_branches.statistics import fold_tallies
from zhibu_kit.db import Scope
from zhibu_kit.ids import new_ulid


async def statistics(party: Party, organisation_id: str, account: str = PROVINCE_ADMIN) -> pb.GetStatisticsResponse:
    stub = statistics_service_pb2_grpc.StatisticsServiceStub(party.branches.channel)
    return await stub.GetStatistics(
        pb.GetStatisticsRequest(organisation_id=organisation_id), metadata=party.as_account(account)
    )


def told(sums: pb.OrganisationSums) -> dict[str, int]:
    return {group.key: group.count for group in sums.by_status}


async def county(party: Party, code: str) -> str:
    made = await party.branches.create("3707", organisation_pb2.ORGANISATION_LEVEL_COUNTY, f"第{code}县", code=code)
    return made.organisation_id


async def test_members_are_summed_from_branches_to_the_province(party: Party) -> None:
    code = await county(party, "370783")
    township = await party.branches.create(code, 4, "洛城街道", code="370783001")
    one, two = await party.branch(township.organisation_id), await party.branch(code)
    before = (await statistics(party, "37")).total
    await party.people(one, 12)
    await party.people(one, 6, PartyStatus.PROBATIONARY)
    await party.people(two, 9)
    found = await statistics(party, code)
    assert (found.total.member_count, found.total.physical_branch_count) == (27, 2)
    assert {(sums.organisation_id, sums.member_count, told(sums)["FULL"]) for sums in found.below} == {
        (township.organisation_id, 18, 12),
        (two, 9, 9),
    }
    assert {group.key: group.count for group in found.total.by_occupation}["FARMER"] == 27
    after = await statistics(party, "37")
    assert after.total.member_count - before.member_count == 27
    city = next(sums for sums in after.below if sums.organisation_id == "3707")
    assert city.member_count == after.total.member_count
    assert (await statistics(party, one)).total.member_count == 18


async def test_few_people_are_not_told_nor_can_they_be_computed(party: Party) -> None:
    code = await county(party, "370784")
    branches = [await party.branch(code) for _ in range(3)]
    for branch, probationary in zip(branches, (2, 8, 9), strict=True):
        await party.people(branch, 20)
        await party.people(branch, probationary, PartyStatus.PROBATIONARY)
    found = await statistics(party, code)
    assert told(found.total)["PROBATIONARY"] == 19
    hidden = [sums.organisation_id for sums in found.below if told(sums)["PROBATIONARY"] == -1]
    # The branch with two, one more in its column, and in each of them a second group of the row.
    assert len(hidden) == 2
    assert branches[0] in hidden
    for sums in found.below:
        assert list(told(sums).values()).count(-1) in (0, 2)
        # What is asked about the branch itself says no more than what is said of it here.
        assert told((await statistics(party, sums.organisation_id)).total) == told(sums)


async def test_a_county_with_few_members_takes_no_group_of_a_large_one_along(
    party: Party, owner: asyncpg.Connection
) -> None:
    large, small = await county(party, "370787"), await county(party, "370788")
    counts = {large: (900, 300, 5, 40), small: (30, 4, 1, 2)}
    await owner.executemany(
        "insert into tally (organisation_id, county_code, dimension, key, count, folded)"
        " values ($1, $1, $2, $3, $4, true)",
        [
            (code, dimension, key, count)
            for code, (full, probationary, under_probation, virtual) in counts.items()
            for dimension, key, count in (
                ("status", "5", full),
                ("status", "4", probationary),
                ("status", "6", under_probation),
                ("virtual", "member", virtual),
            )
        ],
    )
    try:
        city = await statistics(party, "3707")
        of_small = await statistics(party, small)
        of_large = await statistics(party, large)
    finally:
        await owner.execute("delete from tally where county_code = any($1)", [large, small])
    groups = {"FULL": 900, "PROBATIONARY": 300, "UNDER_PROBATION": 5}
    assert {key: count for key, count in told(of_large.total).items() if key in groups} == groups
    assert (of_large.total.virtual_member_count, of_large.total.ungrouped_member_count) == (40, 0)
    # The small one tells of itself what it may, and all of it is left out above.
    assert {key: count for key, count in told(of_small.total).items() if key in groups} == {
        "FULL": 30,
        "PROBATIONARY": -1,
        "UNDER_PROBATION": -1,
    }
    seen = {sums.organisation_id: sums for sums in city.below}
    assert (seen[small].member_count, seen[small].ungrouped_member_count, sum(told(seen[small]).values())) == (
        35,
        35,
        0,
    )
    assert told(seen[large]) == told(of_large.total)
    for key, count in groups.items():
        assert told(city.total)[key] == count
    others = city.total.member_count - 1205 - 35
    assert city.total.ungrouped_member_count == 35 + others


async def test_what_changes_is_counted_at_once_and_folding_changes_nothing(
    party: Party, owner: asyncpg.Connection
) -> None:
    code = await county(party, "370785")
    old, new = await party.branch(code), await party.branch(code)
    await party.people(old, 10)
    now = datetime.now(UTC)
    async with party.database.transaction(Scope.of(code)) as transaction:
        target = await find_organisation(transaction, new)
        assert target is not None
        await move_members(
            transaction,
            await members_of(transaction, old),
            target=target,
            reason=EndReason.MOVED,
            move_date=now.date(),
            now=now,
        )

    async def counted() -> list[tuple[str, int]]:
        return [(sums.organisation_id, sums.member_count) for sums in (await statistics(party, code)).below]

    expected = sorted([(old, 0), (new, 10)])
    assert await counted() == expected
    waiting = await owner.fetchval("select count(*) from tally where county_code = $1 and not folded", code)
    await fold_tallies(party.database)
    left = await owner.fetch("select count from tally where county_code = $1", code)
    assert await counted() == expected
    assert isinstance(waiting, int)
    assert waiting > len(left)
    assert all(row["count"] > 0 for row in left)


async def test_each_county_sees_its_own(party: Party) -> None:
    assert await outcome_of(statistics(party, "370781", LINQU_ADMIN)) == "PERMISSION_DENIED"
    assert await outcome_of(statistics(party, "3707", LINQU_ADMIN)) == "PERMISSION_DENIED"
    assert await outcome_of(statistics(party, "370724", LINQU_ADMIN)) == "OK"


async def test_a_county_of_many_members_is_summed(party: Party, owner: asyncpg.Connection) -> None:
    code = await county(party, "370786")
    branches = [await party.branch(code) for _ in range(40)]
    people = [
        (Person(member_id=new_ulid(), county_code=code), branches[at % 40], 1 + at % 6, at % 9, 1950 + at % 70)
        for at in range(8000)
    ]
    async with owner.transaction():
        # The rows of a roster, without its way: this is about summing.
        await owner.copy_records_to_table(
            "member_record",
            columns=["member_id", "county_code", "branch_id", "status", "admitted_date", "occupation", "standing",
                     "version", "create_time", "update_time"],
            records=[
                (person.member_id, code, branch, status, date(year, 7, 1), occupation, 1, 1, *[datetime.now(UTC)] * 2)
                for person, branch, status, occupation, year in people
            ],
        )  # fmt: skip
        await owner.copy_records_to_table(
            "membership",
            columns=["membership_id", "member_id", "branch_id", "county_code", "kind", "start_date", "version",
                     "create_time", "update_time"],
            records=[
                (new_ulid(), person.member_id, branch, code, 1, date(2020, 1, 1), 1, *[datetime.now(UTC)] * 2)
                for person, branch, _, _, _ in people
            ],
        )  # fmt: skip
    found = await statistics(party, code)
    assert found.total.member_count == sum(status >= 4 for _, _, status, _, _ in people)

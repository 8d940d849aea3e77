"""Sums of people: every branch below is counted, nobody's record is read, and no group of few can be computed."""

from __future__ import annotations

from integration.identity.people_by_hand import RosterPerson, enter_people, people_of
from integration.identity.running_identity import (
    LINQU,
    PROVINCE,
    PROVINCE_ADMIN,
    QINGZHOU,
    QINGZHOU_CLERK,
    WEIFANG,
    Identity,
    Officer,
)
from zhibu.identity.v1 import people_service_pb2 as pb
from zhibu_identity.counts.branches import OF_COUNTY, Dimension, count_stale
from zhibu_identity.rules.person import Gender
from zhibu_kit.scope import Scope


async def test_sums_count_every_branch_below_and_hide_few_people(identity: Identity) -> None:
    branch = "370781-b01jd0000000000000000000006"
    async with identity.parts.database.transaction(Scope.none()) as transaction:
        raw = await transaction.raw()
        await raw.execute(
            "insert into kit_organisation values ($1, $2, 5, '第六党支部', $2, true, 1)", branch, QINGZHOU
        )
    await enter_people(
        identity.parts,
        [
            RosterPerson(
                county_code=QINGZHOU,
                branch_id=branch,
                education=5 if number < 9 else 6,
                ethnicity="汉族" if number < 6 else "回族",
            )
            for number in range(12)
        ],
    )
    while await count_stale(identity.parts):
        pass

    async def sums(organisation_id: str, officer: Officer) -> pb.GetPeopleStatisticsResponse:
        return await people_of(identity).GetPeopleStatistics(
            pb.GetPeopleStatisticsRequest(organisation_id=organisation_id), metadata=identity.officer(officer)
        )

    told = await sums(branch, QINGZHOU_CLERK)
    assert told.total_count == 12
    assert {one.key: one.count for one in told.by_education if one.count} == {"BACHELOR": -1, "POSTGRADUATE": -1}
    assert {one.key: one.count for one in told.by_ethnicity} == {"HAN": 6, "OTHER": 6}
    assert {one.key: one.count for one in told.by_age if one.count} == {"40-49": 12}
    county = await sums(QINGZHOU, QINGZHOU_CLERK)
    assert county.total_count == 12
    assert county.HasField("as_of_time")
    await enter_people(identity.parts, [RosterPerson() for _ in range(30)])
    while await count_stale(identity.parts):
        pass
    for organisation_id in (WEIFANG, PROVINCE):
        above = await sums(organisation_id, PROVINCE_ADMIN)
        assert above.total_count == 42


async def test_what_a_branch_hides_does_not_follow_from_the_sums_around_it(identity: Identity) -> None:
    township = "370781102"
    branches = ["370781-b01jd0000000000000000000007", "370781-b01jd0000000000000000000008"]
    async with identity.parts.database.transaction(Scope.none()) as transaction:
        raw = await transaction.raw()
        await raw.execute(
            "insert into kit_organisation values ($1, $2, 4, '第二街道', $2, true, 1)", township, QINGZHOU
        )
        await raw.executemany(
            "insert into kit_organisation values ($1, $2, 5, $1, $3, true, 1)",
            [(branch, township, QINGZHOU) for branch in branches],
        )
    # Two of the first branch are no Han; the second and the township have enough for each to be told by itself.
    for branch, han, others in zip(branches, (20, 25), (2, 6), strict=True):
        await enter_people(
            identity.parts,
            [
                RosterPerson(county_code=QINGZHOU, branch_id=branch, ethnicity="汉族" if number < han else "回族")
                for number in range(han + others)
            ],
        )
    while await count_stale(identity.parts):
        pass

    async def told(organisation_id: str) -> dict[str, int]:
        sums = await people_of(identity).GetPeopleStatistics(
            pb.GetPeopleStatisticsRequest(organisation_id=organisation_id), metadata=identity.officer(PROVINCE_ADMIN)
        )
        return {one.key: one.count for one in sums.by_ethnicity}

    above, below = await told(township), [await told(branch) for branch in branches]
    assert below[0] == {"HAN": -1, "OTHER": -1}
    for group in ("HAN", "OTHER"):
        assert above[group] == -1 or [one[group] for one in below].count(-1) != 1


async def test_a_county_with_few_people_takes_no_group_of_a_large_one_along(identity: Identity) -> None:
    rows = [
        (county, OF_COUNTY, int(dimension), value, count)
        for county, women, men in ((LINQU, 480, 420), (QINGZHOU, 3, 37))
        for dimension, value, count in (
            (Dimension.ALL, 0, women + men),
            (Dimension.GENDER, int(Gender.FEMALE), women),
            (Dimension.GENDER, int(Gender.MALE), men),
        )
    ]
    async with identity.parts.database.transaction(Scope.of(LINQU, QINGZHOU)) as transaction:
        raw = await transaction.raw()
        await raw.executemany(
            "insert into statistic_count (county_code, branch_id, dimension, value, people_count)"
            " values ($1, $2, $3, $4, $5)"
            " on conflict (county_code, branch_id, dimension, value) do update set people_count = excluded.people_count",
            rows,
        )

    async def told(organisation_id: str) -> tuple[int, int, dict[str, int]]:
        sums = await people_of(identity).GetPeopleStatistics(
            pb.GetPeopleStatisticsRequest(organisation_id=organisation_id), metadata=identity.officer(PROVINCE_ADMIN)
        )
        return sums.total_count, sums.ungrouped_count, {one.key: one.count for one in sums.by_gender}

    assert await told(LINQU) == (900, 0, {"MALE": 420, "FEMALE": 480})
    assert await told(QINGZHOU) == (40, 0, {"MALE": -1, "FEMALE": -1})
    for above in (WEIFANG, PROVINCE):
        assert await told(above) == (940, 40, {"MALE": 420, "FEMALE": 480})

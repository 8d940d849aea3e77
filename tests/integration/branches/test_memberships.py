"""Where members belong: held by the database, whoever writes."""

from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy.exc import IntegrityError
from zhibu_branches.memberships import (
    NewRecord,
    end_memberships,
    memberships_of,
    open_membership,
    open_record,
)
from zhibu_branches.organisations import create_organisation, ensure_province
from zhibu_branches.publication import publish_change
from zhibu_branches.rules.members import EndReason, MembershipKind, Occupation, PartyStatus
from zhibu_branches.rules.tree import Level
from zhibu_kit.db import Database, Role, Scope
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.databases import DatabaseMaker

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
async def data(service_database: DatabaseMaker) -> AsyncGenerator[Database]:
    made = await service_database("branches")
    database = Database(made.app_url, service="branches")
    async with database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
        await ensure_province(transaction, code="37", name="山东省", now=NOW)
        for parent, level, code, name in (
            ("37", Level.CITY, "3707", "潍坊市"),
            ("3707", Level.COUNTY, "370724", "临朐县"),
            ("3707", Level.COUNTY, "370781", "青州市"),
        ):
            made_one = await create_organisation(
                transaction, parent_id=parent, level=level, code=code, name=name, new_id="", now=NOW
            )
            await publish_change(transaction, made_one, change_time=NOW)
    yield database
    await database.close()


async def branch(data: Database, county: str, *, virtual: bool = False) -> str:
    async with data.transaction(Scope.of(county)) as transaction:
        made = await create_organisation(
            transaction,
            parent_id=county,
            level=Level.BRANCH,
            code="",
            name=f"党支部{new_ulid()}",
            new_id=new_ulid(),
            now=NOW,
            virtual=virtual,
        )
    return made.place.organisation_id


async def member(data: Database, county: str, branch_id: str) -> str:
    member_id = new_ulid()
    new = NewRecord(
        member_id=member_id,
        branch_id=branch_id,
        status=PartyStatus.FULL,
        status_date=TODAY,
        occupation=Occupation.FARMER,
        admitted_date=date(1998, 7, 1),
    )
    async with data.transaction(Scope.of(county)) as transaction:
        await open_record(transaction, new, start_date=TODAY, now=NOW)
    return member_id


async def test_a_second_physical_branch_is_refused_also_in_another_county(data: Database) -> None:
    here, there = await branch(data, "370724"), await branch(data, "370781")
    member_id = await member(data, "370724", here)
    with pytest.raises(IntegrityError, match="membership_one_physical"):
        async with data.transaction(Scope.of("370724", "370781")) as transaction:
            await open_membership(
                transaction,
                member_id=member_id,
                branch_id=there,
                kind=MembershipKind.PHYSICAL,
                start_date=TODAY,
                now=NOW,
            )


async def test_a_member_without_a_physical_branch_cannot_be_committed(data: Database) -> None:
    member_id = await member(data, "370724", await branch(data, "370724"))
    with pytest.raises(IntegrityError, match="0 physical branches"):
        async with data.transaction(Scope.of("370724")) as transaction:
            await end_memberships(
                transaction,
                await memberships_of(transaction, member_id),
                end_date=TODAY,
                reason=EndReason.MOVED,
                now=NOW,
            )


async def test_virtual_memberships_are_counted_across_counties(data: Database) -> None:
    member_id = await member(data, "370724", await branch(data, "370724"))
    club = await branch(data, "370781", virtual=True)
    async with data.transaction(Scope.of("370724", "370781")) as transaction:
        await open_membership(
            transaction,
            member_id=member_id,
            branch_id=club,
            kind=MembershipKind.VIRTUAL,
            start_date=TODAY,
            now=NOW,
        )
        kinds = [one.kind for one in await memberships_of(transaction, member_id)]
    assert kinds == [MembershipKind.PHYSICAL, MembershipKind.VIRTUAL]

"""Row-level security: the second wall, which holds whatever a query forgets."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from integration.kit_data.records import COUNTY, EVERY_COUNTY, MIGRATIONS, OTHER_COUNTY, RECORD
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from zhibu_kit.db import Database, Role, Scope
from zhibu_kit.testing.databases import DatabaseMaker


@pytest.fixture(scope="module")
async def database(service_database: DatabaseMaker) -> AsyncGenerator[Database]:
    """Give a database with one record in each of two counties; no test leaves anything in it."""
    made = await service_database("testing", directory=MIGRATIONS)
    database = Database(made.app_url, service="testing")
    async with database.transaction(EVERY_COUNTY) as transaction:
        for county in (COUNTY, OTHER_COUNTY):
            await transaction.execute(insert(RECORD).values(record_id=county, county_code=county, text="", version=1))
    yield database
    await database.close()


async def seen(database: Database, scope: Scope, role: Role = Role.APP) -> set[str]:
    async with database.transaction(scope, role=role) as transaction:
        return {row.record_id for row in await transaction.all(select(RECORD))}


async def attempt(database: Database, *statements: str, scope: Scope | None = None, role: Role = Role.APP) -> None:
    async with database.transaction(scope or Scope.of(COUNTY), role=role) as transaction:
        for statement in statements:
            await transaction.execute(text(statement))


async def test_without_a_scope_there_are_no_rows(database: Database) -> None:
    assert await seen(database, Scope.none()) == set()


async def test_a_scope_shows_its_own_county_and_no_other(database: Database) -> None:
    assert await seen(database, Scope.of(COUNTY)) == {COUNTY}
    assert await seen(database, EVERY_COUNTY) == {COUNTY, OTHER_COUNTY}


async def test_a_scope_ends_with_its_transaction_even_on_the_same_connection(database: Database) -> None:
    single = Database(database.url, service="testing", pool_size=1)
    assert await seen(single, EVERY_COUNTY, Role.PROVINCE) == {COUNTY, OTHER_COUNTY}
    assert await seen(single, Scope.none()) == set()
    await single.close()


async def test_province_and_relay_see_every_county_when_they_are_put_on(database: Database) -> None:
    for role in (Role.PROVINCE, Role.RELAY):
        assert await seen(database, Scope.none(), role) == {COUNTY, OTHER_COUNTY}


async def test_rows_of_another_county_can_neither_be_changed_nor_removed_nor_added(database: Database) -> None:
    async with database.transaction(Scope.of(COUNTY)) as transaction:
        other = RECORD.c.record_id == OTHER_COUNTY
        assert (await transaction.execute(update(RECORD).where(other).values(text="changed"))).rowcount == 0
        assert (await transaction.execute(delete(RECORD).where(other))).rowcount == 0
    with pytest.raises(DBAPIError, match="row-level security"):
        await attempt(database, f"insert into record values ('new', '{OTHER_COUNTY}', '', 1)")
    with pytest.raises(DBAPIError, match="row-level security"):
        await attempt(database, f"update record set county_code = '{OTHER_COUNTY}'")


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(
    "statement",
    [
        "alter table record disable row level security",
        "alter table record no force row level security",
        "drop policy county on record",
        "create policy everything on record using (true)",
        "alter table record owner to testing_app",
        "set local role testing_owner",
        "alter role testing_app bypassrls",
        "truncate record",
        "create table mine (id int)",
        "select kit_allow('record')",
        "grant testing_owner to testing_app",
    ],
)
async def test_the_running_service_cannot_take_the_wall_down(database: Database, statement: str, role: Role) -> None:
    with pytest.raises(DBAPIError, match=r"must be owner|permission denied|must have|Only roles with"):
        await attempt(database, statement, role=role)


async def test_switching_row_security_off_raises_instead_of_showing_rows(database: Database) -> None:
    with pytest.raises(DBAPIError, match="row-level security"):
        await attempt(database, "set local row_security = off", "select * from record")


async def test_even_the_owner_sees_no_rows_because_security_is_forced(
    database: Database, service_database: DatabaseMaker
) -> None:
    made = await service_database("testing", directory=MIGRATIONS)
    owner = Database(made.owner_url, service="testing")
    await attempt(owner, f"set local zhibu.counties = '{COUNTY}'", "select * from record", scope=EVERY_COUNTY)
    with pytest.raises(DBAPIError, match="row-level security"):
        await attempt(owner, f"insert into record values ('new', '{COUNTY}', '', 1)")
    await owner.close()

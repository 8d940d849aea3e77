"""Migrations: each in a transaction of its own, run once, unchanged, and never leaving a wall open."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from zhibu_kit.migrations import MigrationError, migrate
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_stack.databases import ServiceDatabase

OPEN = "create table {table} (id text primary key, county_code text not null);"
GOOD = OPEN + " select kit_protect('{table}');"


@pytest.fixture
async def database(service_database: DatabaseMaker) -> ServiceDatabase:
    return await service_database("testing", migrated=False)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    write(tmp_path, 1, GOOD.format(table="one"))
    return tmp_path


def write(directory: Path, number: int, sql: str, name: str = "words") -> None:
    (directory / f"{number:04}_{name}.sql").write_text(sql, encoding="utf-8")


async def run(database: ServiceDatabase, directory: Path) -> tuple[str, ...]:
    return await migrate(database.owner_url, service="testing", directory=directory)


async def tables(database: ServiceDatabase) -> set[str]:
    connection = await asyncpg.connect(database.owner_url)
    found = await connection.fetch(
        "select relname from pg_class where relkind = 'r' and relname not like 'kit%'"
        " and relnamespace = 'public'::regnamespace"
    )
    await connection.close()
    return {row["relname"] for row in found}


async def test_the_kits_tables_come_first_and_each_file_runs_once(database: ServiceDatabase, directory: Path) -> None:
    assert await run(database, directory) == (
        "kit/0001_kit",
        "kit/0002_virtual_branch",
        "kit/0003_open_grant",
        "kit/0004_audit_feed",
        "testing/0001_words",
    )
    assert await run(database, directory) == ()
    write(directory, 2, GOOD.format(table="two"))
    assert await run(database, directory) == ("testing/0002_words",)
    assert await tables(database) == {"one", "two"}


async def test_a_migration_that_fails_leaves_nothing_and_says_so(database: ServiceDatabase, directory: Path) -> None:
    await run(database, directory)
    write(directory, 2, GOOD.format(table="two") + "\nselect nonsense;")
    with pytest.raises(
        MigrationError, match=r"^testing/0002_words failed, line 2 and left nothing behind: .*nonsense.*\(42703\)"
    ):
        await run(database, directory)
    assert await tables(database) == {"one"}
    # Mended before it ever ran: no objection.
    write(directory, 2, GOOD.format(table="two"))
    assert await run(database, directory) == ("testing/0002_words",)


async def test_a_file_that_was_changed_after_it_ran_is_refused(database: ServiceDatabase, directory: Path) -> None:
    await run(database, directory)
    write(directory, 1, GOOD.format(table="one") + "-- a word more")
    with pytest.raises(MigrationError, match="was changed after it was run"):
        await run(database, directory)


async def test_a_table_with_counties_and_without_the_wall_is_refused(
    database: ServiceDatabase, directory: Path
) -> None:
    write(directory, 2, OPEN.format(table="two"))
    with pytest.raises(MigrationError, match=r"left tables with county_code open \(two\)"):
        await run(database, directory)
    assert await tables(database) == {"one"}


@pytest.mark.parametrize("unwalled", ["disable row level security", "no force row level security"])
async def test_a_wall_taken_down_later_is_refused(database: ServiceDatabase, directory: Path, unwalled: str) -> None:
    write(directory, 2, f"alter table one {unwalled};")
    with pytest.raises(MigrationError, match=r"left tables with county_code open \(one\)"):
        await run(database, directory)


@pytest.mark.parametrize(("number", "name"), [(3, "words"), (1, "other"), (2, "CamelCase")])
async def test_numbers_are_unique_and_gapless_and_names_plain(
    database: ServiceDatabase, directory: Path, number: int, name: str
) -> None:
    write(directory, number, "select 1;", name)
    with pytest.raises(MigrationError, match=r"not numbered|no name of a migration"):
        await run(database, directory)


async def test_two_deployments_at_once_run_each_file_once(database: ServiceDatabase, directory: Path) -> None:
    done = await asyncio.gather(*(run(database, directory) for _ in range(3)))
    assert sorted(done) == [
        (),
        (),
        ("kit/0001_kit", "kit/0002_virtual_branch", "kit/0003_open_grant", "kit/0004_audit_feed", "testing/0001_words"),
    ]


async def test_a_table_in_use_is_waited_for_in_short_turns(
    database: ServiceDatabase, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(database, directory)
    monkeypatch.setattr("zhibu_kit.migrations.LOCK_TIMEOUT_MS", 50)
    monkeypatch.setattr("zhibu_kit.migrations.LOCK_PAUSE_S", 0.05)
    write(directory, 2, "alter table one add column more text;")
    reader = await asyncpg.connect(database.owner_url)
    reading = reader.transaction()
    await reading.start()
    await reader.execute("lock table one in access share mode")
    waits: list[str] = []
    let_go = asyncio.Event()

    def report(line: str) -> None:
        waits.append(line)
        let_go.set()

    migrating = asyncio.create_task(migrate(database.owner_url, service="testing", directory=directory, report=report))
    await asyncio.wait_for(let_go.wait(), 30)
    await reading.rollback()
    assert await migrating == ("testing/0002_words",)
    assert waits[0] == "testing/0002_words waits for a table that is in use"
    await reader.close()


async def test_a_database_that_is_not_there_is_one_sentence(directory: Path) -> None:
    url = "postgresql://testing_owner:x@127.0.0.1:1/testing"
    with pytest.raises(MigrationError, match=r"^The database of testing cannot be reached"):
        await migrate(url, service="testing", directory=directory)

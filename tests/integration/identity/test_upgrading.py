"""Migrations meet what a county has entered with the release before."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import asyncpg
from zhibu_identity.__main__ import MIGRATIONS
from zhibu_kit.migrations import migrate
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_stack.engines import Postgres

BEFORE = 11


async def test_of_several_open_corrections_of_one_field_the_newest_stays(
    tmp_path: Path, service_database: DatabaseMaker, postgres: Postgres
) -> None:
    database = await service_database("identity", migrated=False)
    for file in sorted(MIGRATIONS.glob("*.sql"))[:BEFORE]:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    await migrate(database.owner_url, service="identity", directory=tmp_path)
    connection = await asyncpg.connect(postgres.dsn(database.name))
    now = datetime.now(UTC)
    # Identifier, field, state: two open ones of a field, one of another, one that was decided.
    rows = [("a", 6, 1), ("b", 6, 1), ("c", 3, 1), ("d", 6, 2)]
    await connection.executemany(
        "insert into correction values ($1, '370724', 'm', $2, '', '', $3, null, null, $4, $4, 1)",
        [(one, field, state, now) for one, field, state in rows],
    )
    await migrate(database.owner_url, service="identity", directory=MIGRATIONS)
    kept = await connection.fetch("select correction_id, state, version from correction order by correction_id")
    assert [tuple(row) for row in kept] == [("a", 4, 2), ("b", 1, 1), ("c", 1, 1), ("d", 2, 1)]
    # The owner is walled in again.
    forced = await connection.fetchval("select relforcerowsecurity from pg_class where relname = 'correction'")
    await connection.close()
    assert forced

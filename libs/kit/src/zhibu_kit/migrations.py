"""Migrations: numbered SQL files, each in a transaction of its own, run once in order by whoever comes first.

A service keeps its files in `migrations/0001_what_it_does.sql`; the kit's own (`zhibu_kit/sql`) run before them.
`{{service}}` in a file stands for the prefix of the roles. Every file must work with the version of the service that
still runs (N-1): add first, take away one release later. A file that waits for a lock gives up soon instead of making
everybody queue behind it, and is tried again. A header line `-- statement_timeout: 10min` gives a long file more time.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

log = logging.getLogger("zhibu.migrations")

KIT_SET: Final = "kit"
KIT_DIRECTORY: Final = Path(__file__).parent / "sql"
# Two deployments at once: the second waits this long for the first.
RUNNER_TIMEOUT_S: Final = 120.0
CONNECT_TIMEOUT_S: Final = 10
# A migration that waits longer for a table makes every query behind it wait too.
LOCK_TIMEOUT_MS: Final = 3000
LOCK_ATTEMPTS: Final = 5
LOCK_PAUSE_S: Final = 1.0
STATEMENT_TIMEOUT: Final = "60s"
# Any number, the same for every runner.
_RUNNER_LOCK: Final = 7_370_725

_FILE_NAME: Final = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_LONGER: Final = re.compile(r"^-- statement_timeout: (\d+(?:ms|s|min|h))$", re.MULTILINE)
_SERVICE: Final = re.compile(r"^[a-z][a-z0-9_]{0,40}$")

_TABLE: Final = """
create table if not exists kit_migration (
  migration_set text not null,
  number integer not null,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now(),
  duration_ms integer not null,
  primary key (migration_set, number)
)"""

# Partitions are reached through their table alone, so they are judged only when somebody was let at them directly.
_UNPROTECTED: Final = """
select c.relname
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'county_code' and not a.attisdropped
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'p')
  and c.relname not like 'kit\\_%'
  and not (c.relrowsecurity and c.relforcerowsecurity and exists (select from pg_policy p where p.polrelid = c.oid))
  and (not c.relispartition or c.relacl is not null)
order by 1"""


class MigrationError(Exception):
    """A migration could not be run; the text is one sentence for the operator, and nothing of the file was left behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One file."""

    migration_set: str
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file as it was written."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def __str__(self) -> str:
        """Return what operators call it, for example `identity/0003_add_index`."""
        return f"{self.migration_set}/{self.number:04}_{self.name}"


def read_migrations(directory: Path, *, migration_set: str) -> tuple[Migration, ...]:
    """Read the files of a directory in order.

    Raises:
        MigrationError: when a name is not `0001_words.sql`, or the numbers are not 1, 2, 3 … without gap or repetition.
    """
    if not directory.is_dir():
        raise MigrationError(f"There is no directory {directory} with the migrations of {migration_set}.")
    migrations: list[Migration] = []
    for path in sorted(directory.glob("*.sql")):
        match = _FILE_NAME.match(path.name)
        if match is None:
            raise MigrationError(f"{path.name} is no name of a migration: 0001_words_in_lower_case.sql is expected.")
        sql = path.read_text(encoding="utf-8")
        migrations.append(Migration(migration_set=migration_set, number=int(match[1]), name=match[2], sql=sql))
    numbers = [migration.number for migration in migrations]
    if numbers != list(range(1, len(numbers) + 1)):
        raise MigrationError(f"The migrations of {migration_set} are not numbered 1 to {len(numbers)}: {numbers}.")
    return tuple(migrations)


async def migrate(
    owner_url: str,
    *,
    service: str,
    directory: Path | None = None,
    kit: bool = True,
    report: Callable[[str], None] = log.info,
) -> tuple[str, ...]:
    """Bring one database up to date and return the migrations that were run.

    `owner_url` logs in as `<service>_owner`; `service` is the prefix of the database's roles. `kit=False` leaves the
    kit's tables out (databases that are nobody's front, such as identity's keys).

    Raises:
        MigrationError: in one sentence; migrations before the failing one stay, of the failing one nothing does.
    """
    if not _SERVICE.match(service):
        raise MigrationError(f"{service!r} is no name of a service.")
    wanted = read_migrations(KIT_DIRECTORY, migration_set=KIT_SET) if kit else ()
    if directory is not None:
        wanted += read_migrations(directory, migration_set=service)
    try:
        connection: asyncpg.Connection = await asyncpg.connect(owner_url, timeout=CONNECT_TIMEOUT_S)
    except (OSError, asyncpg.PostgresError) as error:
        raise MigrationError(f"The database of {service} cannot be reached: {error}.") from error
    try:
        return await _Runner(connection, service, report).run(wanted)
    finally:
        await connection.close()


class _Runner:
    def __init__(self, connection: asyncpg.Connection, service: str, report: Callable[[str], None]) -> None:
        self._connection = connection
        self._service = service
        self._report = report

    async def run(self, wanted: Sequence[Migration]) -> tuple[str, ...]:
        try:
            await self._connection.execute("select pg_advisory_lock($1)", _RUNNER_LOCK, timeout=RUNNER_TIMEOUT_S)
        except TimeoutError:
            raise MigrationError(f"Another run is migrating the database of {self._service} already.") from None
        await self._connection.execute(_TABLE)
        applied = {
            (row["migration_set"], row["number"]): row
            for row in await self._connection.fetch("select migration_set, number, name, checksum from kit_migration")
        }
        done: list[str] = []
        for migration in wanted:
            row = applied.get((migration.migration_set, migration.number))
            if row is None:
                await self._apply(migration)
                done.append(str(migration))
            elif row["checksum"] != migration.checksum:
                raise MigrationError(
                    f"{migration} was changed after it was run (as {row['name']}): write a new migration instead."
                )
        return tuple(done)

    async def _apply(self, migration: Migration) -> None:
        started_at_s = time.monotonic()
        for attempt in range(1, LOCK_ATTEMPTS + 1):
            try:
                await self._apply_once(migration, started_at_s)
            except asyncpg.LockNotAvailableError as error:
                if attempt == LOCK_ATTEMPTS:
                    raise _failure(migration, error) from error
            except asyncpg.PostgresError as error:
                raise _failure(migration, error) from error
            else:
                break
            self._report(f"{migration} waits for a table that is in use")
            await asyncio.sleep(LOCK_PAUSE_S)
        self._report(f"{migration} done")

    async def _apply_once(self, migration: Migration, started_at_s: float) -> None:
        longer = _LONGER.search(migration.sql)
        statement_timeout = longer[1] if longer else STATEMENT_TIMEOUT
        async with self._connection.transaction():
            await self._connection.execute(
                f"set local lock_timeout = {LOCK_TIMEOUT_MS}; set local statement_timeout = '{statement_timeout}'"
            )
            await self._connection.execute(migration.sql.replace("{{service}}", self._service))
            unprotected = [row["relname"] for row in await self._connection.fetch(_UNPROTECTED)]
            if unprotected:
                raise MigrationError(
                    f"{migration} left tables with county_code open ({', '.join(unprotected)}): "
                    "add `select kit_protect('…');`. Nothing of it was kept."
                )
            await self._connection.execute(
                "insert into kit_migration (migration_set, number, name, checksum, duration_ms) values ($1, $2, $3, $4, $5)",
                migration.migration_set,
                migration.number,
                migration.name,
                migration.checksum,
                int((time.monotonic() - started_at_s) * 1000),
            )


def _failure(migration: Migration, error: asyncpg.PostgresError) -> MigrationError:
    where = ""
    position = getattr(error, "position", None)
    if position is not None:
        line = migration.sql[: int(position)].count("\n") + 1
        where = f", line {line}"
    return MigrationError(
        f"{migration} failed{where} and left nothing behind: {error} ({getattr(error, 'sqlstate', '')})."
    )

"""Fresh databases for tests: real roles, real migrations, in the one PostgreSQL of the test run."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Final

from zhibu_stack.databases import ServiceDatabase, create_service_databases
from zhibu_stack.engines import Postgres

from zhibu_kit.migrations import migrate

REPOSITORY: Final = Path(__file__).resolve().parents[5]


class DatabaseMaker:
    """Makes databases: `database = await service_database("identity")`, again and again fresh ones."""

    def __init__(self, postgres: Postgres) -> None:
        """Make them in this cluster."""
        self.postgres = postgres
        self._numbers = itertools.count(1)

    async def __call__(
        self, service: str, *, directory: Path | None = None, kit: bool = True, migrated: bool = True
    ) -> ServiceDatabase:
        """Return a new database of a service with its roles, the kit's tables and the service's own.

        `directory` holds the migrations; by default services/<service>/migrations, where there is one. `app_url` and
        `owner_url` of the result are what ZHIBU_DATABASE_URL and ZHIBU_DATABASE_OWNER_URL are in a run.
        """
        suffix = f"_t{os.getpid()}_{next(self._numbers)}"
        made = await create_service_databases(
            self.postgres.dsn(), [service], secrets=self.postgres.secrets, suffix=suffix
        )
        database = made[service]
        if migrated:
            directory = directory or migrations_of(service)
            await migrate(database.owner_url, service=service, directory=directory, kit=kit)
        return database


def migrations_of(service: str) -> Path | None:
    """Return where a service of this repository keeps its migrations, or None when it has none."""
    for place in ("services", "clients"):
        directory = REPOSITORY / place / service / "migrations"
        if directory.is_dir():
            return directory
    return None

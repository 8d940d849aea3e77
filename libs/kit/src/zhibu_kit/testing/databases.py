"""Fresh databases for tests: real roles, real migrations, in the one PostgreSQL of the test run."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
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
        self._templates: dict[_Kind, str] = {}

    async def __call__(
        self, service: str, *, directory: Path | None = None, kit: bool = True, migrated: bool = True
    ) -> ServiceDatabase:
        """Return a new database of a service with its roles, the kit's tables and the service's own.

        `directory` holds the migrations; by default services/<service>/migrations, where there is one. `app_url` and
        `owner_url` of the result are what ZHIBU_DATABASE_URL and ZHIBU_DATABASE_OWNER_URL are in a run.
        """
        if not migrated:
            return await self._create(service)
        kind = _Kind(service=service, directory=directory or migrations_of(service), kit=kit)
        # Copying a migrated database takes a fraction of what its migrations take.
        if kind not in self._templates:
            template = await self._create(service)
            await migrate(template.owner_url, service=service, directory=kind.directory, kit=kit)
            self._templates[kind] = template.name
        return await self._create(service, template=self._templates[kind])

    async def _create(self, service: str, *, template: str | None = None) -> ServiceDatabase:
        suffix = f"_t{os.getpid()}_{next(self._numbers)}"
        if template is not None:
            await self._copy(template, f"{service}{suffix}", owner=f"{service}_owner")
        made = await create_service_databases(
            self.postgres.dsn(), [service], secrets=self.postgres.secrets, suffix=suffix
        )
        return made[service]

    async def _copy(self, template: str, name: str, *, owner: str) -> None:
        connection: asyncpg.Connection = await asyncpg.connect(self.postgres.dsn())
        try:
            await connection.execute(f'create database "{name}" owner "{owner}" template "{template}"')
            await connection.execute(f'revoke all on database "{name}" from public')
        finally:
            await connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What makes two migrated databases the same."""

    service: str
    directory: Path | None
    kit: bool


def migrations_of(service: str) -> Path | None:
    """Return where a service of this repository keeps its migrations, or None when it has none."""
    for place in ("services", "clients"):
        directory = REPOSITORY / place / service / "migrations"
        if directory.is_dir():
            return directory
    return None

"""A pytest plugin: real engines as fixtures. Loaded by `-p zhibu_kit.testing.plugin` in the root's pyproject.toml.

- `postgres` (session): a PostgreSQL cluster, thrown away at the end.
- `service_database` (session): `await service_database("identity")` makes a fresh, migrated database.
- `nats` (module): a NATS server with JetStream, the users and the streams of the repository's services; empty at first.

`wait_until` and `start_service` are plain functions (`zhibu_kit.testing.waiting`, `zhibu_kit.testing.services`).
Nothing is imported before a fixture is used, so that unit tests start at once.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from zhibu_stack.engines import Postgres

    from zhibu_kit.testing.databases import DatabaseMaker
    from zhibu_kit.testing.nats_server import NatsServer


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Generator[Postgres]:
    """Give a running cluster, without fsync: it lives as long as the test run."""
    from zhibu_stack.engines import Postgres  # noqa: PLC0415 - see above

    engine = Postgres(tmp_path_factory.mktemp("postgres"), fsync=False)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


@pytest.fixture(scope="session")
def service_database(postgres: Postgres) -> DatabaseMaker:
    """Give the maker of fresh databases."""
    from zhibu_kit.testing.databases import DatabaseMaker  # noqa: PLC0415 - see above

    return DatabaseMaker(postgres)


@pytest.fixture(scope="module")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    """Give a running server with the streams of every service."""
    from zhibu_kit.testing.nats_server import NatsServer, subjects_of_repository  # noqa: PLC0415 - see above

    server = NatsServer(tmp_path_factory.mktemp("nats"), subjects_of_repository())
    server.start()
    try:
        await server.prepare()
        yield server
    finally:
        server.stop()

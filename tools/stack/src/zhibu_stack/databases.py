"""One database per service and the roles that hold its two walls: who owns nothing and sees one county, and who sees more.

Roles of service S: `S_owner` owns the schema and runs migrations; `S_app` is the running service; `S_relay` (outbox relay
and jobs) and `S_province` (province-wide reads) are put on with `SET LOCAL ROLE` by S_app. S_app does not *inherit* them:
a row-level policy `TO S_relay USING (true)` would otherwise open every county to S_app itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import asyncpg

from zhibu_stack.secret_store import SecretStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDatabase:
    """Where a service finds its database: the URL of the running service and the one for migrations."""

    name: str
    app_url: str
    owner_url: str


async def create_service_databases(
    dsn: str, services: Iterable[str], *, secrets: SecretStore, suffix: str = ""
) -> dict[str, ServiceDatabase]:
    """Create what is missing of the databases and roles of these services and return their URLs by service.

    Idempotent. `dsn` is the superuser's. With a suffix each database is called `<service><suffix>` while the roles stay
    the service's own: so tests get fresh databases in one cluster.
    """
    connection: asyncpg.Connection = await asyncpg.connect(dsn)
    try:
        # Two test runs on one cluster must not create the same role at once.
        await connection.execute("SELECT pg_advisory_lock(7370724)")
        return {service: await _create(connection, dsn, service, secrets, suffix) for service in services}
    finally:
        await connection.close()


async def create_plain_database(dsn: str, name: str, *, secrets: SecretStore) -> str:
    """Create a database with one owning role of the same name (Keycloak's) and return its URL."""
    connection: asyncpg.Connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SELECT pg_advisory_lock(7370724)")
        await _ensure_login(connection, name, secrets)
        await _ensure_database(connection, name, owner=name)
        return _url(dsn, name, name, secrets)
    finally:
        await connection.close()


async def _create(
    connection: asyncpg.Connection, dsn: str, service: str, secrets: SecretStore, suffix: str
) -> ServiceDatabase:
    owner, app = f"{service}_owner", f"{service}_app"
    for role in (owner, app):
        await _ensure_login(connection, role, secrets)
    for role in (f"{service}_relay", f"{service}_province"):
        if not await _role_exists(connection, role):
            await connection.execute(f'CREATE ROLE "{role}" NOLOGIN NOINHERIT')
        await connection.execute(f'GRANT "{role}" TO "{app}" WITH INHERIT FALSE, SET TRUE, ADMIN FALSE')
    database = f"{service}{suffix}"
    await _ensure_database(connection, database, owner=owner)
    await connection.execute(f'GRANT CONNECT ON DATABASE "{database}" TO "{app}"')
    return ServiceDatabase(
        name=database, app_url=_url(dsn, database, app, secrets), owner_url=_url(dsn, database, owner, secrets)
    )


async def _ensure_login(connection: asyncpg.Connection, role: str, secrets: SecretStore) -> None:
    if not await _role_exists(connection, role):
        await connection.execute(f'CREATE ROLE "{role}" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS')
    # Our own alphabet (URL-safe base64) holds no quote; the kept secret wins over whatever the cluster has.
    await connection.execute(f"ALTER ROLE \"{role}\" PASSWORD '{secrets.get(f'postgres-{role}')}'")


async def _ensure_database(connection: asyncpg.Connection, name: str, *, owner: str) -> None:
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
        await connection.execute(f'CREATE DATABASE "{name}" OWNER "{owner}"')
        await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')


async def _role_exists(connection: asyncpg.Connection, role: str) -> bool:
    return bool(await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role))


def _url(dsn: str, database: str, role: str, secrets: SecretStore) -> str:
    place = urlsplit(dsn)
    password = quote(secrets.get(f"postgres-{role}"), safe="")
    return f"postgresql://{role}:{password}@{place.hostname}:{place.port}/{database}"

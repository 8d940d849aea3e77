"""PostgreSQL and NATS as tests and `make run` get them."""

import asyncio
import os
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import nats
import nats.errors
import pytest
from nats.aio.client import Client
from zhibu_stack.databases import create_service_databases
from zhibu_stack.engines import Nats, Postgres
from zhibu_stack.errors import StackError
from zhibu_stack.nats_permissions import Traffic, user_of
from zhibu_stack.secret_store import SecretStore
from zhibu_stack.testing import shared_postgres

EVENT_TIMEOUT_S = 5


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    identity = Traffic(publishes=["zhibu.identity.v1.eid_issued"], consumes=[], buckets=[])
    branches = Traffic(publishes=[], consumes=["zhibu.identity.v1.eid_issued"], buckets=["limits"])
    users = [user_of("identity", identity, password="i"), user_of("branches", branches, password="b")]
    server = Nats(tmp_path_factory.mktemp("nats"), users=users)
    server.start()
    yield server
    server.stop()


async def connect(server: Nats, user: str, denied: asyncio.Queue[str]) -> Client:
    async def note(error: Exception) -> None:
        await denied.put(str(error).lower())

    return await nats.connect(server.url, user=user, password=user[0], error_cb=note)


async def test_the_cluster_is_postgres_18_and_asks_for_a_password() -> None:
    postgres = shared_postgres()
    connection = await asyncpg.connect(postgres.dsn())
    assert (await connection.fetchval("SHOW server_version")).startswith("18.")
    assert await connection.fetchval("SHOW password_encryption") == "scram-sha-256"
    await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.dsn(password="wrong"))


def test_the_cluster_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path / "postgres")

    async def run(statement: str) -> object:
        connection = await asyncpg.connect(postgres.dsn())
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    postgres.start()
    assert asyncio.run(run("SHOW fsync")) == "on"
    asyncio.run(run("CREATE TABLE kept AS SELECT 7 AS number"))
    postgres.stop()
    postgres.start()
    try:
        assert asyncio.run(run("SELECT number FROM kept")) == 7
    finally:
        postgres.stop()


def test_a_taken_port_is_one_sentence() -> None:
    postgres = shared_postgres()
    with pytest.raises(StackError, match="is in use"):
        Postgres(postgres.directory.with_name("second"), postgres.port).start()


async def test_service_databases_are_made_once_and_their_walls_hold(tmp_path: Path) -> None:
    postgres = shared_postgres()
    secrets = SecretStore(tmp_path / "secrets")
    first = await create_service_databases(postgres.dsn(), ["walls"], secrets=secrets)
    assert await create_service_databases(postgres.dsn(), ["walls"], secrets=secrets) == first
    owner = await asyncpg.connect(first["walls"].owner_url)
    await owner.execute(
        """CREATE TABLE member (county_code text);
        ALTER TABLE member ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY relay ON member TO walls_relay USING (true);
        GRANT SELECT ON member TO walls_app, walls_relay;
        CREATE POLICY insertion ON member FOR INSERT TO walls_owner WITH CHECK (true);
        INSERT INTO member VALUES ('370724')"""
    )
    await owner.close()
    app = await asyncpg.connect(first["walls"].app_url)
    assert await app.fetchval("SELECT count(*) FROM member") == 0
    async with app.transaction():
        await app.execute("SET LOCAL ROLE walls_relay")
        assert await app.fetchval("SELECT count(*) FROM member") == 1
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("CREATE TABLE mine ()")
    await app.close()


async def test_another_service_cannot_connect_to_a_database(tmp_path: Path) -> None:
    postgres = shared_postgres()
    made = await create_service_databases(postgres.dsn(), ["mine", "yours"], secrets=SecretStore(tmp_path / "secrets"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(made["mine"].app_url.removesuffix("mine") + "yours")


def test_secrets_are_read_by_their_owner_only(tmp_path: Path) -> None:
    secrets = SecretStore(tmp_path / "secrets")
    assert secrets.get("one") == secrets.get("one") != secrets.get("two")
    assert {path.stat().st_mode & 0o777 for path in secrets.directory.iterdir()} == {0o600}
    assert secrets.directory.stat().st_mode & 0o777 == 0o700


async def test_a_service_publishes_its_own_subjects_and_others_read_what_they_list(server: Nats) -> None:
    denied: asyncio.Queue[str] = asyncio.Queue()
    identity, branches = await connect(server, "identity", denied), await connect(server, "branches", denied)
    await identity.jetstream().add_stream(name="ZHIBU_IDENTITY", subjects=["zhibu.identity.v1.>"])
    await identity.jetstream().publish("zhibu.identity.v1.eid_issued", b"hello")
    pull = await branches.jetstream().pull_subscribe(
        "zhibu.identity.v1.eid_issued", durable="branches_test", stream="ZHIBU_IDENTITY"
    )
    (message,) = await pull.fetch(1, timeout=EVENT_TIMEOUT_S)
    await message.ack_sync(timeout=EVENT_TIMEOUT_S)
    assert message.data == b"hello"
    assert denied.empty()
    await identity.close()
    await branches.close()


@pytest.mark.parametrize(
    "subject",
    ["zhibu.identity.v1.eid_revoked", "zhibu.branches.v1.organisation_changed", "$JS.API.STREAM.DELETE.ZHIBU_DEAD"],
)
async def test_a_service_cannot_publish_what_it_does_not_list(server: Nats, subject: str) -> None:
    denied: asyncio.Queue[str] = asyncio.Queue()
    identity = await connect(server, "identity", denied)
    await identity.publish(subject, b"")
    assert re.search("permissions violation for publish", await asyncio.wait_for(denied.get(), EVENT_TIMEOUT_S))
    await identity.close()


@pytest.mark.parametrize("subject", ["zhibu.identity.v1.>", ">", "_INBOX_identity.>"])
async def test_a_service_cannot_listen_to_what_it_does_not_list(server: Nats, subject: str) -> None:
    denied: asyncio.Queue[str] = asyncio.Queue()
    branches = await connect(server, "branches", denied)
    await branches.subscribe(subject)
    assert re.search("permissions violation for subscription", await asyncio.wait_for(denied.get(), EVENT_TIMEOUT_S))
    await branches.close()


async def test_a_service_cannot_make_a_consumer_for_what_it_does_not_list(server: Nats) -> None:
    denied: asyncio.Queue[str] = asyncio.Queue()
    branches = await connect(server, "branches", denied)
    with pytest.raises(nats.errors.TimeoutError):
        await branches.jetstream(timeout=1).pull_subscribe(
            "zhibu.identity.v1.>", durable="all", stream="ZHIBU_IDENTITY"
        )
    assert "$js.api.consumer.create" in await denied.get()
    await branches.close()


async def test_a_listed_bucket_can_be_made_written_and_watched(server: Nats) -> None:
    denied: asyncio.Queue[str] = asyncio.Queue()
    branches = await connect(server, "branches", denied)
    bucket = await branches.jetstream().create_key_value(bucket="limits", storage="memory")  # pyright: ignore[reportCallIssue, reportArgumentType] - nats-py takes the fields by name.
    watcher = await bucket.watchall()
    await bucket.put("one", b"1")
    assert (await bucket.get("one")).value == b"1"
    update = None
    while update is None:  # None marks the end of what was there before.
        update = await watcher.updates(timeout=EVENT_TIMEOUT_S)
    assert getattr(update, "value", None) == b"1"
    assert denied.empty()
    await watcher.stop()
    await branches.close()


def test_no_engine_outlives_a_killed_test_run(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from zhibu_stack.engines import Nats, Postgres;"
        "directory = Path(sys.argv[1]); postgres = Postgres(directory / 'postgres', fsync=False); postgres.start();"
        "nats = Nats(directory / 'nats', users=[]); nats.start();"
        "print(postgres.program().argv[0], nats._child.pid, postgres._child.pid); sys.stdout.flush();"
        "os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], check=False, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == -9, ended.stderr
    for pid in map(int, ended.stdout.split()[1:]):
        wait_for_end(pid)


def wait_for_end(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([descriptor], [], [], 20)[0], f"process {pid} is still there"
    os.close(descriptor)

"""PostgreSQL and NATS as tests and `make run` get them."""

import asyncio
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import nats
import pytest
from nats.aio.client import Client
from zhibu_stack.databases import create_service_databases
from zhibu_stack.engines import Nats, NatsUser, Postgres
from zhibu_stack.errors import StackError
from zhibu_stack.secret_store import SecretStore
from zhibu_stack.testing import shared_postgres

EVENT_TIMEOUT_S = 30


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    mine = NatsUser(name="mine", password="m", publish=["mine.>"], subscribe=["mine.>"])
    users = [mine, NatsUser(name="nobody", password="n")]
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


async def test_what_jetstream_acknowledged_is_there_after_a_restart(tmp_path: Path) -> None:
    server = Nats(tmp_path, users=[NatsUser(name="all", password="a", publish=[">"], subscribe=[">"])])
    server.start()
    client = await connect(server, "all", asyncio.Queue())
    await client.jetstream().add_stream(name="KEPT", subjects=["kept.>"])
    await client.jetstream().publish("kept.one", b"hello")
    await client.close()
    server.stop()
    server.start()
    try:
        client = await connect(server, "all", asyncio.Queue())
        assert (await client.jetstream().get_last_msg("KEPT", "kept.one")).data == b"hello"
        await client.close()
    finally:
        server.stop()


@pytest.mark.parametrize("subject", ["theirs.one", "mine", "$JS.API.STREAM.CREATE.X"])
async def test_a_user_publishes_to_the_listed_subjects_only(server: Nats, subject: str) -> None:
    denied: asyncio.Queue[str] = asyncio.Queue()
    client = await connect(server, "mine", denied)
    await client.publish("mine.one", b"")
    await client.publish(subject, b"")
    assert f'permissions violation for publish to "{subject.lower()}"' in await next_of(denied)
    await client.close()


@pytest.mark.parametrize("subject", ["theirs.one", ">"])
async def test_a_user_listens_to_the_listed_subjects_only(server: Nats, subject: str) -> None:
    denied: asyncio.Queue[str] = asyncio.Queue()
    client = await connect(server, "mine", denied)
    await client.subscribe(subject)
    assert f'permissions violation for subscription to "{subject}"' in await next_of(denied)
    await client.close()


async def test_a_user_without_lists_may_do_nothing(server: Nats) -> None:
    denied: asyncio.Queue[str] = asyncio.Queue()
    client = await connect(server, "nobody", denied)
    await client.publish("mine.one", b"")
    assert "permissions violation for publish" in await next_of(denied)
    await client.subscribe("mine.one")
    assert "permissions violation for subscription" in await next_of(denied)
    await client.close()


async def test_a_wrong_password_is_refused(server: Nats) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await reader.readline()
    writer.write(b'CONNECT {"user":"mine","pass":"wrong","verbose":true}\r\n')
    assert await asyncio.wait_for(reader.readline(), EVENT_TIMEOUT_S) == b"-ERR 'Authorization Violation'\r\n"
    writer.close()
    await writer.wait_closed()


async def next_of(denied: asyncio.Queue[str]) -> str:
    return await asyncio.wait_for(denied.get(), EVENT_TIMEOUT_S)


def test_no_engine_outlives_a_killed_test_run(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from zhibu_stack.engines import Nats, NatsUser, Postgres;"
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

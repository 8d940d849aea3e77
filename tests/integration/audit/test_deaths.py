"""Killed at any moment, the log loses nothing, has nothing twice, and keeps the order of every lane."""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path

import asyncpg
import pytest
from integration.audit.log_house import LogHouse, log_house
from integration.audit.test_lanes import faults_in
from support.lane_services import LaneServices
from support.service_process import ServiceProcess, environment_of
from zhibu_audit.chains import read_leaf
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.engines import Postgres

LANES = ("identity", "branches", "notify")
# On a machine that may do ten other things.
CAUGHT_UP_S = 180.0


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Postgres:
    """A cluster that may be killed: the others of the test run live in another one."""
    return Postgres(tmp_path_factory.mktemp("own-postgres"))


@pytest.fixture
async def own_house(
    own_postgres: Postgres, nats: NatsServer, issuer: TokenIssuer, tmp_path: Path
) -> AsyncGenerator[LogHouse]:
    own_postgres.start()
    try:
        make = DatabaseMaker(own_postgres)
        async with log_house(tmp_path, make, postgres=own_postgres, nats=nats, issuer=issuer) as house:
            yield house
    finally:
        own_postgres.stop()


def audit_process(house: LogHouse) -> ServiceProcess:
    settings = {
        "ZHIBU_AUDIT_DIRECTORY": str(house.root),
        "ZHIBU_AUDIT_KEY_FILE": str(house.directory / "log.key"),
        "ZHIBU_AUDIT_ORIGIN": house.key.name,
        "ZHIBU_AUDIT_WITNESSES": ",".join(witness.setting for witness in house.witnesses),
        "ZHIBU_AUDIT_QUORUM": "2",
    }
    environment = {**environment_of("audit", house.database, house.nats, house.issuer), **settings}
    return ServiceProcess("audit", environment, log=house.directory / "audit.log")


async def size_of(house: LogHouse) -> int:
    """Return how many entries the database has, 0 while it does not answer."""
    try:
        connection = await asyncpg.connect(house.postgres.dsn(house.database.name), timeout=5)
    except (OSError, asyncpg.PostgresError):
        return 0
    try:
        return int(await connection.fetchval("select size from log_head") or 0)
    finally:
        await connection.close()


async def survive(
    house: LogHouse, deaths: Sequence[Callable[[ServiceProcess], Awaitable[None]]], *, rows_between: int
) -> None:
    """Let services write, kill something in the middle, again and again; then the log must be whole."""
    bus = await house.nats.connect("admin")
    services = LaneServices(bus, *LANES)
    audit = audit_process(house)
    dice = random.Random(11)
    async with house.nats.heartbeats(), services.answering():
        await audit.start()
        try:
            for die in deaths:
                before = await size_of(house)
                writing = [asyncio.create_task(services.write(lane, rows_between)) for lane in LANES]
                # Somewhere in the middle of taking, appending or cosigning.
                wanted = before + dice.randrange(1, rows_between)
                await wait_until(lambda wanted=wanted: _reached(house, wanted), CAUGHT_UP_S)
                await die(audit)
                await asyncio.gather(*writing)
            written = sum(len(lane.rows) for lane in services.rows.values())
            await wait_until(lambda: _is_whole(house, written), CAUGHT_UP_S)
        finally:
            await audit.stop()
            await bus.close()
    await see_that_it_is_whole(house, services)


async def see_that_it_is_whole(house: LogHouse, services: LaneServices) -> None:
    assert house.verify().findings == ()
    connection = await asyncpg.connect(house.postgres.dsn(house.database.name))
    rows = await connection.fetch("select entry_index, leaf from entry order by entry_index")
    openings = await connection.fetchval("select count(*) from entry_subject where salt is not null")
    await connection.close()
    leaves = [row["leaf"] for row in rows]
    assert [row["entry_index"] for row in rows] == list(range(len(rows)))
    assert faults_in(leaves) == []
    assert openings == len(leaves)
    for lane, written in services.rows.items():
        logged = [content["row"]["audit_id"] for content in map(read_leaf, leaves) if content["lane"] == lane]
        assert len(logged) == len(written.rows), lane


async def _reached(house: LogHouse, wanted: int) -> bool:
    return await size_of(house) >= wanted


async def _is_whole(house: LogHouse, written: int) -> bool:
    return house.signed().checkpoint.size == written and house.verify().is_good


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_killed_in_the_middle_it_loses_and_doubles_nothing(house: LogHouse) -> None:
    async def kill(audit: ServiceProcess) -> None:
        await audit.kill()
        await audit.start()

    await survive(house, [kill], rows_between=300)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
async def test_killed_again_and_again_with_its_database_and_nats_it_loses_and_doubles_nothing(
    own_house: LogHouse,
) -> None:
    async def kill(audit: ServiceProcess) -> None:
        await audit.kill()
        await audit.start()

    async def restart_nats(_: ServiceProcess) -> None:
        own_house.nats.stop()
        own_house.nats.start()

    async def restart_postgres(_: ServiceProcess) -> None:
        own_house.postgres.stop()
        own_house.postgres.start()

    async def all_together(audit: ServiceProcess) -> None:
        await audit.kill()
        await restart_postgres(audit)
        await restart_nats(audit)
        await audit.start()

    deaths = [kill, restart_nats, kill, restart_postgres, kill, all_together, kill, kill]
    await survive(own_house, deaths, rows_between=1000)

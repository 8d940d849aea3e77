"""What goes wrong with the log fires its alert, that one alone, which ends when the cause is mended."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from integration.audit.log_house import LogHouse, log_house
from integration.audit.running_audit import Audit
from integration.audit.test_restoring import feed
from support.lane_rows import LaneRows
from support.prometheus import Watch, watching
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer, subjects_of_repository
from zhibu_stack.engines import Postgres

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    """A server that lets services do what their READMEs say; the other alerts have services of their own."""
    server = NatsServer(tmp_path_factory.mktemp("nats"), subjects_of_repository())
    server.start()
    try:
        await server.prepare()
        yield server
    finally:
        server.stop()


@pytest.fixture
async def house(
    service_database: DatabaseMaker, postgres: Postgres, nats: NatsServer, tmp_path: Path
) -> AsyncGenerator[LogHouse]:
    with TokenIssuer() as issuer:
        async with log_house(tmp_path, service_database, postgres=postgres, nats=nats, issuer=issuer) as house:
            yield house


@asynccontextmanager
async def watched(house: LogHouse, tmp_path: Path, **settings: object) -> AsyncGenerator[tuple[Audit, Watch]]:
    async with (
        house.running(**settings) as audit,
        watching(tmp_path, {"zhibu-audit": audit.service.health_address}) as watch,
    ):
        yield audit, watch


@pytest.mark.fires("LaneStopped")
async def test_a_lane_with_a_gap(house: LogHouse, tmp_path: Path) -> None:
    async with watched(house, tmp_path, audit_gap_s=1.0) as (audit, watch):
        rows = LaneRows(lane="identity").write(9)
        await audit.publish("identity", [*rows[:3], *rows[6:]])
        await watch.until_firing("LaneStopped")
        await audit.publish("identity", rows[3:])
        await watch.until_quiet()


@pytest.mark.fires("LogNotGrowing")
async def test_a_log_that_somebody_else_holds(house: LogHouse, tmp_path: Path) -> None:
    async with house.running() as audit:
        await house.write(audit, 5)
        await house.wait_for_cosigned(5)
    holder = os.open(house.root / "1" / ".writer" / "lock", os.O_RDWR)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        async with watched(house, tmp_path) as (audit, watch):
            await house.write(audit, 5)
            await watch.until_firing("LogNotGrowing")
            fcntl.flock(holder, fcntl.LOCK_UN)
            await watch.until_quiet()
    finally:
        os.close(holder)


@pytest.mark.fires("WitnessBehind")
async def test_a_witness_that_is_away(house: LogHouse, tmp_path: Path) -> None:
    async with watched(house, tmp_path) as (audit, watch):
        await house.write(audit, 5)
        await house.wait_for_cosigned(5)
        await asyncio.to_thread(house.witnesses[1].stop)
        await house.write(audit, 5)
        await watch.until_firing("WitnessBehind")
        await asyncio.to_thread(house.witnesses[1].start)
        await watch.until_quiet()


@pytest.mark.fires("LogInconsistent")
async def test_a_log_that_was_restored_to_less_than_was_cosigned(house: LogHouse, tmp_path: Path) -> None:
    async with house.running() as audit:
        await house.write(audit, 5)
        await house.wait_for_cosigned(5)
    backup, old = await house.back_up_rows(), house.copy_tree("old")
    async with house.running() as audit:
        await house.write(audit, 5)
        await house.wait_for_cosigned(10)
    whole = house.copy_tree("whole")
    await house.restore_rows(backup)
    house.restore_tree(old)
    async with watched(house, tmp_path) as (_, watch):
        await watch.until_firing("LogInconsistent")
        assert (await asyncio.to_thread(feed, house, str(whole / "1"))).returncode == 0
        await watch.until_quiet()

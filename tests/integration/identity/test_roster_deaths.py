"""Whole rosters through identity and branches as processes that can be killed; bench/roster_deaths.py does it with 100,000."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.roster_county import running_roster_county
from support.roster_stories import import_across_deaths, whole_county
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_stack.engines import Postgres

# The lease of a killed service ends after 20 s, what NATS had given it is given again after 30 s; the rest is the machine.
TIMEOUT_S = 400


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_services_killed_in_the_middle_of_a_roster_go_on_by_themselves_and_lose_or_double_nobody(
    tmp_path: Path, service_database: DatabaseMaker, postgres: Postgres, nats: NatsServer
) -> None:
    told: list[str] = []
    async with running_roster_county(
        tmp_path, make_database=service_database, postgres=postgres, nats=nats, branch_count=12
    ) as county:
        await import_across_deaths(county, 6000, timeout_s=TIMEOUT_S, tell=told.append)
    assert sum("SIGKILL" in line for line in told) == 3


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_whole_roster_is_brought_in_mended_repeated_and_exported_without_a_difference(
    tmp_path: Path, service_database: DatabaseMaker, postgres: Postgres, nats: NatsServer
) -> None:
    async with running_roster_county(
        tmp_path, make_database=service_database, postgres=postgres, nats=nats, branch_count=12
    ) as county:
        await whole_county(county, 1200, timeout_s=TIMEOUT_S, tell=lambda _: None)

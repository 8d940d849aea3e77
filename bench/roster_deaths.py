"""A roster of 100,000 while its services are killed, and one of 24,000 mended, repeated and exported: what happened when.

    .venv/bin/python bench/roster_deaths.py [--killed-rows 100000] [--mended-rows 24000]

The stories of tests/integration/identity/test_roster_deaths.py at full size: identity is killed with SIGKILL in the check and
in the commit, branches while it applies; meanwhile there are at every moment nobody or everybody, and at the end everybody
once. Then a roster with forty bad rows: committed without them, the file of problems mended and uploaded, everything uploaded
once more and exported: no difference. Any deviation ends it with an AssertionError.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from report import Report

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from support.roster_county import RosterCounty, running_roster_county  # noqa: E402
from support.roster_stories import import_across_deaths, whole_county  # noqa: E402
from zhibu_kit.testing.databases import DatabaseMaker  # noqa: E402
from zhibu_kit.testing.nats_server import NatsServer, subjects_of_repository  # noqa: E402
from zhibu_stack.engines import Postgres  # noqa: E402

LIMIT_S = 3600
BRANCHES = 200


async def in_a_county(story: Callable[[RosterCounty], Awaitable[None]]) -> None:
    """Tell a story in a fresh county."""
    with tempfile.TemporaryDirectory(prefix="zhibu-roster-") as name:
        directory = Path(name)
        postgres = Postgres(directory / "postgres")
        nats = NatsServer(directory / "nats", subjects_of_repository())
        postgres.start()
        nats.start()
        try:
            async with running_roster_county(
                directory,
                make_database=DatabaseMaker(postgres),
                postgres=postgres,
                nats=nats,
                branch_count=BRANCHES,
            ) as county:
                await story(county)
        finally:
            nats.stop()
            postgres.stop()


async def main(given: argparse.Namespace) -> None:
    report = Report(
        "roster_deaths",
        "花名册导入中断与重复 / Rosters cut off and repeated",
        target="cut off anywhere it goes on by itself, nothing lost or doubled; repeating changes nothing",
    )
    report.line(f"{given.killed_rows:,} rows, seconds since the upload began:")
    await in_a_county(
        lambda county: import_across_deaths(
            county, given.killed_rows, timeout_s=LIMIT_S, tell=lambda text: report.line(f"- {text}")
        )
    )
    report.line(f"{given.mended_rows:,} rows, forty of them bad:")
    await in_a_county(
        lambda county: whole_county(
            county, given.mended_rows, timeout_s=LIMIT_S, tell=lambda text: report.line(f"- {text}")
        )
    )
    report.write()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--killed-rows", type=int, default=100_000)
    parser.add_argument("--mended-rows", type=int, default=24_000)
    asyncio.run(main(parser.parse_args()))

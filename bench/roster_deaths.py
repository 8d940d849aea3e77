"""A roster of 100,000 while its services are killed, and one of 24,000 mended, repeated and exported: what happened when.

    .venv/bin/python bench/roster_deaths.py [--smoke] [--killed-rows 100000] [--mended-rows 24000] [--branches 200]

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

from report import Report, Size, read_sizes

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from support.roster_county import RosterCounty, running_roster_county  # noqa: E402
from support.roster_stories import import_across_deaths, whole_county  # noqa: E402
from zhibu_kit.testing.databases import DatabaseMaker  # noqa: E402
from zhibu_kit.testing.nats_server import NatsServer, subjects_of_repository  # noqa: E402
from zhibu_stack.engines import Postgres  # noqa: E402

LIMIT_S = 3600


async def in_a_county(branch_count: int, story: Callable[[RosterCounty], Awaitable[None]]) -> None:
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
                branch_count=branch_count,
            ) as county:
                await story(county)
        finally:
            nats.stop()
            postgres.stop()


async def main(given: argparse.Namespace) -> int:
    report = Report(
        "roster_deaths",
        "花名册导入中断与重复 / Rosters cut off and repeated",
        target="cut off anywhere it goes on by itself, nothing lost or doubled; repeating changes nothing",
        smoke=given.smoke,
    )
    report.line(f"{given.killed_rows:,} rows, seconds since the upload began:")
    await in_a_county(
        given.branches,
        lambda county: import_across_deaths(
            county, given.killed_rows, timeout_s=LIMIT_S, tell=lambda text: report.line(f"- {text}")
        ),
    )
    report.line(f"{given.mended_rows:,} rows, forty of them bad:")
    await in_a_county(
        given.branches,
        lambda county: whole_county(
            county, given.mended_rows, timeout_s=LIMIT_S, tell=lambda text: report.line(f"- {text}")
        ),
    )
    return report.write()


if __name__ == "__main__":
    sizes = read_sizes(
        __doc__,
        # With fewer, a service is through before it can be killed.
        killed_rows=Size(full=100_000, smoke=6_000),
        mended_rows=Size(full=24_000, smoke=1_200),
        branches=Size(full=200, smoke=12),
    )
    sys.exit(asyncio.run(main(sizes)))

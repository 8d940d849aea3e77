"""A roster from the upload to the last membership: rows a second, and the most memory that any process took.

    .venv/bin/python bench/roster_import.py [--smoke] [--rows 1000,10000,100000] [--forms xlsx,csv] [--runs 3] [--large-runs 1]

identity and branches run as processes of their own on a real PostgreSQL (with fsync) and a real NATS; the file goes through
RosterService as the gateway sends it. Timed are: the upload; reading, checking and staging until the differences can be looked
at; the first page of them; the commit; what branches makes of it, until identity has heard that all is applied; and the same
people uploaded once more, which must change nothing. Each run has fresh databases and processes.

Beside it, in the same run, what the least would cost: the same bytes parsed by calamine or csv in one process, and the cells
put into one table without keys, seals, indexes or checks by COPY.

Ends with 1 when a process took more than 500 MB, when anything was lost or doubled, or when repeating changed something.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import python_calamine
from peak_memory import PeakMemory
from report import Report, Size, read_sizes, spread

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from support.roster_county import RosterCounty, running_roster_county  # noqa: E402
from support.whole_rosters import WHOLE_HEADINGS, whole_csv, whole_roster, whole_xlsx  # noqa: E402
from zhibu.identity.v1 import roster_pb2  # noqa: E402
from zhibu_kit.testing.databases import DatabaseMaker  # noqa: E402
from zhibu_kit.testing.nats_server import NatsServer, subjects_of_repository  # noqa: E402
from zhibu_kit.testing.waiting import wait_until  # noqa: E402
from zhibu_stack.engines import Postgres  # noqa: E402

MOST_MB = 500
LIMIT_S = 3600
FOLLOWED_LOOK_S = 0.2
# The number of 正式党员 in the contract.
FULL_MEMBER = 5
DONE = (roster_pb2.ROSTER_STATE_COMMITTED, roster_pb2.ROSTER_STATE_APPLIED)


@dataclass(slots=True, kw_only=True)
class Run:
    """What one run took, in seconds, and the most memory of each process, in megabytes."""

    rows: int
    upload_s: float = 0
    check_s: float = 0
    page_s: float = 0
    commit_s: float = 0
    apply_s: float = 0
    follow_s: float = 0
    repeat_s: float = 0
    read_peer_s: float = 0
    copy_peer_s: float = 0
    memory_mb: dict[str, float] = field(default_factory=dict[str, float])
    identity_cpu_s: float = 0
    branches_cpu_s: float = 0

    @property
    def rows_per_s(self) -> float:
        return self.rows / (self.upload_s + self.check_s + self.commit_s + self.apply_s)


class WrongOutcomeError(Exception):
    """The import did something else than it should have."""


async def import_once(county: RosterCounty, content: bytes, run: Run, form: str) -> None:
    """Bring one file in, and the same once more."""
    with (
        PeakMemory(county.identity.pid) as identity,
        PeakMemory(county.branches.pid) as branches,
    ):
        at_s = time.monotonic()
        uploaded = await county.upload(content, file_name=f"花名册.{form}")
        run.upload_s, at_s = _since(at_s)
        checked = await county.reaches(uploaded.roster_id, roster_pb2.ROSTER_STATE_CHECKED, timeout_s=LIMIT_S)
        run.check_s, at_s = _since(at_s)
        _expect("checked", (checked.row_count, checked.new_count, checked.problem_count), (run.rows, run.rows, 0))
        page = await county.first_rows(checked, roster_pb2.ROSTER_DIFFERENCE_NEW)
        run.page_s, at_s = _since(at_s)
        _expect("rows on the first page", len(page), 50)
        await county.commit(checked)
        await county.watch(uploaded.roster_id, lambda roster: roster.state in DONE, timeout_s=LIMIT_S)
        run.commit_s, at_s = _since(at_s)
        await county.reaches(uploaded.roster_id, roster_pb2.ROSTER_STATE_APPLIED, timeout_s=LIMIT_S)
        run.apply_s, at_s = _since(at_s)
        await wait_until(lambda: has_followed(county, run.rows), timeout_s=LIMIT_S)
        run.follow_s, _ = _since(at_s)
        await expect_everybody_once(county, run.rows)
        at_s = time.monotonic()
        again = await county.upload(content, file_name=f"花名册.{form}")
        again = await county.reaches(again.roster_id, roster_pb2.ROSTER_STATE_CHECKED, timeout_s=LIMIT_S)
        run.repeat_s, _ = _since(at_s)
        _expect("same people once more", (again.same_count, again.new_count, again.changed_count, again.gone_count), (run.rows, 0, 0, 0))  # fmt: skip
    run.identity_cpu_s, run.branches_cpu_s = identity.cpu_s, branches.cpu_s
    run.memory_mb = {
        "identity": identity.own_mb,
        "its child": identity.child_mb,
        "branches": max(branches.own_mb, branches.child_mb),
    }


async def has_followed(county: RosterCounty, rows: int) -> bool:
    """Say whether identity has heard of every membership and record that branches made of the roster."""
    await asyncio.sleep(FOLLOWED_LOOK_S)
    standing = "select count(*) from person where party_status = $1"
    placed = await county.identity_rows.fetchval("select count(*) from member_place")
    return bool(placed == rows and await county.identity_rows.fetchval(standing, FULL_MEMBER) == rows)


async def expect_everybody_once(county: RosterCounty, rows: int) -> None:
    """Make sure that nobody was lost or doubled, in identity or in branches."""
    held = (
        await county.identity_rows.fetchval("select count(*) from person where in_roster"),
        await county.branches_rows.fetchval("select count(*) from member_record"),
        await county.branches_rows.fetchval("select count(*) from membership where end_date is null and kind = 1"),
        await county.branches_rows.fetchval("select sum(conflict_count) from roster_application"),
    )
    _expect("people, records, memberships, conflicts", held, (rows, rows, rows, 0))


async def least(content: bytes, run: Run, form: str, dsn: str) -> None:
    """Do the least that brings the cells of the same file into a table."""

    def read() -> list[list[str]]:
        if form == "csv":
            return list(csv.reader(io.StringIO(content.decode("gb18030"))))
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        return [[str(cell) for cell in row] for row in book.get_sheet_by_index(0).iter_rows()]

    at_s = time.monotonic()
    rows = await asyncio.to_thread(read)
    run.read_peer_s, _ = _since(at_s)
    _expect("rows that the peer reads", len(rows), run.rows + 1)
    connection: asyncpg.Connection = await asyncpg.connect(dsn)
    columns = ", ".join(f"c{at} text" for at in range(len(WHOLE_HEADINGS)))
    await connection.execute(f"create table least ({columns})")
    at_s = time.monotonic()
    await connection.copy_records_to_table("least", records=rows)
    run.copy_peer_s, _ = _since(at_s)
    await connection.execute("drop table least")
    await connection.close()


async def one_run(form: str, rows: int, branch_count: int, directory: Path) -> Run:
    """Start everything, import, stop everything."""
    run = Run(rows=rows)
    postgres = Postgres(directory / "postgres")
    nats = NatsServer(directory / "nats", subjects_of_repository())
    await asyncio.to_thread(postgres.start)
    nats.start()
    try:
        async with running_roster_county(
            directory,
            make_database=DatabaseMaker(postgres),
            postgres=postgres,
            nats=nats,
            branch_count=min(branch_count, rows),
        ) as county:
            people = whole_roster(rows, county.branch_names)
            content = await asyncio.to_thread(whole_csv if form == "csv" else whole_xlsx, list(people))
            await import_once(county, content, run, form)
            await least(content, run, form, postgres.dsn())
    finally:
        nats.stop()
        await asyncio.to_thread(postgres.stop)
    return run


def _since(at_s: float) -> tuple[float, float]:
    now_s = time.monotonic()
    return now_s - at_s, now_s


def _expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise WrongOutcomeError(f"{what}: {found}, not {wanted}")


def show(report: Report, runs: dict[tuple[str, int], list[Run]]) -> float:
    """Write the tables; return the most memory that any process took."""
    report.line("Minimum / median / maximum of the runs; seconds unless said otherwise.")
    report.table(
        ["file, rows", "runs", "upload", "read, check, stage", "first page", "commit", "applied by branches", "rows/s, all of it", "identity has followed", "same file again"],
        [
            [
                f".{form}, {rows:,}",
                str(len(made)),
                spread([run.upload_s for run in made], "{:.2f}"),
                spread([run.check_s for run in made], "{:.1f}"),
                spread([run.page_s for run in made], "{:.3f}"),
                spread([run.commit_s for run in made], "{:.1f}"),
                spread([run.apply_s for run in made], "{:.1f}"),
                spread([run.rows_per_s for run in made], "{:,.0f}"),
                spread([run.follow_s for run in made], "{:.1f}"),
                spread([run.repeat_s for run in made], "{:.1f}"),
            ]
            for (form, rows), made in runs.items()
        ],
    )  # fmt: skip
    report.line(
        "Most memory of a process (resident, MB), and computing time, which depends less on what else the machine does (s), over"
        " the import, its following and its repetition:"
    )
    report.table(
        ["file, rows", "identity", "its child that reads", "branches", "computing: identity", "computing: branches"],
        [
            [
                f".{form}, {rows:,}",
                *(spread([run.memory_mb[name] for run in made], "{:.0f}") for name in ("identity", "its child", "branches")),
                spread([run.identity_cpu_s for run in made], "{:.1f}"),
                spread([run.branches_cpu_s for run in made], "{:.1f}"),
            ]
            for (form, rows), made in runs.items()
        ],
    )  # fmt: skip
    report.line(
        "Beside it the least that the same file could cost: parsed by calamine or csv in one process, and its cells put into"
        " one table by COPY, without keys, seals, indexes, checks or events."
    )
    report.table(
        ["file, rows", "parsed", "COPY", "check ÷ parsed", "whole import ÷ (parsed + COPY)"],
        [
            [
                f".{form}, {rows:,}",
                spread([run.read_peer_s for run in made], "{:.2f}"),
                spread([run.copy_peer_s for run in made], "{:.2f}"),
                spread([run.check_s / run.read_peer_s for run in made], "{:.1f}"),
                spread([rows / run.rows_per_s / (run.read_peer_s + run.copy_peer_s) for run in made], "{:.0f}"),
            ]
            for (form, rows), made in runs.items()
        ],
    )
    return max(mb for made in runs.values() for run in made for mb in run.memory_mb.values())


async def main(given: argparse.Namespace) -> int:
    report = Report(
        "roster_import",
        "花名册导入 / Importing a roster",
        target=f"100,000 rows with less than {MOST_MB} MB in each process",
        smoke=given.smoke,
    )
    runs: dict[tuple[str, int], list[Run]] = {}
    for rows in (int(text) for text in given.rows.split(",")):
        for form in given.forms.split(","):
            for _ in range(given.runs if rows < 100_000 else min(given.runs, given.large_runs)):
                with tempfile.TemporaryDirectory(prefix="zhibu-roster-") as name:
                    run = await one_run(form, rows, given.branches, Path(name))
                runs.setdefault((form, rows), []).append(run)
                print(run, flush=True)
    most_mb = show(report, runs)
    report.line(f"The most that any process took: {most_mb:.0f} MB of {MOST_MB} MB.")
    return report.write(missed=most_mb > MOST_MB)


if __name__ == "__main__":
    sizes = read_sizes(
        __doc__,
        rows=Size(full="1000,10000,100000", smoke="60", help="rows of the files"),
        forms=Size(full="xlsx,csv", smoke="xlsx,csv"),
        runs=Size(full=3, smoke=1),
        large_runs=Size(full=1, smoke=1, help="runs of 100,000 rows and more"),
        branches=Size(full=200, smoke=3),
    )
    sys.exit(asyncio.run(main(sizes)))

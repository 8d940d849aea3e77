"""docs/performance.md: each bench rewrites its own section, so that every figure there was printed by a command.

    from report import Report, Size, read_sizes

    given = read_sizes(__doc__, members=Size(full=6_600_000, smoke=2_000))
    report = Report("name_search", "姓名检索 / Search by name", target="p95 < 150 ms", smoke=given.smoke)
    report.line("6,600,000 members, 52.8 million tokens (8.1 GB)")
    report.table(["search", "median", "p95"], [["王伟", "3.1 ms", "9.0 ms"]])
    sys.exit(report.write(missed=p95_ms >= 150))

What is added is printed at once. A section is kept between two comments with the bench's name; text outside of them is written
by hand and stays. With `--smoke` every size is the smallest with which a bench can run: it shows that it does, writes nothing
and misses no target, because figures of such sizes say nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PERFORMANCE = REPOSITORY / "docs" / "performance.md"
_KIB_PER_GIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a bench does: for figures that count, and at least for it to run at all."""

    full: int | float | str
    smoke: int | float | str
    help: str = ""


def read_sizes(doc: str | None, **sizes: Size) -> argparse.Namespace:
    """Read the command line of a bench: `--smoke`, and each size by its name."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="the smallest sizes, and no document is written")
    for name, size in sizes.items():
        shown = f"{size.help} ({size.full}; with --smoke {size.smoke})".strip()
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(size.full), help=shown)
    given = parser.parse_args()
    for name, size in sizes.items():
        if getattr(given, name) is None:
            setattr(given, name, size.smoke if given.smoke else size.full)
    return given


class Report:
    """The section of one bench: what it measures, figures in the order in which they came, and what they were measured on."""

    def __init__(self, bench: str, title: str, *, target: str, smoke: bool) -> None:
        """Begin the section of `bench/<bench>.py`; `target` is what was asked of it, empty when nothing was."""
        self._smoke = smoke
        self._bench = bench
        self._title = title
        self._target = target
        self._parts: list[str] = []
        self._busy_at_start = os.getloadavg()[0]

    def line(self, text: str) -> None:
        """Add a sentence, and print it."""
        print(text, flush=True)
        self._parts.append(text)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Add a table, and print it."""
        lines = [
            f"| {' | '.join(headings)} |",
            f"| {' | '.join('---' if not at else '---:' for at in range(len(headings)))} |",
            *(f"| {' | '.join(row)} |" for row in rows),
        ]
        print("\n".join(lines), flush=True)
        self._parts.append("\n".join(lines))

    def write(self, *, missed: bool = False) -> int:
        """Put the section into docs/performance.md, in place of the one that this bench wrote before; return the exit status."""
        if self._smoke:
            print(f"{self._bench} runs; {PERFORMANCE.relative_to(REPOSITORY)} stays as it is")
            return 0
        begin, end = f"<!-- begin {self._bench} -->", f"<!-- end {self._bench} -->"
        now = datetime.now(UTC)
        measured = (
            f"Measured {now:%Y-%m-%d %H:%M} UTC at {_commit()} with `{_command(self._bench)}` on {_machine()};"
            f" load average {self._busy_at_start:.1f} before, {os.getloadavg()[0]:.1f} after."
        )
        asked = [f"Asked: {self._target}."] if self._target else []
        section = "\n\n".join([begin, f"## {self._title}", *asked, *self._parts, measured, end])
        text = PERFORMANCE.read_text(encoding="utf-8")
        found = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
        added = f"{text.rstrip()}\n\n{section}\n"
        text = found.sub(lambda _: section, text) if found.search(text) else added
        PERFORMANCE.write_text(text, encoding="utf-8")
        print(f"wrote the section {self._bench} of {PERFORMANCE.relative_to(REPOSITORY)}")
        if missed:
            print(f"{self._bench} MISSES ITS TARGET: {self._target}", file=sys.stderr)
        return int(missed)


def milliseconds(seconds: float) -> str:
    """Return a duration as the tables show it."""
    return f"{seconds * 1000:,.1f} ms"


def spread(values: Sequence[float], form: str = "{:,.1f}") -> str:
    """Return minimum, median and maximum of several runs, or the one value."""
    ordered = sorted(values)
    if len(ordered) == 1:
        return form.format(ordered[0])
    return " / ".join(form.format(value) for value in (ordered[0], ordered[len(ordered) // 2], ordered[-1]))


def _commit() -> str:
    """Say which commit was measured, and whether anything but the document itself was changed since."""
    head = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--", ".", ":!docs/performance.md")
    return f"commit {head}, with changes not committed" if changed else f"commit {head}"


def _git(*command: str) -> str:
    return subprocess.run(["git", *command], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.strip()


def _command(bench: str) -> str:
    return shlex.join([".venv/bin/python", f"bench/{bench}.py", *sys.argv[1:]])


def _machine() -> str:
    memory_kib = int(re.findall(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[0])
    models = re.findall(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    model = models[0].strip() if models else platform.machine()
    return f"{os.cpu_count()} cores ({model}), {memory_kib / _KIB_PER_GIB:.0f} GiB"

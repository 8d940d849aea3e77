"""How long each process takes until it is ready, and how much memory it holds, beside Django doing a part of it.

    .venv/bin/python bench/start_and_memory.py [--smoke] [--rounds 5]

Everything that `make run` starts, as it starts it, on a port base of its own (`ZHIBU_PORT_BASE`): PostgreSQL, NATS, Keycloak and the
message centre run already and migrations are done; in each round the services, the gateway and the web client are then
started one after the other, and last the peer (`bench/peer`: Django REST framework under gunicorn with two workers). Time runs
from the process's beginning to the first 200 of /readyz, which each process gives when it has what it needs; for the
peer, which has no such thing, to its first 200 to a request for a record. Computed: by the process and its children until then.

Memory is read some seconds later, and in the last round again after a load: ours while the demonstration is loaded
through the gateway and some pages of the web client are opened, the peer while wrk reads and writes for some seconds. Resident (RSS)
counts pages that processes share in each of them, proportional (PSS) in parts; children are counted with their process.
"""

import argparse
import asyncio
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from report import Report, Size, read_sizes, spread
from request_path import People, Side, cpu_of_tree, execute, fill, measure, peer_program, rows_of
from zhibu_kit.migrations import migrate
from zhibu_kit.testing.databases import migrations_of
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_stack.databases import ServiceDatabase, create_service_databases
from zhibu_stack.engines.process import Child, Program, run_to_end
from zhibu_stack.layout import PORT_BASE, SERVICES
from zhibu_stack.plan import LOAD_TIMEOUT_S, SERVICE_TIMEOUT_S, Plan
from zhibu_stack.steps import Step

OURS: Final = (*(service.name for service in SERVICES), "gateway", "web")
LOOK_EVERY_S: Final = 0.005
SETTLED_S: Final = 5.0
PAGES: Final = 200
_MARKS: Final = re.compile(r"^(Rss|Pss):\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Megabytes of a process with its children."""

    rss: float
    pss: float


@dataclass(slots=True, kw_only=True)
class Measured:
    """What was seen of one process, by round."""

    ready_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    started: list[Memory] = field(default_factory=list)
    loaded: Memory | None = None


def main(given: argparse.Namespace) -> int:
    if shutil.which("wrk") is None:
        print("wrk is missing: apt install wrk", file=sys.stderr)
        return 2
    report = Report("start_and_memory", "启动时间与内存 / Time to start, and memory", target="", smoke=given.smoke)
    measured = {name: Measured() for name in (*OURS, "peer")}
    # Installed programs have compiled files; where this is set every start would compile them anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as made, TokenIssuer() as issuer:
        plan = Plan(Path(made) / "run", port_base=int(os.environ.get("ZHIBU_PORT_BASE", PORT_BASE)))
        steps = {step.name: step for step in plan.steps()}
        with engines(plan, steps):
            people = People(issuer)
            database = asyncio.run(peer_database(plan, people))
            peer = Peer(people, *asyncio.run(peer_program(database.app_url, issuer)))
            for _ in range(given.rounds - 1):
                with everything(plan, steps, peer, measured):
                    pass
            with everything(plan, steps, peer, measured) as running:
                done = load(plan, steps["demo"], peer, running, given)
                time.sleep(SETTLED_S)
                for name, child in running.items():
                    measured[name].loaded = memory_of(child.pid)
    tell(report, measured, done, given)
    return report.write()


class Peer:
    """Django, and somebody who asks it."""

    def __init__(self, people: People, url: str, program: Program) -> None:
        self.people = people
        self.url = url
        self.program = program

    def answers(self) -> bool:
        """Say whether it gives a record."""
        headers = {"authorization": f"Bearer {self.people.tokens[0]}"}
        try:
            return httpx.get(f"{self.url}/v1/me/record", headers=headers, trust_env=False, timeout=30).is_success
        except httpx.TransportError:
            return False


@contextmanager
def engines(plan: Plan, steps: dict[str, Step]) -> Generator[None]:
    """Start what the services stand on, and bring their databases up to date."""
    with ExitStack() as stack:
        for engine in (plan.postgres, plan.nats):
            engine.start()
            stack.callback(engine.stop)
        for name in ("streams", "databases"):
            prepare(steps[name])
        plan.keycloak.start()
        stack.callback(plan.keycloak.stop)
        prepare(steps["realm"])
        smsc = steps["smsc"]
        assert smsc.program is not None, "it is a process"
        assert smsc.is_ready is not None, "it can be asked"
        child = Child(smsc.program(), log=log_of(plan, "smsc"))
        stack.callback(child.stop)
        child.wait_until(smsc.is_ready, timeout_s=SERVICE_TIMEOUT_S)
        for name, step in steps.items():
            if name.startswith("migrate-"):
                to_end(plan, step, SERVICE_TIMEOUT_S)
        yield


def prepare(step: Step) -> None:
    assert step.prepare is not None, f"{step.name} prepares something"
    step.prepare()


def to_end(plan: Plan, step: Step, timeout_s: float) -> None:
    assert step.program is not None, f"{step.name} is a program"
    run_to_end(step.program(), log=log_of(plan, step.name), timeout_s=timeout_s)


def log_of(plan: Plan, name: str) -> Path:
    return plan.directory / "logs" / f"{name}.log"


async def peer_database(plan: Plan, people: People) -> ServiceDatabase:
    """Make the peer its own database on the same PostgreSQL, with the rows of request_path.py."""
    made = await create_service_databases(plan.postgres.dsn(), ["branches"], secrets=plan.secrets, suffix="_peer")
    database = made["branches"]
    await migrate(database.owner_url, service="branches", directory=migrations_of("branches"))
    await fill(plan.postgres.dsn(database.name), rows_of(people))
    # Django asks for the number of the row that it has written.
    await execute(plan.postgres.dsn(database.name), "grant select on kit_outbox to branches_app")
    return database


@contextmanager
def everything(
    plan: Plan, steps: dict[str, Step], peer: Peer, measured: dict[str, Measured]
) -> Generator[dict[str, Child]]:
    """One round: start all, one after the other, and look at their memory."""
    running: dict[str, Child] = {}
    with ExitStack() as stack:

        def start(name: str, program: Program, is_ready: Callable[[], bool]) -> None:
            began = time.monotonic()
            child = running[name] = Child(program, log=log_of(plan, name))
            stack.callback(child.stop)
            while not is_ready():
                if child.exit_code() is not None or time.monotonic() - began > SERVICE_TIMEOUT_S:
                    raise SystemExit(f"{name} does not start: {log_of(plan, name).read_text()[-3000:]}")
                time.sleep(LOOK_EVERY_S)
            measured[name].ready_s.append(time.monotonic() - began)
            measured[name].cpu_s.append(cpu_of_tree(child.pid))

        for name in OURS:
            program, is_ready = steps[name].program, steps[name].is_ready
            assert program is not None, f"{name} is a process"
            assert is_ready is not None, f"{name} can be asked"
            start(name, program(), is_ready)
        start("peer", peer.program, peer.answers)
        time.sleep(SETTLED_S)
        for name, child in running.items():
            measured[name].started.append(memory_of(child.pid))
        yield running


def memory_of(pid: int) -> Memory:
    """Read what a process and its children hold now."""
    kept = {"Rss": 0, "Pss": 0}
    for one in [pid, *descendants(pid)]:
        for name, kib in _MARKS.findall(Path(f"/proc/{one}/smaps_rollup").read_text()):
            kept[name] += int(kib)
    return Memory(rss=kept["Rss"] * 1.024 / 1000, pss=kept["Pss"] * 1.024 / 1000)


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            found += [child, *descendants(child)]
    return found


def load(plan: Plan, demo: Step, peer: Peer, running: dict[str, Child], given: argparse.Namespace) -> str:
    """Give both sides something to do; say what."""
    to_end(plan, demo, LOAD_TIMEOUT_S)
    with httpx.Client(trust_env=False, timeout=30) as client:
        for _ in range(PAGES):
            client.get(f"{plan.ports.web_url}/").raise_for_status()
        metrics = client.get(f"http://127.0.0.1:{plan.ports.gateway_health}/metrics").text
    asked = sum(
        float(count) for count in re.findall(r"^zhibu_http_duration_seconds_count.* (\S+)$", metrics, re.MULTILINE)
    )
    side = Side(name="peer", url=peer.url, processes=lambda: {"Django": running["peer"].pid})
    rates = [
        asyncio.run(measure(side, peer.people.requests(what, "peer"), plan.directory, given))
        for what in ("read", "write")
    ]
    counts = [round(rate.per_s * given.seconds) for rate in rates]
    return (
        f"The load of ours was the demonstration, {asked:,.0f} requests to the gateway, and {PAGES} pages of the web client;"
        f" the load of the peer about {counts[0]:,} readings and {counts[1]:,} writings."
    )


def tell(report: Report, measured: dict[str, Measured], done: str, given: argparse.Namespace) -> None:
    report.line(f"{given.rounds} rounds, minimum / median / maximum; memory in MB. {done}")
    rows: list[list[str]] = []
    for name, one in measured.items():
        assert one.loaded is not None, "the last round had a load"
        rows.append(
            [
                "peer: Django, 2 workers and their parent" if name == "peer" else name,
                spread(one.ready_s, "{:.2f}"),
                spread(one.cpu_s, "{:.2f}"),
                *(spread([getattr(memory, kind) for memory in one.started], "{:,.0f}") for kind in ("rss", "pss")),
                f"{one.loaded.rss:,.0f}",
                f"{one.loaded.pss:,.0f}",
            ]
        )
    report.table(
        ["process", "ready after (s)", "computed (s)", "RSS, started", "PSS, started", "RSS, loaded", "PSS, loaded"],
        rows,
    )
    ours = [measured[name] for name in OURS]
    report.line(
        f"Ours together: PSS {sum(one.started[-1].pss for one in ours):,.0f} MB when started,"
        f" {sum(one.loaded.pss for one in ours if one.loaded):,.0f} MB after the load."
    )


if __name__ == "__main__":
    sizes = read_sizes(
        __doc__,
        rounds=Size(full=5, smoke=1),
        seconds=Size(full=5, smoke=1, help="of reading and of writing at the peer"),
        connections=Size(full=16, smoke=4),
        requests_max=Size(full=8_000, smoke=2_000, help="writes at hand"),
    )
    sys.exit(main(sizes))

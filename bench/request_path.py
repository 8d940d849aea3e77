"""A read and a write the whole way, beside the same in Django: own record, and signing a founding.

    .venv/bin/python bench/request_path.py [--smoke] [--rounds 7] [--seconds 6] [--connections 16]

Ours: gateway → gRPC → branches → PostgreSQL, one process each, with everything that production has switched on: tokens, deny-list,
permissions, limits, validation, idempotency, outbox with its relay to NATS, audit rows, metrics, 1 % traces. The peer is
`bench/peer`: Django REST framework under gunicorn, two workers, on the same PostgreSQL with the same rows, giving the same
answers (compared before anything is measured). wrk (Debian's package) asks both in turn, round by round, so that what the machine does
otherwise strikes both; it takes part of the two cores too.

Both write what must last (fsync is on). The peer has neither a relay for its outbox nor a gateway in front of it.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
from report import REPOSITORY, Report, Size, milliseconds, read_sizes, spread

sys.path.insert(0, str(REPOSITORY / "tests"))
from support.service_process import ServiceProcess
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer, subjects_of_repository
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.engines import Postgres
from zhibu_stack.engines.process import Child, Program
from zhibu_stack.ports import free_port

PEER: Final = REPOSITORY / "bench" / "peer"
COUNTY: Final = "370724"
MEMBERS: Final = 4_000
BRANCHES: Final = 20
FOUNDINGS: Final = 200
# Each founding is signed at most so often (the contract's limit is 500).
SIGNERS_MAX: Final = 480
COMPARED: Final = 20
TARGET: Final = 1.5
START_S: Final = 60.0
UNAUTHORIZED: Final = 401
# As branches makes it when it first starts.
PROVINCE: Final = """
insert into organisation (organisation_id, parent_id, level, name, county_code, ancestor_ids, name_form, name_tokens, active,
  version, create_time, update_time, start_date)
values ('37', null, 1, '山东省', '37', '{}', '山东省', '{}', true, 1, now(), now(), '2020-01-01') on conflict do nothing"""
# Name, columns, rows.
Table = tuple[str, str, Sequence[tuple[Any, ...]]]
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One round of one side."""

    per_s: float
    p50_s: float
    p99_s: float
    # Computing time of a request in seconds, by process.
    cpu_s: dict[str, float]


@dataclass(slots=True, kw_only=True)
class Side:
    """Ours, or the peer."""

    name: str
    url: str
    processes: Callable[[], dict[str, int]]
    # Where its processes tell their metrics.
    health: Sequence[str] = ()
    rounds: dict[str, list[Measured]] = field(default_factory=lambda: {"read": [], "write": []})


async def main(given: argparse.Namespace) -> int:
    if shutil.which("wrk") is None:
        print("wrk is missing: apt install wrk", file=sys.stderr)
        return 2
    report = Report(
        "request_path",
        "一次读、一次写的全程 / A read and a write the whole way",
        target=f"≥ {TARGET} × the requests a second of Django REST framework on both, p99 not worse",
        smoke=given.smoke,
    )
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        async with both_sides(directory) as (ours, peer, people):
            await compare(ours, peer, people)
            for number in range(given.rounds + 1):
                for what, side in itertools.product(("read", "write"), (ours, peer) if number % 2 else (peer, ours)):
                    measured = await measure(side, people.requests(what, side.name), directory, given)
                    # The first round warms caches, connections and plans of both.
                    if number:
                        side.rounds[what].append(measured)
        return report.write(missed=not tell(report, ours, peer, given))


class People:
    """Who asks, and what each of them has not signed yet."""

    def __init__(self, issuer: TokenIssuer) -> None:
        """Make up members and foundings."""
        self.members = [new_ulid() for _ in range(MEMBERS)]
        self.foundings = [new_ulid() for _ in range(FOUNDINGS)]
        later = int((datetime.now(UTC) + timedelta(minutes=55)).timestamp())
        self.tokens = [
            issuer.token(f"account-{at}", member_id=member, county_code=COUNTY, exp=later)
            for at, member in enumerate(self.members)
        ]
        self._pairs: dict[str, Iterator[tuple[int, int]]] = {}
        self._chance = random.Random(5)

    def requests(self, what: str, side: str) -> Iterator[str]:
        """Give lines for load.lua; a write is never given twice."""
        return self.reads() if what == "read" else self.writes(side)

    def reads(self) -> Iterator[str]:
        """Give everybody's own record, in any order."""
        for at in self._chance.sample(range(MEMBERS), MEMBERS):
            yield f"GET\t/v1/me/record\t{self.tokens[at]}\t"

    def writes(self, side: str) -> Iterator[str]:
        """Give signatures, side by side on all foundings."""
        pairs = self._pairs.setdefault(side, self._all_pairs())
        for founding, member in pairs:
            path = f"/v1/foundings/{self.foundings[founding]}:cosign"
            yield f'POST\t{path}\t{self.tokens[member]}\t{{"requestId":"{new_ulid()}"}}'

    @staticmethod
    def _all_pairs() -> Iterator[tuple[int, int]]:
        for turn in range(SIGNERS_MAX):
            for founding in range(FOUNDINGS):
                yield founding, (turn + 7 * founding) % MEMBERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """What both sides stand on."""

    directory: Path
    postgres: Postgres
    nats: NatsServer
    issuer: TokenIssuer


@asynccontextmanager
async def both_sides(directory: Path) -> AsyncGenerator[tuple[Side, Side, People]]:
    postgres = Postgres(directory / "postgres")
    nats = NatsServer(directory / "nats", subjects_of_repository())
    postgres.start()
    nats.start()
    try:
        async with AsyncExitStack() as stack:
            issuer = stack.enter_context(TokenIssuer())
            people = People(issuer)
            engines = Engines(directory=directory, postgres=postgres, nats=nats, issuer=issuer)
            make_database = DatabaseMaker(postgres)
            databases = {name: await make_database("branches") for name in ("ours", "peer")}
            tables = rows_of(people)
            for database in databases.values():
                await fill(postgres.dsn(database.name), tables)
            # Django asks for the number of the row that it has written.
            await execute(postgres.dsn(databases["peer"].name), "grant select on kit_outbox to branches_app")
            await nats.prepare()
            await stack.enter_async_context(nats.heartbeats())
            ours = await start_ours(stack, engines, databases["ours"])
            peer = await start_peer(stack, engines, databases["peer"])
            yield ours, peer, people
    finally:
        nats.stop()
        postgres.stop()


def rows_of(people: People) -> list[Table]:
    """One county with branches, members with a history, and foundings that collect signatures."""
    now = datetime.now(UTC)
    chance = random.Random(24)
    branches = [f"{COUNTY}-b{at:026}" for at in range(BRANCHES)]
    places = [("3707", "37", 2, "潍坊市", "3707", ["37"]), (COUNTY, "3707", 3, "临朐县", COUNTY, ["37", "3707"])]
    places += [
        (branch, COUNTY, 5, f"临朐县第{at}党支部", COUNTY, ["37", "3707", COUNTY]) for at, branch in enumerate(branches)
    ]
    at_home = [(member, branches[at % BRANCHES]) for at, member in enumerate(people.members)]
    history = ((date(2001, 7, 1), 4, 1), (date(2002, 7, 1), 5, 0), (date(2020, 1, 1), 0, 3))
    return [
        (
            "organisation",
            ("organisation_id parent_id level name county_code ancestor_ids name_form name_tokens active version"
            " create_time update_time start_date"),
            [(*place, place[3], [], True, 1, now, now, date(2020, 1, 1)) for place in places],
        ),
        (
            "member_record",
            ("member_id county_code branch_id status admitted_date confirmed_date occupation standing version"
            " create_time update_time"),
            [
                (member, COUNTY, branch, 5, date(2001, 7, 1), date(2002, 7, 1), chance.randint(1, 8), 1, 3, now, now)
                for member, branch in at_home
            ],
        ),
        (
            "membership",
            "membership_id member_id branch_id county_code kind start_date version create_time update_time",
            [(new_ulid(), member, branch, COUNTY, 1, date(2001, 7, 1), 1, now, now) for member, branch in at_home],
        ),
        (
            "member_decision",
            ("decision_id member_id county_code branch_id decision_date status occupation standing document_number"
            " document_id source made_by_member_id create_time"),
            [
                (new_ulid(), member, COUNTY, branch, day, status, occupation, 1, "临组〔2026〕12 号", "", 1, "", now)
                for member, branch in at_home
                for day, status, occupation in history
            ],
        ),
        (
            "founding",
            ("founding_id county_code organisation_id name kind purpose initiator_member_id state cosigner_count"
            " full_member_count expire_time version state_version create_time update_time"),
            [
                (founding, COUNTY, COUNTY, f"临朐县驻北京第{at}网上党支部", "mobile_members", "在外党员过组织生活",
                 people.members[at], 1, 0, 0, now + timedelta(days=60), 1, 1, now, now)
                for at, founding in enumerate(people.foundings)
            ],
        ),
    ]  # fmt: skip


async def fill(dsn: str, tables: Sequence[Table]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(PROVINCE)
        # Records and memberships are judged together at the commit.
        async with connection.transaction():
            for table, columns, rows in tables:
                await connection.copy_records_to_table(table, columns=columns.split(), records=rows)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def start_ours(
    stack: AsyncExitStack,
    engines: Engines,
    database: ServiceDatabase,
    *,
    name: str = "ours",
    variables: Mapping[str, str] | None = None,
) -> Side:
    """Start gateway and branches; `variables` are what both are given besides."""
    shared = {**engines.issuer.settings, "log_level": "WARNING"}
    own = {
        "database_url": database.app_url,
        "database_owner_url": database.owner_url,
        **engines.nats.settings("branches"),
    }

    async def start(service: str, settings: dict[str, str]) -> ServiceProcess:
        given = {**environment({**shared, **settings}), **(variables or {})}
        process = ServiceProcess(service, given, log=engines.directory / f"{name}-{service}.log")
        stack.push_async_callback(process.stop)
        await process.start()
        return process

    branches = await start("branches", own)
    gateway = await start(
        "gateway", {**engines.nats.settings("gateway"), "peer_branches": branches.address, "limits_factor": "100"}
    )
    return Side(
        name=name,
        url=f"http://{gateway.address}",
        health=(gateway.health_address, branches.health_address),
        processes=lambda: {
            "gateway": gateway.pid,
            "branches": branches.pid,
            "PostgreSQL": pid_of(engines.postgres),
            "NATS": engines.nats.pid,
        },
    )


async def start_peer(stack: AsyncExitStack, engines: Engines, database: ServiceDatabase) -> Side:
    url, program = await peer_program(database.app_url, engines.issuer)
    child = Child(program, log=engines.directory / "peer.log")
    stack.callback(child.stop)
    async with httpx.AsyncClient(trust_env=False) as client:
        await wait_until(lambda: answers(client, f"{url}/v1/me/record"), timeout_s=START_S)
    return Side(name="peer", url=url, processes=lambda: {"Django": child.pid, "PostgreSQL": pid_of(engines.postgres)})


async def peer_program(database_url: str, issuer: TokenIssuer) -> tuple[str, Program]:
    """Django under gunicorn, in an environment of its own beside the repository's: where it will answer, and what to run."""
    venv = REPOSITORY / ".run" / "bench-peer"
    python = venv / "bin" / "python"
    if not python.exists():
        await run(sys.executable, "-m", "venv", str(venv))
    await run(str(python), "-m", "pip", "install", "-q", "-r", str(PEER / "requirements.txt"))
    address = f"127.0.0.1:{free_port()}"
    argv = (
        str(venv / "bin" / "gunicorn"), "branches_peer.wsgi:application", "--bind", address,
        "--workers", "2", "--worker-class", "gthread", "--threads", "4", "--keep-alive", "60", "--log-level", "warning",
    )  # fmt: skip
    told = {
        "PEER_DATABASE_URL": database_url,
        "PEER_ISSUER": issuer.issuer,
        "PEER_JWKS_URL": f"{issuer.issuer}/jwks",
        "NO_PROXY": "127.0.0.1",
    }
    return f"http://{address}", Program(name="peer", argv=argv, env=told, cwd=PEER)


def pid_of(postgres: Postgres) -> int:
    return int((postgres.data / "postmaster.pid").read_text().split()[0])


async def answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == UNAUTHORIZED
    except httpx.TransportError:
        return False


def environment(settings: dict[str, str]) -> dict[str, str]:
    return {f"ZHIBU_{name.upper()}": value for name, value in settings.items()}


async def run(*command: str) -> None:
    child = await asyncio.create_subprocess_exec(*command)
    if await child.wait() != 0:
        raise SystemExit(f"{command[0]} failed")


async def compare(ours: Side, peer: Side, people: People) -> None:
    """Refuse to measure unless both sides say the same to the same requests."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        for at in range(COMPARED):
            headers = {"authorization": f"Bearer {people.tokens[at]}"}
            one, other = [(await client.get(f"{side.url}/v1/me/record", headers=headers)) for side in (ours, peer)]
            check_same(one, other)
        for line in itertools.islice(people.writes("compared"), COMPARED):
            _, path, token, body = line.split("\t")
            headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
            for _again in range(2):
                one, other = [
                    await client.post(f"{side.url}{path}", headers=headers, content=body) for side in (ours, peer)
                ]
                check_same(one, other)
    for side in ("ours", "peer"):
        # These have been signed now.
        list(itertools.islice(people.writes(side), COMPARED))


def check_same(one: httpx.Response, other: httpx.Response) -> None:
    if not one.is_success or not other.is_success:
        raise SystemExit(f"refused: {one.status_code} {one.text[:300]} | {other.status_code} {other.text[:300]}")
    if plain(one.json()) != plain(other.json()):
        raise SystemExit(f"the answers differ:\n{one.text}\n{other.text}")


def plain(value: Any) -> Any:
    """Leave out what is empty: one side may say nothing of it."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items() if one not in ("", [], None, False, 0)}
    return [plain(one) for one in value] if isinstance(value, list) else value


async def measure(side: Side, requests: Iterator[str], directory: Path, given: argparse.Namespace) -> Measured:
    """One round by wrk, with the computing time that each process took."""
    lines = directory / "requests.txt"
    lines.write_text("\n".join(itertools.islice(requests, given.requests_max)) + "\n")
    before = {name: cpu_of_tree(pid) for name, pid in side.processes().items()}
    child = await asyncio.create_subprocess_exec(
        "wrk", "-t1", f"-c{given.connections}", f"-d{given.seconds}s", "--timeout", "10s",
        "-s", str(REPOSITORY / "bench" / "load.lua"), side.url, "--", str(lines),
        stdout=subprocess.PIPE,
    )  # fmt: skip
    output, _ = await child.communicate()
    after = {name: cpu_of_tree(pid) for name, pid in side.processes().items()}
    found = json.loads(next(line for line in output.decode().splitlines() if line.startswith("{")))
    if found["refused"] or found["broken"]:
        raise SystemExit(f"{side.name}: {found['refused']} refused and {found['broken']} broken of {found['requests']}")
    return Measured(
        per_s=found["requests"] / found["seconds"],
        p50_s=found["p50_us"] / 1e6,
        p99_s=found["p99_us"] / 1e6,
        cpu_s={name: (after[name] - before[name]) / found["requests"] for name in after},
    )


def cpu_of_tree(pid: int) -> float:
    """Seconds that a process, its children that live and those that it buried have computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    total = sum(map(int, fields[11:15])) / _TICKS_PER_S
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        total += sum(cpu_of_tree(int(child)) for child in children if Path(f"/proc/{child}").exists())
    return total


def tell(report: Report, ours: Side, peer: Side, given: argparse.Namespace) -> bool:
    """Write the tables; True when both targets are met."""
    report.line(
        f"{given.rounds} paired rounds of {given.seconds} s with {given.connections} connections, minimum / median / maximum;"
        f" {MEMBERS:,} members, {FOUNDINGS} foundings. The answers of both sides were compared first."
    )
    met = True
    for what, title in (("read", "GET /v1/me/record"), ("write", "POST /v1/foundings/…:cosign")):
        one, other = ours.rounds[what], peer.rounds[what]
        ratios = [a.per_s / b.per_s for a, b in zip(one, other, strict=True)]
        tails = [a.p99_s / b.p99_s for a, b in zip(one, other, strict=True)]
        report.table(
            [title, "requests/s", "p50", "p99"],
            [
                [name, spread([m.per_s for m in rounds], "{:,.0f}"), *(
                    spread([getattr(m, point) * 1000 for m in rounds], "{:,.1f}") + " ms" for point in ("p50_s", "p99_s")
                )]
                for name, rounds in (("ours", one), ("Django", other))
            ] + [["ours ÷ Django", spread(ratios, "{:.2f}"), "", spread(tails, "{:.2f}")]],
        )  # fmt: skip
        median = sorted(ratios)[len(ratios) // 2]
        met &= median >= TARGET and sorted(tails)[len(tails) // 2] <= 1
    report.line("Computing time of a request by process, median:")
    report.table(
        ["process", "read", "write"],
        [
            [f"{side.name}: {name}", *(milliseconds(median_cpu(side.rounds[what], name)) for what in ("read", "write"))]
            for side in (ours, peer)
            for name in side.rounds["read"][0].cpu_s
        ],
    )
    return met


def median_cpu(rounds: Sequence[Measured], name: str) -> float:
    values = sorted(measured.cpu_s[name] for measured in rounds)
    return values[len(values) // 2]


if __name__ == "__main__":
    sizes = read_sizes(
        __doc__,
        rounds=Size(full=7, smoke=1),
        seconds=Size(full=6, smoke=1),
        connections=Size(full=16, smoke=4),
        requests_max=Size(full=8_000, smoke=2_000, help="writes at hand for one round"),
    )
    sys.exit(asyncio.run(main(sizes)))

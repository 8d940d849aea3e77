"""What telemetry costs: the read and the write of request_path.py with all of it, beside the same with none.

    .venv/bin/python bench/telemetry_cost.py [--smoke] [--rounds 9] [--seconds 6] [--connections 16]

Gateway and branches run twice, on a database and a NATS server each. On: as in production, 1 % of traces sampled and sent to a
collector (here one that takes them and looks at nothing), metrics kept and read every 15 s that the side is measured. Off: with
`OTEL_SDK_DISABLED=true`, OpenTelemetry's own switch, which takes tracer and meters away, and no trace sampled. What stays
in both are trace ids, which answers, log lines, events and audit rows carry.

wrk asks both in turn, round by round, so that what the machine does otherwise strikes both.
"""

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
from report import Report, Size, milliseconds, read_sizes, spread
from request_path import COMPARED, Engines, Measured, People, Side, check_same, fill, measure, rows_of, start_ours
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer, subjects_of_repository
from zhibu_stack.engines import Postgres

SCRAPE_EVERY_S: Final = 15.0
OFF: Final = {"OTEL_SDK_DISABLED": "true", "ZHIBU_TRACE_SAMPLE_RATIO": "0"}
_END_OF_HEAD: Final = b"\r\n\r\n"


class Collector:
    """Takes what OTLP over HTTP sends, and counts how often."""

    def __init__(self) -> None:
        self.taken = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(_END_OF_HEAD)).lower()
                await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
                self.taken += 1
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


class Scraper:
    """Reads the metrics of a side every so often, counting only the time for which it is measured."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.done = 0
        self._addresses = addresses
        self._due_in_s = SCRAPE_EVERY_S / 3

    @asynccontextmanager
    async def scraping(self) -> AsyncGenerator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                began = time.monotonic()
                try:
                    await asyncio.sleep(self._due_in_s)
                except asyncio.CancelledError:
                    self._due_in_s -= time.monotonic() - began
                    raise
                self._due_in_s = SCRAPE_EVERY_S
                for address in self._addresses:
                    (await client.get(f"http://{address}/metrics")).raise_for_status()
                self.done += 1


async def main(given: argparse.Namespace) -> int:
    report = Report("telemetry_cost", "遥测的代价 / What telemetry costs", target="", smoke=given.smoke)
    collector = Collector()
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        async with both_sides(directory, collector) as (on, off, people):
            await check(on, off, people)
            scraper = Scraper(on.health)
            for number in range(given.rounds + 1):
                for what, side in itertools.product(("read", "write"), (on, off) if number % 2 else (off, on)):
                    requests = people.requests(what, side.name)
                    if side is on:
                        async with scraper.scraping():
                            measured = await measure(side, requests, directory, given)
                    else:
                        measured = await measure(side, requests, directory, given)
                    # The first round warms caches, connections and plans of both.
                    if number:
                        side.rounds[what].append(measured)
    tell(report, on, off, given)
    report.line(f"On: metrics were read {scraper.done} times, and traces were sent {collector.taken} times.")
    return report.write()


@asynccontextmanager
async def both_sides(directory: Path, collector: Collector) -> AsyncGenerator[tuple[Side, Side, People]]:
    postgres = Postgres(directory / "postgres")
    servers = {name: NatsServer(directory / name, subjects_of_repository()) for name in ("on", "off")}
    postgres.start()
    for server in servers.values():
        server.start()
    try:
        async with AsyncExitStack() as stack:
            issuer = stack.enter_context(TokenIssuer())
            people = People(issuer)
            make_database = DatabaseMaker(postgres)
            endpoint = await stack.enter_async_context(await asyncio.start_server(collector.serve, "127.0.0.1"))
            port = endpoint.sockets[0].getsockname()[1]
            variables = {"on": {"ZHIBU_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}, "off": OFF}
            tables = rows_of(people)
            sides: list[Side] = []
            for name, nats in servers.items():
                database = await make_database("branches")
                await fill(postgres.dsn(database.name), tables)
                await nats.prepare()
                await stack.enter_async_context(nats.heartbeats())
                engines = Engines(directory=directory, postgres=postgres, nats=nats, issuer=issuer)
                sides.append(await start_ours(stack, engines, database, name=name, variables=variables[name]))
            yield sides[0], sides[1], people
    finally:
        for server in servers.values():
            server.stop()
        postgres.stop()


async def check(on: Side, off: Side, people: People) -> None:
    """Refuse to measure unless both give the same answers, and only one of them keeps metrics of its calls."""
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        for at in range(COMPARED):
            headers = {"authorization": f"Bearer {people.tokens[at]}"}
            one, other = [(await client.get(f"{side.url}/v1/me/record", headers=headers)) for side in (on, off)]
            check_same(one, other)
        for side in (on, off):
            for address in side.health:
                kept = "duration_seconds" in (await client.get(f"http://{address}/metrics")).text
                if kept is not (side is on):
                    raise SystemExit(f"{side.name}: metrics of calls at {address}: {kept}")


def tell(report: Report, on: Side, off: Side, given: argparse.Namespace) -> None:
    report.line(
        f"{given.rounds} paired rounds of {given.seconds} s with {given.connections} connections, minimum / median / maximum:"
    )
    for what, title in (("read", "GET /v1/me/record"), ("write", "POST /v1/foundings/…:cosign")):
        pairs = list(zip(on.rounds[what], off.rounds[what], strict=True))
        report.table(
            [title, "requests/s", "p50", "p99", "gateway and branches compute a request"],
            [
                [
                    f"telemetry {side.name}",
                    spread([one.per_s for one in side.rounds[what]], "{:,.0f}"),
                    f"{spread([one.p50_s * 1000 for one in side.rounds[what]])} ms",
                    f"{spread([one.p99_s * 1000 for one in side.rounds[what]])} ms",
                    f"{spread([own_cpu_s(one) * 1000 for one in side.rounds[what]], '{:.2f}')} ms",
                ]
                for side in (on, off)
            ]
            + [
                [
                    "on ÷ off",
                    spread([one.per_s / other.per_s for one, other in pairs], "{:.2f}"),
                    spread([one.p50_s / other.p50_s for one, other in pairs], "{:.2f}"),
                    spread([one.p99_s / other.p99_s for one, other in pairs], "{:.2f}"),
                    spread([own_cpu_s(one) / own_cpu_s(other) for one, other in pairs], "{:.2f}"),
                ]
            ],
        )
        costs = sorted(own_cpu_s(one) - own_cpu_s(other) for one, other in pairs)
        report.line(f"Telemetry computes {milliseconds(costs[len(costs) // 2])} a {what}, median of the pairs.")


def own_cpu_s(measured: Measured) -> float:
    """Computing time of a request in the processes that have telemetry."""
    return measured.cpu_s["gateway"] + measured.cpu_s["branches"]


if __name__ == "__main__":
    sizes = read_sizes(
        __doc__,
        rounds=Size(full=9, smoke=1),
        seconds=Size(full=6, smoke=1),
        connections=Size(full=16, smoke=4),
        requests_max=Size(full=8_000, smoke=2_000, help="writes at hand for one round"),
    )
    sys.exit(asyncio.run(main(sizes)))

"""From an event in the outbox to its effect in another service, with JetStream syncing each message to disk.

    .venv/bin/python bench/outbox_to_effect.py [--smoke] [--rounds 5] [--events 2000]

NATS runs with `sync_interval: always`, PostgreSQL with fsync. A round publishes as many messages of the same size, up to 256 in
flight, straight to JetStream, and then lets as many events that wait in an outbox go through relay, JetStream and a consumer that
writes a row and its inbox entry in one transaction; time runs until the last row is there. Afterwards events are committed one by one, some a second, and the time from each commit to its
effect is taken.

Relay and consumer are a process each, as they are when services run.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg
from report import REPOSITORY, Report, Size, milliseconds, read_sizes, spread

sys.path.insert(0, str(REPOSITORY / "tests"))
from integration.kit_data.records import (
    COUNTY,
    HEARD,
    MIGRATIONS,
    RECORD,
    SUBJECTS,
    Mirror,
    change_record,
    relay_of,
)
from sqlalchemy import Table, func, literal_column, select
from zhibu_kit.bus import Bus, connect
from zhibu_kit.db import Database, Role, Scope
from zhibu_kit.notifications import Notifications
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.nats_server import ADMIN, NatsServer
from zhibu_stack.engines import Postgres

TARGET: Final = 0.5
RAW_SUBJECT: Final = "zhibu.testing.v1.measured"
IN_FLIGHT: Final = 256
# Aggregates that the events are about: those of one are published one after another.
KEYS: Final = 500
TEXT: Final = "x" * 200
LOOK_S: Final = 0.02
STALLED_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Both:
    """The service that tells, the one that listens, and the way between them."""

    admin: Bus
    owner: Database
    owner_bus: Bus
    listener: Database
    notifications: Notifications


async def main(given: argparse.Namespace) -> int:
    report = Report(
        "outbox_to_effect",
        "从发件箱到效果 / From the outbox to the effect",
        target=f"≥ {TARGET:.0%} of raw JetStream publishing in the same run, with `sync_interval: always`",
        smoke=given.smoke,
    )
    with tempfile.TemporaryDirectory() as made:
        async with both_services(Path(made)) as both:
            raw: list[float] = []
            ours: list[float] = []
            for number in range(given.rounds + 1):
                raw_per_s, ours_per_s = await raw_rate(both, given.events), await rate(both, number, given.events)
                # The first round warms plans and connections.
                if number:
                    raw.append(raw_per_s)
                    ours.append(ours_per_s)
            lags = await lags_of(both, count=given.singles, per_s=given.per_s)
    ratios = [one / other for one, other in zip(ours, raw, strict=True)]
    report.line(
        f"{given.events:,} events about {KEYS} aggregates a round, {given.rounds} paired rounds, minimum / median / maximum:"
    )
    report.table(
        ["what", "events/s"],
        [
            [f"JetStream alone, {IN_FLIGHT} in flight", spread(raw, "{:,.0f}")],
            ["outbox → relay → JetStream → consumer's commit", spread(ours, "{:,.0f}")],
            ["ratio", spread(ratios, "{:.2f}")],
        ],
    )
    lags.sort()
    report.line(
        f"From commit to effect at {given.per_s} events/s ({len(lags)} events): p50 {milliseconds(lags[len(lags) // 2])},"
        f" p99 {milliseconds(lags[int(len(lags) * 0.99)])}, longest {milliseconds(lags[-1])}."
    )
    return report.write(missed=sorted(ratios)[len(ratios) // 2] < TARGET)


@asynccontextmanager
async def both_services(directory: Path) -> AsyncGenerator[Both]:
    postgres = Postgres(directory / "postgres")
    nats = NatsServer(directory / "nats", SUBJECTS, sync_interval="always")
    postgres.start()
    nats.start()
    try:
        await execute(postgres.dsn(), "alter system set track_commit_timestamp = on")
        postgres.stop()
        postgres.start()
        await nats.prepare()
        make_database = DatabaseMaker(postgres)
        urls = [(await make_database(service, directory=MIGRATIONS)).app_url for service in ("testing", "mirror")]
        notifications = Notifications(urls[0])
        owner = Database(urls[0], service="testing", notifications=notifications)
        listener = Database(urls[1], service="mirror")
        buses = [await nats.connect(user) for user in (ADMIN, "testing")]
        listening = await asyncio.create_subprocess_exec(
            sys.executable, __file__, "--listen", urls[1], stdin=asyncio.subprocess.PIPE
        )
        assert listening.stdin is not None
        bus = nats.settings("mirror")
        listening.stdin.write(f"{bus['nats_url']} {bus['nats_password']}\n".encode())
        try:
            yield Both(admin=buses[0], owner=owner, owner_bus=buses[1], listener=listener, notifications=notifications)
        finally:
            listening.kill()
            await listening.wait()
            for bus in buses:
                await bus.close()
            await owner.close()
            await listener.close()
    finally:
        nats.stop()
        postgres.stop()


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def raw_rate(both: Both, count: int) -> float:
    """Publish to JetStream alone; messages a second."""
    free = asyncio.Semaphore(IN_FLIGHT)
    payload, headers = b"x" * 260, {"Nats-Msg-Id": ""}

    async def publish(number: int) -> None:
        async with free:
            await both.admin.publish(
                RAW_SUBJECT, payload, {**headers, "Nats-Msg-Id": f"{time.monotonic_ns()}-{number}"}
            )

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(publish(number))
    return count / (time.monotonic() - began)


async def rate(both: Both, turn: int, count: int) -> float:
    """Let events that wait in the outbox go their whole way; effects a second."""
    async with both.owner.transaction(Scope.of(COUNTY)) as transaction:
        for number in range(count):
            version = 1 + turn * count + number
            await change_record(transaction, f"record-{number % KEYS}", version=version, text=TEXT)
    before = await effects(both)
    began = time.monotonic()
    async with relaying(both):
        while await effects(both) < before + count:
            await asyncio.sleep(LOOK_S)
            if time.monotonic() - began > STALLED_S:
                raise SystemExit(f"not everything came within {STALLED_S:.0f} s")
        return count / (time.monotonic() - began)


async def effects(both: Both) -> int:
    async with both.listener.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
        return await transaction.scalar(select(func.coalesce(func.sum(HEARD.c.times), 0)))


@asynccontextmanager
async def relaying(both: Both) -> AsyncGenerator[None]:
    relay = asyncio.create_task(relay_of(both.owner, both.owner_bus, notifications=both.notifications).run())
    try:
        yield
    finally:
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)


async def lags_of(both: Both, *, count: int, per_s: int) -> list[float]:
    """Commit events one by one, and take the time from each commit to the commit of its effect, as PostgreSQL knows both."""
    first = 1_000_000_000
    async with relaying(both):
        for version in range(first, first + count):
            async with both.owner.transaction(Scope.of(COUNTY)) as transaction:
                await change_record(transaction, f"single-{version}", version=version, text=TEXT)
            await asyncio.sleep(1 / per_s)
        began = time.monotonic()
        while len(found := await committed(both.listener, HEARD, first)) < count:
            await asyncio.sleep(LOOK_S)
            if time.monotonic() - began > STALLED_S:
                raise SystemExit(f"not everything came within {STALLED_S:.0f} s")
    written = await committed(both.owner, RECORD, first)
    return [(found[version] - written[version]).total_seconds() for version in written]


async def committed(database: Database, table: Table, first: int) -> dict[int, datetime]:
    """When the row of each version was committed (track_commit_timestamp is on)."""
    at = func.pg_xact_commit_timestamp(literal_column("xmin")).label("at")
    statement = select(table.c.version, at).where(table.c.version >= first)
    async with database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
        return {row.version: row.at for row in await transaction.all(statement)}


async def listen(url: str) -> None:
    """The listening service, a process of its own, which gets where its bus is over its standard input."""
    nats_url, password = sys.stdin.readline().split()
    database = Database(url, service="mirror")
    bus = await connect(nats_url, user="mirror", password=password, name="mirror")
    await Mirror(together=True).runner(database, bus).run()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--listen"]:
        sys.exit(asyncio.run(listen(sys.argv[2])))
    sizes = read_sizes(
        __doc__,
        rounds=Size(full=5, smoke=1),
        events=Size(full=2000, smoke=100),
        singles=Size(full=500, smoke=20, help="events whose way is timed singly"),
        per_s=Size(full=50, smoke=50, help="of these a second"),
    )
    sys.exit(asyncio.run(main(sizes)))

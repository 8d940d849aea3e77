"""What NOTIFY costs: commits per second of one insert each, with and without NOTIFY in the transaction, by clients at once.

    .venv/bin/python bench/wake_up_by_notify.py [--smoke] [--rounds 3] [--round-s 1.5]

Reason of docs/decisions/0010. Runs on a throw-away PostgreSQL with fsync; paired rounds, because machines are noisy.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
from report import Report, Size, read_sizes, spread
from zhibu_stack.engines import Postgres

CLIENTS = (1, 16, 32)


async def main(url: str, given: argparse.Namespace) -> int:
    connection = await asyncpg.connect(url)
    await connection.execute("create table event (id bigint generated always as identity, body text)")
    await connection.close()
    report = Report("wake_up_by_notify", "NOTIFY 的代价 / What NOTIFY costs a commit", target="", smoke=given.smoke)
    rows: list[list[str]] = []
    for clients in CLIENTS:
        rounds = [
            [await commits_per_s(url, clients, second, given.round_s) for second in ("select 1", NOTIFY)]
            for _ in range(given.rounds)
        ]
        ratios = [one / other for one, other in rounds]
        rows.append(
            [
                str(clients),
                spread([one for one, _ in rounds], "{:,.0f}"),
                spread([other for _, other in rounds], "{:,.0f}"),
                spread(ratios, "{:.2f}"),
            ]
        )
    report.line(f"Commits a second of one insert each, minimum / median / maximum of {given.rounds} paired rounds:")
    report.table(["clients at once", "without NOTIFY", "with NOTIFY", "ratio"], rows)
    return report.write()


NOTIFY = "select pg_notify('event', '')"


async def commits_per_s(url: str, clients: int, second: str, round_s: float) -> float:
    ends_at_s = time.monotonic() + round_s

    async def work() -> int:
        connection = await asyncpg.connect(url)
        done = 0
        while time.monotonic() < ends_at_s:
            async with connection.transaction():
                await connection.execute("insert into event (body) values ('a')")
                await connection.execute(second)
            done += 1
        await connection.close()
        return done

    return sum(await asyncio.gather(*(work() for _ in range(clients)))) / round_s


if __name__ == "__main__":
    sizes = read_sizes(__doc__, rounds=Size(full=3, smoke=1), round_s=Size(full=1.5, smoke=1.0))
    with tempfile.TemporaryDirectory() as directory:
        postgres = Postgres(Path(directory) / "postgres")
        postgres.start()
        try:
            sys.exit(asyncio.run(main(postgres.dsn(), sizes)))
        finally:
            postgres.stop()

"""What NOTIFY costs: commits per second of one insert each, with and without NOTIFY in the transaction, by clients at once.

    .venv/bin/python bench/wake_up_by_notify.py

Reason of docs/decisions/0010. Runs on a throw-away PostgreSQL with fsync; paired rounds, because machines are noisy.
"""

import asyncio
import tempfile
import time
from pathlib import Path

import asyncpg
from report import Report, spread
from zhibu_stack.engines import Postgres

CLIENTS = (1, 16, 32)
ROUNDS = 3
ROUND_S = 1.5


async def main(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("create table event (id bigint generated always as identity, body text)")
    await connection.close()
    report = Report("wake_up_by_notify", "NOTIFY 的代价 / What NOTIFY costs a commit", target="")
    rows: list[list[str]] = []
    for clients in CLIENTS:
        rounds = [
            (await commits_per_s(url, clients, "select 1"), await commits_per_s(url, clients, NOTIFY))
            for _ in range(ROUNDS)
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
    report.line(f"Commits a second of one insert each, minimum / median / maximum of {ROUNDS} paired rounds:")
    report.table(["clients at once", "without NOTIFY", "with NOTIFY", "ratio"], rows)
    report.write()


NOTIFY = "select pg_notify('event', '')"


async def commits_per_s(url: str, clients: int, second: str) -> float:
    ends_at_s = time.monotonic() + ROUND_S

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

    return sum(await asyncio.gather(*(work() for _ in range(clients)))) / ROUND_S


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        postgres = Postgres(Path(directory) / "postgres")
        postgres.start()
        try:
            asyncio.run(main(postgres.dsn()))
        finally:
            postgres.stop()

"""What NOTIFY costs: commits per second of one insert each, with and without NOTIFY in the transaction, by clients at once.

    .venv/bin/python bench/wake_up_by_notify.py

Figure quoted in docs/decisions/0010. Runs on a throw-away PostgreSQL with fsync; paired rounds, because machines are noisy.
"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import asyncpg
from zhibu_stack.engines import Postgres

CLIENTS = (1, 16, 32)
ROUNDS = 3
ROUND_S = 1.5


async def main(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("create table event (id bigint generated always as identity, body text)")
    await connection.close()
    for clients in CLIENTS:
        rounds = [
            (await commits_per_s(url, clients, "select 1"), await commits_per_s(url, clients, NOTIFY))
            for _ in range(ROUNDS)
        ]
        without, with_notify = rounds[-1]
        ratio = statistics.median(one / other for one, other in rounds)
        print(
            f"{clients:3} clients: {without:6.0f}/s without, {with_notify:6.0f}/s with NOTIFY, median ratio {ratio:.2f}"
        )


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

"""SearchPeople among millions: how long a search for a name, its pinyin, its initials or last digits takes.

    .venv/bin/python bench/name_search.py [--members 825000] [--county 24000] [--searches 200]

One county is entered through the service's own code, with keys, tokens and sealed records; the others are rows of the same
shape that SQL makes (about eight tokens for each member), so that tables and indexes have their size. What is timed is what
SearchPeople does: tokens looked up in the key database, people of the county read in the other, keys fetched, the first page
of 50 opened. 6.6 million members make 53 million tokens: `--members 6600000` wants some twenty minutes and 12 GB; figures of smaller
runs are quoted with their size.
"""

import argparse
import asyncio
import base64
import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
from zhibu_identity.__main__ import KEY_MIGRATIONS, MIGRATIONS
from zhibu_identity.keys.master import MasterKeys
from zhibu_identity.keys.numbers import NumberKind
from zhibu_identity.keys.vault import Vault, open_vault
from zhibu_identity.people import PersonDetails, insert_people, new_person, seal_details
from zhibu_identity.people_lists import count_people, find_listed, list_people
from zhibu_identity.people_reach import reach_of
from zhibu_identity.rules.search_terms import TermKind, terms_of_person, terms_of_query
from zhibu_kit.db import Database, Role
from zhibu_kit.ids import new_ulid
from zhibu_kit.migrations import migrate
from zhibu_kit.paging import Page
from zhibu_kit.scope import Scope
from zhibu_stack.databases import create_service_databases
from zhibu_stack.engines import Postgres

COUNTY: Final = "370724"
TOKENS_PER_MEMBER: Final = 8
COUNTIES: Final = 136
BATCH: Final = 500
TARGET_P95_MS: Final = 150
SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国玉兰红梅志文德海玲云飞鹏宇浩然欣怡子涵"
NOW: Final = datetime(2026, 11, 23, tzinfo=UTC)


class Someone(NamedTuple):
    """One synthetic member of the county."""

    member_id: str
    name: str
    number: str
    telephone: str


async def main(members: int, county: int, searches: int) -> None:
    """Fill both databases and search."""
    with tempfile.TemporaryDirectory() as directory:
        postgres = Postgres(Path(directory) / "postgres")
        await asyncio.to_thread(postgres.start)
        try:
            await run(postgres, members=members, county=county, searches=searches)
        finally:
            await asyncio.to_thread(postgres.stop)


async def run(postgres: Postgres, *, members: int, county: int, searches: int) -> None:
    """Make the databases, fill them, time the searches."""
    made = await create_service_databases(
        postgres.dsn(), ["identity", "identity_keys"], secrets=postgres.secrets, suffix="_bench"
    )
    main_database, key_database = made["identity"], made["identity_keys"]
    await migrate(main_database.owner_url, service="identity", directory=MIGRATIONS)
    await migrate(key_database.owner_url, service="identity_keys", directory=KEY_MIGRATIONS, kit=False)
    began_s = time.monotonic()
    await fill_others(postgres.dsn(key_database.name), postgres.dsn(main_database.name), members=members - county)
    vault = await open_vault(key_database.app_url, MasterKeys.parse(base64.b64encode(os.urandom(32)).decode()))
    database = Database(main_database.app_url, service="identity")
    people = make_people(county)
    for batch in batches(people):
        await enter(database, vault, batch)
    for url in (postgres.dsn(key_database.name), postgres.dsn(main_database.name)):
        connection = await asyncpg.connect(url)
        await connection.execute("vacuum analyze")
        if url == postgres.dsn(key_database.name):
            tokens = await connection.fetchval("select count(*) from search_token")
            size = await connection.fetchval("select pg_size_pretty(pg_total_relation_size('search_token'))")
            print(f"{members:,} members, {tokens:,} tokens ({size}), filled in {time.monotonic() - began_s:.0f} s")
        await connection.close()
    await time_searches(database, vault, people, searches=searches)
    await time_pages(database, vault)
    await vault.close()
    await database.close()


async def fill_others(keys_url: str, main_url: str, *, members: int) -> None:
    """Make the rows of the other counties in SQL, without foreign keys being looked up for each."""
    keys = await asyncpg.connect(keys_url)
    await keys.execute("set session_replication_role = replica")
    await keys.execute(
        "insert into member_key (member_id, county_code, master_version, wrapped, confirmed, created_at)"
        " select 'm' || lpad(i::text, 25, '0'), (371000 + i % $2)::text, 1,"
        " sha256(i::text::bytea) || substr(sha256(('k' || i)::bytea), 1, 28), true, now() from generate_series(1, $1) i",
        members,
        COUNTIES,
        timeout=3600,
    )
    # Terms repeat within a county as names and digits do: one in ten thousand last four digits, common initials.
    await keys.execute(
        "insert into search_token (county_code, token, member_id, source)"
        " select county, substr(sha256((county || kind || '/' || floor(spread * power(random(), 2)))::bytea), 1, 16), member, 1"
        " from (select i, (371000 + i % $2)::text as county, 'm' || lpad(i::text, 25, '0') as member"
        " from generate_series(1, $1) i) people,"
        " (values (1, 20000), (2, 15000), (3, 2000), (4, 10000), (5, 1000000), (6, 10000), (7, 1000000), (8, 5000))"
        " as kinds (kind, spread) on conflict do nothing",
        members,
        COUNTIES,
        timeout=3600,
    )
    await keys.close()
    main_connection = await asyncpg.connect(main_url)
    await main_connection.executemany(
        "insert into kit_organisation values ($1, $2, $3, $4, $5, true, 1)",
        [("37", "", 1, "山东省", "37"), ("3707", "37", 2, "潍坊市", "3707"), (COUNTY, "3707", 3, "临朐县", COUNTY)],
    )
    await main_connection.execute(
        "insert into person select 'm' || lpad(i::text, 25, '0'), (371000 + i % $2)::text,"
        " (371000 + i % $2)::text || '-b' || (i / 100), sha256(i::text::bytea) || sha256(('d' || i)::bytea)"
        " || sha256(('e' || i)::bytea) || sha256(('f' || i)::bytea), true, 5, 1, 1, now(), now() from generate_series(1, $1) i",
        members,
        COUNTIES,
        timeout=3600,
    )
    await main_connection.close()


def batches(people: Sequence[Someone]) -> list[Sequence[Someone]]:
    """Return people in the parts in which a roster is committed."""
    return [people[at : at + BATCH] for at in range(0, len(people), BATCH)]


def make_people(count: int) -> list[Someone]:
    """Return synthetic members with names of usual frequency."""
    chosen = random.Random(7)
    return [
        Someone(
            member_id=new_ulid(),
            name=SURNAMES[min(int(chosen.expovariate(0.12)), len(SURNAMES) - 1)]
            + "".join(chosen.choice(GIVEN) for _ in range(chosen.choice((1, 2, 2)))),
            number=f"990724{chosen.randrange(1945, 2007)}{chosen.randrange(1, 13):02d}{chosen.randrange(1, 29):02d}"
            f"{chosen.randrange(10_000):04d}",
            telephone=f"1200{chosen.randrange(10_000_000):07d}",
        )
        for _ in range(count)
    ]


async def enter(database: Database, vault: Vault, people: Sequence[Someone]) -> None:
    """Enter members of the county as the import of a roster does."""
    keys = await vault.create_members([one.member_id for one in people], COUNTY, now=NOW)
    await vault.search.put_terms_of_many(
        COUNTY,
        {
            one.member_id: terms_of_person(one.name, resident_number=one.number, telephone=one.telephone)
            for one in people
        },
    )
    await vault.numbers.put_of_many(
        COUNTY,
        {one.member_id: [(NumberKind.RESIDENT, one.number), (NumberKind.TELEPHONE, one.telephone)] for one in people},
    )
    records = [
        new_person(
            member_id=one.member_id,
            county_code=COUNTY,
            branch_id=f"{COUNTY}-b{at % 121}",
            details=seal_details(
                PersonDetails(real_name=one.name, resident_number=one.number, telephone=one.telephone),
                keys[one.member_id],
            ),
            in_roster=True,
            now=NOW,
        )
        for at, one in enumerate(people)
    ]
    async with database.transaction(Scope.of(COUNTY)) as transaction:
        await insert_people(transaction, records)


async def time_searches(database: Database, vault: Vault, people: Sequence[Someone], *, searches: int) -> None:
    """Search for members drawn at random and print what it took."""
    chosen = random.Random(11)
    drawn = [chosen.choice(people) for _ in range(searches)]
    queries = {
        "full name": [one.name for one in drawn],
        "pinyin": [term_of(one, TermKind.PINYIN) for one in drawn],
        "initials": [term_of(one, TermKind.INITIALS) for one in drawn],
        "last four": [one.number[-4:] for one in drawn],
        "last six": [one.telephone[-6:] for one in drawn],
    }
    everything: list[float] = []
    for kind, texts in queries.items():
        took: list[float] = []
        found_count = 0
        for text in texts:
            began_s = time.perf_counter()
            found_count += await search(database, vault, text)
            took.append((time.perf_counter() - began_s) * 1000)
        everything += took
        print(line(kind, took) + f"   {found_count / len(texts):5.1f} people on the page")
    print(line("all", everything) + f"   target p95 < {TARGET_P95_MS} ms")


async def time_pages(database: Database, vault: Vault) -> None:
    """Page through the whole county as ListPeople does, with the count that each page shows."""
    took: list[float] = []
    after: tuple[str, ...] | None = None
    while True:
        began_s = time.perf_counter()
        async with database.transaction(Scope.of(COUNTY), role=Role.PROVINCE) as transaction:
            reach = await reach_of(transaction, COUNTY)
            page = await list_people(transaction, vault, reach, page=Page(size=50, after=after))
            await count_people(transaction, reach)
        took.append((time.perf_counter() - began_s) * 1000)
        after = page.next_after
        if after is None:
            break
    print(line("list", took) + f"   {len(took)} pages of 50")


def term_of(one: Someone, kind: TermKind) -> str:
    """Return one of the terms of a kind by which somebody is found."""
    terms = terms_of_person(one.name, resident_number=one.number, telephone=one.telephone)
    return min(text for of_kind, text in terms if of_kind is kind)


async def search(database: Database, vault: Vault, text: str) -> int:
    """Do what SearchPeople does for the first page."""
    async with database.transaction(Scope.of(COUNTY), role=Role.PROVINCE) as transaction:
        reach = await reach_of(transaction, COUNTY)
        member_ids = await vault.search.find_members(reach.county_code, terms_of_query(text))
        page = await find_listed(transaction, vault, reach, member_ids=member_ids, page=Page(size=50, after=None))
    return len(page.people)


def line(kind: str, took_ms: Sequence[float]) -> str:
    """Return one line of the result."""
    p95 = statistics.quantiles(took_ms, n=20)[18]
    return f"{kind:10} p50 {statistics.median(took_ms):6.1f} ms   p95 {p95:6.1f} ms   max {max(took_ms):6.1f} ms"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="How long SearchPeople takes among millions.")
    parser.add_argument("--members", type=int, default=825_000, help="people of the province; eight tokens each")
    parser.add_argument("--county", type=int, default=24_000, help="people of the county that is searched")
    parser.add_argument("--searches", type=int, default=200, help="searches of each kind")
    given = parser.parse_args()
    asyncio.run(main(given.members, given.county, given.searches))

"""SearchPeople among millions: how long a search for a name, its pinyin, its initials or last digits takes.

    .venv/bin/python bench/name_search.py [--smoke] [--members 6600000] [--county 48000] [--searches 400] [--keep DIRECTORY]

One county is entered through the service's own code, with keys, keyed tokens, sealed records and e-IDs; the others are rows of
the same shape that SQL makes (`province_of_members.py`). What is timed is what SearchPeople does, with the roles and the
row-level security of the running service: tokens looked up in the key database, the county's people read in the other, keys
fetched, the first page of 50 opened. By the county's officers, and by those of a township, whose reach is another condition.

There is no search over all counties at once: each county's tokens are under a key of its own (docs/personal-data.md), and an
officer of the province searches a county.

Beside each search the least that any could cost, at the same moment: a transaction on each of the two databases that selects 1.
On a machine that does other things too, this is what the difference is to be taken from.

Cold: PostgreSQL was restarted and its files were thrown out of the page cache; each such search is the first of its process.
Wants 16 GB of disk, which are given back at the end, and some twenty minutes; with `--keep DIRECTORY` the cluster stays there,
and the next run fills only the county anew. Ends with 1 when a p95 is over the target.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import asyncpg
from province_of_members import COUNTIES, draw_name, fill_other_counties
from report import Report, Size, read_sizes
from zhibu_identity.__main__ import KEY_MIGRATIONS, MIGRATIONS
from zhibu_identity.keys.master import MasterKeys
from zhibu_identity.keys.numbers import NumberKind
from zhibu_identity.keys.vault import Vault, open_vault
from zhibu_identity.people.lists import count_people, find_listed, list_people
from zhibu_identity.people.reach import reach_of
from zhibu_identity.people.records import PersonDetails, insert_people, new_person, seal_details
from zhibu_identity.rules.search_terms import TermKind, terms_of_person, terms_of_query
from zhibu_kit.db import Database, Role
from zhibu_kit.ids import new_ulid
from zhibu_kit.migrations import migrate
from zhibu_kit.paging import Page
from zhibu_kit.scope import Scope
from zhibu_stack.databases import ServiceDatabase, create_service_databases
from zhibu_stack.engines import Postgres

COUNTY: Final = "370724"
TOWNSHIP: Final = "370724101"
TOWNSHIPS: Final = 10
BRANCHES: Final = 240
BATCH: Final = 500
TARGET_P95_MS: Final = 150
COMMON: Final = "王伟"
COMMON_SHARE: Final = 0.0005
# Names that one person has, and that not every font has.
RAREST: Final = ("王䶮", "李㛃", "张㭎", "綦曌犇", "仉赟")
NOW: Final = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Someone:
    """One synthetic member of the county."""

    member_id: str
    branch_id: str
    name: str
    number: str
    telephone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the data lie, and what opens them."""

    postgres: Postgres
    main: ServiceDatabase
    keys: ServiceDatabase
    master_key: str


@asynccontextmanager
async def connected(place: Place) -> AsyncGenerator[tuple[Database, Vault]]:
    """Connect as the running service does."""
    vault = await open_vault(place.keys.app_url, MasterKeys.parse(place.master_key))
    database = Database(place.main.app_url, service="identity")
    try:
        yield database, vault
    finally:
        await vault.close()
        await database.close()


async def run(report: Report, postgres: Postgres, given: argparse.Namespace) -> float:
    """Make the databases, fill them, time the searches; return the worst p95 of the warm ones in milliseconds."""
    made = await create_service_databases(
        postgres.dsn(), ["identity", "identity_keys"], secrets=postgres.secrets, suffix="_bench"
    )
    place = Place(
        postgres=postgres,
        main=made["identity"],
        keys=made["identity_keys"],
        master_key=base64.b64encode(os.urandom(32)).decode(),
    )
    await migrate(place.main.owner_url, service="identity", directory=MIGRATIONS)
    await migrate(place.keys.owner_url, service="identity_keys", directory=KEY_MIGRATIONS, kit=False)
    others_s = await fill_once(place, members=given.members - given.county)
    people = make_people(given.county)
    began_s = time.monotonic()
    async with connected(place) as (database, vault):
        await make_organisations(place)
        for at in range(0, len(people), BATCH):
            await enter(database, vault, people[at : at + BATCH])
        await give_eids(place)
    county_s = time.monotonic() - began_s
    await tell_sizes(report, place, others_s=others_s, county_s=county_s, county=given.county)
    queries = queries_for(people, given.searches)
    await time_cold(report, place, people, times=given.cold)
    async with connected(place) as (database, vault):
        worst_ms = await time_searches(report, database, vault, queries)
        await time_pages(report, database, vault)
    return worst_ms


async def fill_once(place: Place, *, members: int) -> float:
    """Fill the other counties, unless a kept cluster has them; return how long it took, 0 when it was kept.

    The county goes in any case: what sealed it was the key of another run.
    """
    keys: asyncpg.Connection = await asyncpg.connect(place.postgres.dsn(place.keys.name), timeout=60)
    main: asyncpg.Connection = await asyncpg.connect(place.postgres.dsn(place.main.name), timeout=60)
    await main.execute("truncate kit_organisation, eid, member_place cascade")
    await main.execute("delete from person where county_code = $1", COUNTY, timeout=3600)
    await keys.execute("delete from member_key where county_code = $1", COUNTY, timeout=3600)
    await keys.execute("truncate index_key, master_key_check")
    there = bool(await main.fetchval("select exists (select 1 from person)"))
    await keys.close()
    await main.close()
    if there:
        return 0.0
    began_s = time.monotonic()
    await fill_other_counties(place.postgres.dsn(place.keys.name), place.postgres.dsn(place.main.name), members=members)
    return time.monotonic() - began_s


def make_people(count: int) -> list[Someone]:
    """Return synthetic members with names of usual frequency, some of them 王伟, five with the rarest names."""
    chance = random.Random(7)
    names = [draw_name(chance) for _ in range(count)]
    for at in range(round(count * COMMON_SHARE)):
        names[at * 997 % count] = COMMON
    for at, name in enumerate(RAREST):
        names[at * 7001 % count] = name
    return [
        Someone(
            member_id=new_ulid(),
            branch_id=f"{COUNTY}-b{at * BRANCHES // count:026d}",
            name=name,
            number=f"990724{chance.randrange(1945, 2007)}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}"
            f"{chance.randrange(10_000):04d}",
            telephone=f"1200{chance.randrange(10_000_000):07d}",
        )
        for at, name in enumerate(names)
    ]


async def make_organisations(place: Place) -> None:
    """Make the county's tree, as branches' events would have."""
    connection: asyncpg.Connection = await asyncpg.connect(place.postgres.dsn(place.main.name))
    townships = [f"{COUNTY}{101 + number}" for number in range(TOWNSHIPS)]
    rows = [
        ("37", "", 1, "山东省", "37"),
        ("3707", "37", 2, "潍坊市", "3707"),
        (COUNTY, "3707", 3, "临朐县", COUNTY),
        *((township, COUNTY, 4, f"第{township}街道", COUNTY) for township in townships),
        *(
            (f"{COUNTY}-b{at:026d}", townships[at % TOWNSHIPS], 5, f"第{at}党支部", COUNTY)
            for at in range(BRANCHES)
        ),
    ]  # fmt: skip
    await connection.executemany("insert into kit_organisation values ($1, $2, $3, $4, $5, true, 1)", rows)
    await connection.close()


async def enter(database: Database, vault: Vault, people: Sequence[Someone]) -> None:
    """Enter members of the county as the import of a roster does."""
    keys = await vault.create_members([one.member_id for one in people], COUNTY, now=NOW)
    terms = {
        one.member_id: terms_of_person(one.name, resident_number=one.number, telephone=one.telephone) for one in people
    }
    await vault.search.put_terms_of_many(COUNTY, terms)
    await vault.numbers.put_of_many(
        COUNTY,
        {one.member_id: [(NumberKind.RESIDENT, one.number), (NumberKind.TELEPHONE, one.telephone)] for one in people},
    )
    records = [
        new_person(
            member_id=one.member_id,
            county_code=COUNTY,
            branch_id=one.branch_id,
            details=seal_details(
                PersonDetails(real_name=one.name, resident_number=one.number, telephone=one.telephone),
                keys[one.member_id],
            ),
            in_roster=True,
            now=NOW,
        )
        for one in people
    ]
    async with database.transaction(Scope.of(COUNTY)) as transaction:
        await insert_people(transaction, records)


async def give_eids(place: Place) -> None:
    """Give everybody of the county an e-ID and a place, and have the statistics of the tables be as after a night."""
    main: asyncpg.Connection = await asyncpg.connect(place.postgres.dsn(place.main.name))
    # Without the applications that e-IDs refer to.
    await main.execute("set session_replication_role = replica")
    await main.execute(
        "insert into eid (eid_id, county_code, organisation_id, member_id, application_id, account_id, eid_number, real_name,"
        " resident_number, telephone, branch_id, state, issued_at, version)"
        " select 'e' || member_id, county_code, county_code, member_id, member_id, member_id, ''::bytea, ''::bytea, ''::bytea,"
        " ''::bytea, branch_id, 2, now(), 1 from person where county_code = $1",
        COUNTY,
    )
    await main.execute(
        "insert into member_place select 'p' || member_id, member_id, branch_id, county_code, 1, true, 1 from person"
        " where county_code = $1",
        COUNTY,
    )
    await main.execute("vacuum analyze", timeout=3600)
    await main.close()
    keys: asyncpg.Connection = await asyncpg.connect(place.postgres.dsn(place.keys.name))
    await keys.execute("vacuum analyze", timeout=3600)
    await keys.close()


async def tell_sizes(report: Report, place: Place, *, others_s: float, county_s: float, county: int) -> None:
    """Say how much lies where."""
    keys: asyncpg.Connection = await asyncpg.connect(place.postgres.dsn(place.keys.name))
    main: asyncpg.Connection = await asyncpg.connect(place.postgres.dsn(place.main.name))
    people = await main.fetchval("select count(*) from person")
    tokens = await keys.fetchval("select count(*) from search_token")
    sizes = [
        await connection.fetchval(f"select pg_size_pretty({size})")
        for connection, size in (
            (keys, "pg_table_size('search_token')"),
            (keys, "pg_indexes_size('search_token')"),
            (keys, "pg_total_relation_size('member_key')"),
            (main, "pg_total_relation_size('person')"),
        )
    ]
    await keys.close()
    await main.close()
    report.line(
        f"{people:,} members of {COUNTIES + 1} counties, {tokens:,} search tokens. On disk: tokens {sizes[0]} and their indexes"
        f" {sizes[1]}, members' keys {sizes[2]}, records {sizes[3]} (index of numbers, e-IDs and places of the other counties"
        f" not counted: they are not filled). The searched county has {county:,} members."
    )
    others = f"{others_s:.0f} s (the other counties, by SQL)" if others_s else "an earlier run (the other counties)"
    report.line(
        f"Made in {others} and {county_s:.0f} s (the county, through the service's code:"
        f" {county / county_s:.0f} members a second, keys, tokens, seals)."
    )


def queries_for(people: Sequence[Someone], searches: int) -> dict[str, list[str]]:
    """Return what is searched for, by kind."""
    chance = random.Random(11)
    drawn = [chance.choice(people) for _ in range(searches)]
    counted = Counter(one.name for one in people)
    commonest = [name for name, _ in counted.most_common(20)]
    once = [name for name, count in counted.items() if count == 1]
    initials = Counter(term_of(one, TermKind.INITIALS) for one in drawn)
    return {
        f"full name: {COMMON} ({counted[COMMON]} people)": [COMMON] * searches,
        "full name: the 20 commonest of the county": [commonest[at % 20] for at in range(searches)],
        "full name: one that one person has": [chance.choice(once) for _ in range(searches)],
        f"full name with a rare character ({'、'.join(RAREST[:3])}…)": [
            RAREST[at % len(RAREST)] for at in range(searches)
        ],
        "full name: of a member drawn at random": [one.name for one in drawn],
        "full name: nobody has it": [f"{one.name}犇犇" for one in drawn],
        "pinyin of a member drawn at random": [term_of(one, TermKind.PINYIN) for one in drawn],
        "initials of a member drawn at random": [term_of(one, TermKind.INITIALS) for one in drawn],
        f"initials: the commonest ({initials.most_common(1)[0][0]})": [initials.most_common(1)[0][0]] * searches,
        "last four digits": [one.number[-4:] for one in drawn],
        "last six digits": [one.telephone[-6:] for one in drawn],
    }


async def time_searches(report: Report, database: Database, vault: Vault, queries: dict[str, list[str]]) -> float:
    """Search one after the other, first by the county's officers, then by a township's; return the worst p95."""
    rows: list[list[str]] = []
    worst_ms = 0.0
    for who, organisation_id in (("county", COUNTY), ("township", TOWNSHIP)):
        everything: list[float] = []
        all_beside: list[float] = []
        for kind, texts in queries.items():
            took: list[float] = []
            beside: list[float] = []
            found_count = 0
            computed_s = time.process_time()
            for text in texts:
                began_s = time.perf_counter()
                found_count += await search(database, vault, organisation_id, text)
                took.append((time.perf_counter() - began_s) * 1000)
                began_s = time.perf_counter()
                await least(database, vault)
                beside.append((time.perf_counter() - began_s) * 1000)
            computed_ms = (time.process_time() - computed_s) / len(texts) * 1000
            everything += took
            all_beside += beside
            worst_ms = max(worst_ms, _quantile(took, 95))
            rows.append(
                [
                    f"{who}: {kind}",
                    f"{found_count / len(texts):.1f}",
                    *_figures(took),
                    f"{min(took):.1f}",
                    f"{computed_ms:.1f}",
                    f"{_quantile(beside, 50):.1f}",
                    f"{_quantile(beside, 95):.1f}",
                ]
            )
        rows.append(
            [
                f"**{who}: all of these**",
                "",
                *_figures(everything),
                f"{min(everything):.1f}",
                "",
                f"{_quantile(all_beside, 50):.1f}",
                f"{_quantile(all_beside, 95):.1f}",
            ]
        )
    report.line(
        "Warm, milliseconds. Computed: of the service's own processor time, searches and the transactions beside them together."
    )
    report.table(
        ["search by an officer of the", "on the page", "p50", "p95", "p99", "max", "min", "computed", "beside p50", "beside p95"],
        rows,
    )  # fmt: skip
    report.line(f"The worst p95: {worst_ms:.1f} ms (asked: under {TARGET_P95_MS} ms).")
    return worst_ms


async def time_cold(report: Report, place: Place, people: Sequence[Someone], *, times: int) -> None:
    """Restart, throw the files out of the page cache, and search once with a fresh connection; several times."""
    chance = random.Random(13)
    rows: list[list[str]] = []
    for kind, texts in (
        (f"full name: {COMMON}", [COMMON] * times),
        ("full name of a member drawn at random", [chance.choice(people).name for _ in range(times)]),
        ("last four digits", [chance.choice(people).number[-4:] for _ in range(times)]),
    ):
        took: list[float] = []
        for text in texts:
            await asyncio.to_thread(_restart_cold, place.postgres)
            async with connected(place) as (database, vault):
                # The connection is there, as in a running service; the tables are not in memory.
                async with database.transaction(Scope.none()) as transaction:
                    await (await transaction.raw()).execute("select 1")
                began_s = time.perf_counter()
                await search(database, vault, COUNTY, text)
                took.append((time.perf_counter() - began_s) * 1000)
        rows.append([kind, f"{min(took):.0f}", f"{statistics.median(took):.0f}", f"{max(took):.0f}"])
    report.line(f"Cold ({times} each), milliseconds, with the county's index key and the first plans still to be made:")
    report.table(["search by an officer of the county", "min", "median", "max"], rows)


def _restart_cold(postgres: Postgres) -> None:
    postgres.stop()
    for path in postgres.data.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    postgres.start()


async def time_pages(report: Report, database: Database, vault: Vault) -> None:
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
    p50, p95, p99, most = _figures(took)
    report.line(
        f"Paging through the whole county with its count ({len(took)} pages of 50): p50 {p50}, p95 {p95}, p99 {p99}, max {most} ms."
    )


def term_of(one: Someone, kind: TermKind) -> str:
    """Return one of the terms of a kind by which somebody is found; of those with an unknown reading, the digits."""
    terms = terms_of_person(one.name, resident_number=one.number, telephone=one.telephone)
    return min((text for of_kind, text in terms if of_kind is kind), default=one.number[-6:])


async def search(database: Database, vault: Vault, organisation_id: str, text: str) -> int:
    """Do what SearchPeople does for the first page."""
    async with database.transaction(Scope.of(COUNTY), role=Role.PROVINCE) as transaction:
        reach = await reach_of(transaction, organisation_id)
        member_ids = await vault.search.find_members(reach.county_code, terms_of_query(text))
        page = await find_listed(transaction, vault, reach, member_ids=member_ids, page=Page(size=50, after=None))
    return len(page.people)


async def least(database: Database, vault: Vault) -> None:
    """Open a transaction on either database and ask for nothing."""
    async with database.transaction(Scope.of(COUNTY), role=Role.PROVINCE) as transaction:
        await (await transaction.raw()).fetchval("select 1")
    await vault.is_ready()


def _figures(took_ms: Sequence[float]) -> list[str]:
    return [
        *(f"{_quantile(took_ms, percent):.1f}" for percent in (50, 95, 99)),
        f"{max(took_ms):.1f}",
    ]


def _quantile(took_ms: Sequence[float], percent: int) -> float:
    return statistics.quantiles(took_ms, n=100, method="inclusive")[percent - 1]


def main(given: argparse.Namespace) -> int:
    """Run with a cluster that is thrown away."""
    report = Report(
        "name_search",
        "姓名检索 / Search by name",
        target=f"p95 under {TARGET_P95_MS} ms among 6.6 million members",
        smoke=given.smoke,
    )
    kept = nullcontext(given.keep) if given.keep else tempfile.TemporaryDirectory(prefix="zhibu-search-")
    with kept as directory:
        postgres = Postgres(Path(directory) / "postgres")
        postgres.start()
        try:
            worst_ms = asyncio.run(run(report, postgres, given))
        finally:
            postgres.stop()
    return report.write(missed=worst_ms > TARGET_P95_MS)


if __name__ == "__main__":
    sizes = read_sizes(
        __doc__,
        members=Size(full=6_600_000, smoke=1_500, help="people of the province; eight tokens each"),
        county=Size(full=48_000, smoke=500, help="people of the county that is searched"),
        searches=Size(full=400, smoke=5, help="searches of each kind"),
        cold=Size(full=5, smoke=1, help="cold searches of each kind"),
        keep=Size(full="", smoke="", help="a directory in which the cluster stays"),
    )
    sys.exit(main(sizes))

"""A tree of 300,000 organisations: loaded, browsed, searched, looked at as of a past day; and a county of 24,000 members.

    .venv/bin/python bench/organisation_tree.py [--smoke] [--organisations 300000] [--rounds 200]

The tree is loaded by COPY as the owner of the database, with the triggers that keep history and counts, and not through
CreateOrganisation, whose own rate is measured beside it on 300 branches. What is timed afterwards are the functions behind
the RPCs, each in a transaction of its own as the service opens them, over one connection: neither gRPC nor the gateway.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg
from report import Report, Size, read_sizes
from zhibu_branches.__main__ import MIGRATIONS
from zhibu_branches.changes import Wish
from zhibu_branches.history import children_as_of
from zhibu_branches.member_lists import list_members
from zhibu_branches.organisations import DEFAULT_TERM_YEARS
from zhibu_branches.planning import change_or_plan
from zhibu_branches.queries import find_organisation, list_children, search_organisations
from zhibu_branches.rules.changes import ChangeKind, Creation
from zhibu_branches.rules.members import MembershipKind, PartyStatus
from zhibu_branches.rules.tree import Level, search_form, search_tokens
from zhibu_branches.statistics import fold_tallies, statistics_of
from zhibu_kit.db import Database, Role, Scope
from zhibu_kit.ids import new_ulid
from zhibu_kit.migrations import migrate
from zhibu_stack.databases import create_service_databases
from zhibu_stack.engines import Postgres

CITIES: Final = 16
COUNTIES: Final = 136
TOWNSHIPS: Final = 15
MEMBERS: Final = 24_000
PAGE: Final = 50
MADE_ONE_BY_ONE: Final = 300
NOW: Final = datetime(2026, 11, 23, 2, tzinfo=UTC)
SYLLABLES: Final = "城关五井冶源辛寨柳山蒋峪沂山九山寺头东兴隆龙泉朝阳文昌石河青云白塔"
ENDINGS: Final = ("村党支部", "社区党支部", "小学党支部", "合作社党支部", "有限公司党支部")

Row = tuple[str, str | None, int, str, str, list[str]]


def tree(count: int) -> list[Row]:
    """The rows of a province: identifier, parent, level, name, county, way up."""
    chance = random.Random(370724)
    rows: list[Row] = [("37", None, 1, "山东省", "37", [])]
    cities = [f"37{number:02}" for number in range(1, CITIES + 1)]
    rows += [(city, "37", 2, f"第{city}市", city, ["37"]) for city in cities]
    counties = [f"{cities[number % CITIES]}{21 + number // CITIES:02}" for number in range(COUNTIES)]
    rows += [(county, county[:4], 3, f"第{county}县", county, ["37", county[:4]]) for county in counties]
    townships = [f"{county}{101 + number}" for county in counties for number in range(TOWNSHIPS)]
    rows += [
        (township, township[:6], 4, f"第{township}乡镇党委", township[:6], ["37", township[:4], township[:6]])
        for township in townships
    ]
    while len(rows) < count:
        township = townships[len(rows) % len(townships)]
        name = "".join(chance.sample(SYLLABLES, 2)) + f"{len(rows)}" + chance.choice(ENDINGS)
        rows.append(
            (
                f"{township[:6]}-b{len(rows):026}",
                township,
                5,
                name,
                township[:6],
                ["37", township[:4], township[:6], township],
            )
        )
    return rows


async def load(owner: asyncpg.Connection, rows: list[Row]) -> float:
    """COPY level by level, parents first; seconds."""
    began = time.monotonic()
    for level in Level:
        await owner.copy_records_to_table(
            "organisation",
            columns=[
                "organisation_id", "parent_id", "level", "name", "county_code", "ancestor_ids", "name_form",
                "name_tokens", "active", "version", "create_time", "update_time", "start_date",
            ],
            records=[
                (*row, search_form(row[3]), sorted(search_tokens(row[3])), True, 1, NOW, NOW, date(2020, 1, 1))
                for row in rows
                if row[2] == level
            ],
        )  # fmt: skip
    return time.monotonic() - began


async def fill_county(owner: asyncpg.Connection, county: str) -> None:
    """24,000 members of one county, and the sums of the others."""
    chance = random.Random(24_000)
    branches = [
        row["organisation_id"]
        for row in await owner.fetch(
            "select organisation_id from organisation where county_code = $1 and level = 5 order by 1 limit 239", county
        )
    ]
    members = [(new_ulid(), branches[at % len(branches)]) for at in range(MEMBERS)]
    async with owner.transaction():
        await owner.copy_records_to_table(
            "member_record",
            columns=["member_id", "county_code", "branch_id", "status", "admitted_date", "occupation", "standing",
                     "version", "create_time", "update_time"],
            records=[
                (member, county, branch, chance.choices(range(1, 7), (2, 2, 1, 3, 91, 1))[0],
                 date(chance.randint(1950, 2025), 7, 1), chance.randint(1, 8), 1, 1, NOW, NOW)
                for member, branch in members
            ],
        )  # fmt: skip
        await owner.copy_records_to_table(
            "membership",
            columns=["membership_id", "member_id", "branch_id", "county_code", "kind", "start_date", "version",
                     "create_time", "update_time"],
            records=[
                (new_ulid(), member, branch, county, 1, date(2020, 1, 1), 1, NOW, NOW) for member, branch in members
            ],
        )  # fmt: skip
    await owner.execute(
        """insert into tally (organisation_id, county_code, dimension, key, count)
           select o.organisation_id, o.organisation_id, t.dimension, t.key, t.count
           from organisation o, tally t where o.level = 3 and o.organisation_id <> $1 and t.organisation_id = $1
             and t.dimension <> 'branch'""",
        county,
    )
    # What autovacuum does by itself sooner or later: counts, visibility, and the waiting list of the search index.
    await owner.execute("vacuum analyze")


async def timed(name: str, rounds: int, work: Callable[[int], Awaitable[object]]) -> list[str]:
    """Run some work many times and return the row that tells how long it takes."""
    for warm in range(3):
        await work(warm)
    spent: list[float] = []
    for number in range(rounds):
        began = time.perf_counter()
        await work(number)
        spent.append((time.perf_counter() - began) * 1000)
    ordered = sorted(spent)
    p95 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.95))]
    row = [name, str(rounds), f"{statistics.median(spent):.1f}", f"{p95:.1f}", f"{ordered[-1]:.1f}"]
    print(" | ".join(row), flush=True)
    return row


async def create_one_by_one(database: Database, township: str) -> float:
    """Branches a second by the way of CreateOrganisation."""
    began = time.monotonic()
    for number in range(MADE_ONE_BY_ONE):
        async with database.transaction(Scope.of(township[:6])) as transaction:
            await change_or_plan(
                transaction,
                Wish(
                    kind=ChangeKind.CREATE,
                    organisation_id=township,
                    new_name=f"逐个建立{number}党支部",
                    creation=Creation(level=Level.BRANCH, code="", term_years=DEFAULT_TERM_YEARS),
                ),
                effective_date=None,
                document_number="",
                made_by_member_id="",
                etag="",
                now=NOW,
            )
    return MADE_ONE_BY_ONE / (time.monotonic() - began)


async def measure(database: Database, rows: list[Row], county: str, rounds: int) -> list[list[str]]:
    """Browse and search as pages of the web client do."""
    chance = random.Random(1)
    parents = [row[0] for row in rows if row[2] < Level.BRANCH]
    names = [row[3] for row in rows if row[2] == Level.BRANCH]
    branches = [row[0] for row in rows if row[2] == Level.BRANCH]
    past = NOW.date() - timedelta(days=400)

    async def browse(_: int) -> None:
        async with database.transaction(Scope.none()) as transaction:
            await list_children(transaction, parent_id=chance.choice(parents), after=None, count_max=PAGE + 1)

    async def browse_past(_: int) -> None:
        async with database.transaction(Scope.none()) as transaction:
            await children_as_of(
                transaction, parent_id=chance.choice(parents), day=past, after=None, count_max=PAGE + 1
            )

    async def get(_: int) -> None:
        async with database.transaction(Scope.none()) as transaction:
            await find_organisation(transaction, chance.choice(branches))

    def search(query: Callable[[], str], code: str) -> Callable[[int], Awaitable[None]]:
        async def work(_: int) -> None:
            async with database.transaction(Scope.none()) as transaction:
                await search_organisations(
                    transaction, query=query(), county_code=code, level=None, after=None, count_max=PAGE + 1
                )

        return work

    async def statistics_at(organisation_id: str) -> None:
        async with database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
            found = await find_organisation(transaction, organisation_id)
            assert found is not None
            await statistics_of(transaction, found)

    members: list[str] = []

    def page(at: float, statuses: list[PartyStatus]) -> Callable[[int], Awaitable[None]]:
        async def work(_: int) -> None:
            async with database.transaction(Scope.of(county)) as transaction:
                found = await find_organisation(transaction, county)
                assert found is not None
                listed = await list_members(
                    transaction,
                    found,
                    kind=MembershipKind.PHYSICAL,
                    statuses=statuses,
                    after=members[int(at * (len(members) - 1))] if at else None,
                    count_max=PAGE + 1,
                )
                assert listed.total_count

        return work

    async with database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
        raw = await transaction.raw()
        members += [row["member_id"] for row in await raw.fetch("select member_id from member_record order by 1")]
    slow = max(5, rounds // 10)
    return [
        await timed("one branch", rounds, get),
        await timed("first page below a random organisation", rounds, browse),
        await timed("the same as of a day 400 days ago", rounds, browse_past),
        await timed("search: a whole name, province", rounds, search(lambda: chance.choice(names), "")),
        await timed(
            "search: two characters, province", rounds, search(lambda: "".join(chance.sample(SYLLABLES, 2)), "")
        ),
        await timed(
            "search: two characters, county", rounds, search(lambda: "".join(chance.sample(SYLLABLES, 2)), county)
        ),
        await timed("search: what every name has (党支部), province", rounds, search(lambda: "党支部", "")),
        await timed("members of the county: first page and total", rounds, page(0, [])),
        await timed("members of the county: last page and total", rounds, page(0.998, [])),
        await timed("members of the county: probationary ones and total", rounds, page(0, [PartyStatus.PROBATIONARY])),
        await timed("statistics of the county (24,000 members)", slow, lambda _: statistics_at(county)),
        await timed("statistics of the province", slow, lambda _: statistics_at("37")),
        await timed("statistics of one branch", slow, lambda _: statistics_at(branches[0])),
    ]


async def main(postgres: Postgres, count: int, rounds: int, *, smoke: bool) -> int:
    """Load, then measure."""
    made = (await create_service_databases(postgres.dsn(), ["branches"], secrets=postgres.secrets))["branches"]
    await migrate(made.owner_url, service="branches", directory=MIGRATIONS, report=lambda _line: None)
    owner: asyncpg.Connection = await asyncpg.connect(postgres.dsn(made.name))
    database = Database(made.app_url, service="branches")
    rows = tree(count)
    seconds = await load(owner, rows)
    report = Report(
        "organisation_tree",
        "组织树 / The tree of organisations",
        target="300,000 organisations loaded and browsed",
        smoke=smoke,
    )
    report.line(f"{len(rows):,} organisations loaded by COPY in {seconds:.1f} s ({len(rows) / seconds:,.0f} a second).")
    county = rows[1 + CITIES][0]
    await fill_county(owner, county)
    await fold_tallies(database)
    one_by_one = await create_one_by_one(database, county + "101")
    report.line(f"One by one, as CreateOrganisation makes them: {one_by_one:.0f} a second.")
    report.line("Functions behind the RPCs, one after the other over one connection, milliseconds:")
    report.table(["what", "times", "p50", "p95", "max"], await measure(database, rows, county, rounds))
    await database.close()
    await owner.close()
    return report.write()


if __name__ == "__main__":
    # All townships of the province, and some branches below them.
    given = read_sizes(__doc__, organisations=Size(full=300_000, smoke=12_000), rounds=Size(full=200, smoke=5))
    with tempfile.TemporaryDirectory() as directory:
        engine = Postgres(Path(directory) / "postgres")
        engine.start()
        try:
            sys.exit(asyncio.run(main(engine, given.organisations, given.rounds, smoke=given.smoke)))
        finally:
            engine.stop()

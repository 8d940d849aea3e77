"""A province's members as the tables of identity hold them, made by SQL in minutes: for benches that need millions.

Names have the frequencies of real ones (surnames after the share that the Ministry of Public Security's yearly reports give
the commonest hundred, given names of one and two characters, some rare characters), pinyin and initials are those that the
service makes of them, last digits are drawn evenly as numbers have them. What is not real: tokens are plain digests instead
of keyed ones and sealed values random bytes of the usual length; nobody can search or open them, and no index can tell.
"""

from __future__ import annotations

import asyncio
import random
from typing import Final

import asyncpg
from zhibu_identity.rules.search_terms import terms_of_person

# Out of 10,000 people; the rest of the hundred share what is left over.
SURNAMES: Final = {
    "王": 715, "李": 719, "张": 676, "刘": 538, "陈": 453, "杨": 308, "赵": 229, "黄": 223, "周": 212, "吴": 205,
    "徐": 167, "孙": 154, "胡": 131, "朱": 126, "高": 121, "林": 118, "何": 117, "郭": 115, "马": 105, "罗": 86,
    "梁": 84, "宋": 81, "郑": 78, "谢": 72, "韩": 69, "唐": 68, "冯": 65, "于": 63, "董": 61, "萧": 59,
}  # fmt: skip
OTHER_SURNAMES: Final = "程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文仉逄綦臧"
GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国玉兰红梅志文德海玲云飞鹏宇浩然欣怡子涵春生福贵庆祥永成长安立新学光荣胜利凤仙爱民卫东"
RARE: Final = "垚堃翯翀龑犇骉瑄玥玎颢赟彧燊曌昪䶮㛃㭎䴙"
RARE_SHARE: Final = 0.004
POOL: Final = 200_000
COUNTIES: Final = 137
BRANCH: Final = 100
DETAILS_BYTES: Final = 250
# Counties that are filled at the same time.
SIDE_BY_SIDE: Final = 2
_LONG_S: Final = 7200.0


def draw_name(chance: random.Random) -> str:
    """Draw a name as often as people have it."""
    surname = chance.choices([*SURNAMES, "?"], [*SURNAMES.values(), 10_000 - sum(SURNAMES.values())])[0]
    if surname == "?":
        surname = chance.choice(OTHER_SURNAMES)
    # The first given names of the list are the commonest by far: 伟 is every fortieth.
    given = "".join(
        GIVEN[min(int(chance.expovariate(0.05)), len(GIVEN) - 1)] for _ in range(chance.choice((1, 2, 2, 2)))
    )
    if chance.random() < RARE_SHARE:
        given = given[:-1] + chance.choice(RARE)
    return surname + given


async def fill_other_counties(keys_url: str, main_url: str, *, members: int) -> None:
    """Make so many members in counties 371000 to 371136, with keys, search tokens and records."""
    per_county = -(-members // COUNTIES)
    keys: asyncpg.Connection = await asyncpg.connect(keys_url, timeout=60)
    await keys.execute("create unlogged table name_pool (at int primary key, terms text[] not null)")
    chance = random.Random(137)
    await keys.copy_records_to_table("name_pool", records=[(at, _name_terms(chance)) for at in range(POOL)])
    await keys.execute("alter table search_token drop constraint search_token_pkey")
    await keys.execute("drop index search_token_member")
    waiting = asyncio.Queue[int]()
    for number in range(COUNTIES):
        waiting.put_nowait(number)

    async def work() -> None:
        own_keys: asyncpg.Connection = await asyncpg.connect(keys_url, timeout=60)
        own_main: asyncpg.Connection = await asyncpg.connect(main_url, timeout=60)
        # Foreign keys are not looked up for each row.
        await own_keys.execute("set session_replication_role = replica; set synchronous_commit = off")
        await own_main.execute("set session_replication_role = replica; set synchronous_commit = off")
        while not waiting.empty():
            await _fill_county(own_keys, own_main, waiting.get_nowait(), per_county)
        await own_keys.close()
        await own_main.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(SIDE_BY_SIDE):
            group.create_task(work())
    await keys.execute("set maintenance_work_mem = '768MB'")
    await keys.execute("alter table search_token add primary key (county_code, token, member_id)", timeout=_LONG_S)
    await keys.execute("create index search_token_member on search_token (member_id, source)", timeout=_LONG_S)
    await keys.execute("drop table name_pool")
    await keys.close()


async def _fill_county(keys: asyncpg.Connection, main: asyncpg.Connection, number: int, members: int) -> None:
    county = str(371000 + number)
    first = number * members
    await keys.execute(
        "insert into member_key (member_id, county_code, master_version, wrapped, confirmed, created_at)"
        " select 'm' || lpad(i::text, 25, '0'), $3, 1, sha256(i::text::bytea) || $4::bytea, true, now()"
        " from generate_series($1::bigint, $2::bigint - 1) i",
        first, first + members, county, bytes(28), timeout=_LONG_S,
    )  # fmt: skip
    # Salts keep the draws of one member apart; 0x7fffffff drops the sign.
    await keys.execute(
        """
        insert into search_token (county_code, token, member_id, source)
        select $3, substr(sha256(convert_to($3 || '/' || term, 'UTF8')), 1, 16), 'm' || lpad(i::text, 25, '0'), 1
        from (
            select i, ((hashint8extended(i, 1) & 2147483647) % $4)::int as pool_at,
                (hashint8extended(i, 2) & 2147483647) as number, (hashint8extended(i, 3) & 2147483647) as telephone
            from generate_series($1::bigint, $2::bigint - 1) i
        ) as member
        join name_pool on name_pool.at = member.pool_at
        cross join lateral (
            select distinct unnest(name_pool.terms || array[
                'end/' || lpad((number % 10000)::text, 4, '0'),
                'end/' || lpad((number / 10000 % 28 + 1)::text, 2, '0') || lpad((number % 10000)::text, 4, '0'),
                'end/' || lpad((telephone % 10000)::text, 4, '0'),
                'end/' || lpad((telephone % 1000000)::text, 6, '0')
            ]) as term
        ) as of_member
        """,
        first, first + members, county, POOL, timeout=_LONG_S,
    )  # fmt: skip
    await main.execute(
        "insert into person (member_id, county_code, branch_id, details, in_roster, party_status, standing, version,"
        " created_at, updated_at)"
        " select 'm' || lpad(i::text, 25, '0'), $3, $3 || '-b' || lpad((i / $4)::text, 10, '0'),"
        " sha256(i::text::bytea) || $5::bytea, true, 5, 1, 1, now(), now()"
        " from generate_series($1::bigint, $2::bigint - 1) i",
        first, first + members, county, BRANCH, bytes(DETAILS_BYTES - 32), timeout=_LONG_S,
    )  # fmt: skip


def _name_terms(chance: random.Random) -> list[str]:
    terms = terms_of_person(draw_name(chance), resident_number="", telephone="")
    return sorted(f"{kind.value}/{text}" for kind, text in terms)

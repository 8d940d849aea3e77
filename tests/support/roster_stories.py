"""What happens to a whole roster, told once for tests (thousands of rows) and for benches (a hundred thousand)."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from support.roster_county import RosterCounty
from support.whole_rosters import NUMBER_AT, STATUS_AT, whole_roster, whole_xlsx
from zhibu.identity.v1 import roster_pb2
from zhibu_identity.rosters.reading.files import inspect, open_rows
from zhibu_kit.testing.waiting import wait_until

Tell = Callable[[str], None]
CHECKED, APPLIED = roster_pb2.ROSTER_STATE_CHECKED, roster_pb2.ROSTER_STATE_APPLIED
# How often the tables are looked at while something is under way.
_LOOK_S = 0.05


async def import_across_deaths(county: RosterCounty, rows: int, *, timeout_s: float, tell: Tell) -> None:
    """Import a roster while identity is killed in the check and in the commit, and branches while applying it."""
    began_s = time.monotonic()

    def say(what: str) -> None:
        tell(f"{time.monotonic() - began_s:.1f} s: {what}")

    content = await asyncio.to_thread(lambda: whole_xlsx(whole_roster(rows, county.branch_names)))
    began_s = time.monotonic()
    roster_id = (await county.upload(content)).roster_id
    progress: set[int] = set()
    watching = asyncio.create_task(_until(county, roster_id, CHECKED, progress, timeout_s=timeout_s))
    staged = "select checked_count from roster where roster_id = $1"
    count = await _passes(county.identity_rows, staged, roster_id, 0, timeout_s=timeout_s)
    assert count < rows, "the check was over before it could be cut off"
    await county.identity.kill()
    say(f"identity killed with SIGKILL, {count:,} of {rows:,} rows checked")
    await county.identity.start()
    say("identity started again")
    await watching
    checked = await county.get(roster_id)
    say(
        f"checked: {checked.row_count:,} rows, {checked.new_count:,} new; {len(progress)} different counts were shown meanwhile"
    )
    assert (checked.row_count, checked.new_count, checked.problem_count) == (rows, rows, 0)
    assert progress - {0, rows}, "progress was visible"
    assert await county.identity_rows.fetchval("select count(*) from roster_row") == rows
    async with _all_or_nothing(county, rows):
        await _commit_across_deaths(county, checked, say, timeout_s=timeout_s)
    await expect_everybody_once(county, rows)
    say("applied: everybody once, in identity, in the key database and in branches")


async def _commit_across_deaths(
    county: RosterCounty, checked: roster_pb2.Roster, say: Tell, *, timeout_s: float
) -> None:
    rows, roster_id, progress = checked.row_count, checked.roster_id, set[int]()
    await county.commit(checked)
    watching = asyncio.create_task(_until(county, roster_id, APPLIED, progress, timeout_s=timeout_s))
    prepared = "select committed_count from roster where roster_id = $1"
    count = await _passes(county.identity_rows, prepared, roster_id, 0, timeout_s=timeout_s)
    assert count < rows, "the commit was over before it could be cut off"
    await county.identity.kill()
    say(f"identity killed with SIGKILL, {count:,} rows prepared for the commit")
    await county.identity.start()
    parts_done = "select parts_done from roster_application where roster_id = $1"
    part = await _passes(county.branches_rows, parts_done, roster_id, 0, timeout_s=timeout_s)
    await county.branches.kill()
    say(f"branches killed with SIGKILL after {part} parts of {-(-rows // 500)}")
    await county.branches.start()
    await watching
    assert progress - {0, rows}, "progress was visible"


async def whole_county(county: RosterCounty, rows: int, *, timeout_s: float, tell: Tell) -> None:
    """Import a roster of which some rows are bad; mend those; repeat everything: nothing changes any more."""
    people = list(whole_roster(rows, county.branch_names))
    bad = range(0, rows, max(rows // 40, 1))
    spoilt = [list(person) for person in people]
    for at in bad:
        column, value = ((NUMBER_AT, people[at][NUMBER_AT][:-1]), (STATUS_AT, "群众"))[at // max(rows // 40, 1) % 2]
        spoilt[at][column] = value

    async def check(content: bytes) -> roster_pb2.Roster:
        uploaded = await county.upload(content)
        return await county.reaches(uploaded.roster_id, CHECKED, timeout_s=timeout_s)

    async def bring_in(roster: roster_pb2.Roster, *, leave_out: bool = False) -> None:
        await county.commit(roster, leave_out=leave_out)
        await county.reaches(roster.roster_id, APPLIED, timeout_s=timeout_s)

    first = await check(await asyncio.to_thread(whole_xlsx, spoilt))
    tell(f"first: {_differences(first)}")
    assert (first.new_count, first.problem_count) == (rows - len(bad), len(bad))
    problems = await county.problems(first)
    await bring_in(first, leave_out=True)
    await expect_everybody_once(county, rows - len(bad))
    mended = await check(await asyncio.to_thread(_mended, problems, people))
    tell(f"the file of problems, mended: {_differences(mended)}")
    assert (mended.new_count, mended.problem_count) == (len(bad), 0)
    await bring_in(mended)
    await expect_everybody_once(county, rows)
    again = await check(await asyncio.to_thread(whole_xlsx, people))
    tell(f"the whole file, mended by the department: {_differences(again)}")
    assert (again.same_count, again.new_count, again.changed_count, again.gone_count) == (rows, 0, 0, 0)
    # A roster that changes nothing is committed and applied at once.
    await bring_in(again)
    for form in ("xlsx", "csv"):
        exported = await check(await county.export(form))
        tell(f"its export as .{form}, brought in again: {_differences(exported)}")
        assert (exported.same_count, exported.row_count, exported.gone_count) == (rows, rows, 0)
    await expect_everybody_once(county, rows)


async def expect_everybody_once(county: RosterCounty, rows: int) -> None:
    """Make sure that nobody was lost or doubled anywhere."""
    identity, keys, branches = county.identity_rows, county.key_rows, county.branches_rows
    await wait_until(lambda: _is(identity, "select count(*) from roster where not settled", 0), timeout_s=120)
    counts = {
        "people": await identity.fetchval("select count(*) from person where in_roster"),
        "records": await branches.fetchval("select count(*) from member_record"),
        "memberships": await branches.fetchval("select count(*) from membership where end_date is null and kind = 1"),
        "members with a number": await keys.fetchval(
            "select count(distinct member_id) from number_index where kind = 1"
        ),
        "held numbers": await keys.fetchval("select count(*) from number_holder"),
        "keys of people": await keys.fetchval(
            "select count(*) from member_key where confirmed and member_id <> all($1::text[])",
            [row["roster_id"] for row in await identity.fetch("select roster_id from roster")],
        ),
    }
    assert counts == dict.fromkeys(counts, rows)
    assert await branches.fetchval("select coalesce(sum(conflict_count), 0) from roster_application") == 0


def _mended(problems: bytes, people: list[list[str]]) -> bytes:
    """Return the file of problems as somebody mends it: each row by the name and the branch that it shows."""
    by_telephone = {person[9]: person for person in people}
    file = io.BytesIO(problems)
    with open_rows(file, inspect(file)[0].name) as rows:
        cells = [[str(cell or "") for cell in row] for row in rows]
    return whole_xlsx([by_telephone[row[9]] for row in cells[1:]])


def _differences(roster: roster_pb2.Roster) -> str:
    return (
        f"{roster.row_count:,} rows, {roster.new_count:,} new, {roster.changed_count:,} changed, {roster.same_count:,} the same,"
        f" {roster.gone_count:,} gone, {roster.problem_count:,} with problems"
    )


async def _until(county: RosterCounty, roster_id: str, state: int, progress: set[int], *, timeout_s: float) -> None:
    """Watch until a state is reached, and note what was told meanwhile."""

    def look(roster: roster_pb2.Roster) -> bool:
        progress.add(roster.checked_count if state == CHECKED else roster.committed_count)
        return roster.state == state

    await county.watch(roster_id, look, timeout_s=timeout_s)


@asynccontextmanager
async def _all_or_nothing(county: RosterCounty, rows: int) -> AsyncGenerator[None]:
    """Look all the time, while the block runs, how many people there are: nobody or everybody."""
    seen: set[int] = set()
    # A connection of its own: the others are in use meanwhile.
    own: asyncpg.Connection = await asyncpg.connect(county.identity_dsn)

    async def look() -> None:
        while True:
            seen.add(int(await own.fetchval("select count(*) from person") or 0))
            await asyncio.sleep(_LOOK_S)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
        outcome = await asyncio.gather(looking, return_exceptions=True)
        own.terminate()
    assert isinstance(outcome[0], asyncio.CancelledError), outcome
    assert seen == {0, rows}


async def _passes(connection: asyncpg.Connection, query: str, roster_id: str, bound: int, *, timeout_s: float) -> int:
    """Wait until a count is greater than a bound, and return it."""

    async def look() -> int:
        count = int(await connection.fetchval(query, roster_id) or 0)
        return count if count > bound else 0

    return await wait_until(look, timeout_s=timeout_s)


async def _is(connection: asyncpg.Connection, query: str, wanted: Any) -> bool:
    return await connection.fetchval(query) == wanted

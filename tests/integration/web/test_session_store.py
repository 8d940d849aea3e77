"""Sessions are shared by every instance, sealed, bounded in time, and changed by one at a time."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from zhibu_kit.testing.clock import FixedClock
from zhibu_web.sealing import Sealer
from zhibu_web.session import ApplicationDraft, SessionData
from zhibu_web.session_store import EndedSession, Lifetimes, Session, SessionGoneError, SessionStore

LIFETIMES = Lifetimes(
    member_idle=timedelta(minutes=30), member_absolute=timedelta(hours=10), visitor_idle=timedelta(hours=2)
)
NAME = "买买提·艾力"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


def _store(pool: asyncpg.Pool, clock: FixedClock, secret: str = "k" * 40) -> SessionStore:
    return SessionStore(pool, sealer=Sealer([secret]), lifetimes=LIFETIMES, clock=clock)


def _data() -> SessionData:
    return SessionData(draft=ApplicationDraft(real_name=NAME, telephone="12000001234"))


async def test_what_one_instance_keeps_the_other_finds(pool: asyncpg.Pool, clock: FixedClock) -> None:
    session_id = await _store(pool, clock).create(_data(), kind="visitor")
    assert await _store(pool, clock).find(session_id) == Session(session_id, "visitor", _data())


async def test_the_table_holds_neither_the_cookie_nor_anything_readable(pool: asyncpg.Pool, clock: FixedClock) -> None:
    session_id = await _store(pool, clock).create(_data(), kind="visitor")
    dump = str(await pool.fetch("SELECT session::text, encode(sealed, 'escape') FROM session"))
    assert session_id not in dump
    assert NAME not in dump
    assert "12000001234" not in dump


async def test_a_row_moved_to_another_session_cannot_be_opened(pool: asyncpg.Pool, clock: FixedClock) -> None:
    store = _store(pool, clock)
    mine, other = await store.create(SessionData(), kind="visitor"), await store.create(_data(), kind="visitor")
    await pool.execute(
        "UPDATE session SET sealed = (SELECT sealed FROM session WHERE session_hash = sha256($2::bytea))"
        " WHERE session_hash = sha256($1::bytea)",
        mine.encode(),
        other.encode(),
    )
    assert await store.find(mine) is None


async def test_an_unused_session_expires_and_a_used_one_goes_on(pool: asyncpg.Pool, clock: FixedClock) -> None:
    store = _store(pool, clock)
    session_id = await store.create(_data(), kind="member", account_id="a")
    clock.advance(29 * 60)
    assert await store.find(session_id) is not None
    clock.advance(29 * 60)
    assert await store.find(session_id) is not None
    clock.advance(31 * 60)
    assert await store.find(session_id) is None


async def test_a_session_ends_after_its_longest_time_however_busy(pool: asyncpg.Pool, clock: FixedClock) -> None:
    store = _store(pool, clock)
    session_id = await store.create(_data(), kind="member", account_id="a")
    found = [await store.find(session_id)]
    for _ in range(25):
        clock.advance(24 * 60)
        found.append(await store.find(session_id))
    assert found[24] is not None
    assert found[25] is None


async def test_changes_made_at_once_are_all_kept(pool: asyncpg.Pool, clock: FixedClock) -> None:
    stores = [_store(pool, clock), _store(pool, clock)]
    session_id = await stores[0].create(SessionData(), kind="visitor")

    async def add(number: int) -> None:
        async with stores[number % 2].change(session_id) as data:
            data.searches = {**data.searches, str(number): "x"}

    async with asyncio.TaskGroup() as group:
        for number in range(12):
            group.create_task(add(number))
    found = await stores[0].find(session_id)
    assert isinstance(found, Session)
    assert set(found.data.searches) == {str(number) for number in range(12)}


async def test_a_change_that_fails_leaves_everything_as_it_was(pool: asyncpg.Pool, clock: FixedClock) -> None:
    store = _store(pool, clock)
    session_id = await store.create(_data(), kind="visitor")

    async def change_and_fail() -> None:
        async with store.change(session_id) as data:
            data.draft = None
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_and_fail()
    assert await store.find(session_id) == Session(session_id, "visitor", _data())


async def test_a_session_ended_from_elsewhere_says_why_and_is_empty(pool: asyncpg.Pool, clock: FixedClock) -> None:
    store = _store(pool, clock)
    mine = await store.create(_data(), kind="member", account_id="a1", login_id="l1")
    other = await store.create(_data(), kind="member", account_id="a1", login_id="l2")
    assert await store.end_login(login_id="l1", account_id="a1", before=clock.now()) == 1
    assert await store.find(mine) == EndedSession("logged_out")
    assert isinstance(await store.find(other), Session)
    with pytest.raises(SessionGoneError):
        async with store.change(mine):
            pass
    assert await store.end_login(login_id="", account_id="a1", before=clock.now()) == 1
    assert await store.find(other) == EndedSession("logged_out")


async def test_a_log_out_does_not_touch_a_later_log_in(pool: asyncpg.Pool, clock: FixedClock) -> None:
    store = _store(pool, clock)
    before = clock.now()
    clock.advance(60)
    session_id = await store.create(_data(), kind="member", account_id="a2", login_id="l3")
    assert await store.end_login(login_id="l3", account_id="a2", before=before) == 0
    assert isinstance(await store.find(session_id), Session)


async def test_expired_sessions_are_deleted(pool: asyncpg.Pool, clock: FixedClock) -> None:
    store = _store(pool, clock)
    await store.create(_data(), kind="visitor")
    clock.advance(25 * 3600)
    kept = await store.create(_data(), kind="visitor")
    await store.delete_expired()
    assert await pool.fetchval("SELECT count(*) FROM session WHERE idle_expire_time <= $1", clock.now()) == 0
    assert isinstance(await store.find(kept), Session)


async def test_after_a_change_of_key_without_the_old_one_everybody_begins_anew(
    pool: asyncpg.Pool, clock: FixedClock
) -> None:
    session_id = await _store(pool, clock).create(_data(), kind="visitor")
    assert await _store(pool, clock, secret="n" * 40).find(session_id) is None


async def test_a_session_cannot_grow_without_bound(pool: asyncpg.Pool, clock: FixedClock) -> None:
    store = _store(pool, clock)
    with pytest.raises(ValueError, match="bound"):
        await store.create(SessionData(searches={"x": "y" * 100_000}), kind="visitor")


async def test_the_running_role_cannot_change_the_table(pool: asyncpg.Pool) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.execute("ALTER TABLE session ADD COLUMN x text")

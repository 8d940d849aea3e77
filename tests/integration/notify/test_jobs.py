"""What is old is removed, in bounded steps, and nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from zhibu_kit.db import Database
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.clock import FixedClock
from zhibu_kit.testing.waiting import wait_until
from zhibu_notify import jobs
from zhibu_notify.jobs import INBOX_RETENTION, RETENTION, purge_job
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.engines import Postgres

_NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
_MOMENT = timedelta(minutes=1)
_TABLES = ("delivery", "delivery_part", "delivery_receipt", "notice_sms", "notice_sms_part", "inbox_item")


@pytest.fixture
async def own(database: ServiceDatabase) -> AsyncGenerator[Database]:
    database_ = Database(database.app_url, service="notify")
    yield database_
    await database_.close()


async def test_records_go_after_thirty_days_and_items_after_four_hundred(
    own: Database, everything: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Five rows in steps of two: the last step is not a full one.
    monkeypatch.setattr(jobs, "PURGE_COUNT_MAX", 2)
    for number in range(5):
        await _fill(everything, number)
    # One of them was read, so that four of the member's are unread.
    await everything.execute("insert into inbox_unread values ('member', 4)")
    clock = FixedClock(_NOW)
    purge = purge_job(own, clock)

    async def counts() -> list[int]:
        return [await everything.fetchval(f"select count(*) from {table}") for table in _TABLES]  # pyright: ignore[reportReturnType] - counts

    await purge.run()
    assert await counts() == [5, 5, 5, 5, 5, 5]
    clock.set(_NOW + RETENTION - _MOMENT)
    await purge.run()
    assert await counts() == [5, 5, 5, 5, 5, 5]
    clock.set(_NOW + RETENTION + _MOMENT)
    await purge.run()
    assert await counts() == [0, 0, 0, 0, 0, 5]
    clock.set(_NOW + INBOX_RETENTION + _MOMENT)
    await purge.run()
    assert await counts() == [0, 0, 0, 0, 0, 0]
    assert await everything.fetchval("select unread_count from inbox_unread where member_id = 'member'") == 0
    # The bill stays.
    assert await everything.fetchval("select message_count from notice_month") == 5


async def test_a_member_who_reads_while_old_items_are_removed_is_not_in_the_way(
    own: Database, everything: asyncpg.Connection, postgres: Postgres, database: ServiceDatabase
) -> None:
    item_id = new_ulid()
    await everything.execute(
        "insert into inbox_item values ($1, 'reader', 2, 'membership_began', '{}', false, '', $2, null)", item_id, _NOW
    )
    await everything.execute("insert into inbox_unread values ('reader', 1)")
    purge = purge_job(own, FixedClock(_NOW + INBOX_RETENTION + _MOMENT))
    reader: asyncpg.Connection = await asyncpg.connect(postgres.dsn(database.name))
    try:
        # What mark_read does, step by step.
        reading = reader.transaction()
        await reading.start()
        await reader.execute("select from inbox_unread where member_id = 'reader' for update")
        purging = asyncio.ensure_future(purge.run())

        async def waits() -> bool:
            return bool(await everything.fetchval("select exists (select from pg_locks where not granted)"))

        await wait_until(waits)
        await reader.execute("update inbox_item set read_time = $2 where inbox_item_id = $1", item_id, _NOW)
        await reader.execute("update inbox_unread set unread_count = unread_count - 1 where member_id = 'reader'")
        await reading.commit()
        await purging
    finally:
        await reader.close()
    assert await everything.fetchval("select count(*) from inbox_item") == 0
    assert await everything.fetchval("select unread_count from inbox_unread where member_id = 'reader'") == 0


async def _fill(everything: asyncpg.Connection, number: int) -> None:
    """One of everything, of this very moment."""
    await everything.execute(
        "insert into delivery values ($1, 'identity', $1, '', '', 'login', 'accepted', null, 1, $2, $2, $2)",
        new_ulid(),
        _NOW,
    )
    await everything.execute(
        "insert into delivery_part select delivery_id, 1, 'c' || $1 from delivery"
        " where delivery_id not in (select delivery_id from delivery_part)",
        str(number),
    )
    await everything.execute("insert into delivery_receipt values ($1, true, $2)", f"c{number}", _NOW)
    notice_sms_id = new_ulid()
    await everything.execute(
        "insert into notice_sms (notice_sms_id, county_code, member_id, kind, template, parameters, urgent, state,"
        " not_before, create_time, state_time)"
        " values ($1, '370724', 'member', 2, 'membership_began', '{}', false, 'accepted', $2, $2, $2)",
        notice_sms_id,
        _NOW,
    )
    await everything.execute("insert into notice_sms_part values ($1, 1, $2)", notice_sms_id, f"n{number}")
    await everything.execute(
        "insert into notice_month values ('370724', '2026-11', 1, 1) on conflict (county_code, month)"
        " do update set message_count = notice_month.message_count + 1"
    )
    await everything.execute(
        "insert into inbox_item values ($1, 'member', 2, 'membership_began', '{}', false, '', $2, $3)",
        new_ulid(),
        _NOW,
        _NOW if number == 0 else None,
    )

"""The feed: numbered audit rows go to the log in their order, once more rather than never, and nothing waits for it."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta

import orjson
import pytest
from integration.kit_data.audit_rows import (
    STREAM,
    as_superuser,
    check_chain,
    head_of,
    published,
    read_about,
    refuse,
    sequences,
)
from integration.kit_data.records import telemetry
from nats.js.api import StreamInfo
from support.metrics_text import value_of
from zhibu_kit.audit_chain import number_audit_rows
from zhibu_kit.audit_feed import AuditFeed, feed_from
from zhibu_kit.audit_messages import MAX_BYTES, MAX_ROWS, MAX_SUBJECTS
from zhibu_kit.audit_subjects import forget_subject
from zhibu_kit.bus import MAX_MESSAGE_BYTES, Bus
from zhibu_kit.clock import SystemClock
from zhibu_kit.db import Database, Scope
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.testing.clock import FixedClock
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_stack.engines import Postgres


class Unwell(Bus):
    """A bus that hands over, and then does not come back, or says that it failed, or lets something happen first."""

    def __init__(self, bus: Bus) -> None:
        super().__init__(bus.client)
        self.handed_over = 0
        self.hangs_at = self.fails_at = 0
        self.hanging, self.goes_on = asyncio.Event(), asyncio.Event()

    async def publish(self, subject: str, payload: bytes, headers: dict[str, str]) -> None:
        self.handed_over += 1
        at = self.handed_over
        await super().publish(subject, payload, headers)
        if at == self.fails_at:
            raise OSError("the acknowledgement is lost")
        if at == self.hangs_at:
            self.hanging.set()
            await self.goes_on.wait()


def feed_of(database: Database, bus: Bus, *, told: Telemetry | None = None) -> AuditFeed:
    return AuditFeed(database, bus, telemetry=told or telemetry(), clock=SystemClock())


@pytest.fixture(autouse=True)
async def info(nats: NatsServer) -> StreamInfo:
    """Empty the stream for each test."""
    admin = await nats.connect("admin")
    await admin.jetstream.purge_stream(STREAM)
    info = await admin.jetstream.stream_info(STREAM)
    await admin.close()
    return info


async def test_rows_come_in_their_order_with_a_whole_chain_and_what_opens_them(
    owner: Database, owner_bus: Bus, nats: NatsServer
) -> None:
    await refuse(owner, times=MAX_ROWS)
    await number_audit_rows(owner)
    await read_about(owner, ["member-1", "member-2"])
    await number_audit_rows(owner)
    assert await feed_of(owner, owner_bus).feed()
    messages = await published(nats)
    assert [(message.lane, len(message.rows)) for message in messages] == [("testing", MAX_ROWS), ("testing", 1)]
    rows = [row for message in messages for row in message.rows]
    assert [row.sequence for row in rows] == list(range(1, MAX_ROWS + 2))
    check_chain(rows)
    head = await head_of(owner)
    assert (bytes(head.chain_hash), head.fed_sequence) == (rows[-1].chain_hash, len(rows))
    told = orjson.loads(rows[-1].row)
    assert (told["sequence"], told["outcome"], told["subjects_count"]) == (MAX_ROWS + 1, "read", 2)
    assert "commitment_salt" not in told
    opened = rows[-1].subjects
    assert {one.subject_id for one in opened} == {"member-1", "member-2"}
    commitments = [hashlib.sha256(one.salt + one.subject_id.encode()).digest() for one in opened]
    assert commitments == [one.commitment for one in opened]
    assert told["subjects_commitment"] == hashlib.sha256(b"".join(sorted(commitments))).hexdigest()
    # Nothing is left to do.
    assert await feed_of(owner, owner_bus).feed()
    assert len(await published(nats)) == 2


async def test_a_row_about_very_many_comes_in_parts_of_one_number(
    owner: Database, owner_bus: Bus, nats: NatsServer
) -> None:
    subjects = [f"member-{number:058}" for number in range(24_000)]
    await refuse(owner)
    await number_audit_rows(owner)
    await read_about(owner, subjects)
    await number_audit_rows(owner)
    await refuse(owner)
    await number_audit_rows(owner)
    assert await feed_of(owner, owner_bus).feed()
    messages = await published(nats)
    assert all(message.ByteSize() < MAX_BYTES + 1024 < MAX_MESSAGE_BYTES for message in messages)
    rows = [row for message in messages for row in message.rows]
    parts = 24_000 // MAX_SUBJECTS
    assert [row.sequence for row in rows] == [1, *[2] * parts, 3]
    assert len({row.row for row in rows}) == 3
    opened = [one for row in rows for one in row.subjects]
    assert {one.subject_id for one in opened} == set(subjects)
    commitments = sorted(one.commitment for one in opened)
    whole = orjson.loads(rows[1].row)["subjects_commitment"]
    assert whole == hashlib.sha256(b"".join(commitments)).hexdigest()


async def test_a_process_that_dies_between_publishing_and_remembering_loses_nothing(
    owner: Database, owner_bus: Bus, nats: NatsServer
) -> None:
    await refuse(owner, times=3)
    await number_audit_rows(owner)
    dying = Unwell(owner_bus)
    dying.hangs_at = 1
    process = asyncio.create_task(feed_of(owner, dying).feed())
    await dying.hanging.wait()
    process.cancel()
    await asyncio.gather(process, return_exceptions=True)
    assert (await head_of(owner)).fed_sequence == 0
    assert await sequences(nats) == [1, 2, 3]
    # The next process publishes them again, and JetStream does not take them for the same message.
    assert await feed_of(owner, owner_bus).feed()
    assert await sequences(nats) == [1, 2, 3, 1, 2, 3]
    assert (await head_of(owner)).fed_sequence == 3


async def test_what_was_not_acknowledged_is_published_again_and_what_was_is_not(
    owner: Database, owner_bus: Bus, nats: NatsServer
) -> None:
    await refuse(owner, times=2 * MAX_ROWS + 1)
    await number_audit_rows(owner)
    unwell = Unwell(owner_bus)
    unwell.fails_at = 2
    feed = feed_of(owner, unwell)
    assert not (await feed.feed_once()).more
    assert (await head_of(owner)).fed_sequence == MAX_ROWS
    assert (await feed.feed_once()).fed == MAX_ROWS + 1
    assert set(await sequences(nats)) == set(range(1, 2 * MAX_ROWS + 2))


async def test_one_process_feeds_at_a_time(owner: Database, owner_bus: Bus, nats: NatsServer) -> None:
    await refuse(owner)
    await number_audit_rows(owner)
    slow = Unwell(owner_bus)
    slow.hangs_at = 1
    first = asyncio.create_task(feed_of(owner, slow).feed())
    await slow.hanging.wait()
    second = await feed_of(owner, owner_bus).feed_once()
    assert (second.fed, second.more) == (0, False)
    slow.goes_on.set()
    assert await first
    assert await sequences(nats) == [1]


async def test_rows_that_are_wanted_while_others_leave_are_not_forgotten(
    owner: Database, owner_bus: Bus, nats: NatsServer
) -> None:
    await refuse(owner, times=2)
    await number_audit_rows(owner)
    assert await feed_of(owner, owner_bus).feed()
    await refuse(owner)
    await number_audit_rows(owner)
    slow = Unwell(owner_bus)
    slow.hangs_at = 1
    feeding = asyncio.create_task(feed_of(owner, slow).feed())
    await slow.hanging.wait()
    assert await feed_from(owner, 2) == 2
    slow.goes_on.set()
    assert await feeding
    assert await sequences(nats) == [1, 2, 3, 2, 3]


async def test_numbers_without_a_row_do_not_hold_up_the_others(
    postgres: Postgres, owner: Database, owner_bus: Bus, nats: NatsServer
) -> None:
    await refuse(owner, times=6)
    await number_audit_rows(owner)
    await as_superuser(postgres, owner, "delete from kit_audit where sequence in (2, 3, 6)")
    assert await feed_of(owner, owner_bus).feed()
    assert await sequences(nats) == [1, 4, 5]
    assert (await head_of(owner)).fed_sequence == 6


async def test_rows_without_a_number_wait(owner: Database, owner_bus: Bus, nats: NatsServer) -> None:
    await refuse(owner)
    assert await feed_of(owner, owner_bus).feed()
    assert await sequences(nats) == []


async def test_salts_that_were_destroyed_are_not_published(owner: Database, owner_bus: Bus, nats: NatsServer) -> None:
    await read_about(owner, ["member-1"])
    await number_audit_rows(owner)
    async with owner.transaction(Scope.none()) as transaction:
        await forget_subject(transaction, "member-1")
    assert await feed_of(owner, owner_bus).feed()
    [message] = await published(nats)
    [subject] = message.rows[0].subjects
    assert (len(subject.commitment), subject.subject_id, subject.salt) == (32, "", b"")


async def test_how_far_the_feed_is_behind_is_told(owner: Database, owner_bus: Bus) -> None:
    told, clock = telemetry(), FixedClock()
    feed = AuditFeed(owner, owner_bus, telemetry=told, clock=clock)

    async def behind() -> tuple[float | None, float | None]:
        await feed.measure()
        text = told.render_metrics().decode()
        return value_of(text, "zhibu_audit_unfed_rows"), value_of(text, "zhibu_audit_unfed_age_seconds")

    assert await behind() == (0, 0)
    await refuse(owner, times=2)
    await number_audit_rows(owner)
    clock.set(SystemClock().now() + timedelta(hours=1))
    rows, age_s = await behind()
    assert rows == 2
    assert age_s is not None
    assert 3600 <= age_s < 3700
    assert await feed.feed()
    assert await behind() == (0, 0)


async def test_what_opens_rows_is_gone_from_jetstream_after_seven_days(info: StreamInfo) -> None:
    assert info.config.max_age == 7 * 24 * 3600

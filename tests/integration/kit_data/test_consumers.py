"""Consumers: every event has its effect once, whatever is delivered twice, out of order or not at all."""

from __future__ import annotations

import asyncio
import random

import nats.js.errors
import pytest
from google.protobuf.message import Message
from integration.kit_data.conftest import Pair, Start
from integration.kit_data.records import (
    COUNTY,
    HEARD,
    RECORD,
    SUBJECT,
    Mirror,
    change,
    relay_of,
    rows,
    snapshot,
    telemetry,
)
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import func, select
from zhibu.testing.v1.testing_events_pb2 import RecordChanged
from zhibu_kit import tables
from zhibu_kit.bus import Bus
from zhibu_kit.clock import SystemClock
from zhibu_kit.consumers import Consumer, ConsumerRunner
from zhibu_kit.context import CallContext, current_traceparent, enter, leave
from zhibu_kit.db import Database, Role, Scope, Transaction
from zhibu_kit.dead_letters import list_dead_letters, replay_requested, request_replay
from zhibu_kit.errors import UNAVAILABLE
from zhibu_kit.events import EventContext
from zhibu_kit.outbox import OutboxRelay
from zhibu_kit.reconcile import reconcile
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until


async def test_an_event_reaches_the_consumer_in_the_scope_of_its_county(pair: Pair, start: Start) -> None:
    mirror = Mirror()
    start(mirror.runner(pair.listener, pair.listener_bus).run())
    await change(pair.owner, "reached", version=1, text="甲")
    await relay_of(pair.owner, pair.owner_bus).relay_once()
    await wait_until(lambda: ("reached", 1) in mirror.seen)
    await wait_until(lambda: _is_equal(pair.owner, pair.listener))


@pytest.mark.parametrize("seed", range(3))
async def test_duplicates_and_disorder_change_nothing(seed: int, listener: Database, listener_bus: Bus) -> None:
    """Every event of several keys, twice, in a disorder drawn from a seed: the end is what the owner says."""
    mirror = Mirror()
    runner = mirror.runner(listener, listener_bus)
    deliveries = [
        (RecordChanged(record_id=f"r{key}", county_code=COUNTY, text=f"{key}-{version}", version=version), twin)
        for key in range(5)
        for version in range(1, 9)
        for twin in range(2)
    ]
    random.Random(seed).shuffle(deliveries)
    outcomes = [await runner.effects.apply(event, _context(event)) for event, _ in deliveries]
    assert await rows(listener, HEARD) == [(f"r{key}", f"{key}-8", 8) for key in range(5)]
    assert set(outcomes) <= {"done", "duplicate", "stale"}
    # Each event was taken in once: 40 first deliveries, 40 second ones.
    assert outcomes.count("duplicate") == 40
    for key in range(5):
        versions = [version for record_id, version in mirror.seen if record_id == f"r{key}"]
        assert versions == sorted(set(versions))


async def test_the_same_event_delivered_to_two_processes_at_once_takes_effect_once(
    listener: Database, listener_bus: Bus
) -> None:
    mirror = Mirror()
    runner = mirror.runner(listener, listener_bus)
    event = RecordChanged(record_id="race", county_code=COUNTY, text="甲", version=1)
    outcomes = await asyncio.gather(*(runner.effects.apply(event, _context(event)) for _ in range(8)))
    assert sorted(outcomes) == ["done", *["duplicate"] * 7]
    assert mirror.seen == [("race", 1)]


async def test_the_trace_goes_on_from_the_write_into_the_consumers_effect(pair: Pair, start: Start) -> None:
    spans = InMemorySpanExporter()
    traced = Telemetry("mirror", sample_ratio=0.0, span_processor=SimpleSpanProcessor(spans))
    inside: list[str | None] = []

    async def handle(transaction: Transaction, event: Message, context: EventContext) -> None:
        if context.key == "traced":
            inside.append(current_traceparent())

    consumer = Consumer(name="traced", event=RecordChanged, handle=handle)
    start(
        ConsumerRunner(
            consumer, database=pair.listener, bus=pair.listener_bus, telemetry=traced, clock=SystemClock()
        ).run()
    )
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    token = enter(CallContext(trace_id=trace_id, traceparent=f"00-{trace_id}-00f067aa0ba902b7-01", request_id=""))
    await change(pair.owner, "traced", version=1)
    leave(token)
    await relay_of(pair.owner, pair.owner_bus).relay_once()
    await wait_until(lambda: inside)
    assert inside[0] is not None
    assert inside[0].split("-")[1] == trace_id
    [span] = await wait_until(spans.get_finished_spans)
    assert span.name == "consume traced"
    assert span.parent is not None
    assert span.context is not None
    assert (span.context.trace_id, span.parent.span_id) == (int(trace_id, 16), 0x00F067AA0BA902B7)
    traced.shutdown()


async def test_poison_becomes_a_dead_letter_and_is_replayed_after_the_mending(
    pair: Pair, start: Start, nats: NatsServer
) -> None:
    mirror = Mirror(poison={"毒"})
    runner = mirror.runner(pair.listener, pair.listener_bus)
    start(runner.run())
    await change(pair.owner, "poison", version=1, text="毒")
    await change(pair.owner, "healthy", version=1, text="甲")
    relay = relay_of(pair.owner, pair.owner_bus)
    await relay.relay_once()
    # The others go on meanwhile.
    await wait_until(lambda: ("healthy", 1) in mirror.seen)
    [letter] = await wait_until(lambda: list_dead_letters(pair.listener), timeout_s=30)
    assert (letter.consumer, letter.subject, letter.reason) == ("records", SUBJECT, "RuntimeError")
    # Nothing of the attempts was left behind.
    assert "poison" not in {record_id for record_id, _, _ in await rows(pair.listener, HEARD)}
    admin = await nats.connect("admin")
    notice = await admin.jetstream.get_last_msg("ZHIBU_DEAD", "zhibu.dead.mirror")
    assert notice.data == letter.dead_letter_id.encode()
    await admin.close()
    # Not mended yet: it stays.
    assert await request_replay(pair.listener, letter.dead_letter_id, now=SystemClock().now())
    assert await replay_requested(pair.listener, {"records": runner}, clock=SystemClock()) == 0
    assert len(await list_dead_letters(pair.listener)) == 1
    mirror.poison.clear()
    assert await request_replay(pair.listener, letter.dead_letter_id, now=SystemClock().now())
    assert await replay_requested(pair.listener, {"records": runner}, clock=SystemClock()) == 1
    assert await list_dead_letters(pair.listener) == []
    assert ("poison", "毒", 1) in await rows(pair.listener, HEARD)
    assert not await request_replay(pair.listener, letter.dead_letter_id, now=SystemClock().now())


async def test_a_message_that_is_none_of_ours_becomes_a_dead_letter_at_once(
    listener: Database, listener_bus: Bus, owner_bus: Bus, start: Start
) -> None:
    start(Mirror().runner(listener, listener_bus).run())
    await owner_bus.publish(SUBJECT, b"\xff\xff", {"zhibu-key": "nonsense"})
    [letter] = await wait_until(lambda: list_dead_letters(listener))
    assert letter.reason == "ValueError"


async def test_an_event_waits_while_what_its_handler_needs_is_away(pair: Pair, start: Start) -> None:
    attempts: list[int] = []

    async def handle(transaction: Transaction, event: Message, context: EventContext) -> None:
        if context.key == "patient":
            attempts.append(context.version)
            if len(attempts) < 3:
                raise UNAVAILABLE()

    consumer = Consumer(name="patient", event=RecordChanged, handle=handle)
    runner = ConsumerRunner(
        consumer,
        database=pair.listener,
        bus=pair.listener_bus,
        telemetry=telemetry("mirror"),
        clock=SystemClock(),
        away_s=0.05,
    )
    start(runner.run())
    await change(pair.owner, "patient", version=1)
    await relay_of(pair.owner, pair.owner_bus).relay_once()
    await wait_until(lambda: len(attempts) == 3)
    assert await list_dead_letters(pair.listener) == []


async def test_a_long_handler_is_not_delivered_again(pair: Pair, start: Start) -> None:
    begun: list[int] = []
    go_on = asyncio.Event()

    async def handle(transaction: Transaction, event: Message, context: EventContext) -> None:
        if context.key == "long":
            begun.append(context.version)
            await go_on.wait()

    consumer = Consumer(name="long", event=RecordChanged, handle=handle)
    runner = ConsumerRunner(
        consumer,
        database=pair.listener,
        bus=pair.listener_bus,
        telemetry=telemetry("mirror"),
        clock=SystemClock(),
        ack_wait_s=1.0,
        progress_s=0.2,
    )
    start(runner.run())
    await change(pair.owner, "long", version=1)
    await relay_of(pair.owner, pair.owner_bus).relay_once()
    await wait_until(lambda: begun)
    admin = pair.listener_bus.jetstream
    first = await admin.consumer_info("ZHIBU_TESTING", "mirror_record_changed")
    # Well over the time after which JetStream would deliver again.
    deadline = asyncio.get_running_loop().time() + 2.5
    await wait_until(lambda: asyncio.get_running_loop().time() > deadline)
    again = await admin.consumer_info("ZHIBU_TESTING", "mirror_record_changed")
    assert (again.num_redelivered, len(begun)) == (first.num_redelivered, 1)
    go_on.set()
    await wait_until(lambda: _is_acknowledged(pair.listener_bus))


async def test_wiping_jetstream_and_reconciling_ends_with_zero_differences(
    pair: Pair, start: Start, nats: NatsServer
) -> None:
    mirror = Mirror()
    relay = relay_of(pair.owner, pair.owner_bus)
    consuming = start(mirror.runner(pair.listener, pair.listener_bus).run())
    for number in range(30):
        await change(pair.owner, f"kept-{number:02}", version=1, text="一")
    await relay.relay_once()
    await wait_until(lambda: _is_equal(pair.owner, pair.listener))
    # The listener is away while more happens, and before it is back JetStream has lost everything.
    consuming.cancel()
    await asyncio.gather(consuming, return_exceptions=True)
    for number in range(20, 40):
        await change(pair.owner, f"kept-{number:02}", version=2, text="二")
    await relay.relay_once()
    await nats.wipe()
    await wait_until(lambda: pair.owner_bus.client.is_connected and pair.listener_bus.client.is_connected)
    start(mirror.runner(pair.listener, pair.listener_bus).run())
    assert not await _is_equal(pair.owner, pair.listener)
    await reconcile(pair.owner, snapshot)
    await wait_until(lambda: _relayed(pair.owner, relay), timeout_s=20)
    await wait_until(lambda: _is_equal(pair.owner, pair.listener), timeout_s=20)
    # And once more: what is known already changes nothing.
    before = await _times(pair.listener)
    await reconcile(pair.owner, snapshot)
    await wait_until(lambda: _relayed(pair.owner, relay), timeout_s=20)
    await wait_until(lambda: _is_acknowledged(pair.listener_bus))
    assert await _times(pair.listener) == before


async def test_events_without_a_snapshot_come_back_from_the_outbox(pair: Pair, start: Start, nats: NatsServer) -> None:
    relay = relay_of(pair.owner, pair.owner_bus)
    await change(pair.owner, "lost", version=1, text="甲")
    await relay.relay_once()
    await nats.wipe()
    await wait_until(lambda: pair.owner_bus.client.is_connected and pair.listener_bus.client.is_connected)
    start(Mirror().runner(pair.listener, pair.listener_bus).run())
    await reconcile(pair.owner)
    await wait_until(lambda: _relayed(pair.owner, relay), timeout_s=20)
    await wait_until(lambda: _is_equal(pair.owner, pair.listener), timeout_s=20)


def _context(event: RecordChanged) -> EventContext:
    return EventContext(
        event_id=f"{event.record_id}-{event.version}",
        subject=SUBJECT,
        key=event.record_id,
        version=event.version,
        county_code=event.county_code,
        traceparent="",
        occurred_at=SystemClock().now(),
    )


async def _is_equal(owner: Database, listener: Database) -> bool:
    owned = await rows(owner, RECORD)
    heard = {row[0]: row for row in await rows(listener, HEARD)}
    return bool(owned) and all(heard.get(row[0]) == row for row in owned)


async def _times(listener: Database) -> int:
    async with listener.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
        return await transaction.scalar(select(func.sum(HEARD.c.times)))


async def _relayed(owner: Database, relay: OutboxRelay) -> bool:
    await relay.relay_once()
    async with owner.transaction(Scope.none(), role=Role.RELAY) as transaction:
        waiting = select(func.count()).where(tables.outbox.c.published_at.is_(None))
        return await transaction.scalar(waiting) == 0


async def _is_acknowledged(bus: Bus) -> bool:
    try:
        info = await bus.jetstream.consumer_info("ZHIBU_TESTING", "mirror_record_changed")
    except nats.js.errors.NotFoundError:
        return False
    return info.num_pending == 0 and info.num_ack_pending == 0

"""Consumers on a machine that has no time: neither a late answer nor a missing one makes them give up what they have."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest
from google.protobuf.message import Message
from integration.kit_data.conftest import Pair, Start
from integration.kit_data.records import Mirror, change, relay_of, telemetry
from zhibu.testing.v1.testing_events_pb2 import RecordChanged
from zhibu_kit.clock import SystemClock
from zhibu_kit.consumers import Consumer, ConsumerRunner
from zhibu_kit.db import Transaction
from zhibu_kit.events import EventContext
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until

_INTERRUPTED = "A consumer was interrupted"


async def test_a_wait_that_ends_together_with_the_servers_answer_interrupts_nothing(
    pair: Pair, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """One wait in twenty ends so, and nats-py then raises another error than after an ordinary one."""
    mirror = Mirror()
    for _ in range(8):
        start(_runner(mirror, pair, fetch_timeout_s=0.02).run())
    ends_at_s = time.monotonic() + 1.5
    await wait_until(lambda: time.monotonic() > ends_at_s)
    await change(pair.owner, "last", version=1)
    await relay_of(pair.owner, pair.owner_bus).relay_once()
    await wait_until(lambda: ("last", 1) in mirror.seen)
    assert _INTERRUPTED not in [record.getMessage() for record in caplog.records]


async def test_jetstream_that_is_too_busy_to_answer_interrupts_nothing(
    pair: Pair, start: Start, nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="zhibu.consumers")
    mirror = Mirror()
    start(_runner(mirror, pair, fetch_timeout_s=0.05, ask_timeout_s=0.05).run())
    await change(pair.owner, "first", version=1)
    relay = relay_of(pair.owner, pair.owner_bus)
    await relay.relay_once()
    await wait_until(lambda: ("first", 1) in mirror.seen)
    with nats.suspended():
        await wait_until(lambda: "JetStream is slow to answer" in [record.getMessage() for record in caplog.records])
    await change(pair.owner, "after", version=1)
    await relay.relay_once()
    await wait_until(lambda: ("after", 1) in mirror.seen)
    assert _INTERRUPTED not in [record.getMessage() for record in caplog.records]


async def test_consumers_of_a_process_share_what_they_may_do_at_once(pair: Pair, start: Start) -> None:
    running, most = 0, 0
    done: list[str] = []

    async def handle(transaction: Transaction, event: Message, context: EventContext) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done.append(context.key)

    consumer = Consumer(name="shared", event=RecordChanged, handle=handle)
    runner = ConsumerRunner(
        consumer,
        database=pair.listener,
        bus=pair.listener_bus,
        telemetry=telemetry("mirror"),
        clock=SystemClock(),
        gate=asyncio.Semaphore(1),
    )
    for number in range(12):
        await change(pair.owner, f"key-{number}", version=1)
    await relay_of(pair.owner, pair.owner_bus).relay_once()
    start(runner.run())
    await wait_until(lambda: {f"key-{number}" for number in range(12)} <= set(done))
    assert most == 1


async def test_a_service_does_more_with_an_event_of_the_kit_in_the_same_transaction(pair: Pair) -> None:
    done: list[str] = []

    async def more(transaction: Transaction, event: Message, context: EventContext) -> None:
        done.append("more")
        if len(done) == 1:
            raise RuntimeError("not yet")

    mirror = Mirror()
    runner = ConsumerRunner(
        mirror.consumer().then(more),
        database=pair.listener,
        bus=pair.listener_bus,
        telemetry=telemetry("mirror"),
        clock=SystemClock(),
    )
    event = RecordChanged(record_id="both", county_code="370724", version=1)
    context = EventContext(
        event_id="both-1",
        subject="zhibu.testing.v1.record_changed",
        key="both",
        version=1,
        county_code="370724",
        traceparent="",
        occurred_at=SystemClock().now(),
    )
    with pytest.raises(RuntimeError):
        await runner.effects.apply(event, context)
    # Nothing of the first half was left behind, so the event is not taken for a duplicate.
    assert await runner.effects.apply(event, context) == "done"
    assert await runner.effects.apply(event, context) == "duplicate"
    assert done == ["more", "more"]


def _runner(mirror: Mirror, pair: Pair, *, fetch_timeout_s: float, ask_timeout_s: float = 5.0) -> ConsumerRunner:
    return ConsumerRunner(
        mirror.consumer(),
        database=pair.listener,
        bus=pair.listener_bus,
        telemetry=telemetry("mirror"),
        clock=SystemClock(),
        fetch_timeout_s=fetch_timeout_s,
        ask_timeout_s=ask_timeout_s,
    )

"""The outbox: what was committed is published, once more rather than never, and in order for each key."""

from __future__ import annotations

import asyncio

import pytest
from integration.kit_data.conftest import Start
from integration.kit_data.records import COUNTY, SUBJECT, call_of, change, change_record, relay_of
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from sqlalchemy import func, select, update
from zhibu.testing.v1.testing_events_pb2 import RecordChanged
from zhibu_kit import tables
from zhibu_kit.bus import Bus
from zhibu_kit.context import CallContext, enter, leave
from zhibu_kit.db import Database, Role, Scope
from zhibu_kit.notifications import Notifications
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until


async def test_an_event_leaves_with_its_commit_and_carries_cloudevents_headers_and_the_trace(
    owner: Database, owner_bus: Bus, nats: NatsServer
) -> None:
    token = enter(CallContext(trace_id="t", traceparent=call_of("Echo").traceparent, request_id="r"))
    await change(owner, "with-headers", version=7, text="甲")
    leave(token)
    await relay_of(owner, owner_bus).relay_once()
    [(event, headers)] = await _stored(nats, "with-headers")
    assert event == RecordChanged(record_id="with-headers", county_code=COUNTY, text="甲", version=7)
    assert headers.pop("Nats-Msg-Id") == headers.pop("ce-id")
    assert headers.pop("ce-time")
    assert headers == {
        "ce-specversion": "1.0",
        "ce-source": "/zhibu/testing",
        "ce-type": "zhibu.testing.v1.RecordChanged",
        "content-type": "application/protobuf",
        "traceparent": call_of("Echo").traceparent,
        "zhibu-key": "with-headers",
        "zhibu-version": "7",
        "zhibu-county": COUNTY,
    }


async def test_a_transaction_that_is_rolled_back_publishes_nothing(owner: Database, owner_bus: Bus) -> None:
    async def fail() -> None:
        async with owner.transaction(Scope.of(COUNTY)) as transaction:
            await change_record(transaction, "rolled-back", version=1)
            await transaction.flush()
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await fail()
    assert (await relay_of(owner, owner_bus).relay_once()).published == 0


async def test_a_crash_between_commit_and_publishing_loses_nothing(
    owner: Database, owner_bus: Bus, nats: NatsServer
) -> None:
    await change(owner, "crash-before", version=1)
    # The process ends here, and another one begins.
    assert (await relay_of(owner, owner_bus).relay_once()).published == 1
    assert len(await _stored(nats, "crash-before")) == 1


async def test_a_crash_between_publishing_and_marking_publishes_the_same_event_again(
    owner: Database, owner_bus: Bus, nats: NatsServer
) -> None:
    await change(owner, "crash-after", version=1)
    await relay_of(owner, owner_bus).relay_once()
    async with owner.transaction(Scope.none(), role=Role.RELAY) as transaction:
        # As if the relay's transaction had been lost after JetStream had acknowledged.
        await transaction.execute(update(tables.outbox).values(published_at=None))
    assert (await relay_of(owner, owner_bus).relay_once()).published == 1
    # The same id within two minutes: JetStream keeps one. The inbox takes care of later ones.
    assert len(await _stored(nats, "crash-after")) == 1


async def test_events_wait_while_nats_is_away_and_leave_when_it_is_back(
    owner: Database, owner_bus: Bus, nats: NatsServer, start: Start
) -> None:
    notifications = Notifications(owner.url)
    owner.notifications = notifications
    start(relay_of(owner, owner_bus, notifications=notifications).run())
    nats.stop()
    try:
        await wait_until(lambda: not owner_bus.client.is_connected)
        await change(owner, "away", version=1)
    finally:
        nats.start()
    assert await wait_until(lambda: _stored(nats, "away"))


async def test_a_commit_wakes_the_relay_of_its_own_process_and_by_notify_that_of_another(
    owner: Database, owner_bus: Bus, nats: NatsServer, start: Start
) -> None:
    notifications = Notifications(owner.url)
    other = Database(owner.url, service="testing")
    owner.notifications = notifications
    woken = notifications.event("kit_outbox")
    start(notifications.run())
    await asyncio.wait_for(woken.wait(), 30)
    woken.clear()
    await change(owner, "woken", version=1)
    assert woken.is_set()
    woken.clear()
    await change(other, "woken", version=2)
    await asyncio.wait_for(woken.wait(), 30)
    await other.close()


async def test_two_relays_at_once_keep_the_order_of_every_key(
    owner: Database, owner_bus: Bus, nats: NatsServer, start: Start
) -> None:
    second = Database(owner.url, service="testing")
    keys, versions = [f"ordered-{number}" for number in range(10)], 30
    for database in (owner, second):
        database.notifications = Notifications(database.url)
        start(relay_of(database, owner_bus, notifications=database.notifications).run())

    async def write(key: str) -> None:
        for version in range(1, versions + 1):
            await change(owner if version % 2 else second, key, version=version)

    await asyncio.gather(*(write(key) for key in keys))
    await wait_until(lambda: _is_empty(owner))
    for key in keys:
        assert [event.version for event, _ in await _stored(nats, key)] == list(range(1, versions + 1))
    await second.close()


async def test_an_event_that_cannot_be_published_holds_up_its_own_key_only(
    owner: Database, owner_bus: Bus, nats: NatsServer
) -> None:
    relay = relay_of(owner, owner_bus)
    await change(owner, "held-up", version=1)
    async with owner.transaction(Scope.none(), role=Role.RELAY) as transaction:
        # No stream takes this subject, as when a release forgets to make one.
        await transaction.execute(update(tables.outbox).values(subject="zhibu.dead.testing.unknown"))
    await change(owner, "held-up", version=2)
    for number in range(20):
        await change(owner, f"free-{number}", version=1)
    assert (await relay.relay_once()).published == 20
    assert await _stored(nats, "held-up") == []
    async with owner.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(
            update(tables.outbox)
            .where(tables.outbox.c.published_at.is_(None))
            .values(subject=SUBJECT, next_attempt_at=None)
        )
    assert (await relay.relay_once()).published == 2
    assert [event.version for event, _ in await _stored(nats, "held-up")] == [1, 2]


async def test_the_running_service_can_add_to_the_outbox_but_not_look_into_it(owner: Database) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with owner.transaction(Scope.of(COUNTY)) as transaction:
            await transaction.scalar(select(func.count()).select_from(tables.outbox))


async def test_the_age_of_the_oldest_waiting_event_is_a_metric(owner: Database, owner_bus: Bus) -> None:
    relay = relay_of(owner, owner_bus)
    async with owner.transaction(Scope.of(COUNTY)) as transaction:
        await change_record(transaction, "old", version=1)
    async with owner.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(
            update(tables.outbox).values(occurred_at=func.now() - func.make_interval(0, 0, 0, 0, 1))
        )
    await relay.relay_once()
    assert 3600 <= relay.oldest_s < 3700


async def _is_empty(database: Database) -> bool:
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        waiting = select(func.count()).where(tables.outbox.c.published_at.is_(None))
        return await transaction.scalar(waiting) == 0


async def _stored(nats: NatsServer, key: str) -> list[tuple[RecordChanged, dict[str, str]]]:
    """Return what the stream holds of a key, in its order."""
    admin = await nats.connect("admin")
    try:
        found: list[tuple[RecordChanged, dict[str, str]]] = []
        info = await admin.jetstream.stream_info("ZHIBU_TESTING")
        config = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL)
        subscription = await admin.jetstream.pull_subscribe(SUBJECT, stream="ZHIBU_TESTING", config=config)
        left = info.state.messages
        while left:
            for message in await subscription.fetch(min(left, 256), timeout=30):
                left -= 1
                headers = dict(message.headers or {})
                if headers["zhibu-key"] == key:
                    found.append((RecordChanged.FromString(message.data), headers))
        return found
    finally:
        await admin.close()

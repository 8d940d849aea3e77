"""What happens when PostgreSQL goes away, a process dies at the worst moment, or rows grow old."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta

import pytest
from integration.kit_data.conftest import Pair, Start
from integration.kit_data.records import COUNTY, HEARD, MIGRATIONS, Mirror, call_of, change, relay_of, rows
from sqlalchemy import func, select
from sqlalchemy.schema import Table
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu.testing.v1.testing_events_pb2 import RecordChanged
from zhibu_kit import db, tables
from zhibu_kit.bus import Bus
from zhibu_kit.clock import SystemClock
from zhibu_kit.db import Database, Role, Scope
from zhibu_kit.errors import ServiceError
from zhibu_kit.events import EventContext
from zhibu_kit.notifications import Notifications
from zhibu_kit.postgres_backing import KEEP_INBOX, KEEP_PUBLISHED, KEEP_REQUESTS, clean_up
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.engines import Postgres


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Generator[Postgres]:
    """Give a cluster that may be stopped, because nobody else uses it."""
    engine = Postgres(tmp_path_factory.mktemp("postgres"), fsync=False)
    engine.start()
    yield engine
    engine.stop()


async def test_relay_and_consumer_go_on_after_postgresql_was_away(
    own_postgres: Postgres, owner_bus: Bus, listener_bus: Bus, start: Start
) -> None:
    maker = DatabaseMaker(own_postgres)
    owned = await maker("testing", directory=MIGRATIONS)
    heard = await maker("mirror", directory=MIGRATIONS)
    notifications = Notifications(owned.app_url)
    owner = Database(owned.app_url, service="testing", notifications=notifications)
    listener = Database(heard.app_url, service="mirror")
    start(notifications.run())
    start(relay_of(owner, owner_bus, notifications=notifications).run())
    start(Mirror().runner(listener, listener_bus).run())
    await change(owner, "before", version=1, text="甲")
    await wait_until(lambda: _has_heard(listener, "before"))
    own_postgres.stop()
    try:
        with pytest.raises(ServiceError, match="UNAVAILABLE"):
            await change(owner, "during", version=1)
        assert not await owner.is_ready()
        # An event that comes meanwhile waits, it does not become a dead letter.
        await _publish(owner_bus, RecordChanged(record_id="meanwhile", county_code=COUNTY, text="乙", version=1))
        await wait_until(lambda: _is_handed_over(listener_bus))
    finally:
        own_postgres.start()
    await wait_until(owner.is_ready)
    await change(owner, "after", version=1, text="丙")
    await wait_until(lambda: _has_heard(listener, "after"), timeout_s=20)
    await wait_until(lambda: _has_heard(listener, "meanwhile"), timeout_s=20)
    assert await _count(listener, tables.dead_letter) == 0
    await owner.close()
    await listener.close()


async def test_a_consumer_that_dies_between_commit_and_acknowledgement_has_one_effect(pair: Pair, start: Start) -> None:
    mirror = Mirror()
    runner = mirror.runner(pair.listener, pair.listener_bus)
    await change(pair.owner, "died", version=1, text="甲")
    async with pair.owner.transaction(Scope.none(), role=Role.RELAY) as transaction:
        row = await transaction.one(select(tables.outbox))
    context = EventContext(
        event_id=row.event_id,
        subject=row.subject,
        key=row.key,
        version=row.version,
        county_code=row.county_code,
        traceparent=row.traceparent,
        occurred_at=row.occurred_at,
    )
    # It commits, and the process ends before it acknowledges; JetStream delivers to the next one.
    assert await runner.effects.apply(RecordChanged.FromString(bytes(row.payload)), context) == "done"
    start(runner.run())
    await change(pair.owner, "next", version=1)
    await relay_of(pair.owner, pair.owner_bus).relay_once()
    await wait_until(lambda: ("next", 1) in mirror.seen)
    await wait_until(lambda: _is_acknowledged(pair.listener_bus))
    assert mirror.seen.count(("died", 1)) == 1


async def test_what_was_kept_long_enough_is_removed_in_bounded_steps(
    owner: Database, listener: Database, listener_bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "PURGE_ROWS", 2)
    for number in range(5):
        await change(owner, f"r{number}", version=1)
    async with owner.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(
            tables.outbox.update().where(tables.outbox.c.position > 1).values(published_at=func.now())
        )
    for number in range(3):
        request = pb.UpdateRecordRequest(request_id=f"id-{number}")
        async with owner.write(call_of("UpdateRecord"), request, pb.UpdateRecordResponse) as write:
            write.reply(pb.UpdateRecordResponse())
    event = RecordChanged(record_id="old", county_code=COUNTY, version=1)
    await Mirror().runner(listener, listener_bus).effects.apply(event, _context(event))
    now, moment = SystemClock().now(), timedelta(minutes=1)
    await clean_up(owner, now=now)
    assert (await _count(owner, tables.request), await _count(owner, tables.outbox)) == (3, 5)
    await clean_up(owner, now=now + KEEP_REQUESTS + moment)
    assert (await _count(owner, tables.request), await _count(owner, tables.outbox)) == (0, 5)
    await clean_up(owner, now=now + KEEP_PUBLISHED + moment)
    # Never what was not published, however old.
    assert await _count(owner, tables.outbox) == 1
    await clean_up(listener, now=now + KEEP_INBOX + moment)
    assert (await _count(listener, tables.inbox), await _count(listener, tables.inbox_version)) == (0, 1)


async def _publish(bus: Bus, event: RecordChanged) -> None:
    headers = _context(event).headers(event_type=RecordChanged.DESCRIPTOR.full_name, source="testing")
    await bus.publish("zhibu.testing.v1.record_changed", event.SerializeToString(), headers)


def _context(event: RecordChanged) -> EventContext:
    return EventContext(
        event_id=f"{event.record_id}-{event.version}",
        subject="zhibu.testing.v1.record_changed",
        key=event.record_id,
        version=event.version,
        county_code=event.county_code,
        traceparent="",
        occurred_at=SystemClock().now(),
    )


async def _has_heard(listener: Database, record_id: str) -> bool:
    try:
        return record_id in {row[0] for row in await rows(listener, HEARD)}
    except ServiceError:
        return False


async def _count(database: Database, table: Table) -> int:
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        return await transaction.scalar(select(func.count()).select_from(table))


async def _is_handed_over(bus: Bus) -> bool:
    info = await bus.jetstream.consumer_info("ZHIBU_TESTING", "mirror_record_changed")
    return info.num_pending == 0


async def _is_acknowledged(bus: Bus) -> bool:
    info = await bus.jetstream.consumer_info("ZHIBU_TESTING", "mirror_record_changed")
    return info.num_pending == 0 and info.num_ack_pending == 0

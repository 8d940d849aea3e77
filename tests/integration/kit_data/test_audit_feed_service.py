"""A whole service feeds the log: by itself, when NATS comes back, and when the log asks; its calls never wait for that."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from integration.kit_data.audit_rows import audit_rows, check_chain, head_of, published, sequences
from integration.kit_data.whole_service import COUNTY, World, running_nats, running_world
from zhibu.audit.v1.audit_events_pb2 import RowsWanted
from zhibu_kit.clock import SystemClock
from zhibu_kit.events import EventContext
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until


@pytest.fixture(scope="module")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    async with running_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(scope="module")
async def world(service_database: DatabaseMaker, nats: NatsServer) -> AsyncGenerator[World]:
    async with running_world(service_database, nats) as world:
        yield world


async def test_what_a_call_leaves_is_in_the_stream_within_seconds(world: World, nats: NatsServer) -> None:
    await world.update("fed", "甲")
    await wait_until(lambda: is_fed(world))
    rows = [row for message in await published(nats) for row in message.rows]
    check_chain(rows)
    assert rows[-1].chain_hash == bytes((await head_of(world.database)).chain_hash)


async def test_without_nats_calls_go_on_and_their_rows_come_later(world: World, nats: NatsServer) -> None:
    before = (await head_of(world.database)).sequence
    nats.stop()
    try:
        for number in range(3):
            await world.update("meanwhile", str(number))
        await wait_until(lambda: is_numbered(world, before + 3))
        assert (await head_of(world.database)).fed_sequence < before + 3
    finally:
        nats.start()
    await wait_until(lambda: is_fed(world), timeout_s=20)
    assert set(await sequences(nats)) >= {before + 1, before + 2, before + 3}


async def test_the_log_asks_one_service_for_rows_and_gets_them_again(world: World, nats: NatsServer) -> None:
    await world.update("again", "甲")
    await wait_until(lambda: is_fed(world), timeout_s=20)
    last = (await head_of(world.database)).sequence
    assert last > 1
    before = await sequences(nats)
    # Somebody else is asked for everything; that is not for this service.
    await want(nats, "another", version=1, from_sequence=1)
    await want(nats, "testing", version=1, from_sequence=last)
    # Where NATS was away, a consumer may still wait for what it had asked for before.
    await wait_until(lambda: has_come(nats, [*before, last]), timeout_s=20)
    await want(nats, "testing", version=2, from_sequence=1)
    await wait_until(lambda: has_come(nats, [*before, last, *range(1, last + 1)]))


async def want(nats: NatsServer, lane: str, *, version: int, from_sequence: int) -> None:
    """Ask as audit does."""
    context = EventContext(
        event_id=new_ulid(),
        subject="zhibu.audit.v1.rows_wanted",
        key=lane,
        version=version,
        county_code=COUNTY,
        traceparent="",
        occurred_at=SystemClock().now(),
    )
    event = RowsWanted(lane=lane, version=version, from_sequence=from_sequence)
    bus = await nats.connect("audit")
    headers = context.headers(event_type=RowsWanted.DESCRIPTOR.full_name, source="audit")
    await bus.publish(context.subject, event.SerializeToString(), headers)
    await bus.close()


async def is_numbered(world: World, sequence: int) -> bool:
    return (await head_of(world.database)).sequence >= sequence


async def is_fed(world: World) -> bool:
    """Say whether every row that there is has a number and has left."""
    numbers = [row.sequence for row in await audit_rows(world.database)]
    return None not in numbers and (await head_of(world.database)).fed_sequence == len(numbers) > 0


async def has_come(nats: NatsServer, expected: list[int]) -> bool:
    return await sequences(nats) == expected

"""What goes wrong in or around a service fires its alert, that one alone, which ends when the cause is mended."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import grpc.aio
import pytest
from integration.alerts.conftest import World
from integration.kit_data.records import call_of, change
from sqlalchemy import select
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu_kit import tables
from zhibu_kit.clock import SystemClock
from zhibu_kit.db import Role, Scope
from zhibu_kit.dead_letters import request_replay

# Requests a second: more than the least that the rules look at.
PAUSE_S = 0.2
pytestmark = pytest.mark.timeout(300)


@pytest.mark.fires("JobFailing")
async def test_a_job_that_fails(world: World) -> None:
    world.trouble.job = True
    await world.watch.until_firing("JobFailing")
    world.trouble.job = False
    await world.watch.until_quiet()


@pytest.mark.nightly
@pytest.mark.fires("HighErrorRate")
async def test_calls_that_fail_through_our_own_fault(world: World) -> None:
    async with repeating(lambda: answer_of(world, "bug")):
        await world.watch.until_firing("HighErrorRate")
    async with repeating(lambda: answer_of(world, "not_found")):
        await world.watch.until_quiet()


@pytest.mark.nightly
@pytest.mark.fires("SlowCalls")
async def test_calls_that_take_longer_than_a_second(world: World) -> None:
    async def slowly() -> None:
        world.probe.slow_may_end.clear()
        calls = [asyncio.ensure_future(answer_of(world, "slow")) for _ in range(3)]
        await asyncio.wait(calls, timeout=1.1)
        world.probe.slow_may_end.set()
        await asyncio.gather(*calls)

    async with repeating(slowly):
        await world.watch.until_firing("SlowCalls")
    async with repeating(lambda: answer_of(world, "")):
        await world.watch.until_quiet()


@pytest.mark.nightly
@pytest.mark.fires("DatabasePoolFull")
async def test_connections_that_are_not_given_back(world: World) -> None:
    async with AsyncExitStack() as held:
        for _ in range(14):
            await held.enter_async_context(world.own.transaction(Scope.none()))
        await world.watch.until_firing("DatabasePoolFull")
    await world.watch.until_quiet()


@pytest.mark.nightly
@pytest.mark.fires("DependencyAway")
async def test_nats_that_is_stopped(world: World) -> None:
    world.nats.stop()
    await world.watch.until_firing("DependencyAway")
    world.nats.start()
    await world.watch.until_quiet()


@pytest.mark.nightly
@pytest.mark.fires("OutboxStuck")
async def test_nats_that_is_stopped_while_events_wait(world: World) -> None:
    world.nats.stop()
    await change(world.database, "waiting", version=1)
    await world.watch.until_firing("DependencyAway")
    await world.watch.until_firing("DependencyAway", "OutboxStuck")
    world.nats.start()
    await world.watch.until_quiet()


@pytest.mark.nightly
@pytest.mark.fires("OutboxStuck")
async def test_a_stream_that_is_not_there(world: World) -> None:
    admin = await world.nats.connect("admin")
    await admin.jetstream.delete_stream("ZHIBU_TESTING")
    await change(world.database, "homeless", version=1)
    await world.watch.until_firing("OutboxStuck")
    await world.nats.prepare()
    await world.watch.until_quiet()
    await admin.close()


@pytest.mark.nightly
@pytest.mark.fires("ConsumerLagging")
async def test_a_consumer_that_waits_for_somebody(world: World) -> None:
    world.trouble.peer_of_consumer = True
    await change(world.database, "helpless", version=1)
    await world.watch.until_firing("ConsumerLagging")
    world.trouble.peer_of_consumer = False
    await world.watch.until_quiet()


@pytest.mark.nightly
@pytest.mark.fires("DeadLetters")
async def test_a_poisonous_event(world: World) -> None:
    world.trouble.mirror.poison.add("毒")
    await change(world.database, "poisoned", version=1, text="毒")
    numbers = itertools.count()
    # The others go on meanwhile: it is tried for a third of a minute, ten minutes of the rules, before it is set aside.
    async with repeating(lambda: change(world.database, f"healthy {next(numbers)}", version=1)):
        await world.watch.until_firing("DeadLetters")
    world.trouble.mirror.poison.clear()
    assert await request_replay(world.database, "all", now=SystemClock().now())
    await world.watch.until_quiet()


@pytest.mark.nightly
@pytest.mark.fires("DenyListSilent")
async def test_identity_that_sends_no_heartbeats(world: World) -> None:
    await world.heart.stop()
    await world.watch.until_firing("DenyListSilent")
    await world.heart.start()
    await world.watch.until_quiet()


@pytest.mark.nightly
@pytest.mark.fires("AuditRowsUnnumbered")
async def test_audit_rows_that_nobody_can_number(world: World) -> None:
    async with world.database.transaction(Scope.none(), role=Role.RELAY) as holding:
        await holding.one(select(tables.audit_head).with_for_update())
        await world.database.audit_refusal(call_of("GetRecord"), None, "TESTED")
        await world.watch.until_firing("AuditRowsUnnumbered")
    await world.watch.until_quiet()


@pytest.mark.nightly
@pytest.mark.fires("AuditFeedLate")
async def test_audit_rows_that_no_stream_takes(world: World) -> None:
    admin = await world.nats.connect("admin")
    await admin.jetstream.delete_stream("ZHIBU_AUDIT_ROWS")
    await world.database.audit_refusal(call_of("GetRecord"), None, "TESTED")
    await world.watch.until_firing("AuditFeedLate")
    await world.nats.prepare()
    await world.watch.until_quiet()
    await admin.close()


@pytest.mark.nightly
@pytest.mark.fires("KeycloakFailing")
async def test_keycloak_that_does_not_answer(world: World) -> None:
    world.issuer.silent = world.trouble.asks_keycloak = True
    await world.watch.until_firing("KeycloakFailing")
    world.issuer.silent = False
    await world.watch.until_quiet()
    world.trouble.asks_keycloak = False


async def answer_of(world: World, how: str) -> None:
    with suppress(grpc.aio.AioRpcError):
        call: Awaitable[Any] = world.stub.Fail(pb.FailRequest(how=how), timeout=10)  # pyright: ignore[reportAssignmentType] - the stubs know synchronous channels
        await call


@asynccontextmanager
async def repeating(act: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
    """Do the same again and again while the block runs."""
    ended = asyncio.Event()

    async def repeat() -> None:
        while not ended.is_set():
            await act()
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), PAUSE_S)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        ended.set()
        await task

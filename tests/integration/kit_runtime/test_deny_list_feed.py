"""The deny-list over a real NATS: revocations travel, start-up replays the last hour, a wiped JetStream is survived."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from zhibu.identity.v1.identity_events_pb2 import AccessRevoked, DenyListHeartbeat
from zhibu_kit.bus import Bus
from zhibu_kit.clock import SystemClock
from zhibu_kit.deny_list import DenyList
from zhibu_kit.deny_list_feed import HEARTBEAT_SUBJECT, REVOKED_SUBJECT, DenyListFeed
from zhibu_kit.nats_permissions import Subjects
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until

IDENTITY = Subjects(service="identity", publishes=(REVOKED_SUBJECT, HEARTBEAT_SUBJECT), consumes=())
NOTIFY = Subjects(service="notify", publishes=(), consumes=(REVOKED_SUBJECT, HEARTBEAT_SUBJECT))


@pytest.fixture
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    server = NatsServer(tmp_path_factory.mktemp("nats"), [IDENTITY, NOTIFY])
    server.start()
    try:
        await server.prepare()
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def following(server: NatsServer) -> AsyncGenerator[DenyList]:
    """Run the feed as the service notify does, with its own NATS user."""
    deny_list = DenyList(clock=SystemClock())
    bus = await server.connect("notify")
    task = asyncio.create_task(DenyListFeed(deny_list, bus.client, service="notify", clock=SystemClock()).run())
    try:
        yield deny_list
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await bus.close()


async def revoke(identity: Bus, account_id: str, *, at: datetime) -> None:
    revoked_at = Timestamp()
    revoked_at.FromDatetime(at)
    await identity.publish(
        REVOKED_SUBJECT, AccessRevoked(account_id=account_id, revoked_at=revoked_at).SerializeToString(), {}
    )


async def beat(identity: Bus) -> None:
    now = Timestamp()
    now.GetCurrentTime()
    await identity.client.publish(HEARTBEAT_SUBJECT, DenyListHeartbeat(sent_at=now).SerializeToString())
    await identity.client.flush()


async def beat_until_caught_up(identity: Bus, deny_list: DenyList) -> None:
    async def caught_up() -> bool:
        await beat(identity)
        return deny_list.caught_up

    await wait_until(caught_up)


async def test_a_service_that_starts_learns_what_was_revoked_before_and_is_caught_up_only_then(
    server: NatsServer,
) -> None:
    identity, now = await server.connect("identity"), datetime.now(UTC)
    for number in range(50):
        await revoke(identity, f"account-{number}", at=now)
    async with following(server) as deny_list:
        assert not deny_list.caught_up
        await beat_until_caught_up(identity, deny_list)
        # The first heartbeat that counts comes after all of them, so no waiting here.
        assert all(deny_list.is_denied(f"account-{number}", now) for number in range(50))
        assert not deny_list.is_denied("account-0", now + timedelta(seconds=1))
    await identity.close()


async def test_a_revocation_arrives_at_once(server: NatsServer) -> None:
    identity, now = await server.connect("identity"), datetime.now(UTC)
    async with following(server) as deny_list:
        await beat_until_caught_up(identity, deny_list)
        await revoke(identity, "leaver", at=now)
        await wait_until(lambda: deny_list.is_denied("leaver", now))
    await identity.close()


async def test_a_wiped_jetstream_is_followed_anew_and_nothing_is_forgotten(server: NatsServer) -> None:
    identity, now = await server.connect("identity"), datetime.now(UTC)
    async with following(server) as deny_list:
        await beat_until_caught_up(identity, deny_list)
        await revoke(identity, "before", at=now)
        await wait_until(lambda: deny_list.is_denied("before", now))
        await server.wipe()
        await wait_until(lambda: identity.client.is_connected)
        await revoke(identity, "after", at=now)

        async def arrived() -> bool:
            await beat(identity)
            return deny_list.is_denied("after", now)

        await wait_until(arrived, timeout_s=20)
        assert deny_list.is_denied("before", now)
    await identity.close()


async def test_without_the_stream_the_list_is_never_caught_up(server: NatsServer) -> None:
    admin = await server.connect("admin")
    await admin.jetstream.delete_stream("ZHIBU_IDENTITY")
    identity = await server.connect("identity")
    async with following(server) as deny_list:
        for _ in range(5):
            await beat(identity)
        assert not deny_list.caught_up
    await identity.close()
    await admin.close()

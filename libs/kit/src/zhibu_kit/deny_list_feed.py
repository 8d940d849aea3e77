"""Feeds the deny-list from identity's events.

Revocations come through a push consumer of the stream ZHIBU_IDENTITY with one filter subject, so that NATS permissions can
name it; it begins an hour back. Heartbeats come as plain messages. A heartbeat counts only after the consumer has been
seen to have handed over everything: identity publishes what was revoked before it sends the heartbeat.

A service's NATS user needs for this: subscribe `zhibu.identity.v1.deny_list_heartbeat` and `_INBOX.>`; publish
`$JS.API.CONSUMER.CREATE.ZHIBU_IDENTITY.*.zhibu.identity.v1.access_revoked` and `$JS.API.CONSUMER.INFO.ZHIBU_IDENTITY.*`.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import nats.errors
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from zhibu.identity.v1 import identity_events_pb2

from zhibu_kit.clock import Clock
from zhibu_kit.deny_list import MEMORY, DenyList, Revocation
from zhibu_kit.ids import new_ulid

log = logging.getLogger("zhibu.deny_list")

STREAM: Final = "ZHIBU_IDENTITY"
REVOKED_SUBJECT: Final = "zhibu.identity.v1.access_revoked"
HEARTBEAT_SUBJECT: Final = "zhibu.identity.v1.deny_list_heartbeat"
# After NATS or the stream was not there, it is tried again after this.
RETRY_S: Final = 1.0
# A revocation that the consumer has handed over must have arrived here within this.
ARRIVAL_S: Final = 2.0
# The server removes the consumer when the process has been gone for this long.
INACTIVE_S: Final = 60.0


class _GapError(Exception):
    """Revocations were handed over that never arrived; the last hour has to be read again."""


class DenyListFeed:
    """Follows identity's events for as long as it runs."""

    def __init__(self, deny_list: DenyList, client: Client, *, service: str, clock: Clock) -> None:
        """Feed the list from a connected client."""
        self._deny_list = deny_list
        self._client = client
        self._service = service
        self._clock = clock
        self._received = 0
        self._arrived = asyncio.Condition()

    async def run(self) -> None:
        """Follow for ever; whatever goes wrong, begin again with the last hour."""
        while True:
            try:
                await self._follow()
            except* (nats.errors.Error, OSError, TimeoutError, _GapError) as errors:
                names = sorted({type(error).__name__ for error in errors.exceptions})
                log.warning("The deny-list's events were interrupted", extra={"fields": {"errors": names}})
            await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        self._received = 0
        inbox = self._client.new_inbox()
        revocations = await self._client.subscribe(inbox)
        heartbeats = await self._client.subscribe(HEARTBEAT_SUBJECT)
        try:
            name = f"{self._service}_deny_list_{new_ulid()}"
            await self._client.jetstream().add_consumer(STREAM, self._consumer(name, inbox))
            async with asyncio.TaskGroup() as group:
                group.create_task(self._take_revocations(revocations))
                group.create_task(self._take_heartbeats(heartbeats, name))
        finally:
            for subscription in (revocations, heartbeats):
                await _unsubscribe(subscription)

    def _consumer(self, name: str, inbox: str) -> ConsumerConfig:
        return ConsumerConfig(
            name=name,
            deliver_policy=DeliverPolicy.BY_START_TIME,
            opt_start_time=self._clock.now() - MEMORY,
            ack_policy=AckPolicy.NONE,
            filter_subject=REVOKED_SUBJECT,
            deliver_subject=inbox,
            inactive_threshold=INACTIVE_S,
            num_replicas=1,
            mem_storage=True,
        )

    async def _take_revocations(self, subscription: Subscription) -> None:
        async for message in subscription.messages:
            event = identity_events_pb2.AccessRevoked()
            try:
                event.MergeFromString(message.data)
            except DecodeError:
                log.error("A revocation could not be read")  # noqa: TRY400 - the text may quote what was sent
            else:
                self._deny_list.revoke(Revocation(account_id=event.account_id, revoked_at=_utc(event.revoked_at)))
            async with self._arrived:
                self._received += 1
                self._arrived.notify_all()
        raise nats.errors.ConnectionClosedError

    async def _take_heartbeats(self, subscription: Subscription, consumer: str) -> None:
        # The first look needs no heartbeat: it makes sure that the consumer lives.
        await self._wait_until_complete(consumer)
        async for message in subscription.messages:
            event = identity_events_pb2.DenyListHeartbeat()
            try:
                event.MergeFromString(message.data)
            except DecodeError:
                continue
            await self._wait_until_complete(consumer)
            self._deny_list.heartbeat(_utc(event.sent_at))
        raise nats.errors.ConnectionClosedError

    async def _wait_until_complete(self, consumer: str) -> None:
        """Return when every revocation in the stream at this moment has been taken in."""
        info = await self._client.jetstream().consumer_info(STREAM, consumer)
        _heed_cancellation()
        handed_over = (info.delivered.consumer_seq if info.delivered else 0) + (info.num_pending or 0)
        try:
            async with asyncio.timeout(ARRIVAL_S), self._arrived:
                await self._arrived.wait_for(lambda: self._received >= handed_over)
        except TimeoutError:
            raise _GapError from None


def _utc(instant: Timestamp) -> datetime:
    return instant.ToDatetime(tzinfo=UTC)


def _heed_cancellation() -> None:
    """End here when the task was cancelled while a request was being answered.

    nats-py awaits answers with asyncio.wait_for, which before Python 3.12 loses a cancellation that comes together with
    the answer.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _unsubscribe(subscription: Subscription) -> None:
    with suppress(nats.errors.Error):
        await subscription.unsubscribe()

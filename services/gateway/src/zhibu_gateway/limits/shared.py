"""Tells the other processes of the gateway what this one has counted, and hears what they have.

The bucket lives in NATS's memory and forgets within minutes. When NATS is away each process goes on with what it knows:
limits then hold per process, which is no reason to refuse anybody.
"""

import asyncio
import contextlib
import logging
from typing import Final, cast

import orjson
from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import ConnectionClosedError
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, KeyValueConfig, StorageType
from nats.js.client import JetStreamContext
from nats.js.errors import BucketNotFoundError
from nats.js.kv import KeyValue
from zhibu_kit.clock import Clock
from zhibu_kit.ids import new_ulid

from zhibu_gateway.limits.counts import SHARDS, Counts

log = logging.getLogger("zhibu.gateway.limits")

BUCKET: Final = "zhibu_gateway_limits"
# Longer than two windows: what is older is never read.
_TTL_S: Final = 150
_INTERVAL_S: Final = 0.3
_RETRY_S: Final = 2.0
# Each process tells itself this often that the bucket still works: a bucket that was lost and made anew is silent to those
# who watched the old one.
_PULSE_S: Final = 5.0
_PULSE_TIMEOUT_S: Final = 5.0
# The server forgets the consumer of a process that has been gone for this long.
_INACTIVE_S: Final = 60.0
_MAX_BYTES: Final = 64 * 1024 * 1024


class SharedCounts:
    """Keeps the counters of one process and of the others together."""

    def __init__(self, counts: Counts, nats: Client, clock: Clock, *, process: str) -> None:
        """`process` is this process's own name in the bucket: letters and digits."""
        self._counts = counts
        self._nats = nats
        self._clock = clock
        self._process = process
        # Set while this process hears what is told, itself included; tests wait for it.
        self.joined = asyncio.Event()
        self._pulse = asyncio.Event()

    async def run(self) -> None:
        """Tells and hears until cancelled, again and again after failures."""
        while True:
            inbox = await self._nats.subscribe(self._nats.new_inbox())
            try:
                bucket = await self._bucket()
                await self._nats.jetstream().add_consumer(f"KV_{BUCKET}", self._consumer(inbox.subject))
                self._counts.tell_all_again()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._hear(inbox))
                    tasks.create_task(self._feel(bucket))
                    tasks.create_task(self._tell(bucket))
            except* (NatsError, OSError, TimeoutError) as group:
                names = sorted({type(error).__name__ for error in group.exceptions})
                log.warning("Rate limits are not shared at the moment", extra={"fields": {"errors": names}})
            finally:
                with contextlib.suppress(NatsError):
                    await inbox.unsubscribe()
            self.joined.clear()
            await asyncio.sleep(_RETRY_S)

    def _consumer(self, inbox: str) -> ConsumerConfig:
        # Not the client's own watcher: it makes its consumer without a name, which NATS permissions cannot tell apart.
        return ConsumerConfig(
            name=f"gateway_{new_ulid()}",
            deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
            ack_policy=AckPolicy.NONE,
            filter_subject=f"$KV.{BUCKET}.>",
            deliver_subject=inbox,
            inactive_threshold=_INACTIVE_S,
            num_replicas=1,
            mem_storage=True,
        )

    async def _bucket(self) -> KeyValue:
        stream: JetStreamContext = self._nats.jetstream()
        try:
            return await stream.key_value(BUCKET)
        except BucketNotFoundError:
            config = KeyValueConfig(
                bucket=BUCKET, ttl=_TTL_S, storage=StorageType.MEMORY, history=1, max_bytes=_MAX_BYTES
            )
            return await stream.create_key_value(config)

    async def _tell(self, bucket: KeyValue) -> None:
        while True:
            minute, news = self._counts.take_news(self._clock.now().timestamp())
            for shard, totals in news.items():
                await bucket.put(f"{self._process}.{shard}", orjson.dumps({"minute": minute, "totals": totals}))
            await asyncio.sleep(_INTERVAL_S)

    async def _feel(self, bucket: KeyValue) -> None:
        while True:
            self._pulse.clear()
            await bucket.put(f"{self._process}.pulse", b"")
            async with asyncio.timeout(_PULSE_TIMEOUT_S):
                await self._pulse.wait()
            self.joined.set()
            await asyncio.sleep(_PULSE_S)

    async def _hear(self, inbox: Subscription) -> None:
        prefix = f"$KV.{BUCKET}."
        async for message in inbox.messages:
            key = message.subject.removeprefix(prefix)
            if key == f"{self._process}.pulse":
                self._pulse.set()
            elif message.data:
                self._take_in(key, message.data)
        raise ConnectionClosedError

    def _take_in(self, key: str, value: bytes) -> None:
        process, _, shard = key.rpartition(".")
        if process == self._process or not shard.isdigit() or int(shard) >= SHARDS:
            return
        try:
            news = orjson.loads(value)
            minute, totals = int(news["minute"]), cast("dict[str, int]", news["totals"])
        except (ValueError, KeyError, TypeError):
            log.warning("Another process told something that cannot be read")
            return
        self._counts.hear(process, int(shard), minute, totals, now_s=self._clock.now().timestamp())

"""The connection to NATS JetStream, and the streams that the installation needs.

PostgreSQL is the truth: everything in JetStream can be made again from it (`reconcile`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

import nats
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from zhibu_kit.nats_permissions import AUDIT_ROWS_SUBJECT

log = logging.getLogger("zhibu.bus")

DEAD_STREAM: Final = "ZHIBU_DEAD"
AUDIT_ROWS_STREAM: Final = "ZHIBU_AUDIT_ROWS"
# Events are kept for this long; who was away longer is brought up to date by `reconcile`.
MAX_AGE_S: Final = 14 * 24 * 3600
# Audit rows come with what opens their commitments, which must not outlive a member's key for long. A log that was away
# for longer asks for the rows again.
AUDIT_ROWS_MAX_AGE_S: Final = 7 * 24 * 3600
# JetStream sets this much aside for each stream, whether it is used or not.
MAX_BYTES: Final = 256 * 1024**2
# JetStream drops a second message with the same id within this; afterwards the inbox does.
DUPLICATE_WINDOW_S: Final = 120
MAX_MESSAGE_BYTES: Final = 512 * 1024
PUBLISH_TIMEOUT_S: Final = 5.0
CONNECT_TIMEOUT_S: Final = 5
RECONNECT_WAIT_S: Final = 1


class Bus:
    """A connection to NATS as one service's user."""

    def __init__(self, client: Client) -> None:
        """Wrap a connected client."""
        self.client = client
        self.jetstream: JetStreamContext = client.jetstream(timeout=PUBLISH_TIMEOUT_S)

    async def is_ready(self) -> bool:
        """Return whether the connection is up now."""
        return self.client.is_connected

    async def publish(self, subject: str, payload: bytes, headers: dict[str, str]) -> None:
        """Publish to JetStream and wait until it is stored.

        Raises:
            nats.errors.Error: when it was not acknowledged in time; it may or may not have been stored.
        """
        await self.jetstream.publish(subject, payload, timeout=PUBLISH_TIMEOUT_S, headers=headers)

    async def close(self) -> None:
        """Close the connection."""
        await self.client.close()


async def connect(url: str, *, user: str, password: str, name: str) -> Bus:
    """Connect as a user; a connection that is lost later is taken up again for ever.

    Answers come to an inbox of the user's own, so that nobody else can be allowed to read them.
    """

    async def on_error(error: Exception) -> None:
        log.warning(
            "NATS reports an error", extra={"fields": {"error": type(error).__name__, "text": str(error)[:200]}}
        )

    client = await nats.connect(
        servers=[part for part in url.split(",") if part],
        user=user or None,
        password=password or None,
        name=f"zhibu-{name}",
        inbox_prefix=f"_INBOX.{user or name}".encode(),
        connect_timeout=CONNECT_TIMEOUT_S,
        max_reconnect_attempts=-1,
        reconnect_time_wait=RECONNECT_WAIT_S,
        error_cb=on_error,
    )
    return Bus(client)


async def ensure_streams(bus: Bus, services: Iterable[str], *, replicas: int = 1, max_bytes: int = MAX_BYTES) -> None:
    """Create or update the stream of each service, the one of dead letters and the one of audit rows; idempotent.

    Services may not do this themselves: it is done by an administrator's user when the installation starts.
    """
    subjects = {f"ZHIBU_{service.upper()}": f"zhibu.{service}.v1.>" for service in services}
    of_all = {DEAD_STREAM: "zhibu.dead.>", AUDIT_ROWS_STREAM: f"{AUDIT_ROWS_SUBJECT}.*"}
    for name, subject in {**subjects, **of_all}.items():
        age_s = AUDIT_ROWS_MAX_AGE_S if name == AUDIT_ROWS_STREAM else MAX_AGE_S
        await _ensure(bus, _stream(name, subject, replicas=replicas, max_bytes=max_bytes, max_age_s=age_s))


def _stream(name: str, subject: str, *, replicas: int, max_bytes: int, max_age_s: int) -> StreamConfig:
    return StreamConfig(
        name=name,
        subjects=[subject],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        max_age=max_age_s,
        max_bytes=max_bytes,
        max_msg_size=MAX_MESSAGE_BYTES,
        duplicate_window=DUPLICATE_WINDOW_S,
        num_replicas=replicas,
    )


async def _ensure(bus: Bus, config: StreamConfig) -> None:
    try:
        await bus.jetstream.update_stream(config)
    except NotFoundError:
        await bus.jetstream.add_stream(config)

"""What all pipelines share."""

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import grpc.aio
from zhibu_kit.auth import TokenVerifier
from zhibu_kit.deny_list import DenyList
from zhibu_kit.errors import UNAVAILABLE

from zhibu_gateway.json_codec import Decoders, Encoders
from zhibu_gateway.limits.limiter import Limiter
from zhibu_gateway.settings import GatewaySettings

# The largest answer that is not a stream; services send no larger ones.
_MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
_CHANNEL_OPTIONS: Final = (
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.max_receive_message_length", _MAX_ANSWER_BYTES),
    # A write that may have happened is never repeated behind the client's back.
    ("grpc.enable_retries", 0),
)


class Channels:
    """One channel for each service; opened when first used."""

    def __init__(self, targets: Mapping[str, str]) -> None:
        """Reaches the service "identity" at targets["identity"]."""
        self._targets = dict(targets)
        self._open: dict[str, grpc.aio.Channel] = {}

    def of(self, peer: str) -> grpc.aio.Channel:
        """Gives the channel of a service.

        Raises:
            ServiceError: UNAVAILABLE when the settings do not say where the service is.
        """
        channel = self._open.get(peer)
        if channel is not None:
            return channel
        target = self._targets.get(peer)
        if target is None:
            raise UNAVAILABLE()
        channel = self._open[peer] = grpc.aio.insecure_channel(target, options=_CHANNEL_OPTIONS)
        return channel

    async def close(self) -> None:
        """Closes all channels."""
        for channel in self._open.values():
            await channel.close(None)
        self._open.clear()


class Streams:
    """How many event streams and downloads are open, and whether they have to end."""

    def __init__(self, limit: int) -> None:
        """Allows `limit` at once."""
        self._limit = limit
        self._open = 0
        self.closing = asyncio.Event()

    @contextmanager
    def one(self) -> Generator[None]:
        """Counts one stream while it is open.

        Raises:
            ServiceError: UNAVAILABLE when too many are open, or the process is about to end.
        """
        if self._open >= self._limit or self.closing.is_set():
            raise UNAVAILABLE()
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The things that every pipeline uses."""

    settings: GatewaySettings
    limiter: Limiter
    verifier: TokenVerifier
    deny_list: DenyList
    channels: Channels
    streams: Streams
    encoders: Encoders = field(default_factory=lambda: Encoders(print_defaults=True))
    decoders: Decoders = field(default_factory=Decoders)

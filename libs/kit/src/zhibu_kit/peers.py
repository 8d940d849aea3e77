"""Calls to other services: a typed stub with deadline, token, trace and language passed on, and reads tried again."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Final, TypeVar, cast

import grpc
import grpc.aio
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from opentelemetry.trace import SpanKind

from zhibu_kit import errors
from zhibu_kit.context import CallContext, current_context, current_traceparent
from zhibu_kit.status import NOT_SERVED, error_of
from zhibu_kit.telemetry import Telemetry

# A peer that was asked outside of any call, or in one without a deadline, is waited for this long.
DEFAULT_TIMEOUT_S: Final = 5.0
# What is kept back of our caller's deadline, so that we can still answer after the peer did not.
DEADLINE_MARGIN_S: Final = 0.05
# Reads are tried this often when the peer cannot be reached.
MAX_ATTEMPTS: Final = 3
FIRST_PAUSE_S: Final = 0.05

_READS: Final = ("Get", "List", "Search", "Find", "Check", "BatchGet", "Count", "Resolve")
_CHANNEL_OPTIONS: Final = (
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.keepalive_time_ms", 30_000),
    # We try again ourselves, within the deadline.
    ("grpc.enable_retries", 0),
)

Stub = TypeVar("Stub")
TokenSource = Callable[[], Awaitable[str]]


class Peers:
    """The other services, by name; channels are opened when first used and closed together."""

    def __init__(self, targets: Mapping[str, str], *, telemetry: Telemetry, token: TokenSource | None = None) -> None:
        """Reach each peer at its target; `token` gives the service account's token (None sends none)."""
        self._targets = dict(targets)
        self._telemetry = telemetry
        self._token = token
        self._channels: dict[str, grpc.aio.Channel] = {}

    def stub(self, stub_type: Callable[[grpc.aio.Channel], Stub], *, peer: str | None = None) -> Stub:
        """Return a stub of the peer which the contract's package names: `peers.stub(RevocationServiceStub)`.

        Its calls raise ServiceError, never RpcError. They end when the call being worked on ends, a little earlier.

        Raises:
            LookupError: when the settings do not say where the peer is.
        """
        name = peer or _peer_of(stub_type)
        return stub_type(cast("grpc.aio.Channel", _PeerChannel(self._channel(name), self._telemetry, self._token)))

    async def close(self) -> None:
        """Close every channel."""
        await asyncio.gather(*(channel.close(None) for channel in self._channels.values()))
        self._channels.clear()

    def _channel(self, name: str) -> grpc.aio.Channel:
        target = self._targets.get(name)
        if target is None:
            raise LookupError(f"ZHIBU_PEER_{name.upper()} is not set: there is no address for the service {name}")
        if name not in self._channels:
            self._channels[name] = grpc.aio.insecure_channel(target, options=_CHANNEL_OPTIONS)
        return self._channels[name]


class _PeerChannel:
    """What a generated stub takes for a channel: its calls carry what the kit adds."""

    def __init__(self, channel: grpc.aio.Channel, telemetry: Telemetry, token: TokenSource | None) -> None:
        self._channel = channel
        self._telemetry = telemetry
        self._token = token

    def unary_unary(self, path: str, *arguments: object, **options: object) -> Callable[..., Awaitable[Message]]:
        invoke = cast("Callable[..., Awaitable[Message]]", self._channel.unary_unary(path, *arguments, **options))  # pyright: ignore[reportArgumentType] - passed on as the stub gave them
        name = path.removeprefix("/")
        attempts = MAX_ATTEMPTS if is_read(_descriptor_of(name)) else 1

        async def call(request: Message, *, timeout: float | None = None) -> Message:
            with self._telemetry.operation(name, kind=SpanKind.CLIENT):
                ends_at_s = time.monotonic() + _timeout_s(timeout)
                for attempt in range(1, attempts + 1):
                    try:
                        return await invoke(request, timeout=_left_s(ends_at_s), metadata=await self._metadata())
                    except grpc.aio.AioRpcError as error:
                        refused = error_of(error)
                        pause_s = FIRST_PAUSE_S * 2**attempt * random.random()  # noqa: S311 - jitter, no secret
                        if not _worth_another(error, attempt, attempts) or _left_s(ends_at_s) <= pause_s:
                            raise refused from None
                    await asyncio.sleep(pause_s)
                raise errors.UNAVAILABLE()

        return call

    def unary_stream(self, path: str, *arguments: object, **options: object) -> Callable[..., AsyncGenerator[Message]]:
        invoke = self._channel.unary_stream(path, *arguments, **options)  # pyright: ignore[reportArgumentType] - passed on as the stub gave them
        name = path.removeprefix("/")

        async def call(request: Message, *, timeout: float | None = None) -> AsyncGenerator[Message]:
            # Not the context manager: a generator must not change the context of whoever reads it.
            operation = self._telemetry.begin(name, kind=SpanKind.CLIENT, header=current_traceparent())
            outcome = "CANCELLED"
            try:
                metadata = await self._metadata(traceparent=str(operation.own))
                async for response in invoke(request, timeout=_timeout_s(timeout), metadata=metadata):
                    yield response
                outcome = "OK"
            except grpc.aio.AioRpcError as error:
                outcome = error.code().name
                raise error_of(error) from None
            finally:
                operation.end(outcome, failed=outcome not in ("OK", "CANCELLED"))

        return call

    def stream_unary(self, path: str, *arguments: object, **options: object) -> Callable[..., object]:
        """Refuse only when called: a stub sets up all of its methods, used or not."""

        def call(*_: object, **__: object) -> object:
            raise NotImplementedError(f"{path}: services do not upload to one another")

        return call

    stream_stream = stream_unary

    async def _metadata(self, *, traceparent: str | None = None) -> tuple[tuple[str, str], ...]:
        context = current_context()
        metadata = _context_metadata(context, traceparent) if context else []
        if self._token is not None:
            metadata.append(("authorization", f"Bearer {await self._token()}"))
        return tuple(metadata)


def is_read(method: MethodDescriptor | None) -> bool:
    """Return whether a call may be made twice: it changes nothing, as the contract or its name (AIP-131, 132) says."""
    if method is None:
        return False
    level = method.GetOptions().idempotency_level
    return level == MethodOptions.NO_SIDE_EFFECTS or method.name.startswith(_READS)


def outgoing_metadata() -> list[tuple[str, str]]:
    """Return the trace, request id and language of the work under way, for a call made without a stub of ours."""
    context = current_context()
    return _context_metadata(context, None) if context else []


def _context_metadata(context: CallContext, traceparent: str | None) -> list[tuple[str, str]]:
    metadata = [("traceparent", traceparent or context.traceparent), ("accept-language", context.language)]
    return [*metadata, ("x-request-id", context.request_id)] if context.request_id else metadata


def _worth_another(error: grpc.aio.AioRpcError, attempt: int, attempts: int) -> bool:
    return error.code() in NOT_SERVED and attempt < attempts


def _timeout_s(asked_s: float | None) -> float:
    """Return how long to wait: what was asked for, and no longer than the call we work on has left.

    Raises:
        ServiceError: DEADLINE_EXCEEDED when nothing is left.
    """
    timeout_s = asked_s if asked_s is not None else DEFAULT_TIMEOUT_S
    context = current_context()
    if context is not None and context.expires_at_s is not None:
        timeout_s = min(timeout_s, context.expires_at_s - time.monotonic() - DEADLINE_MARGIN_S)
    if timeout_s <= 0:
        raise errors.DEADLINE_EXCEEDED()
    return timeout_s


def _left_s(ends_at_s: float) -> float:
    return max(0.001, ends_at_s - time.monotonic())


def _peer_of(stub_type: Callable[..., object]) -> str:
    """Return `identity` for a stub generated from zhibu.identity.v1."""
    match stub_type.__module__.split("."):
        case ["zhibu", peer, *_]:
            return peer
        case _:
            raise LookupError(f"{stub_type!r} is not of our contract; name the peer")


def _descriptor_of(name: str) -> MethodDescriptor | None:
    try:
        return descriptor_pool.Default().FindMethodByName(name.replace("/", "."))
    except KeyError:
        return None

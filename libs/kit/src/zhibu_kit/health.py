"""Health: whether the process lives and can work, for gRPC's health protocol and over HTTP, with the metrics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

import orjson
from grpc_health.v1 import health_pb2
from opentelemetry.metrics import Observation

from zhibu_kit.metrics import gauge
from zhibu_kit.telemetry import Telemetry

log = logging.getLogger("zhibu.health")

Check = Callable[[], Awaitable[bool]]

# A dependency that does not answer within this is not there.
CHECK_TIMEOUT_S: Final = 2.0
# How often gRPC's health status is brought up to date.
POLL_S: Final = 2.0
# Requests here have one short line and a few headers.
MAX_REQUEST_BYTES: Final = 8192
REQUEST_TIMEOUT_S: Final = 5.0

CHECK: Final = gauge(
    "zhibu.health.check",
    "1 while a process has what it needs, asked when the metrics are read; 0 while it has not.",
    labels={"check": "`database`, `nats`, `key_database`, `deny_list`: what is needed"},
)


class HealthServicer(Protocol):
    """gRPC's own health servicer, which comes without types."""

    async def set(self, service: str, status: int) -> None:
        """Say how a service is; the empty name is the whole process."""
        ...

    async def enter_graceful_shutdown(self) -> None:
        """Say that nothing is served any more, whatever is set later."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """Whether the service can take calls now, and each thing that this depends on."""

    ready: bool
    checks: Mapping[str, bool]


class Health:
    """Judges readiness: started, not draining, and every check good."""

    def __init__(self, checks: Mapping[str, Check] | None = None, *, telemetry: Telemetry | None = None) -> None:
        """Begin as not started; checks may be added until `started` is set."""
        self.checks: dict[str, Check] = dict(checks or {})
        self.started = False
        self.draining = False
        self._answers: Mapping[str, bool] = {}
        if telemetry is not None:
            telemetry.observe(
                CHECK, lambda: [Observation(int(good), {"check": name}) for name, good in self._answers.items()]
            )

    async def readiness(self) -> Readiness:
        """Ask every check, at the same time, each for a bounded while."""
        self._answers = dict(await asyncio.gather(*(self._ask(name, check) for name, check in self.checks.items())))
        checks = {"started": self.started, "accepting": not self.draining, **self._answers}
        return Readiness(ready=all(checks.values()), checks=checks)

    async def _ask(self, name: str, check: Check) -> tuple[str, bool]:
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                return name, await check()
        except Exception as error:  # noqa: BLE001 - whatever a dependency throws, it is not there
            log.warning("A dependency is not there", extra={"fields": {"check": name, "error": type(error).__name__}})
            return name, False

    async def follow(self, servicer: HealthServicer) -> None:
        """Keep gRPC's health status up to date, for ever."""
        while True:
            readiness = await self.readiness()
            serving = health_pb2.HealthCheckResponse.SERVING
            not_serving = health_pb2.HealthCheckResponse.NOT_SERVING
            await servicer.set("", serving if readiness.ready else not_serving)
            await asyncio.sleep(POLL_S)


class HealthServer:
    """A tiny HTTP server with /healthz (the process lives), /readyz and /metrics; nothing else of HTTP."""

    def __init__(self, health: Health, *, metrics: Callable[[], bytes]) -> None:
        """Answer from the given sources."""
        self._health = health
        self._metrics = metrics
        self._server: asyncio.Server | None = None

    async def start(self, listen: str) -> str:
        """Listen on `host:port` (port 0: any) and return the address in use."""
        host, _, port = listen.rpartition(":")
        self._server = await asyncio.start_server(self._serve, host, int(port), limit=MAX_REQUEST_BYTES)
        return f"{host}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
                method, _, rest = head.decode("latin-1").partition(" ")
                path = rest.partition(" ")[0].partition("?")[0]
                status, content_type, body = await self._answer(method, path)
                writer.write(
                    f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {content_type}\r\n"
                    f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n".encode()
                )
                writer.write(body if method == "GET" else b"")
                await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def _answer(self, method: str, path: str) -> tuple[HTTPStatus, str, bytes]:
        if method not in ("GET", "HEAD"):
            return HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b""
        match path:
            case "/healthz":
                return HTTPStatus.OK, "text/plain", b"ok\n"
            case "/readyz":
                readiness = await self._health.readiness()
                status = HTTPStatus.OK if readiness.ready else HTTPStatus.SERVICE_UNAVAILABLE
                return status, "application/json", orjson.dumps({"ready": readiness.ready, **readiness.checks})
            case "/metrics":
                if self._health.started:
                    await self._health.readiness()
                return HTTPStatus.OK, "text/plain; version=0.0.4; charset=utf-8", self._metrics()
            case _:
                return HTTPStatus.NOT_FOUND, "text/plain", b""

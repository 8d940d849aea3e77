"""The gateway as a process: what it needs is opened in order, requests are served, and the way out drains."""

import asyncio
import contextlib
import hashlib
import logging
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx
import uvicorn
from fastapi import FastAPI
from zhibu_kit.auth import TokenVerifier
from zhibu_kit.background import Background
from zhibu_kit.bus import connect
from zhibu_kit.clock import Clock, SystemClock
from zhibu_kit.deny_list import DenyList
from zhibu_kit.deny_list_feed import DenyListFeed
from zhibu_kit.health import Health, HealthServer
from zhibu_kit.ids import new_ulid
from zhibu_kit.jwks import KeySource
from zhibu_kit.peers import Peers
from zhibu_kit.revocations import fetch_from_identity
from zhibu_kit.service_tokens import ServiceTokens
from zhibu_kit.telemetry import Telemetry

from zhibu_gateway.app import make_app
from zhibu_gateway.limits.counts import Counts
from zhibu_gateway.limits.limiter import Limiter
from zhibu_gateway.limits.shared import SharedCounts
from zhibu_gateway.pipelines.parts import Channels, Parts, Streams
from zhibu_gateway.settings import GatewaySettings

log = logging.getLogger("zhibu.gateway")

NAME: Final = "gateway"
IDENTITY: Final = "identity"
# Longer than the minute after which common load balancers drop idle connections, so that they are the first to close.
_KEEP_ALIVE_S: Final = 75
_BACKLOG: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningGateway:
    """A gateway that takes requests, and what tests look into."""

    url: str
    health_address: str
    health: Health
    background: Background
    deny_list: DenyList
    shared_counts: SharedCounts | None


class _Server(uvicorn.Server):
    """Uvicorn inside our own process: we handle signals, and know when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def running_gateway(
    settings: GatewaySettings, *, clock: Clock | None = None, telemetry: Telemetry | None = None
) -> AsyncGenerator[RunningGateway]:
    """Runs a gateway while the block runs, and drains it on the way out.

    Raises:
        ContractError: the contract asks for something that cannot be published.
    """
    clock = clock or SystemClock()
    telemetry = telemetry or Telemetry(
        NAME, sample_ratio=settings.trace_sample_ratio, otlp_endpoint=settings.otlp_endpoint
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, telemetry.shutdown)
        health = Health(telemetry=telemetry)
        health_server = HealthServer(health, metrics=telemetry.render_metrics)
        stack.push_async_callback(health_server.stop)
        health_address = await health_server.start(settings.health_listen)
        http = await stack.enter_async_context(httpx.AsyncClient())
        deny_list = _deny_list(settings, http, clock=clock, telemetry=telemetry, stack=stack)
        counts = Counts(secret=_limits_secret(settings))
        channels = Channels(settings.peers)
        stack.push_async_callback(channels.close)
        keys = KeySource(http, issuer=settings.oidc_issuer, jwks_url=settings.oidc_jwks_url, telemetry=telemetry)
        parts = Parts(
            settings=settings,
            limiter=Limiter(
                counts,
                clock,
                per_address=settings.per_address_per_minute,
                per_account=settings.per_account_per_minute,
                factor=settings.limits_factor,
            ),
            verifier=TokenVerifier(keys, issuer=settings.oidc_issuer, audience=settings.oidc_audience, clock=clock),
            deny_list=deny_list,
            channels=channels,
            streams=Streams(settings.max_streams),
        )
        app = make_app(parts, health=health, telemetry=telemetry)
        background = Background(telemetry)
        stack.push_async_callback(background.stop)
        shared = await _share(
            settings, counts, deny_list, clock=clock, background=background, health=health, stack=stack
        )
        health.checks["deny_list"] = deny_list.catch_up
        url = await _serve(settings, app, parts, health=health, background=background, stack=stack)
        health.started = True
        log.info("Started", extra={"fields": {"url": url, "health_address": health_address}})
        yield RunningGateway(
            url=url,
            health_address=health_address,
            health=health,
            background=background,
            deny_list=deny_list,
            shared_counts=shared,
        )


def _deny_list(
    settings: GatewaySettings, http: httpx.AsyncClient, *, clock: Clock, telemetry: Telemetry, stack: AsyncExitStack
) -> DenyList:
    tokens = ServiceTokens(http, settings, clock=clock, telemetry=telemetry) if settings.oidc_client_id else None
    peers = Peers(settings.peers, telemetry=telemetry, token=tokens.token if tokens else None)
    stack.push_async_callback(peers.close)
    fetch = fetch_from_identity(peers) if IDENTITY in settings.peers else None
    return DenyList(clock=clock, fetch=fetch, telemetry=telemetry)


async def _share(
    settings: GatewaySettings,
    counts: Counts,
    deny_list: DenyList,
    *,
    clock: Clock,
    background: Background,
    health: Health,
    stack: AsyncExitStack,
) -> SharedCounts | None:
    """Connects to NATS, where revocations come from and counts are shared."""
    if not settings.nats_url:
        return None
    bus = await connect(settings.nats_url, user=settings.nats_user, password=settings.nats_password, name=NAME)
    stack.push_async_callback(bus.close)
    # Registered after the connection, so that the tasks that use it stop before it closes.
    stack.push_async_callback(background.stop)
    feed = DenyListFeed(deny_list, bus.client, service=NAME, clock=clock)
    background.start("deny-list feed", feed.run())
    shared = SharedCounts(counts, bus.client, clock, process=new_ulid())
    background.start("shared counts", shared.run())
    return shared


async def _serve(
    settings: GatewaySettings,
    app: FastAPI,
    parts: Parts,
    *,
    health: Health,
    background: Background,
    stack: AsyncExitStack,
) -> str:
    """Opens the door and gives the address in use."""
    host, _, port = settings.listen.rpartition(":")
    listener = socket.create_server((host.strip("[]"), int(port)), backlog=_BACKLOG, family=_family(host))
    stack.callback(listener.close)
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=int(settings.drain_s),
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="public server")

    async def drain() -> None:
        health.draining = True
        await asyncio.sleep(settings.drain_notice_s)
        parts.streams.closing.set()
        server.should_exit = True
        await serving

    stack.push_async_callback(drain)
    await server.listening.wait()
    return f"http://{host}:{listener.getsockname()[1]}"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _limits_secret(settings: GatewaySettings) -> bytes:
    """Gives what all processes of the gateway share and nobody else knows."""
    return hashlib.sha256(b"limits|" + settings.oidc_client_secret.encode()).digest()

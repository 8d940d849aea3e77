"""One service as a process: everything is opened in order, calls are served, and SIGTERM drains.

A service's `__main__` is its composition root:

    async def build(runtime: Runtime) -> Assembly:
        api = ApplicationApi(runtime.database, runtime.clock)
        return Assembly(servicers={application_service_pb2.DESCRIPTOR.services_by_name["ApplicationService"]: api})

    asyncio.run(run_service(name="identity", settings=Settings(), build=build))
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar, cast

import grpc.aio
import httpx
from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health as grpc_health
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from zhibu_kit import logs
from zhibu_kit.access import ContractError
from zhibu_kit.auth import TokenVerifier
from zhibu_kit.background import Background, Job
from zhibu_kit.backing import Backing, OpenBacking, open_backing
from zhibu_kit.bus import Bus
from zhibu_kit.clock import Clock, SystemClock
from zhibu_kit.consumers import Consumer
from zhibu_kit.db import Database
from zhibu_kit.deny_list import DenyList
from zhibu_kit.deny_list_feed import DenyListFeed
from zhibu_kit.handlers import generic_handlers
from zhibu_kit.health import Check, Health, HealthServer, HealthServicer
from zhibu_kit.jwks import KeySource
from zhibu_kit.notifications import Notifications
from zhibu_kit.peers import Peers
from zhibu_kit.pipeline import RPC_DURATION, PipelineParts
from zhibu_kit.ports import GrantSource, OrganisationTree
from zhibu_kit.revocations import fetch_from_identity
from zhibu_kit.service_tokens import ServiceTokens
from zhibu_kit.settings import ServiceSettings
from zhibu_kit.telemetry import Telemetry

log = logging.getLogger("zhibu.app")

# One process works on this many calls at once; more are refused at the door instead of growing the queue.
MAX_CONCURRENT_CALLS: Final = 1000
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
IDENTITY: Final = "identity"

_SERVER_OPTIONS: Final = (
    # Two processes on one port must be an error, not a lottery.
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Peers ping every 30 s while calls run; gRPC would hang up on them.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
)

S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime(Generic[S]):
    """What a service is built from."""

    name: str
    settings: S
    clock: Clock
    database: Database
    bus: Bus
    notifications: Notifications
    peers: Peers
    deny_list: DenyList
    organisations: OrganisationTree
    grants: GrantSource
    telemetry: Telemetry
    http: httpx.AsyncClient
    background: Background


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """What a service is: its servicers by service of the contract, its consumers and its jobs.

    `checks` are what it cannot work without beside its database and NATS; they are asked at each /readyz.
    """

    servicers: Mapping[ServiceDescriptor, object]
    consumers: Sequence[Consumer] = ()
    jobs: Sequence[Job] = ()
    checks: Mapping[str, Check] = field(default_factory=dict[str, Check])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningService:
    """A service that takes calls: where, and what runs beside them."""

    address: str
    health_address: str
    health: Health
    background: Background
    telemetry: Telemetry


Build = Callable[[Runtime[Any]], Awaitable[Assembly]]


async def run_service(
    *, name: str, settings: ServiceSettings, build: Build, backing: OpenBacking = open_backing
) -> None:
    """Run a service until SIGTERM or SIGINT, then drain it.

    Raises:
        SystemExit: with status 1 when the service cannot start, or when a background task dies.
    """
    logs.configure(name, level=settings.log_level, show_exception_texts=settings.profile == "development")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with running_service(name=name, settings=settings, build=build, backing=backing) as service:
            await _first(stop.wait(), service.background.wait_for_death())
            log.info("Draining")
    except ContractError as error:
        log.critical("The service does not start", extra={"fields": {"because": str(error)}})
        raise SystemExit(1) from None
    except Exception as error:
        log.critical("The service ends", exc_info=error)
        raise SystemExit(1) from None
    log.info("Stopped")


@asynccontextmanager
async def running_service(
    *,
    name: str,
    settings: ServiceSettings,
    build: Build,
    clock: Clock | None = None,
    telemetry: Telemetry | None = None,
    backing: OpenBacking = open_backing,
) -> AsyncGenerator[RunningService]:
    """Open a service, yield it while it takes calls, and drain it on the way out; tests use this within a process."""
    clock = clock or SystemClock()
    telemetry = telemetry or Telemetry(
        name, sample_ratio=settings.trace_sample_ratio, otlp_endpoint=settings.otlp_endpoint
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, telemetry.shutdown)
        health = Health(telemetry=telemetry)
        health_server = HealthServer(health, metrics=telemetry.render_metrics)
        stack.push_async_callback(health_server.stop)
        health_address = await health_server.start(settings.health_listen)
        http = await stack.enter_async_context(httpx.AsyncClient())
        data = await backing(name, settings, telemetry, clock)
        stack.push_async_callback(data.close)
        runtime = await _runtime(name, settings, clock=clock, telemetry=telemetry, http=http, data=data)
        stack.push_async_callback(runtime.peers.close)
        stack.push_async_callback(runtime.background.stop)
        assembly = await build(runtime)
        server, servicer = _make_server(runtime, assembly, data=data)
        address = _bind(server, settings.listen)
        await server.start()
        stack.push_async_callback(_drain, server, health, servicer, settings)
        _start_background(runtime, assembly, data)
        runtime.background.start("health", health.follow(servicer))
        # Events tell of the last hour, unless the stream was wiped; identity knows in any case.
        await runtime.deny_list.ask()
        health.checks |= {**data.checks, **assembly.checks, "deny_list": runtime.deny_list.catch_up}
        health.started = True
        log.info("Started", extra={"fields": {"address": address, "health_address": health_address}})
        yield RunningService(
            address=address,
            health_address=health_address,
            health=health,
            background=runtime.background,
            telemetry=telemetry,
        )


async def _runtime(
    name: str, settings: S, *, clock: Clock, telemetry: Telemetry, http: httpx.AsyncClient, data: Backing
) -> Runtime[S]:
    tokens = ServiceTokens(http, settings, clock=clock, telemetry=telemetry) if settings.oidc_client_id else None
    peers = Peers(settings.peers, telemetry=telemetry, token=tokens.token if tokens else None)
    # identity's own list asks its database; its composition root says how.
    fetch = fetch_from_identity(peers) if name != IDENTITY and IDENTITY in settings.peers else None
    deny_list = DenyList(clock=clock, fetch=fetch, telemetry=telemetry)
    return Runtime(
        name=name,
        settings=settings,
        clock=clock,
        database=data.database,
        bus=data.bus,
        notifications=data.notifications,
        peers=peers,
        deny_list=deny_list,
        organisations=data.organisations,
        grants=data.grants,
        telemetry=telemetry,
        http=http,
        background=Background(telemetry),
    )


def _make_server(runtime: Runtime[S], assembly: Assembly, *, data: Backing) -> tuple[grpc.aio.Server, HealthServicer]:
    """Compile every pipeline and register it, with gRPC's health and reflection beside."""
    settings = runtime.settings
    keys = KeySource(
        runtime.http,
        issuer=settings.oidc_issuer,
        jwks_url=settings.oidc_jwks_url,
        clock=runtime.clock,
        telemetry=runtime.telemetry,
    )
    parts = PipelineParts(
        verifier=TokenVerifier(keys, issuer=settings.oidc_issuer, audience=settings.oidc_audience, clock=runtime.clock),
        deny_list=runtime.deny_list,
        refusals=data.refusals,
        telemetry=runtime.telemetry,
        durations=runtime.telemetry.durations(RPC_DURATION),
    )
    server = grpc.aio.server(options=_SERVER_OPTIONS, maximum_concurrent_rpcs=MAX_CONCURRENT_CALLS)
    server.add_generic_rpc_handlers(
        generic_handlers(assembly.servicers, parts=parts, organisations=runtime.organisations, grants=runtime.grants)
    )
    servicer = grpc_health.aio.HealthServicer()  # pyright: ignore[reportAttributeAccessIssue] - its stubs leave aio out
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    names = [service.full_name for service in assembly.servicers]
    reflection.enable_server_reflection([*names, grpc_health.SERVICE_NAME, reflection.SERVICE_NAME], server)
    return server, cast("HealthServicer", servicer)


def _bind(server: grpc.aio.Server, listen: str) -> str:
    """Take the port (0: any) and return the address in use."""
    return f"{listen.rpartition(':')[0]}:{server.add_insecure_port(listen)}"


def _start_background(runtime: Runtime[S], assembly: Assembly, data: Backing) -> None:
    if data.nats is not None:
        feed = DenyListFeed(runtime.deny_list, data.nats, service=runtime.name, clock=runtime.clock)
        runtime.background.start("deny-list feed", feed.run())
    data.start(runtime.background, assembly.consumers)
    for job in assembly.jobs:
        runtime.background.start_job(job)


async def _drain(server: grpc.aio.Server, health: Health, servicer: HealthServicer, settings: ServiceSettings) -> None:
    """Stop being ready, give load balancers time to notice, refuse new calls, and let those in flight finish."""
    health.draining = True
    await servicer.enter_graceful_shutdown()
    await asyncio.sleep(settings.drain_notice_s)
    await server.stop(settings.drain_s)


async def _first(*waits: Awaitable[object]) -> None:
    """Return, or raise, when the first of several waits ends."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

"""The application: routes, middleware and what they share."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

import asyncpg
import httpx
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from opentelemetry.trace import SpanKind
from starlette.middleware.gzip import GZipMiddleware
from zhibu_kit.clock import Clock, SystemClock
from zhibu_kit.connections import observe_connections
from zhibu_kit.health import Health, HealthServer
from zhibu_kit.metrics import durations
from zhibu_kit.telemetry import Telemetry

from zhibu_web.directory import Directory
from zhibu_web.error_pages import error_page, install_error_pages, too_large_page
from zhibu_web.gateway_client import gateway_http
from zhibu_web.oidc import Login
from zhibu_web.pages import (
    account,
    apply,
    auth,
    bootstrap,
    card_check,
    cases,
    guides,
    home,
)
from zhibu_web.pages.desk_pages import DESK_PAGES
from zhibu_web.pages.member_pages import MEMBER_PAGES
from zhibu_web.rendering import Renderer
from zhibu_web.sealing import Sealer
from zhibu_web.security_headers import TOO_LARGE, SecurityHeaders
from zhibu_web.session_store import Lifetimes, SessionStore
from zhibu_web.settings import WebSettings
from zhibu_web.static_files import LEAST_COMPRESSED, HashedStaticFiles
from zhibu_web.visit import Services, Visit, services_of
from zhibu_web.visitor_limit import VisitorLimit

log = logging.getLogger("zhibu.web")

PAGES: Final = (
    home,
    apply,
    cases,
    auth,
    account,
    *MEMBER_PAGES,
    *DESK_PAGES,
    bootstrap,
    card_check,
    guides,
)
REQUEST_DURATION: Final = durations(
    "zhibu.web.request.duration",
    "How long pages of the web client took.",
    labels={"route": "pattern of the address, `unknown` where there is no such page", "status": "HTTP status"},
)
POOL_SIZE: Final = 10
DATABASE_TIMEOUT_S: Final = 5.0
# Expired sessions are deleted this often; until then nobody sees them.
CLEAN_EVERY_S: Final = 300.0


def create_app(settings: WebSettings, *, clock: Clock | None = None) -> FastAPI:
    """Return the application; it opens its connections when it starts to serve."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_services(settings, clock or SystemClock()) as services:
            app.state.services = services
            cleaner = asyncio.create_task(_clean_for_ever(services.sessions))
            door = HealthServer(services.health, metrics=services.telemetry.render_metrics)
            if settings.health_listen:
                await door.start(settings.health_listen)
            services.health.started = True
            try:
                yield
            finally:
                services.health.draining = True
                await door.stop()
                cleaner.cancel()
                with suppress(asyncio.CancelledError):
                    await cleaner

    app = FastAPI(title="Zhibu web", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    # Compressed are only files that are the same for everybody: a page with a token in it could be guessed by its length.
    app.mount("/static", GZipMiddleware(HashedStaticFiles(), minimum_size=LEAST_COMPRESSED), name="static")
    for page in PAGES:
        app.include_router(page.router)
    add_health_routes(app)
    install_error_pages(app)
    app.middleware("http")(_traced)
    app.add_middleware(SecurityHeaders, settings=settings)
    return app


@asynccontextmanager
async def open_services(settings: WebSettings, clock: Clock) -> AsyncGenerator[Services]:
    """Open what every request shares, and close it again."""
    sealer = Sealer(settings.session_keys)
    pool = await asyncpg.create_pool(
        settings.database_url,
        min_size=1,
        max_size=POOL_SIZE,
        timeout=DATABASE_TIMEOUT_S,
        command_timeout=DATABASE_TIMEOUT_S,
    )
    telemetry = Telemetry("web", sample_ratio=settings.trace_sample_ratio, otlp_endpoint=settings.otlp_endpoint)
    observe_connections(telemetry, "web", used=lambda: pool.get_size() - pool.get_idle_size(), limit=POOL_SIZE)
    lifetimes = Lifetimes(
        member_idle=timedelta(seconds=settings.session_idle_s),
        member_absolute=timedelta(seconds=settings.session_absolute_s),
        visitor_idle=timedelta(seconds=settings.visitor_idle_s),
    )
    async with pool, gateway_http(settings.gateway_url) as gateway, httpx.AsyncClient(trust_env=False) as keycloak:
        sessions = SessionStore(pool, sealer=sealer, lifetimes=lifetimes, clock=clock)
        try:
            yield Services(
                settings=settings,
                sessions=sessions,
                visitor_limit=VisitorLimit(time.monotonic),
                health=Health({"database": sessions.is_reachable}, telemetry=telemetry),
                durations=telemetry.durations(REQUEST_DURATION),
                sealer=sealer,
                login=Login(keycloak, settings, sealer=sealer, clock=clock, telemetry=telemetry),
                gateway_http=gateway,
                directory=Directory(),
                renderer=Renderer(clock),
                telemetry=telemetry,
                clock=clock,
            )
        finally:
            await asyncio.to_thread(telemetry.shutdown)


def add_health_routes(app: FastAPI) -> None:
    """Serve what an orchestrator asks: alive, and able to serve."""

    @app.get("/healthz")
    async def healthz() -> Response:
        return PlainTextResponse("ok")

    @app.get("/readyz")
    async def readyz(request: Request) -> Response:
        ready = (await services_of(request).health.readiness()).ready
        return PlainTextResponse("ready" if ready else "not ready", status_code=200 if ready else 503)


async def _traced(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Give each request a trace of its own and one line in the log; neither holds an address or anything entered."""
    if request.url.path in ("/healthz", "/readyz") or request.url.path.startswith("/static/"):
        return await call_next(request)
    started_at_s = time.perf_counter()
    with services_of(request).telemetry.operation(f"web {request.method}", kind=SpanKind.SERVER):
        try:
            too_large = request.scope.get(TOO_LARGE, False)
            response = await (too_large_page(request) if too_large else call_next(request))
        except Exception:
            log.exception("A page failed")
            known = getattr(request.state, "visit", None)
            visit = known if isinstance(known, Visit) else Visit(request, services_of(request))
            visit.session = None
            response = await error_page(visit, 500)
        route = getattr(request.scope.get("route"), "path", "unknown")
        duration_s = time.perf_counter() - started_at_s
        services_of(request).durations.record(duration_s, {"route": route, "status": str(response.status_code)})
        log.info(
            "request",
            extra={
                "fields": {
                    "method": request.method,
                    "route": route,
                    "status": response.status_code,
                    "duration_ms": round(duration_s * 1000, 1),
                }
            },
        )
    return response


async def _clean_for_ever(sessions: SessionStore) -> None:
    while True:
        try:
            # Batch after batch, so that no lock is held for long.
            deleted = 1
            while deleted:
                deleted = await sessions.delete_expired()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            log.warning("Expired sessions could not be deleted; trying again later")
        await asyncio.sleep(CLEAN_EVERY_S)

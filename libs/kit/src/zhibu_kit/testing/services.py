"""Starts a service inside the test's process, on fresh databases and a real NATS."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from zhibu_stack.databases import ServiceDatabase

from zhibu_kit.app import Build, RunningService, running_service
from zhibu_kit.clock import Clock
from zhibu_kit.settings import ServiceSettings
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer


@asynccontextmanager
async def start_service(
    name: str,
    build: Build,
    *,
    database: ServiceDatabase,
    nats: NatsServer,
    issuer: TokenIssuer,
    settings: type[ServiceSettings] = ServiceSettings,
    clock: Clock | None = None,
    telemetry: Telemetry | None = None,
    **overrides: Any,
) -> AsyncGenerator[RunningService]:
    """Run a service while the block runs; `overrides` are settings of its own. Its address is in the result."""
    values: dict[str, Any] = {
        "listen": "127.0.0.1:0",
        "health_listen": "127.0.0.1:0",
        "database_url": database.app_url,
        "database_owner_url": database.owner_url,
        **nats.settings(name),
        **issuer.settings,
        **overrides,
    }
    async with running_service(
        name=name, settings=settings(**values), build=build, clock=clock, telemetry=telemetry
    ) as service:
        yield service

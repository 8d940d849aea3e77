"""What stands behind a service: its database, its events and the projections made from them, opened and closed together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from nats.aio.client import Client

from zhibu_kit.background import Background
from zhibu_kit.bus import Bus
from zhibu_kit.clock import Clock
from zhibu_kit.consumers import Consumer
from zhibu_kit.db import Database
from zhibu_kit.health import Check
from zhibu_kit.notifications import Notifications
from zhibu_kit.ports import GrantSource, OrganisationTree, RefusalLog
from zhibu_kit.postgres_backing import open_postgres_backing
from zhibu_kit.settings import ServiceSettings
from zhibu_kit.telemetry import Telemetry


class Backing(Protocol):
    """The data half of the kit, as the run-time half sees it."""

    @property
    def database(self) -> Database: ...
    @property
    def bus(self) -> Bus: ...
    @property
    def notifications(self) -> Notifications: ...
    @property
    def organisations(self) -> OrganisationTree: ...
    @property
    def grants(self) -> GrantSource: ...
    @property
    def refusals(self) -> RefusalLog: ...
    @property
    def nats(self) -> Client | None: ...
    @property
    def checks(self) -> Mapping[str, Check]: ...

    def start(self, background: Background, consumers: Sequence[Consumer]) -> None:
        """Start relay, consumers and projections as background tasks."""
        ...

    async def close(self) -> None:
        """Close connections; called after everything that uses them has stopped."""
        ...


OpenBacking = Callable[[str, ServiceSettings, Telemetry, Clock], Awaitable[Backing]]


async def open_backing(name: str, settings: ServiceSettings, telemetry: Telemetry, clock: Clock) -> Backing:
    """Connect to PostgreSQL and NATS as the settings say."""
    return await open_postgres_backing(name, settings, telemetry, clock)

"""Starts the services of the repository within the test's process, each on a database of its own."""

import importlib
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from zhibu_docs.contract import methods
from zhibu_kit.app import RunningService
from zhibu_kit.settings import ServiceSettings
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.services import start_service
from zhibu_stack.databases import ServiceDatabase


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A running service and its database."""

    name: str
    running: RunningService
    database: ServiceDatabase


def serving() -> list[str]:
    """Return the services that the contract has RPCs of."""
    return sorted({method.containing_service.file.package.split(".")[1] for method in methods()})


async def start_every_service(
    stack: AsyncExitStack,
    *,
    nats: NatsServer,
    issuer: TokenIssuer,
    make_database: DatabaseMaker,
    more_settings: Mapping[str, Mapping[str, Any]],
) -> dict[str, Started]:
    """Start them all; `more_settings` are settings by service beyond those that every service has."""
    started: dict[str, Started] = {}
    for name in serving():
        database = await make_database(name)
        own: dict[str, Any] = {"oidc_client_id": f"svc-{name}", **more_settings.get(name, {})}
        running = await stack.enter_async_context(
            start_service(
                name,
                importlib.import_module(f"zhibu_{name}.__main__").build,
                database=database,
                nats=nats,
                issuer=issuer,
                settings=_settings_of(name),
                **own,
            )
        )
        started[name] = Started(name=name, running=running, database=database)
    return started


def _settings_of(name: str) -> type[ServiceSettings]:
    module = importlib.import_module(f"zhibu_{name}.settings")
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ServiceSettings) and value.__module__ == module.__name__
    )

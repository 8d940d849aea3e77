"""Databases of the two test services, fresh for each test, and a NATS server with their two users, fresh for each module."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest
from integration.kit_data.records import MIGRATIONS, SUBJECTS
from zhibu_kit.bus import Bus
from zhibu_kit.db import Database
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.nats_server import NatsServer

Start = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


@pytest.fixture(scope="module")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    server = NatsServer(tmp_path_factory.mktemp("nats"), SUBJECTS)
    server.start()
    try:
        await server.prepare()
        yield server
    finally:
        server.stop()


@pytest.fixture
async def owner(service_database: DatabaseMaker) -> AsyncGenerator[Database]:
    made = await service_database("testing", directory=MIGRATIONS)
    database = Database(made.app_url, service="testing")
    yield database
    await database.close()


@pytest.fixture
async def listener(service_database: DatabaseMaker) -> AsyncGenerator[Database]:
    made = await service_database("mirror", directory=MIGRATIONS)
    database = Database(made.app_url, service="mirror")
    yield database
    await database.close()


@pytest.fixture
async def owner_bus(nats: NatsServer) -> AsyncGenerator[Bus]:
    bus = await nats.connect("testing")
    yield bus
    await bus.close()


@pytest.fixture
async def listener_bus(nats: NatsServer) -> AsyncGenerator[Bus]:
    bus = await nats.connect("mirror")
    yield bus
    await bus.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A service that owns records and one that listens, each with its database and its NATS user."""

    owner: Database
    owner_bus: Bus
    listener: Database
    listener_bus: Bus


@pytest.fixture
def pair(owner: Database, owner_bus: Bus, listener: Database, listener_bus: Bus) -> Pair:
    return Pair(owner=owner, owner_bus=owner_bus, listener=listener, listener_bus=listener_bus)


@pytest.fixture
async def start() -> AsyncGenerator[Start]:
    """Run work beside the test until it ends; work that dies fails the test."""
    tasks: list[asyncio.Task[None]] = []

    def begin(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        tasks.append(task)
        return task

    yield begin
    died = [task for task in tasks if task.done() and not task.cancelled()]
    pending = {task for task in tasks if not task.done()}
    while pending:
        # More than once: asyncio.wait_for loses a cancellation that comes together with a result (Python < 3.12).
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.5)
    for task in died:
        task.result()

"""A real NATS server for tests, with one user per service, restricted to what the service's README lists."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
from collections.abc import AsyncGenerator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from zhibu.identity.v1.identity_events_pb2 import DenyListHeartbeat
from zhibu_stack.engines import Nats, NatsUser

from zhibu_kit.bus import Bus, connect, ensure_streams
from zhibu_kit.deny_list_feed import HEARTBEAT_SUBJECT
from zhibu_kit.nats_permissions import Subjects, owner_of, permissions_of, read_subjects
from zhibu_kit.testing.databases import REPOSITORY

ADMIN: Final = "admin"
HEARTBEAT_EVERY_S: Final = 2.0


class NatsServer:
    """The server; `prepare` makes the streams, `connect` opens a bus as one service's user."""

    def __init__(self, directory: Path, subjects: Iterable[Subjects], *, sync_interval: str | None = None) -> None:
        """Allow each service its subjects; an administrator may do everything. `sync_interval` as NATS knows it."""
        self._subjects = {one.service: one for one in subjects}
        self._passwords = {name: secrets.token_urlsafe() for name in (ADMIN, *self._subjects)}
        users = [NatsUser(name=ADMIN, password=self._passwords[ADMIN], publish=[">"], subscribe=[">"])]
        for service, one in self._subjects.items():
            allowed = permissions_of(one)
            users.append(
                NatsUser(
                    name=service,
                    password=self._passwords[service],
                    publish=allowed.publish,
                    subscribe=allowed.subscribe,
                )
            )
        self._nats = Nats(directory, users=users, sync_interval=sync_interval)

    @property
    def url(self) -> str:
        """The address for clients."""
        return self._nats.url

    @property
    def pid(self) -> int:
        """The process that runs now."""
        return self._nats.pid

    def start(self) -> None:
        """Start the server; call this and `stop` from the main thread."""
        self._nats.start()

    def stop(self) -> None:
        """Stop the server; what it acknowledged stays."""
        self._nats.stop()

    @contextmanager
    def suspended(self) -> Generator[None]:
        """Hold the server still while the block runs: connections stay open and nothing is answered."""
        os.killpg(self._nats.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._nats.pid, signal.SIGCONT)

    async def prepare(self) -> None:
        """Make the streams that are missing, as an administrator does when the installation starts."""
        admin = await self.connect(ADMIN)
        try:
            listed = [subject for one in self._subjects.values() for subject in (*one.publishes, *one.consumes)]
            await ensure_streams(admin, sorted({owner_of(subject) for subject in listed}))
        finally:
            await admin.close()

    async def connect(self, user: str) -> Bus:
        """Open a bus as a service's user, or as `admin`."""
        return await connect(self.url, user=user, password=self._passwords[user], name=user)

    def settings(self, service: str) -> dict[str, str]:
        """Return what a service's settings need, as keyword arguments of ServiceSettings."""
        return {"nats_url": self.url, "nats_user": service, "nats_password": self._passwords[service]}

    async def wipe(self) -> None:
        """Lose everything that JetStream holds: stop, remove its directory, start, and make the streams anew."""
        self._nats.stop()
        shutil.rmtree(self._nats.store)
        self._nats.start()
        await self.prepare()

    @asynccontextmanager
    async def heartbeats(self) -> AsyncGenerator[None]:
        """Keep every deny-list fresh, as identity does, while the block runs."""
        admin = await self.connect(ADMIN)
        beating = asyncio.create_task(_beat(admin))
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            await admin.close()


def subjects_of_repository() -> list[Subjects]:
    """Return what the README of every service and client of this repository lists."""
    projects = sorted([*REPOSITORY.glob("services/*/pyproject.toml"), *REPOSITORY.glob("clients/*/pyproject.toml")])
    return [read_subjects(project.with_name("README.md"), service=project.parent.name) for project in projects]


async def _beat(admin: Bus) -> None:
    while True:
        now = Timestamp()
        now.GetCurrentTime()
        await admin.client.publish(HEARTBEAT_SUBJECT, DenyListHeartbeat(sent_at=now).SerializeToString())
        await asyncio.sleep(HEARTBEAT_EVERY_S)

"""A service as an operating system runs it: a process with an environment, which can be killed as well as stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import grpc.aio
import httpx
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.databases import ServiceDatabase
from zhibu_stack.ports import free_port

# Five seconds of computing, on a machine that may do ten other things.
START_S = 180.0
STOP_S = 30.0


class ServiceProcess:
    """One service on the ports that it gets at its first start; started again, it is where it was."""

    def __init__(self, name: str, environment: Mapping[str, str], *, log: Path) -> None:
        """Take the settings as environment variables; what the service writes goes to `log`."""
        self.name = name
        self.log = log
        self._ports = free_port(), free_port()
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ZHIBU_")},
            **environment,
            "ZHIBU_LISTEN": f"127.0.0.1:{self._ports[0]}",
            "ZHIBU_HEALTH_LISTEN": f"127.0.0.1:{self._ports[1]}",
        }
        self._child: subprocess.Popen[bytes] | None = None
        self._channel: grpc.aio.Channel | None = None

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._child is not None, "it runs"
        return self._child.pid

    @property
    def address(self) -> str:
        """Where it is called."""
        return f"127.0.0.1:{self._ports[0]}"

    @property
    def health_address(self) -> str:
        """Where it tells its health and its metrics."""
        return f"127.0.0.1:{self._ports[1]}"

    @property
    def channel(self) -> grpc.aio.Channel:
        """A channel to it, which outlives the process: gRPC connects anew."""
        if self._channel is None:
            # After a death the next attempt comes within a second, not after gRPC's two minutes.
            options = [("grpc.max_reconnect_backoff_ms", 1000), ("grpc.initial_reconnect_backoff_ms", 100)]
            self._channel = grpc.aio.insecure_channel(self.address, options=options)
        return self._channel

    async def start(self) -> None:
        """Start it and wait until it takes calls."""
        with self.log.open("ab") as log:
            self._child = await asyncio.to_thread(
                subprocess.Popen,
                [sys.executable, "-m", f"zhibu_{self.name}"],
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        async with httpx.AsyncClient() as client:
            await wait_until(lambda: self._is_ready(client), timeout_s=START_S)

    async def kill(self) -> None:
        """End it as a power cut would: with SIGKILL, which no process can answer."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End it as an operator does, and close the channel."""
        if self._channel is not None:
            await self._channel.close(None)
            self._channel = None
        if self._child is not None:
            await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        child, self._child = self._child, None
        assert child is not None, "it runs"
        child.send_signal(number)
        try:
            await asyncio.to_thread(child.wait, STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            await asyncio.to_thread(child.wait)

    async def _is_ready(self, client: httpx.AsyncClient) -> bool:
        assert self._child is not None, "it was started"
        assert self._child.poll() is None, f"{self.name} ended with {self._child.returncode}; see {self.log}"
        try:
            return (await client.get(f"http://127.0.0.1:{self._ports[1]}/readyz")).is_success
        except httpx.TransportError:
            return False


def environment_of(name: str, database: ServiceDatabase, nats: NatsServer, issuer: TokenIssuer) -> dict[str, str]:
    """Return what every service needs, as environment variables."""
    values = {
        "database_url": database.app_url,
        "database_owner_url": database.owner_url,
        **nats.settings(name),
        **issuer.settings,
    }
    return {f"ZHIBU_{key.upper()}": value for key, value in values.items()}

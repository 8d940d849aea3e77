"""A whole installation, as `make run` starts it."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from zhibu_stack.layout import Ports

# The first start makes a schema for Keycloak and loads sixty people.
START_TIMEOUT_S = 700
STOP_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Where a running installation is reached, and where it keeps its state."""

    directory: Path
    ports: Ports

    @property
    def gateway_url(self) -> str:
        """The public API."""
        return self.ports.gateway_url

    @property
    def issuer(self) -> str:
        """The realm."""
        return f"{self.ports.keycloak_url}/realms/zhibu"

    @property
    def telephone_url(self) -> str:
        """The page on which messages arrive."""
        return self.ports.telephone_url

    def account(self, kind: str) -> dict[str, str]:
        """Gives the demonstration account whose kind names this word."""
        accounts = json.loads((self.directory / "demo/accounts.json").read_text("utf-8"))
        return next(account for account in accounts if kind in account["kind"])


@asynccontextmanager
async def running_installation(directory: Path) -> AsyncGenerator[Installation]:
    """Starts everything in a directory, or uses what runs already where ZHIBU_E2E_DIRECTORY and _PORT_BASE say."""
    existing = os.environ.get("ZHIBU_E2E_DIRECTORY")
    if existing:
        base = int(os.environ.get("ZHIBU_E2E_PORT_BASE", "7000"))
        yield Installation(directory=Path(existing), ports=Ports(base))
        return
    base = _free_base()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "zhibu_stack",
        "run",
        "--directory",
        str(directory),
        "--port-base",
        str(base),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output = await _wait_until_ready(process)
        reading = asyncio.create_task(_drain(process))
        yield Installation(directory=directory, ports=Ports(base))
        reading.cancel()
        del output
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await process.wait()
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _wait_until_ready(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    output = ""
    async with asyncio.timeout(START_TIMEOUT_S):
        async for line in process.stdout:
            output += line.decode()
            if "Zhibu is ready" in output:
                return output
    raise AssertionError(f"the installation did not start:\n{output[-4000:]}")


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    async for _ in process.stdout:
        pass


def _free_base() -> int:
    """Gives a base whose ports are free: they span three hundred."""
    for base in range(20_000, 32_000, 400):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", base + 90))
            except OSError:
                continue
            return base
    raise AssertionError("no ports are free")

"""The whole of Zhibu as `make run` starts it: one that runs already, or one of our own for the time of the tests."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
from zhibu_stack.layout import Ports
from zhibu_stack.ports import port_in_use

# A directory of a run (for example `.run`) which the tests shall use instead of starting their own.
STACK_VARIABLE = "ZHIBU_E2E_STACK"
START_TIMEOUT_S = 900
STOP_TIMEOUT_S = 60
# Bases are tried until one has its ports free; above 32768 the kernel gives ports to outgoing connections.
_FIRST_BASE, _LAST_BASE, _STEP = 21_000, 32_000, 1000


@dataclass(frozen=True, slots=True)
class Stack:
    """Where everything is."""

    directory: Path
    ports: Ports

    @property
    def web(self) -> str:
        return self.ports.web_url

    @property
    def telephone(self) -> str:
        return f"http://127.0.0.1:{self.ports.telephone}"

    def account(self, kind: str) -> dict[str, str]:
        """Give the demonstration's account whose kind holds these words."""
        accounts: list[dict[str, str]] = json.loads((self.directory / "demo" / "accounts.json").read_text("utf-8"))
        return next(one for one in accounts if kind in one["kind"])

    def newest_message(self, telephone: str) -> int:
        """Give the sequence of the newest message of a telephone."""
        messages = httpx.get(f"{self.telephone}/messages", params={"to": telephone}, trust_env=False).json()["messages"]
        return max((int(message["sequence"]) for message in messages), default=0)

    def wait_for_message(self, telephone: str, after: int) -> str:
        """Give the text of the first message that comes after another."""
        message = self.find_message(telephone, after)
        assert message, "no SMS came"
        return message

    def find_message(self, telephone: str, after: int) -> str:
        """Give the text of the first message that comes after another, empty when none comes for a while."""
        answer = httpx.get(
            f"{self.telephone}/messages",
            params={"to": telephone, "after": after, "wait_s": 25},
            timeout=40,
            trust_env=False,
        )
        messages = answer.json()["messages"]
        return str(messages[0]["text"]) if messages else ""


@contextmanager
def running_stack() -> Generator[Stack]:
    """Use the run that the environment names, or start one on free ports and stop it afterwards."""
    given = os.environ.get(STACK_VARIABLE)
    if given:
        directory = Path(given).resolve()
        # The settings that the run wrote down say where its web client is.
        lines = (directory / "env" / "web.env").read_text("utf-8").splitlines()
        base = next(line.partition("=")[2] for line in lines if line.startswith("ZHIBU_PORT_BASE="))
        yield Stack(directory, Ports(int(base)))
        return
    base = next(one for one in range(_FIRST_BASE, _LAST_BASE, _STEP) if not _in_use(one))
    with tempfile.TemporaryDirectory(prefix="zhibu-e2e-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        # PostgreSQL runs as another user and must be able to reach its own directory below.
        directory.chmod(0o755)
        with (directory / "output.log").open("w+", encoding="utf-8") as output:
            command = [
                sys.executable,
                "-m",
                "zhibu_stack",
                "--directory",
                str(directory / "run"),
                "--port-base",
                str(base),
            ]
            process = subprocess.Popen(
                [*command, "run"], stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
            try:
                _wait_until_ready(process, output)
                yield Stack(directory / "run", Ports(base))
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(STOP_TIMEOUT_S)


def _wait_until_ready(process: subprocess.Popen[bytes], output: IO[str]) -> None:
    ends_at_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < ends_at_s:
        output.seek(0)
        said = output.read()
        if "http://localhost" in said:
            return
        assert process.poll() is None, f"the stack ended:\n{said[-3000:]}"
        time.sleep(0.5)
    raise AssertionError(f"the stack is not ready after {START_TIMEOUT_S} s")


def _in_use(base: int) -> bool:
    ports = Ports(base)
    return any(port_in_use(port) for port in (ports.web, ports.gateway, ports.keycloak, ports.postgres, ports.nats))

"""`make observe`: starts beside a run, shows its processes and alerts, ends with Ctrl-C, and goes on where it was."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.layout import Ports
from zhibu_stack.observe import targets_of
from zhibu_stack.ports import free_port

START_S = 60.0


@pytest.fixture
def ports() -> Ports:
    return Ports(free_port() - 95)


@pytest.fixture
def directory(tmp_path: Path, ports: Ports) -> Path:
    """A run's directory as it is once its databases are made."""
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "gateway.env").write_text(f"ZHIBU_LISTEN=x\nZHIBU_PORT_BASE={ports.base}\n", encoding="utf-8")
    return tmp_path


@asynccontextmanager
async def stack(directory: Path, command: str) -> AsyncGenerator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "zhibu_stack", command, "--directory", str(directory), stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def names(url: str, path: str, kind: str, name: str) -> set[str]:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        try:
            answer = (await http.get(path)).raise_for_status().json()["data"]
        except (httpx.TransportError, httpx.HTTPStatusError):
            return set()
    if kind == "rules":
        return {rule[name] for group in answer["groups"] for rule in group["rules"]}
    return {target["labels"][name] for target in answer[kind]}


async def test_it_starts_shows_and_stops_and_starts_again(directory: Path, ports: Ports) -> None:
    url = f"http://127.0.0.1:{ports.prometheus}"
    for _ in range(2):
        async with stack(directory, "observe") as process:
            jobs = await wait_until(lambda: names(url, "/api/v1/targets", "activeTargets", "job"), timeout_s=START_S)
            assert jobs == {
                "zhibu-identity",
                "zhibu-branches",
                "zhibu-notify",
                "zhibu-audit",
                "zhibu-gateway",
                "zhibu-web",
            }
            assert {"ServiceDown", "OutboxStuck"} <= await names(url, "/api/v1/rules", "rules", "name")
            async with stack(directory, "reset") as reset:
                assert b"make observe is running" in (await reset.communicate())[1]
                assert reset.returncode == 1
            assert process.stdout is not None
            said = ""
            while "Ctrl-C" not in said:
                said += (await asyncio.wait_for(process.stdout.readline(), START_S)).decode()
            addresses = re.findall(r"http://\S+", said)
            assert len(addresses) > 5
            async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as http:
                assert [(await http.get(address)).status_code for address in addresses] == [200] * len(addresses)
            process.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(process.wait(), START_S) == 0


async def test_where_nothing_was_ever_started_it_says_what_to_do(tmp_path: Path) -> None:
    async with stack(tmp_path, "observe") as process:
        _, complaint = await process.communicate()
    assert process.returncode == 1
    assert "start make run in another terminal first" in complaint.decode()


def test_every_process_that_tells_metrics_is_watched(ports: Ports) -> None:
    assert targets_of(ports)["zhibu-web"] == f"127.0.0.1:{ports.web_health}"
    assert len(set(targets_of(ports).values())) == 6

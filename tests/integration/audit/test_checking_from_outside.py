"""Somebody outside checks the whole log through the gateway with `zhibu-audit verify URL`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from integration.audit.asking import COUNTY_ADMIN, PROVINCE_ADMIN, Asked, asked_about
from integration.audit.planted_log import PlantedLog
from support.tlog_logs import SECOND_WITNESS_KEY, WITNESS_KEY
from zhibu_audit.command import main
from zhibu_audit.verifying.patience import LONGEST_WAIT_S, MOST_ATTEMPTS, PatientTransport, wait_s
from zhibu_gateway.server import running_gateway
from zhibu_gateway.settings import GatewaySettings
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_stack.engines import Postgres

SIZE = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The gateway's address of the log, and what the checker holds."""

    url: str
    asked: Asked
    directory: Path

    async def verify(self, *arguments: str, who: str | None = None) -> int:
        """Run the command, as whom the token is."""
        keys = ["--key", self.asked.key.verifier.text]
        for witness in (WITNESS_KEY, SECOND_WITNESS_KEY):
            keys += ["--witness", witness.verifier.text]
        if who is not None:
            token = self.directory / "token"
            token.write_text(self.asked.issuer.token(who, member_id="0" * 26, county_code="370724"))
            keys += ["--token-file", str(token)]
        return await asyncio.to_thread(main, ["verify", self.url, *keys, *arguments])


@pytest.fixture(scope="module")
async def outside(
    nats: NatsServer, postgres: Postgres, service_database: DatabaseMaker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Outside]:
    directory: Path = tmp_path_factory.mktemp("audit")
    log = PlantedLog()
    for _ in range(SIZE):
        log.add()
    async with asked_about(
        log, nats=nats, postgres=postgres, make_database=service_database, directory=directory
    ) as asked:
        settings = GatewaySettings.model_validate(
            {
                **asked.issuer.settings,
                **nats.settings("gateway"),
                "listen": "127.0.0.1:0",
                "health_listen": "127.0.0.1:0",
                "peers": {"audit": asked.address},
            }
        )
        async with running_gateway(settings) as gateway:
            yield Outside(url=f"{gateway.url}/v1/log", asked=asked, directory=directory)


async def test_the_whole_log_is_checked_through_the_gateway(
    outside: Outside, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = outside.directory / "kept"
    assert await outside.verify("--keep", str(kept), who=PROVINCE_ADMIN) == 0
    said = capsys.readouterr().out
    assert said.startswith("完好")
    assert f"entries checked: {SIZE}" in said
    assert await outside.verify("--older", str(kept), who=PROVINCE_ADMIN) == 0


@pytest.mark.parametrize("who", [None, COUNTY_ADMIN])
async def test_without_leave_to_read_entries_nothing_is_called_bad(
    outside: Outside, who: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await outside.verify(who=who) == 2
    assert "--token-file" in capsys.readouterr().err


async def test_a_log_whose_files_were_changed_behind_the_gateway_is_found(
    outside: Outside, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = outside.asked.directory / "1/tile/entries/001"
    data = bundle.read_bytes()
    bundle.write_bytes(data.replace(b"county_approver", b"county_approvex", 1))
    assert await outside.verify(who=PROVINCE_ADMIN) == 1
    assert "ENTRIES_CHANGED" in capsys.readouterr().out
    bundle.write_bytes(data)


def test_a_checker_waits_where_the_server_says_so() -> None:
    answers = [httpx.Response(429, headers={"retry-after": "7"}), httpx.Response(503), httpx.Response(200)]
    waited: list[float] = []
    transport = PatientTransport(httpx.MockTransport(lambda _: answers.pop(0)), waited.append)
    assert transport.handle_request(httpx.Request("GET", "http://log")).status_code == 200
    assert waited == [7.0, 2.0]
    assert wait_s("Wed, 21 Oct 2026 07:28:00 GMT", 1) == 1.0
    assert wait_s("999999", 1) == LONGEST_WAIT_S
    refused = PatientTransport(httpx.MockTransport(lambda _: httpx.Response(429)), lambda _: None)
    assert refused.handle_request(httpx.Request("GET", "http://log")).status_code == 429
    assert MOST_ATTEMPTS > 1

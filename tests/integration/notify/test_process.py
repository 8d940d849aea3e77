"""notify and the message centre as processes of their own: migrated, served, killed, and read for secrets."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import httpx
from integration.notify.running_notify import new_number
from support.identity_stream import prepare_identity_stream
from support.rpc import bearer, outcome_of
from zhibu.notify.v1 import code_service_pb2 as pb
from zhibu.notify.v1 import code_service_pb2_grpc
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.ports import free_port

CODE = "604827"
START_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    process: Process
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def _running(
    directory: Path, module: str, *arguments: str, environment: Mapping[str, str]
) -> AsyncGenerator[_Running]:
    # A file, because a pipe that nobody reads would stop the process when it is full.
    log = directory / f"{new_ulid()}.log"
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, env={**os.environ, **environment}, stdout=file, stderr=file
        )
    try:
        yield _Running(process=process, log=log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient() as client:
            return (await client.get(url)).status_code == 200
    except httpx.TransportError:
        return False


async def test_a_killed_message_centre_comes_back_and_no_secret_is_in_the_logs(
    service_database: DatabaseMaker, nats: NatsServer, tmp_path: Path
) -> None:
    database = await service_database("notify", migrated=False)
    await prepare_identity_stream(nats)
    smpp_port, web_port, grpc_port, health_port = (free_port() for _ in range(4))
    telephone = f"http://127.0.0.1:{web_port}"
    smsc_environment = {
        "ZHIBU_SMSC_LISTEN": f"127.0.0.1:{smpp_port}",
        "ZHIBU_SMSC_WEB_LISTEN": f"127.0.0.1:{web_port}",
    }
    number = new_number()
    with TokenIssuer() as issuer:
        environment = {
            "ZHIBU_DATABASE_URL": database.app_url,
            "ZHIBU_DATABASE_OWNER_URL": database.owner_url,
            "ZHIBU_LISTEN": f"127.0.0.1:{grpc_port}",
            "ZHIBU_HEALTH_LISTEN": f"127.0.0.1:{health_port}",
            "ZHIBU_NOTIFY_SMSC_PORT": str(smpp_port),
            "ZHIBU_LOG_LEVEL": "DEBUG",
            **{
                f"ZHIBU_{name.upper()}": value for name, value in {**nats.settings("notify"), **issuer.settings}.items()
            },
        }

        async def send(request_id: str) -> str:
            request = pb.SendCodeRequest(
                telephone=number,
                code=CODE,
                purpose=pb.CODE_PURPOSE_LOGIN,
                language="zh-CN",
                expires_in_s=300,
                request_id=request_id,
            )
            metadata = bearer(issuer.token("account-of-svc-identity", service="identity"))
            async with grpc.aio.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
                return await outcome_of(
                    code_service_pb2_grpc.CodeServiceStub(channel).SendCode(request, metadata=metadata)
                )

        async with _running(tmp_path, "zhibu_notify", "migrate", environment=environment) as migration:
            assert await migration.process.wait() == 0, migration.output
        async with nats.heartbeats(), _running(tmp_path, "zhibu_notify", environment=environment) as notify:
            async with _running(tmp_path, "zhibu_smsc", environment=smsc_environment) as smsc:
                await wait_until(lambda: _answers(f"{telephone}/healthz"), timeout_s=START_TIMEOUT_S)
                await wait_until(lambda: _answers(f"http://127.0.0.1:{health_port}/readyz"), timeout_s=START_TIMEOUT_S)
                assert await send(new_ulid()) == "OK"
                await smsc.kill()
            lost_request_id = new_ulid()
            assert await send(lost_request_id) == "SMSC_UNAVAILABLE"
            async with _running(tmp_path, "zhibu_smsc", environment=smsc_environment) as smsc:

                async def sent() -> bool:
                    return await send(lost_request_id) == "OK"

                await wait_until(sent, timeout_s=START_TIMEOUT_S)
                async with httpx.AsyncClient() as client:
                    messages = (await client.get(f"{telephone}/messages", params={"to": number})).json()["messages"]
                assert len(messages) == 1
                assert CODE in messages[0]["text"]
                assert await smsc.stop() == 0
            assert await notify.stop() == 0
    assert "bound to the message centre" in notify.output
    for output in (notify.output, smsc.output):
        assert CODE not in output
        assert number not in output


async def test_a_port_in_use_ends_the_message_centre_with_one_sentence(tmp_path: Path) -> None:
    port = free_port()
    environment = {"ZHIBU_SMSC_LISTEN": f"127.0.0.1:{port}", "ZHIBU_SMSC_WEB_LISTEN": f"127.0.0.1:{port}"}
    async with _running(tmp_path, "zhibu_smsc", environment=environment) as smsc:
        status = await smsc.process.wait()
    assert (status, smsc.output) == (
        1,
        f"Port {port} on 127.0.0.1 cannot be had: Address already in use.\n",
    )


async def test_the_message_centre_does_not_run_in_production(tmp_path: Path) -> None:
    async with _running(tmp_path, "zhibu_smsc", environment={"ZHIBU_PROFILE": "production"}) as smsc:
        assert await smsc.process.wait() == 1
    assert "does not run in production" in smsc.output


async def test_notify_does_not_start_in_production_with_the_development_key(tmp_path: Path) -> None:
    async with _running(tmp_path, "zhibu_notify", environment={"ZHIBU_PROFILE": "production"}) as notify:
        assert await notify.process.wait() == 1
    assert "ZHIBU_NOTIFY_NUMBER_KEY must be set in production" in notify.output

"""notify as a process of its own: killed, cut off from the message centre, and refused by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass

import grpc.aio
import pytest
from integration.notify.running_notify import Smsc, new_number
from support.identity_stream import prepare_identity_stream
from support.prometheus import Watch, watching
from support.rpc import bearer
from support.service_process import ServiceProcess
from zhibu.notify.v1 import code_service_pb2 as pb
from zhibu.notify.v1 import code_service_pb2_grpc
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer, subjects_of_repository

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    watch: Watch
    notify: ServiceProcess
    smsc: Smsc
    issuer: TokenIssuer

    async def send_code(self) -> None:
        request = pb.SendCodeRequest(
            telephone=new_number(),
            code="482913",
            purpose=pb.CODE_PURPOSE_LOGIN,
            language="zh-CN",
            expires_in_s=300,
            request_id=new_ulid(),
        )
        stub = code_service_pb2_grpc.CodeServiceStub(self.notify.channel)
        metadata = bearer(self.issuer.token("account-of-svc-identity", service="identity"))
        with suppress(grpc.aio.AioRpcError):
            await stub.SendCode(request, metadata=metadata, timeout=10)


@pytest.fixture(scope="module")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    server = NatsServer(tmp_path_factory.mktemp("nats"), subjects_of_repository())
    server.start()
    try:
        await server.prepare()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
async def world(
    service_database: DatabaseMaker, nats: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[World]:
    database = await service_database("notify")
    await prepare_identity_stream(nats)
    smsc, directory = Smsc(), tmp_path_factory.mktemp("alerts")
    await smsc.start()
    with TokenIssuer() as issuer:
        settings = {
            "database_url": database.app_url,
            "database_owner_url": database.owner_url,
            "notify_smsc_port": str(smsc.running.smpp_port),
            **nats.settings("notify"),
            **issuer.settings,
        }
        notify = ServiceProcess(
            "notify",
            {f"ZHIBU_{name.upper()}": value for name, value in settings.items()},
            log=directory / "notify.log",
        )
        async with nats.heartbeats():
            await notify.start()
            try:
                async with watching(directory, {"zhibu-notify": notify.health_address}) as watch:
                    await watch.until_quiet()
                    yield World(watch=watch, notify=notify, smsc=smsc, issuer=issuer)
            finally:
                await notify.stop()
                await smsc.stop()


@pytest.mark.fires("ServiceDown")
async def test_a_service_that_is_killed(world: World) -> None:
    await world.notify.kill()
    await world.watch.until_firing("ServiceDown")
    await world.notify.start()
    await world.watch.until_quiet()


@pytest.mark.fires("SmscUnbound")
async def test_a_message_centre_that_is_stopped(world: World) -> None:
    await world.smsc.stop()
    await world.watch.until_firing("SmscUnbound")
    await world.smsc.start()
    await world.watch.until_quiet()


@pytest.mark.fires("SmsCodesFailing")
async def test_a_message_centre_that_takes_no_messages(world: World) -> None:
    ended = asyncio.Event()

    async def send_codes() -> None:
        while not ended.is_set():
            await world.send_code()
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), 0.2)

    sending = asyncio.create_task(send_codes())
    try:
        world.smsc.running.faults.change({"fail_submits": 1_000_000})
        await world.watch.until_firing("SmsCodesFailing")
        world.smsc.running.faults.reset()
        await world.watch.until_quiet()
    finally:
        ended.set()
        await sending

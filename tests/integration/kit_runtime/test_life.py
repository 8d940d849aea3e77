"""The life of a service: ready, draining, dying."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest
from google.api import httpbody_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from support.rpc import outcome_of
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu.testing.v1.probe_service_pb2_grpc import ProbeServiceStub
from zhibu_kit.app import Assembly, Runtime, running_service
from zhibu_kit.background import BackgroundError, Job
from zhibu_kit.settings import ServiceSettings
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.memory import MemoryBacking
from zhibu_kit.testing.probe_service import Probe, start_probe

# What is waited for comes at once; a slow machine gets as long as it needs.
SOON_S = 30
# A call to a server that goes away may be left without an answer.
TRY_S = 2
# A process imports for seconds where nothing is compiled yet and others compute.
START_S = 60


async def get(probe: Probe, path: str) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        return await http.get(f"http://{probe.running.health_address}{path}")


async def test_a_started_service_is_alive_ready_and_tells_its_metrics(probe: Probe) -> None:
    assert (await get(probe, "/healthz")).text == "ok\n"
    ready = await get(probe, "/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"ready": True, "started": True, "accepting": True, "deny_list": True},
    )
    assert "zhibu_deny_list_silent_seconds" in (await get(probe, "/metrics")).text
    assert (await get(probe, "/other")).status_code == 404


async def test_only_reading_is_allowed_on_the_health_port(probe: Probe) -> None:
    async with httpx.AsyncClient() as http:
        url = f"http://{probe.running.health_address}/healthz"
        assert (await http.post(url)).status_code == 405
        assert (await http.head(url)).content == b""


async def test_a_dependency_that_is_gone_makes_the_service_unready_but_not_dead(probe: Probe) -> None:
    async def gone() -> bool:
        raise ConnectionError

    probe.running.health.checks["database"] = gone
    ready = await get(probe, "/readyz")
    assert (ready.status_code, ready.json()["database"], ready.json()["ready"]) == (503, False, False)
    assert (await get(probe, "/healthz")).status_code == 200


async def test_grpc_health_and_reflection_answer(probe: Probe) -> None:
    health = health_pb2_grpc.HealthStub(probe.channel)
    statuses = health.Watch(health_pb2.HealthCheckRequest())
    async with asyncio.timeout(SOON_S):
        async for status in statuses:
            if status.status == health_pb2.HealthCheckResponse.SERVING:
                break
    statuses.cancel()
    reflection = reflection_pb2_grpc.ServerReflectionStub(probe.channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    async for response in reflection.ServerReflectionInfo(iter([request])):
        assert "zhibu.testing.v1.ProbeService" in [one.name for one in response.list_services_response.service]


async def test_draining_lets_a_call_in_flight_finish_and_refuses_new_ones(issuer: TokenIssuer) -> None:
    started = start_probe(issuer, drain_s=SOON_S)
    probe = await started.__aenter__()
    health = probe.running.health
    may_end = asyncio.Event()
    async with asyncio.timeout(SOON_S), grpc.aio.insecure_channel(probe.running.address) as channel:
        in_flight = asyncio.ensure_future(outcome_of(ProbeServiceStub(channel).Upload(pieces_until(may_end))))
        await probe.servicer.upload_started.wait()
        draining = asyncio.ensure_future(started.__aexit__(None, None, None))
        while await echo_over_a_new_connection(probe.running.address) != "UNAVAILABLE":
            pass
        assert not draining.done()
        assert not in_flight.done()
        assert not (await health.readiness()).ready
        may_end.set()
        assert await in_flight == "OK"
        await draining
    assert probe.backing.closed.is_set()


async def pieces_until(may_end: asyncio.Event) -> AsyncGenerator[pb.UploadRequest]:
    """Sends a file of one byte that ends when it may."""
    yield pb.UploadRequest(file_name="a.txt", file=httpbody_pb2.HttpBody(content_type="text/plain", data=b"a"))
    await may_end.wait()


async def echo_over_a_new_connection(address: str) -> str:
    # Channels of one process share their connections to an address otherwise.
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        return await outcome_of(ProbeServiceStub(channel).Echo(pb.EchoRequest(text="hello"), timeout=TRY_S))


async def test_a_call_that_does_not_finish_in_time_is_cut_off(issuer: TokenIssuer) -> None:
    async with asyncio.timeout(SOON_S), AsyncExitStack() as stack:
        async with start_probe(issuer, drain_s=0.1) as probe:
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(probe.running.address))
            in_flight = asyncio.ensure_future(outcome_of(ProbeServiceStub(channel).Fail(pb.FailRequest(how="slow"))))
            await probe.servicer.slow_started.wait()
        assert await in_flight in ("UNAVAILABLE", "CANCELLED")


async def test_the_death_of_a_background_task_is_noticed(probe: Probe) -> None:
    async def die() -> None:
        raise OSError

    probe.running.background.start("relay", die())
    with pytest.raises(BackgroundError, match="'relay' ended") as caught:
        await asyncio.wait_for(probe.running.background.wait_for_death(), SOON_S)
    assert isinstance(caught.value.__cause__, OSError)


async def test_a_job_runs_when_woken_and_again_after_it_failed(issuer: TokenIssuer) -> None:
    woken, ran = asyncio.Event(), asyncio.Queue[int]()
    runs = iter(range(100))

    async def run() -> None:
        number = next(runs)
        ran.put_nowait(number)
        if number == 1:
            raise OSError

    async def build(runtime: Runtime[Any]) -> Assembly:
        return Assembly(servicers={}, jobs=[Job(name="count", run=run, every_s=3600, woken=woken)])

    settings = ServiceSettings.model_validate(issuer.settings)
    async with (
        running_service(name="testing", settings=settings, build=build, backing=MemoryBacking().open),
        asyncio.timeout(SOON_S),
    ):
        for expected in range(4):
            assert await ran.get() == expected
            woken.set()


PROGRAM = """
import asyncio, sys
from zhibu_kit import app
from zhibu_kit.settings import ServiceSettings
from zhibu_kit.testing.memory import MemoryBacking
from zhibu_kit.testing.probe import PROBE_SERVICE, ProbeServicer

async def build(runtime):
    async def die():
        raise OSError("no relay")
    if sys.argv[1] == "dies":
        runtime.background.start("relay", die())
    return app.Assembly(servicers={PROBE_SERVICE: object() if sys.argv[1] == "incomplete" else ProbeServicer()})

asyncio.run(app.run_service(
    name="testing", settings=ServiceSettings(oidc_issuer="http://127.0.0.1:1"), build=build,
    backing=MemoryBacking().open))
"""


async def start_process(how: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, how, stderr=asyncio.subprocess.PIPE, env={**os.environ, "ZHIBU_DRAIN_S": "5"}
    )


async def test_sigterm_ends_a_process_in_order() -> None:
    process = await start_process("serves")
    assert process.stderr is not None
    async with asyncio.timeout(START_S):
        while b'"message":"Started"' not in await process.stderr.readline():
            assert process.returncode is None
        process.send_signal(signal.SIGTERM)
        rest = (await process.stderr.read()).decode()
        assert await process.wait() == 0
    assert [line for line in rest.splitlines() if '"message":"Stopped"' in line]


@pytest.mark.parametrize(
    ("how", "said"), [("dies", "The service ends"), ("incomplete", "object has no handler for zhibu.testing.v1")]
)
async def test_a_process_that_cannot_work_ends_with_an_error_and_a_sentence(how: str, said: str) -> None:
    process = await start_process(how)
    async with asyncio.timeout(START_S):
        _, output = await process.communicate()
    assert process.returncode == 1
    assert said in output.decode()
    assert "Traceback" not in output.decode()

"""The gateway as a process of its own, and the trace that goes through it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import orjson
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from support.gateway_door import open_gateway
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.probe_service import Probe, start_probe
from zhibu_kit.testing.waiting import wait_until


@asynccontextmanager
async def gateway_process(**settings: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Starts `python -m zhibu_gateway` with these settings and kills what is left of it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ZHIBU_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "zhibu_gateway",
        env={**inherited, "ZHIBU_LISTEN": "127.0.0.1:0", "ZHIBU_HEALTH_LISTEN": "127.0.0.1:0", **settings},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def logged(process: asyncio.subprocess.Process, message: str) -> dict[str, str]:
    """Waits for a line of the log and gives its fields."""
    assert process.stderr is not None
    async with asyncio.timeout(30):
        async for line in process.stderr:
            fields = orjson.loads(line)
            if fields["message"] == message:
                return fields
    raise AssertionError(f"{message!r} was not logged")


async def test_the_process_serves_and_a_signal_drains_it(issuer: TokenIssuer, probe: Probe) -> None:
    async with gateway_process(
        ZHIBU_OIDC_ISSUER=issuer.issuer, ZHIBU_TEST_ROUTES="true", ZHIBU_PEER_TESTING=probe.running.address
    ) as process:
        url = (await logged(process, "Started"))["url"]
        probe.servicer.slow_started.clear()
        probe.servicer.slow_may_end.clear()
        async with httpx.AsyncClient(base_url=url, timeout=10, trust_env=False) as http:
            assert (await http.get("/v1/testing/old-echo")).status_code == 200
            slow = asyncio.create_task(http.post("/v1/testing/fail", json={"how": "slow"}))
            await asyncio.wait_for(probe.servicer.slow_started.wait(), 30)
            process.send_signal(signal.SIGTERM)
            await logged(process, "Draining")
            probe.servicer.slow_may_end.set()
            # The call in flight still gets its answer.
            assert (await slow).status_code == 200
        async with asyncio.timeout(20):
            assert await process.wait() == 0


async def test_a_setting_that_is_not_valid_is_named(issuer: TokenIssuer) -> None:
    async with gateway_process(ZHIBU_OIDC_ISSUER=issuer.issuer, ZHIBU_CORS_ORIGINS="*") as process:
        output = await process.communicate()
        assert process.returncode == 1
        assert b"ZHIBU_CORS_ORIGINS" in output[1]


async def test_one_trace_goes_through_gateway_and_service(issuer: TokenIssuer) -> None:
    spans = InMemorySpanExporter()
    telemetry = Telemetry("gateway", sample_ratio=1.0, span_processor=SimpleSpanProcessor(spans))
    async with (
        start_probe(issuer) as probe,
        open_gateway(issuer, probe, telemetry=telemetry) as door,
    ):
        await door.http.post("/v1/testing/echo", json={"text": "ab"})
        [outer] = await wait_until(spans.get_finished_spans)
        [inner] = await wait_until(probe.spans.get_finished_spans)
        assert outer.context is not None
        assert inner.parent is not None
        assert (inner.parent.trace_id, inner.parent.span_id) == (outer.context.trace_id, outer.context.span_id)
        assert outer.name == "zhibu.testing.v1.ProbeService/Echo"


async def test_clients_cannot_make_us_record_without_end(issuer: TokenIssuer, probe: Probe) -> None:
    spans = InMemorySpanExporter()
    telemetry = Telemetry("gateway", sample_ratio=0.0, span_processor=SimpleSpanProcessor(spans))
    async with open_gateway(issuer, probe, telemetry=telemetry) as door:
        for number in range(1, 31):
            header = f"00-{number:032x}-00f067aa0ba902b7-01"
            await door.http.get("/v1/testing/old-echo", headers={"traceparent": header})
        assert 1 <= len(spans.get_finished_spans()) <= 20

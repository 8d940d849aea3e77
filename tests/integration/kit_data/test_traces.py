"""One trace leads from a request at the gateway through the service and NATS to a consumer's effect; failures are always kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import httpx
import pytest
from integration.kit_data.records import COUNTY
from integration.kit_data.whole_service import BREAKS, World, heard, running_nats, running_world
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from zhibu_gateway.server import running_gateway
from zhibu_gateway.settings import GatewaySettings
from zhibu_kit.deny_list import Revocation
from zhibu_kit.ids import new_ulid
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.waiting import wait_until

SAMPLED = "01"
UNSAMPLED = "00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The whole way: a client in front of the gateway, the service behind it, and the spans of both."""

    http: httpx.AsyncClient
    world: World
    gateway_spans: InMemorySpanExporter

    async def update(self, record_id: str, text: str, *, trace_id: str, flag: str) -> int:
        token = self.world.issuer.token(
            "account-1", member_id="member-1", county_code=COUNTY, scope="openid zhibu-write"
        )
        response = await self.http.patch(
            f"/v1/testing/organisations/{COUNTY}/records/{record_id}",
            json={"text": text},
            headers={
                "authorization": f"Bearer {token}",
                "idempotency-key": new_ulid(),
                "if-match": '"v1"',
                "traceparent": f"00-{trace_id}-00f067aa0ba902b7-{flag}",
            },
        )
        return response.status_code

    def spans(self, trace_id: str) -> list[ReadableSpan]:
        """Return every span of a trace that was recorded anywhere."""
        every = (*self.gateway_spans.get_finished_spans(), *self.world.spans.get_finished_spans())
        return [span for span in every if span.context and f"{span.context.trace_id:032x}" == trace_id]


@pytest.fixture(scope="module")
async def path(service_database: DatabaseMaker, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Path]:
    spans = InMemorySpanExporter()
    telemetry = Telemetry("gateway", sample_ratio=0.0, span_processor=SimpleSpanProcessor(spans))

    async def nobody(since: object) -> Sequence[Revocation]:
        return []

    async with (
        running_nats(tmp_path_factory.mktemp("nats")) as nats,
        running_world(service_database, nats) as world,
    ):
        settings = GatewaySettings.model_validate(
            {
                **world.issuer.settings,
                "listen": "127.0.0.1:0",
                "health_listen": "127.0.0.1:0",
                "test_routes": True,
                "peers": {"testing": world.running.address},
            }
        )
        async with (
            running_gateway(settings, telemetry=telemetry) as gateway,
            httpx.AsyncClient(base_url=gateway.url, timeout=10, trust_env=False) as http,
        ):
            gateway.deny_list.ask_with(nobody)
            yield Path(http=http, world=world, gateway_spans=spans)


async def test_a_sampled_request_is_one_trace_as_far_as_the_consumers_effect(path: Path) -> None:
    trace_id = "1" * 32
    assert await path.update("traced", "甲", trace_id=trace_id, flag=SAMPLED) == 200
    await wait_until(lambda: heard(path.world, "traced"))
    spans = await wait_until(lambda: by_name(path.spans(trace_id), 3))
    outer, inner = spans["gateway"], spans["service"]
    assert parent_of(outer) == "00f067aa0ba902b7"
    assert parent_of(inner) == id_of(outer)
    assert parent_of(spans["consume records"]) == id_of(inner)


async def test_an_unsampled_request_that_works_leaves_nothing(path: Path) -> None:
    trace_id = "2" * 32
    assert await path.update("untraced", "甲", trace_id=trace_id, flag=UNSAMPLED) == 200
    await wait_until(lambda: heard(path.world, "untraced"))
    assert path.spans(trace_id) == []


async def test_a_failure_of_ours_is_kept_by_everybody_on_its_way_although_nothing_was_sampled(path: Path) -> None:
    trace_id = "3" * 32
    assert await path.update("broken", BREAKS, trace_id=trace_id, flag=UNSAMPLED) == 500
    spans = await wait_until(lambda: by_name(path.spans(trace_id), 2))
    assert {span.status.status_code for span in spans.values()} == {StatusCode.ERROR}
    assert parent_of(spans["gateway"]) == "00f067aa0ba902b7"
    assert parent_of(spans["service"]) == id_of(spans["gateway"])


async def test_a_failed_consumption_is_kept_in_the_trace_of_the_request_that_led_to_it(path: Path) -> None:
    trace_id = "4" * 32
    path.world.mirror.poison.add("毒")
    assert await path.update("poisoned", "毒", trace_id=trace_id, flag=UNSAMPLED) == 200
    (first, *_) = await wait_until(lambda: path.spans(trace_id))
    path.world.mirror.poison.clear()
    assert (first.name, first.status.status_code) == ("consume records", StatusCode.ERROR)


def by_name(spans: list[ReadableSpan], count: int) -> dict[str, ReadableSpan]:
    """Return the spans by where they were made, once there are so many."""
    named = {
        str(span.resource.attributes["service.name"]).removeprefix("zhibu-").replace("testing", "service")
        if span.name.endswith("/UpdateRecord")
        else span.name: span
        for span in spans
    }
    return named if len(named) == count else {}


def id_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def parent_of(span: ReadableSpan) -> str:
    assert span.parent is not None
    return f"{span.parent.span_id:016x}"

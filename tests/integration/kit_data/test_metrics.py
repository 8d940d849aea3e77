"""A running service tells about itself what the code declares, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import grpc.aio
import httpx
import pytest
from integration.kit_data.whole_service import World, running_nats, running_world
from support.metrics_text import samples_of, undeclared_in, value_of
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.waiting import wait_until

# What a service has from its first minute on, whatever it does.
ALWAYS = {
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "zhibu_audit_unnumbered_age_seconds",
    "zhibu_consumer_handled_total",
    "zhibu_consumer_pending",
    "zhibu_database_connections",
    "zhibu_database_connections_limit",
    "zhibu_dead_letters_waiting",
    "zhibu_deny_list_silent_seconds",
    "zhibu_health_check",
    "zhibu_job_failures_in_a_row",
    "zhibu_job_last_success_seconds",
    "zhibu_job_runs_total",
    "zhibu_keycloak_duration_seconds_count",
    "zhibu_outbox_age_seconds",
    "zhibu_outbox_published_total",
    "zhibu_rpc_duration_seconds_count",
}


@pytest.fixture(scope="module")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[NatsServer]:
    async with running_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(scope="module")
async def world(service_database: DatabaseMaker, nats: NatsServer) -> AsyncGenerator[World]:
    async with running_world(service_database, nats) as world:
        yield world


async def metrics(world: World) -> str:
    async with httpx.AsyncClient(trust_env=False) as http:
        return (await http.get(f"http://{world.running.health_address}/metrics")).raise_for_status().text


async def test_everything_declared_is_told_and_nothing_undeclared(world: World) -> None:
    await world.update("measured", "甲")

    async def all_there() -> str:
        text = await metrics(world)
        return text if {name for name, _, _ in samples_of(text)} >= ALWAYS else ""

    # Consumers are asked about every ten seconds.
    text = await wait_until(all_there)
    assert undeclared_in(text) == []
    assert value_of(text, "zhibu_health_check", check="database") == 1
    assert value_of(text, "zhibu_job_failures_in_a_row", name="audit chain") == 0


async def test_no_label_holds_what_a_caller_sent(world: World) -> None:
    with pytest.raises(grpc.aio.AioRpcError):
        await world.update("record-of-nobody", "乙", account_id="stranger-of-nowhere")
    values = {value for _, labels, _ in samples_of(await metrics(world)) for value in labels.values()}
    assert not {value for value in values if "nobody" in value or "nowhere" in value or "乙" in value}


async def test_what_is_away_is_told_when_the_metrics_are_read(world: World, nats: NatsServer) -> None:
    nats.stop()
    try:

        async def told() -> bool:
            return value_of(await metrics(world), "zhibu_health_check", check="nats") == 0

        await wait_until(told)
    finally:
        nats.start()

    async def well() -> bool:
        return value_of(await metrics(world), "zhibu_health_check", check="nats") == 1

    await wait_until(well)

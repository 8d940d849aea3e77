"""Rate limits, in one gateway and shared by two over a real NATS."""

import asyncio
from typing import Any

import httpx
import pytest
from support.gateway_door import Door, open_gateway
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_kit.testing.probe_service import Probe
from zhibu_kit.testing.waiting import wait_until

ANONYMOUS = "/v1/testing/anonymous"
OPEN = "/v1/testing/old-echo"
ME = "/v1/testing/me"


async def statuses(door: Door, url: str, calls: int, **request: Any) -> list[int]:
    return [(await door.http.get(url, **request)).status_code for _ in range(calls)]


async def test_a_methods_own_limit_holds_for_each_address(issuer: TokenIssuer, probe: Probe) -> None:
    async with open_gateway(issuer, probe, trusted_proxies="127.0.0.1") as door:
        here = {"x-forwarded-for": "192.0.2.1"}
        assert (await statuses(door, ANONYMOUS, 30, headers=here)) == [200] * 30
        refused = await door.http.get(ANONYMOUS, headers=here)
        assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["ratelimit-policy"] == '"calls";q=30;w=60'
        assert refused.headers["ratelimit"].startswith('"calls";r=0;t=')
        # A neighbour, another method, and an invented entry in front do not change whose limit it is.
        assert (await statuses(door, ANONYMOUS, 1, headers={"x-forwarded-for": "192.0.2.2"})) == [200]
        assert (await statuses(door, OPEN, 1, headers=here)) == [200]
        assert (await statuses(door, ANONYMOUS, 1, headers={"x-forwarded-for": "203.0.113.9, 192.0.2.1"})) == [429]


async def test_the_neighbours_of_an_ipv6_network_share_a_limit(issuer: TokenIssuer, probe: Probe) -> None:
    async with open_gateway(issuer, probe, trusted_proxies="127.0.0.1", per_address_per_minute=4) as door:
        for last in range(4):
            assert (await statuses(door, OPEN, 1, headers={"x-forwarded-for": f"2001:db8::{last}"})) == [200]
        assert (await statuses(door, OPEN, 1, headers={"x-forwarded-for": "2001:db8::ffff"})) == [429]
        assert (await statuses(door, OPEN, 1, headers={"x-forwarded-for": "2001:db8:0:1::1"})) == [200]


async def test_an_account_has_a_limit_wherever_it_calls_from(issuer: TokenIssuer, probe: Probe) -> None:
    async with open_gateway(issuer, probe, trusted_proxies="127.0.0.1", per_account_per_minute=3) as door:
        for number in range(3):
            headers = {**door.as_account("busy"), "x-forwarded-for": f"192.0.2.{number}"}
            assert (await statuses(door, ME, 1, headers=headers)) == [200]
        assert (await statuses(door, ME, 1, headers={**door.as_account("busy"), "x-forwarded-for": "192.0.2.99"})) == [
            429
        ]
        assert (await statuses(door, ME, 1, headers=door.as_account("quiet"))) == [200]


async def test_answers_tell_what_is_left(issuer: TokenIssuer, probe: Probe) -> None:
    async with open_gateway(issuer, probe, per_address_per_minute=50) as door:
        first, second = [await door.http.get(OPEN) for _ in range(2)]
        assert first.headers["ratelimit"].startswith('"calls";r=49;')
        assert second.headers["ratelimit"].startswith('"calls";r=48;')


@pytest.fixture
def shared_settings(nats: NatsServer) -> dict[str, Any]:
    return {**nats.settings("gateway"), "per_address_per_minute": 8}


async def test_two_gateways_count_together(issuer: TokenIssuer, probe: Probe, shared_settings: dict[str, Any]) -> None:
    async with (
        open_gateway(issuer, probe, **shared_settings) as one,
        open_gateway(issuer, probe, **shared_settings) as two,
    ):
        for door in (one, two):
            assert door.gateway.shared_counts is not None
            async with asyncio.timeout(30):
                await door.gateway.shared_counts.joined.wait()
        assert (await statuses(one, OPEN, 8)) == [200] * 8

        async def refused() -> bool:
            # Looking is calling too: the second gateway lets some pass until it has heard.
            return (await two.http.get(OPEN)).status_code == 429

        await wait_until(refused)
        assert (await statuses(one, OPEN, 1)) == [429]


async def test_counting_goes_on_without_nats_and_together_again_after_it_lost_everything(
    issuer: TokenIssuer, probe: Probe, nats: NatsServer, shared_settings: dict[str, Any]
) -> None:
    settings: dict[str, Any] = {**shared_settings, "trusted_proxies": "127.0.0.1"}
    here = {"x-forwarded-for": "192.0.2.77"}
    async with open_gateway(issuer, probe, **settings) as one:
        assert one.gateway.shared_counts is not None
        async with asyncio.timeout(30):
            await one.gateway.shared_counts.joined.wait()
        await nats.wipe()
        assert (await statuses(one, OPEN, 9, headers=here)) == [200] * 8 + [429]
        one.gateway.shared_counts.joined.clear()
        async with asyncio.timeout(30):
            await one.gateway.shared_counts.joined.wait()
        async with open_gateway(issuer, probe, **settings) as two:

            async def heard() -> bool:
                return (await two.http.get(OPEN, headers=here)).status_code == 429

            await wait_until(heard)


async def test_the_metrics_count_refusals(issuer: TokenIssuer, probe: Probe) -> None:
    async with open_gateway(issuer, probe, per_address_per_minute=1) as door:
        assert (await statuses(door, OPEN, 2)) == [200, 429]
        async with httpx.AsyncClient(base_url=f"http://{door.gateway.health_address}", trust_env=False) as http:
            assert 'status="429"' in (await http.get("/metrics")).text

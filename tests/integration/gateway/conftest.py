"""A probe service, a token issuer and gateways in front of them, all real and on loopback."""

from collections.abc import AsyncGenerator, Generator

import pytest
from support.gateway_door import Door, open_gateway
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.probe_service import Probe, start_probe


@pytest.fixture(scope="module")
def issuer() -> Generator[TokenIssuer]:
    with TokenIssuer() as running:
        yield running


@pytest.fixture(scope="module")
async def probe(issuer: TokenIssuer) -> AsyncGenerator[Probe]:
    async with start_probe(issuer) as running:
        yield running


@pytest.fixture(scope="module")
async def door(issuer: TokenIssuer, probe: Probe) -> AsyncGenerator[Door]:
    async with open_gateway(issuer, probe, cors_origins="https://app.example", heartbeat_s=0.2) as opened:
        yield opened

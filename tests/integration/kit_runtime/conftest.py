"""A token issuer for each test, and a fresh probe service for each test."""

from collections.abc import AsyncGenerator, Generator

import pytest
from zhibu_kit.testing.clock import FixedClock
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.probe_service import Probe, start_probe


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def issuer(clock: FixedClock) -> Generator[TokenIssuer]:
    with TokenIssuer(clock=clock) as issuer:
        yield issuer


@pytest.fixture
async def probe(issuer: TokenIssuer, clock: FixedClock) -> AsyncGenerator[Probe]:
    async with start_probe(issuer, clock=clock) as probe:
        yield probe

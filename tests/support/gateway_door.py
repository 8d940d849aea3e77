"""A gateway in front of a probe service, real and on loopback."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from zhibu_gateway.server import RunningGateway, running_gateway
from zhibu_gateway.settings import GatewaySettings
from zhibu_kit.clock import SystemClock
from zhibu_kit.deny_list import Revocation
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.probe_service import Probe

READ = "testing.records.read"
WRITE = "testing.records.write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A gateway and a client in front of it."""

    gateway: RunningGateway
    http: httpx.AsyncClient
    issuer: TokenIssuer
    probe: Probe

    def as_account(self, account_id: str, **claims: Any) -> dict[str, str]:
        """Gives the headers of somebody who is logged in."""
        return {"authorization": f"Bearer {self.issuer.token(account_id, **claims)}"}

    def as_clerk(self) -> dict[str, str]:
        """Gives the headers of a clerk who reads and writes the records of Linqu county."""
        self.probe.backing.grants.give("clerk", "370724", READ, WRITE)
        return self.as_account("clerk")

    def probe_revocation(self, account_id: str) -> Revocation:
        """Gives the news that an account was revoked just now."""
        return Revocation(account_id=account_id, revoked_at=SystemClock().now())


@asynccontextmanager
async def open_gateway(
    issuer: TokenIssuer, probe: Probe, *, telemetry: Telemetry | None = None, **settings: Any
) -> AsyncGenerator[Door]:
    """Starts a gateway whose deny-list knows at once that nobody was revoked."""

    async def fetch(since: object) -> Sequence[Revocation]:
        return list(probe.revocations)

    made = GatewaySettings.model_validate(
        {
            **issuer.settings,
            "listen": "127.0.0.1:0",
            "health_listen": "127.0.0.1:0",
            "test_routes": True,
            "peers": {"testing": probe.running.address},
            **settings,
        }
    )
    async with running_gateway(made, telemetry=telemetry) as gateway:
        gateway.deny_list.ask_with(fetch)
        async with httpx.AsyncClient(base_url=gateway.url, timeout=10, trust_env=False) as http:
            yield Door(gateway=gateway, http=http, issuer=issuer, probe=probe)

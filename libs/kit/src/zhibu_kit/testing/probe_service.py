"""Starts the probe service for tests: a real gRPC server, a real token issuer, and the data half in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc.aio
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from zhibu.testing.v1.probe_service_pb2_grpc import ProbeServiceStub

from zhibu_kit.app import Assembly, RunningService, Runtime, running_service
from zhibu_kit.clock import Clock
from zhibu_kit.deny_list import DenyList, Revocation
from zhibu_kit.settings import ServiceSettings
from zhibu_kit.telemetry import Telemetry
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.memory import MemoryBacking
from zhibu_kit.testing.probe import PROBE_SERVICE, ProbeServicer

if TYPE_CHECKING:
    # This class exists for the type checker alone.
    from zhibu.testing.v1.probe_service_pb2_grpc import ProbeServiceAsyncStub


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A running probe service, and everything a test wants to look into."""

    running: RunningService
    servicer: ProbeServicer
    backing: MemoryBacking
    deny_list: DenyList
    revocations: list[Revocation]
    spans: InMemorySpanExporter
    stub: ProbeServiceAsyncStub
    channel: grpc.aio.Channel
    runtime: Runtime[Any]

    def revoke(self, account_id: str) -> None:
        """Tell the service's deny-list that the account is revoked as of now."""
        self.deny_list.revoke(Revocation(account_id=account_id, revoked_at=self.runtime.clock.now()))


@asynccontextmanager
async def start_probe(
    issuer: TokenIssuer,
    *,
    clock: Clock | None = None,
    backing: MemoryBacking | None = None,
    sample_ratio: float = 0.0,
    **settings: Any,
) -> AsyncGenerator[Probe]:
    """Start the probe service on free ports; `revocations` of the probe is what identity would answer."""
    servicer, revocations, backing = ProbeServicer(), list[Revocation](), backing or MemoryBacking()
    spans = InMemorySpanExporter()
    telemetry = Telemetry("testing", sample_ratio=sample_ratio, span_processor=SimpleSpanProcessor(spans))
    built: list[Runtime[Any]] = []

    async def fetch(since: object) -> list[Revocation]:
        return list(revocations)

    async def build(runtime: Runtime[Any]) -> Assembly:
        built.append(runtime)
        if backing.nats is None:
            runtime.deny_list.ask_with(fetch)
        return Assembly(servicers={PROBE_SERVICE: servicer})

    async with (
        running_service(
            name="testing",
            settings=ServiceSettings.model_validate({**issuer.settings, **settings}),
            build=build,
            clock=clock,
            telemetry=telemetry,
            backing=backing.open,
        ) as running,
        grpc.aio.insecure_channel(running.address) as channel,
    ):
        yield Probe(
            running=running,
            servicer=servicer,
            backing=backing,
            deny_list=built[0].deny_list,
            revocations=revocations,
            spans=spans,
            stub=ProbeServiceStub(channel),
            channel=channel,
            runtime=built[0],
        )

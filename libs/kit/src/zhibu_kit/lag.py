"""How far the consumers of a service are behind, as JetStream knows it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import nats.errors
from opentelemetry.metrics import Observation

from zhibu_kit.bus import Bus
from zhibu_kit.consumers import ConsumerRunner
from zhibu_kit.metrics import gauge
from zhibu_kit.telemetry import Telemetry

# One short question for each consumer, this often: less than the consumers themselves ask when nothing comes.
EVERY_S: Final = 10.0
ASK_TIMEOUT_S: Final = 2.0

PENDING: Final = gauge(
    "zhibu.consumer.pending",
    "Events that wait for a consumer: not delivered yet, or delivered and not acknowledged.",
    labels={"consumer": "name of the consumer"},
)


class Lag:
    """What was measured last; a consumer about which JetStream says nothing has no figure."""

    def __init__(self, bus: Bus, telemetry: Telemetry) -> None:
        """Ask on this connection."""
        self._bus = bus
        self._pending: dict[str, int] = {}
        telemetry.observe(
            PENDING, lambda: [Observation(count, {"consumer": name}) for name, count in self._pending.items()]
        )

    async def measure(self, runners: Iterable[ConsumerRunner]) -> None:
        """Ask about each consumer, one after the other."""
        for runner in runners:
            name = runner.consumer.name
            self._pending.pop(name, None)
            if not await self._bus.is_ready():
                continue
            try:
                info = await self._bus.jetstream.consumer_info(runner.stream, runner.durable, timeout=ASK_TIMEOUT_S)
            except (nats.errors.Error, TimeoutError):
                continue
            self._pending[name] = (info.num_pending or 0) + (info.num_ack_pending or 0)

"""How many of its connections to a database a process uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from opentelemetry.metrics import Observation

from zhibu_kit.metrics import gauge
from zhibu_kit.telemetry import Telemetry

_LABELS: Final = {"database": "name of the database"}
USED: Final = gauge("zhibu.database.connections", "Connections of the process that are in use now.", labels=_LABELS)
LIMIT: Final = gauge("zhibu.database.connections_limit", "Connections that the process may have.", labels=_LABELS)


def observe_connections(telemetry: Telemetry, database: str, *, used: Callable[[], int], limit: int) -> None:
    """Tell in the process's metrics how many connections are in use; `used` asks the pool."""
    labels = {"database": database}
    telemetry.observe(USED, lambda: [Observation(used(), labels)])
    telemetry.observe(LIMIT, lambda: [Observation(limit, labels)])

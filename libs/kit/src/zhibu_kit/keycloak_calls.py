"""How Keycloak answers us: every process that asks it measures its calls here."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from zhibu_kit.metrics import durations
from zhibu_kit.telemetry import Telemetry

DURATION: Final = durations(
    "zhibu.keycloak.duration",
    "How long calls to Keycloak took.",
    labels={
        "operation": "what was asked for: `discovery`, `keys`, `service token`, `log-in`, or what identity does with an account",
        "outcome": "`done` (an answer, if only a no), `failed` (no answer, or none that can be used)",
    },
)


class KeycloakCalls:
    """Measures calls; without telemetry (in a command or a test) nothing is kept."""

    def __init__(self, telemetry: Telemetry | None) -> None:
        """Record in the process's metrics."""
        self._durations = telemetry.durations(DURATION) if telemetry is not None else None

    @contextmanager
    def measure(self, operation: str, *, refusals: tuple[type[Exception], ...] = ()) -> Generator[None]:
        """Measure what the block does; it failed when it raises anything but a refusal."""
        started_at_s = time.monotonic()
        outcome = "failed"
        try:
            yield
            outcome = "done"
        except refusals:
            outcome = "done"
            raise
        finally:
            if self._durations is not None:
                self._durations.record(time.monotonic() - started_at_s, {"operation": operation, "outcome": outcome})

"""Where a trace begins: a client may name its own, but may not make us record without end."""

import time
from typing import Final

from zhibu_kit.telemetry import parse_traceparent

# Traces that clients have recorded, per second and process; each costs some milliseconds and a place in the store.
_SAMPLED_PER_S: Final = 5


class SampledBudget:
    """Takes a client's traceparent over, its wish to be sampled only so often."""

    def __init__(self) -> None:
        """Starts with a full second."""
        self._second = 0
        self._taken = 0

    def accept(self, header: str | None) -> str | None:
        """Gives the header to go on with, or None when there is none that is valid."""
        parent = parse_traceparent(header)
        if parent is None:
            return None
        if not parent.sampled:
            return header
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._taken = second, 0
        self._taken += 1
        if self._taken <= _SAMPLED_PER_S:
            return header
        return f"00-{parent.trace_id}-{parent.span_id}-00"

"""What is measured: every metric is declared once, beside the code that measures it, as a constant of its module.

    PUBLISHED = counter("zhibu.outbox.published", "Events published and acknowledged.")

docs/metrics.md is written from the declarations, and the alerts may name nothing else. Labels have few values, known from
the code or the contract; identifiers of people, organisations or calls are never among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

# Units as OpenTelemetry writes them, and how they end a name in Prometheus.
_UNITS: Final = {"": "", "s": "_seconds", "By": "_bytes"}


class Kind(Enum):
    """How a metric is to be read."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One thing that is measured; `labels` names each label and says which values it has."""

    name: str
    kind: Kind
    description: str
    unit: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def family(self) -> str:
        """The name in Prometheus, without what a series adds."""
        return self.name.replace(".", "_") + _UNITS[self.unit]

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its series in Prometheus."""
        match self.kind:
            case Kind.COUNTER:
                return (f"{self.family}_total",)
            case Kind.GAUGE:
                return (self.family,)
            case Kind.HISTOGRAM:
                return tuple(f"{self.family}{ending}" for ending in ("_bucket", "_count", "_sum"))


_declared: Final[dict[str, Metric]] = {}


def counter(name: str, description: str, *, labels: Mapping[str, str] | None = None) -> Metric:
    """Declare something that is counted."""
    return _declare(Metric(name=name, kind=Kind.COUNTER, description=description, labels=labels or {}))


def gauge(name: str, description: str, *, unit: str = "", labels: Mapping[str, str] | None = None) -> Metric:
    """Declare something that rises and falls."""
    return _declare(Metric(name=name, kind=Kind.GAUGE, description=description, unit=unit, labels=labels or {}))


def durations(name: str, description: str, *, labels: Mapping[str, str] | None = None) -> Metric:
    """Declare how long something takes, in seconds; its count is how often it happened."""
    return _declare(Metric(name=name, kind=Kind.HISTOGRAM, description=description, unit="s", labels=labels or {}))


def catalogue() -> dict[str, Metric]:
    """Return every metric declared so far, by name."""
    return dict(sorted(_declared.items()))


def _declare(metric: Metric) -> Metric:
    if metric.name in _declared:
        raise ValueError(f"the metric {metric.name} is declared twice")
    _declared[metric.name] = metric
    return metric

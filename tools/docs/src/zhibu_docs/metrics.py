"""docs/metrics.md: everything that is measured, from the declarations beside the code that measures it."""

import importlib
import pkgutil

from zhibu_kit.metrics import Metric, catalogue

from zhibu_docs.markdown import page, table
from zhibu_docs.packages import runnable_packages

_ABOUT = """
Every process serves its metrics in Prometheus's text format at `/metrics` of its health address (`ZHIBU_HEALTH_LISTEN`). Names are those
of Prometheus. Labels have few values, known from the code or the contract: no identifiers of people, organisations or calls. What to do with
the figures: [operating/telemetry.md](operating/telemetry.md).

A histogram `x_seconds` has the series `x_seconds_bucket` (label `le`), `x_seconds_count` and `x_seconds_sum`: its count is the rate, by code or
outcome the errors, its buckets the duration.
"""
_PROCESS = """
Beside these every process has those of `prometheus_client` about itself: `process_cpu_seconds_total`, `process_resident_memory_bytes`,
`process_virtual_memory_bytes`, `process_start_time_seconds`, `process_open_fds`, `process_max_fds`.
"""


def render() -> str:
    """Write the page."""
    rows = (_row(metric) for metric in all_metrics().values())
    return page(
        "Metrics",
        "the metrics that kit, services and clients declare",
        _ABOUT,
        table(["metric", "kind", "meaning", "labels"], rows),
        _PROCESS,
    )


def all_metrics() -> dict[str, Metric]:
    """Import every module that may declare metrics, and return them by name."""
    for package in ("zhibu_kit", *runnable_packages()):
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if module.name.rpartition(".")[2] != "__main__" and not module.name.startswith("zhibu_kit.testing"):
                importlib.import_module(module.name)
    return catalogue()


def _row(metric: Metric) -> list[str]:
    name = metric.series[0] if metric.kind.value == "counter" else metric.family
    labels = "; ".join(f"`{label}`: {values}" for label, values in metric.labels.items())
    return [f"`{name}`", metric.kind.value, metric.description, labels]

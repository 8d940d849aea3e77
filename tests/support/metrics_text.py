"""What a process serves at /metrics, held against what the code declares."""

from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families
from zhibu_kit.metrics import Metric, catalogue

# Of prometheus_client and of OpenTelemetry, not ours.
_FOREIGN = ("process_", "target_info")


def samples_of(text: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Give name, labels and value of every sample."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield sample.name, dict(sample.labels), sample.value


def undeclared_in(text: str) -> list[str]:
    """Return the samples whose name or labels the code does not declare."""
    declared: dict[str, Metric] = {name: metric for metric in catalogue().values() for name in metric.series}
    return [
        f"{name}{sorted(labels)}"
        for name, labels, _ in samples_of(text)
        if not name.startswith(_FOREIGN)
        and (name not in declared or set(labels) - {"le"} != set(declared[name].labels))
    ]


def value_of(text: str, sample: str, /, **labels: str) -> float | None:
    """Return the value of one sample, or None when there is none."""
    return next((value for found, has, value in samples_of(text) if found == sample and has == labels), None)

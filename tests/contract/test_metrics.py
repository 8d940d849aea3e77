"""Metrics are called in Prometheus as the documents say, and nobody measures beside the declarations."""

import re

from opentelemetry.metrics import Observation
from support.metrics_text import samples_of, undeclared_in
from zhibu_docs.contract import REPOSITORY
from zhibu_docs.metrics import all_metrics
from zhibu_kit.metrics import Kind, Metric
from zhibu_kit.telemetry import Telemetry


def test_every_metric_is_served_under_the_names_that_its_declaration_gives() -> None:
    telemetry = Telemetry("testing", sample_ratio=0.0)
    for metric in all_metrics().values():
        record(telemetry, metric)
    text = telemetry.render_metrics().decode()
    telemetry.shutdown()
    served = {name for name, _, _ in samples_of(text)}
    assert {name for metric in all_metrics().values() for name in metric.series} <= served
    assert undeclared_in(text) == []


def test_nobody_makes_an_instrument_without_a_declaration() -> None:
    making = re.compile(r"\.create_(?:counter|histogram|up_down_counter|gauge|observable_\w+)\(")
    makers = [
        path.relative_to(REPOSITORY).as_posix()
        for folder in ("libs", "services", "clients")
        for path in (REPOSITORY / folder).rglob("src/**/*.py")
        if making.search(path.read_text(encoding="utf-8"))
    ]
    assert makers == ["libs/kit/src/zhibu_kit/telemetry.py"]


def record(telemetry: Telemetry, metric: Metric) -> None:
    labels = dict.fromkeys(metric.labels, "x")
    match metric.kind:
        case Kind.COUNTER:
            telemetry.counter(metric).add(1, labels)
        case Kind.GAUGE:
            telemetry.observe(metric, lambda: [Observation(1, labels)])
        case Kind.HISTOGRAM:
            telemetry.durations(metric).record(0.1, labels)

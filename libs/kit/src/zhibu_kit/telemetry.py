"""Traces and metrics by OpenTelemetry.

Spans are opened only for sampled traces: the contrib instrumentations cost more than a millisecond a call even when
nothing is sampled. An unsampled call that fails through our own fault still leaves a span, made when it ends.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from zhibu_kit import context as call_context
from zhibu_kit.context import CallContext
from zhibu_kit.metrics import Metric

# Gives the values of a gauge at the moment when the metrics are read; it must not wait for anything.
Source = Callable[[], Iterable[metrics.Observation]]

_TRACEPARENT: Final = re.compile(r"^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$")
# Seconds; from a cached read to the longest call that is waited for.
_DURATION_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_INVALID_TRACE: Final = "0" * 32
_INVALID_SPAN: Final = "0" * 16


@dataclass(frozen=True, slots=True)
class TraceParent:
    """The fields of a W3C traceparent header."""

    trace_id: str
    span_id: str
    sampled: bool

    def __str__(self) -> str:
        """Return the header."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def parse_traceparent(header: str | None) -> TraceParent | None:
    """Return the fields of a header, or None when there is none or it is malformed."""
    match = _TRACEPARENT.match(header) if header else None
    if match is None or match[1] == _INVALID_TRACE or match[2] == _INVALID_SPAN:
        return None
    return TraceParent(match[1], match[2], bool(int(match[3], 16) & 1))


class Operation:
    """One piece of work in a trace: opened when it begins, ended exactly once with its outcome."""

    __slots__ = ("_attributes", "_kind", "_name", "_parent", "_span", "_started_at_ns", "_telemetry", "own")

    def __init__(
        self, telemetry: Telemetry, name: str, *, kind: SpanKind, header: str | None, attributes: Mapping[str, str]
    ) -> None:
        """Begin, below the parent that the header names, or as the root of a new trace."""
        self._telemetry = telemetry
        self._name = name
        self._kind = kind
        self._attributes = attributes
        self._parent = parse_traceparent(header)
        self._started_at_ns = time.time_ns()
        self._span: Span | None = None
        sampled = self._parent.sampled if self._parent else random.random() < telemetry.sample_ratio  # noqa: S311 - no secret
        trace_id = self._parent.trace_id if self._parent else f"{random.getrandbits(128) or 1:032x}"
        # What is called from here is told this id, sampled or not: spans that are made late find their parents by it.
        self.own = TraceParent(trace_id, f"{random.getrandbits(64) or 1:016x}", sampled=sampled)
        if sampled:
            self._span = self._open()

    def end(self, outcome: str, *, failed: bool) -> None:
        """End with an outcome (a gRPC code or a word); failures of our own are recorded even when unsampled."""
        span = self._span
        if span is None:
            if not failed:
                return
            span = self._open()
        span.set_attribute("zhibu.outcome", outcome)
        if failed:
            span.set_status(Status(StatusCode.ERROR, outcome))
        span.end()

    def _open(self) -> Span:
        return self._telemetry.start_span(
            self._name,
            self._kind,
            own=self.own,
            parent=self._parent,
            started_at_ns=self._started_at_ns,
            attributes=self._attributes,
        )


class _Ids(IdGenerator):
    """Gives a span the ids that were promised to whoever it called."""

    def __init__(self) -> None:
        self.next: TraceParent | None = None

    def generate_span_id(self) -> int:
        return int(self.next.span_id, 16) if self.next else random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        return int(self.next.trace_id, 16) if self.next else random.getrandbits(128) or 1


class Telemetry:
    """The tracer and the meter of one service."""

    def __init__(
        self,
        service: str,
        *,
        sample_ratio: float,
        otlp_endpoint: str = "",
        span_processor: SpanProcessor | None = None,
    ) -> None:
        """Export traces to `otlp_endpoint` (nowhere when empty); metrics are read through `render_metrics`."""
        resource = Resource.create({"service.name": f"zhibu-{service}", "service.namespace": "zhibu"})
        self.sample_ratio = sample_ratio
        # A new trace's fate is decided by Operation, so a root that gets here is wanted.
        self._ids = _Ids()
        self._traces = TracerProvider(
            resource=resource,
            sampler=ParentBased(TraceIdRatioBased(1.0)),
            shutdown_on_exit=False,
            id_generator=self._ids,
        )
        if otlp_endpoint:
            exporter = OTLPSpanExporter(endpoint=otlp_endpoint.rstrip("/") + "/v1/traces", timeout=5)
            self._traces.add_span_processor(BatchSpanProcessor(exporter))
        if span_processor is not None:
            self._traces.add_span_processor(span_processor)
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        durations = View(
            instrument_name="*.duration", aggregation=ExplicitBucketHistogramAggregation(_DURATION_BUCKETS_S)
        )
        self._metrics = MeterProvider(
            resource=resource,
            metric_readers=[PrometheusMetricReader(scope_info_enabled=False, registry=self._registry)],
            views=[durations],
            shutdown_on_exit=False,
        )
        self.tracer: trace.Tracer = self._traces.get_tracer("zhibu")
        self._meter = self._metrics.get_meter("zhibu")
        self._counters: dict[str, metrics.Counter] = {}
        self._histograms: dict[str, metrics.Histogram] = {}
        self._sources: dict[str, list[Source]] = {}

    def counter(self, metric: Metric) -> metrics.Counter:
        """Return the counter of a declared metric; everybody who asks gets the same one."""
        if metric.name not in self._counters:
            self._counters[metric.name] = self._meter.create_counter(metric.name, description=metric.description)
        return self._counters[metric.name]

    def durations(self, metric: Metric) -> metrics.Histogram:
        """Return the histogram of a declared metric; everybody who asks gets the same one."""
        if metric.name not in self._histograms:
            self._histograms[metric.name] = self._meter.create_histogram(
                metric.name, unit=metric.unit, description=metric.description
            )
        return self._histograms[metric.name]

    def observe(self, metric: Metric, source: Source) -> None:
        """Read a gauge from one more source; no two sources may give the same labels."""
        if metric.name in self._sources:
            self._sources[metric.name].append(source)
            return
        sources = self._sources[metric.name] = [source]
        self._meter.create_observable_gauge(
            metric.name,
            unit=metric.unit,
            description=metric.description,
            callbacks=[lambda _options: [observation for one in sources for observation in one()]],
        )

    def start_span(
        self,
        name: str,
        kind: SpanKind,
        *,
        own: TraceParent,
        parent: TraceParent | None,
        started_at_ns: int,
        attributes: Mapping[str, str],
    ) -> Span:
        """Open a span with ids of its own, below a parent or as a root. It is recorded, whatever the parent was."""
        context = Context()
        if parent is not None:
            remote = SpanContext(
                int(parent.trace_id, 16),
                int(parent.span_id, 16),
                is_remote=True,
                trace_flags=TraceFlags(TraceFlags.SAMPLED),
            )
            context = trace.set_span_in_context(NonRecordingSpan(remote), context)
        # Nothing else runs between these lines, so the ids are this span's.
        self._ids.next = own
        try:
            return self.tracer.start_span(
                name, context=context, kind=kind, start_time=started_at_ns, attributes=dict(attributes)
            )
        finally:
            self._ids.next = None

    def begin(
        self, name: str, *, kind: SpanKind, header: str | None = None, attributes: Mapping[str, str] | None = None
    ) -> Operation:
        """Begin an operation below the traceparent given, or as the root of a new trace."""
        return Operation(self, name, kind=kind, header=header, attributes=attributes or {})

    @contextmanager
    def operation(
        self,
        name: str,
        *,
        kind: SpanKind = SpanKind.INTERNAL,
        header: str | None = None,
        attributes: Mapping[str, str] | None = None,
        request_id: str = "",
    ) -> Generator[Operation]:
        """Do a piece of work in a trace: below `header`, or below the work under way, or as a new root.

        Logs and outgoing calls inside carry its trace id. An exception that escapes ends it as failed.
        """
        outer = call_context.current_context()
        operation = self.begin(
            name, kind=kind, header=header or (outer.traceparent if outer else None), attributes=attributes
        )
        token = call_context.enter(
            CallContext(
                trace_id=operation.own.trace_id,
                traceparent=str(operation.own),
                request_id=request_id or (outer.request_id if outer else ""),
                language=outer.language if outer else "zh-CN",
                expires_at_s=outer.expires_at_s if outer else None,
            )
        )
        try:
            yield operation
        except BaseException as error:
            operation.end(type(error).__name__, failed=isinstance(error, Exception))
            raise
        else:
            operation.end("OK", failed=False)
        finally:
            call_context.leave(token)

    def render_metrics(self) -> bytes:
        """Return the metrics in the text format of Prometheus."""
        return generate_latest(self._registry)

    def shutdown(self) -> None:
        """Send what is left, and stop; this blocks for up to a few seconds, so call it in a thread."""
        self._traces.force_flush(timeout_millis=3000)
        self._traces.shutdown()
        self._metrics.shutdown()

"""Traces leave for the collector over HTTP; work inside of work is one trace."""

import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.trace import SpanKind
from zhibu_kit.context import current_context, current_traceparent
from zhibu_kit.outbox import PUBLISHED
from zhibu_kit.telemetry import Telemetry, parse_traceparent

Received = list[tuple[str, ExportTraceServiceRequest]]


@pytest.fixture
def collector() -> Generator[tuple[str, Received]]:
    received: Received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, ExportTraceServiceRequest.FromString(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_sampled_spans_reach_the_collector_when_the_service_ends(collector: tuple[str, Received]) -> None:
    endpoint, received = collector
    telemetry = Telemetry("identity", sample_ratio=1.0, otlp_endpoint=endpoint)
    with telemetry.operation("outer"), telemetry.operation("inner", kind=SpanKind.CLIENT):
        pass
    telemetry.shutdown()
    ((path, request),) = received
    (resource_spans,) = request.resource_spans
    attributes = {one.key: one.value.string_value for one in resource_spans.resource.attributes}
    spans = {span.name: span for span in resource_spans.scope_spans[0].spans}
    assert (path, attributes["service.name"]) == ("/v1/traces", "zhibu-identity")
    assert spans["inner"].parent_span_id == spans["outer"].span_id
    assert spans["inner"].trace_id == spans["outer"].trace_id


def test_nothing_is_kept_of_a_call_when_its_operation_ends() -> None:
    telemetry = Telemetry("identity", sample_ratio=0.0)

    def work() -> None:
        with telemetry.operation("outer", request_id="r"):
            context = current_context()
            assert context is not None
            assert (context.request_id, context.traceparent) == ("r", current_traceparent())
            raise KeyError

    with pytest.raises(KeyError):
        work()
    assert current_context() is None
    telemetry.shutdown()


@pytest.mark.parametrize("disabled", [False, True])
def test_without_the_sdk_nothing_is_measured_and_traces_keep_their_ids(
    monkeypatch: pytest.MonkeyPatch, collector: tuple[str, Received], *, disabled: bool
) -> None:
    endpoint, received = collector
    monkeypatch.setenv("OTEL_SDK_DISABLED", str(disabled).lower())
    telemetry = Telemetry("identity", sample_ratio=1.0, otlp_endpoint=endpoint)
    telemetry.counter(PUBLISHED).add(1)
    with telemetry.operation("work") as operation:
        context = current_context()
        assert context is not None
        assert context.trace_id == operation.own.trace_id
    metrics = telemetry.render_metrics().decode()
    telemetry.shutdown()
    assert (PUBLISHED.series[0] in metrics, len(received)) == ((False, 0) if disabled else (True, 1))


def test_an_operation_goes_on_below_the_header_it_was_given() -> None:
    telemetry = Telemetry("identity", sample_ratio=0.0)
    header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
    with telemetry.operation("consume", header=header) as operation:
        assert operation.own.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
        assert operation.own.span_id != "00f067aa0ba902b7"
    telemetry.shutdown()


@pytest.mark.parametrize("header", [None, "", "00-xyz-1-00", "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"])
def test_what_is_no_traceparent_is_none(header: str | None) -> None:
    assert parse_traceparent(header) is None

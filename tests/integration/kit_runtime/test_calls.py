"""What every call gets: errors in the caller's language, validation, deadlines, traces, streams, logs."""

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator

import grpc
import pytest
from google.api import httpbody_pb2
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode
from support.rpc import bearer, refusal_of
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu_kit.logs import JsonFormatter
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.probe_service import Probe, start_probe

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
UNSAMPLED = f"00-{TRACE_ID}-00f067aa0ba902b7-00"


def trace_id_of(span: ReadableSpan) -> str:
    context = span.get_span_context()
    assert context is not None
    return f"{context.trace_id:032x}"


async def test_field_violations_name_field_rule_and_bound_in_both_languages(probe: Probe) -> None:
    request = pb.EchoRequest(text="一", number=101, request_id="x" * 65)
    texts = {}
    for language in ("zh-CN", "en"):
        error = await refusal_of(lambda: probe.stub.Echo(request, metadata=(("accept-language", language),)))  # noqa: B023 - awaited at once
        assert (error.reason, error.code) == ("INVALID_ARGUMENT", grpc.StatusCode.INVALID_ARGUMENT)
        texts[language] = [(one.field, one.reason, one.text(language)) for one in error.fields]
    assert texts == {
        "zh-CN": [
            ("text", "STRING_MIN_LEN", "至少填写 2 个字。"),
            ("number", "INT32_GTE_LTE", "应在 0 到 100 之间。"),
            ("request_id", "STRING_MAX_LEN", "最多填写 64 个字。"),
        ],
        "en": [
            ("text", "STRING_MIN_LEN", "At least 2 characters are needed."),
            ("number", "INT32_GTE_LTE", "This must be between 0 and 100."),
            ("request_id", "STRING_MAX_LEN", "At most 64 characters are allowed."),
        ],
    }


async def test_errors_come_in_chinese_unless_english_is_asked_for(probe: Probe) -> None:
    async def text(*metadata: tuple[str, str]) -> str:
        error = await refusal_of(lambda: probe.stub.Fail(pb.FailRequest(how="not_found"), metadata=metadata))
        assert (error.reason, error.metadata) == ("NOT_FOUND", {"noun": "record"})
        return error.text("zh-CN")

    assert await text() == "没有找到这条记录。"
    assert await text(("accept-language", "zh-CN,zh;q=0.9,en;q=0.8")) == "没有找到这条记录。"
    assert await text(("accept-language", "en-GB,en;q=0.9")) == "There is no such record."


async def test_a_bug_tells_the_caller_and_the_log_nothing_of_the_data(probe: Probe) -> None:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(JsonFormatter("testing"))
    logging.getLogger("zhibu").addHandler(handler)
    try:
        error = await refusal_of(lambda: probe.stub.Fail(pb.FailRequest(how="bug")))
    finally:
        logging.getLogger("zhibu").removeHandler(handler)
    assert (error.reason, error.code) == ("INTERNAL", grpc.StatusCode.INTERNAL)
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert logged[0]["exception"]["type"] == "zhibu_kit.testing.probe.ProbeError"
    assert {line["trace_id"] for line in logged} != {None}
    for secret in ("李四", "13800000000"):
        assert secret not in lines.getvalue()
        assert secret not in error.text("zh-CN")


async def test_the_trace_of_the_caller_goes_on(probe: Probe) -> None:
    metadata = (("traceparent", TRACEPARENT), ("x-request-id", "request-1"))
    response = await probe.stub.Echo(pb.EchoRequest(text="hello"), metadata=metadata)
    assert response.trace_id == TRACE_ID
    (call,) = probe.servicer.calls
    assert call.request_id == "request-1"
    (span,) = probe.spans.get_finished_spans()
    own = span.get_span_context()
    assert own is not None
    assert span.parent is not None
    assert call.traceparent == f"00-{TRACE_ID}-{own.span_id:016x}-01"
    assert (f"{span.parent.span_id:016x}", span.name) == ("00f067aa0ba902b7", "zhibu.testing.v1.ProbeService/Echo")


async def test_a_malformed_trace_begins_a_new_one(probe: Probe) -> None:
    for header in ("nonsense", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{TRACE_ID}-{'0' * 16}-01"):
        response = await probe.stub.Echo(pb.EchoRequest(text="hello"), metadata=(("traceparent", header),))
        assert len(response.trace_id) == 32
        assert response.trace_id not in (TRACE_ID, "0" * 32)


async def test_unsampled_calls_leave_a_span_only_when_they_fail_through_our_own_fault(probe: Probe) -> None:
    metadata = (("traceparent", UNSAMPLED),)
    assert (await probe.stub.Echo(pb.EchoRequest(text="hello"), metadata=metadata)).trace_id == TRACE_ID
    await refusal_of(lambda: probe.stub.Fail(pb.FailRequest(how="not_found"), metadata=metadata))
    assert probe.spans.get_finished_spans() == ()
    await refusal_of(lambda: probe.stub.Fail(pb.FailRequest(how="bug"), metadata=metadata))
    (span,) = probe.spans.get_finished_spans()
    assert (trace_id_of(span), span.status.status_code) == (TRACE_ID, StatusCode.ERROR)


async def test_everything_is_sampled_when_the_ratio_says_so(issuer: TokenIssuer) -> None:
    async with start_probe(issuer, sample_ratio=1.0) as probe:
        response = await probe.stub.Echo(pb.EchoRequest(text="hello"))
        (span,) = probe.spans.get_finished_spans()
        assert trace_id_of(span) == response.trace_id


async def test_the_deadline_reaches_the_handler_and_a_call_without_one_gets_one(probe: Probe) -> None:
    assert 0 < (await probe.stub.Echo(pb.EchoRequest(text="hello"), timeout=3)).deadline_ms <= 3000
    assert 3000 < (await probe.stub.Echo(pb.EchoRequest(text="hello"))).deadline_ms <= 30_000


async def test_a_handler_that_takes_longer_than_the_contract_allows_is_cut_off(probe: Probe) -> None:
    error = await refusal_of(lambda: probe.stub.Fail(pb.FailRequest(how="slow")))
    assert (error.reason, error.code) == ("DEADLINE_EXCEEDED", grpc.StatusCode.DEADLINE_EXCEEDED)


async def test_an_upload_arrives_whole(probe: Probe) -> None:
    async def pieces() -> AsyncIterator[pb.UploadRequest]:
        yield pb.UploadRequest(file_name="a", file=httpbody_pb2.HttpBody(content_type="text/plain", data=b"ab"))
        yield pb.UploadRequest(file=httpbody_pb2.HttpBody(data=b"c"))

    response = await probe.stub.Upload(pieces())
    assert (response.size_bytes, response.content_type) == (3, "text/plain")


async def test_an_upload_larger_than_the_contract_allows_is_cut_off(probe: Probe) -> None:
    piece = pb.UploadRequest(file=httpbody_pb2.HttpBody(data=bytes(3_000_000)))

    async def pieces() -> AsyncIterator[pb.UploadRequest]:
        for _ in range(30):
            yield piece

    assert (await refusal_of(lambda: probe.stub.Upload(pieces()))).reason == "REQUEST_TOO_LARGE"


async def test_an_upload_without_any_message_is_refused(probe: Probe) -> None:
    async def pieces() -> AsyncIterator[pb.UploadRequest]:
        return
        yield

    assert (await refusal_of(lambda: probe.stub.Upload(pieces()))).reason == "INVALID_ARGUMENT"


async def test_a_download_comes_in_pieces(probe: Probe) -> None:
    pieces = [piece async for piece in probe.stub.Download(pb.DownloadRequest(size_bytes=100_000))]
    assert sum(len(piece.data) for piece in pieces) == 100_000
    assert [piece.content_type for piece in pieces] == ["application/octet-stream", ""]


async def test_a_stream_can_fail_in_the_middle_with_one_of_our_errors(probe: Probe) -> None:
    numbers: list[int] = []

    async def watch() -> None:
        async for response in probe.stub.Watch(pb.WatchRequest(until=5, fail_at=3)):
            numbers.append(response.number)  # noqa: PERF401 - what came before the error counts

    assert (await refusal_of(watch)).reason == "NOT_FOUND"
    assert numbers == [1, 2]


async def test_a_stream_is_validated_like_any_call(probe: Probe) -> None:
    async def watch() -> None:
        async for _ in probe.stub.Watch(pb.WatchRequest(until=5000)):
            pass

    assert [violation.field for violation in (await refusal_of(watch)).fields] == ["until"]


async def test_a_stream_ends_for_whoever_is_revoked_meanwhile(probe: Probe, issuer: TokenIssuer) -> None:
    token = bearer(issuer.token("leaver"))
    stream = probe.stub.Watch(pb.WatchRequest(until=1000, interval_ms=20), metadata=token)
    assert (await anext(aiter(stream))).number == 1
    probe.revoke("leaver")

    async def drain() -> None:
        async for _ in stream:
            pass

    error = await asyncio.wait_for(refusal_of(drain), timeout=30)
    assert error.reason == "UNAUTHENTICATED"


@pytest.mark.parametrize("request_id", ["", "a b", "x" * 65])
async def test_a_bad_request_id_is_replaced(probe: Probe, request_id: str) -> None:
    await probe.stub.Echo(pb.EchoRequest(text="hello"), metadata=(("x-request-id", request_id),))
    assert len(probe.servicer.calls[0].request_id) == 26


async def test_calls_are_counted_by_method_and_code(probe: Probe) -> None:
    await probe.stub.Echo(pb.EchoRequest(text="hello"))
    await refusal_of(lambda: probe.stub.Fail(pb.FailRequest(how="not_found")))
    metrics = probe.running.telemetry.render_metrics().decode()
    assert 'zhibu_rpc_duration_seconds_count{code="OK",method="zhibu.testing.v1.ProbeService/Echo"} 1.0' in metrics
    assert (
        'zhibu_rpc_duration_seconds_count{code="NOT_FOUND",method="zhibu.testing.v1.ProbeService/Fail"} 1.0' in metrics
    )

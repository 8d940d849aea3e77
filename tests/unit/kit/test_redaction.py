"""Redaction: what the contract marks as personal never shows."""

from google.api import httpbody_pb2
from google.protobuf import any_pb2
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu_kit.redaction import redact


def test_personal_fields_are_replaced_wherever_they_stand() -> None:
    response = pb.EchoResponse(request=pb.EchoRequest(text="你好", secret="李四"), trace_id="t")
    assert redact(response) == {"request": {"text": "你好", "secret": "[personal]"}, "trace_id": "t"}


def test_what_is_packed_inside_does_not_show() -> None:
    packed = any_pb2.Any()
    packed.Pack(pb.EchoRequest(secret="李四"))
    request = pb.EchoRequest(everything=pb.Everything(any=packed))
    assert redact(request) == {"everything": {"any": "[personal]"}}
    assert redact(pb.UploadRequest(file=httpbody_pb2.HttpBody(data=b"x"))) == {"file": "[personal]"}


def test_lists_maps_and_long_texts_are_shown_and_cut() -> None:
    everything = pb.Everything(
        string_value="长" * 300,
        bytes_value=b"12345",
        numbers=range(50),
        labels={"a": "b"},
        by_number={7: pb.Everything(name="n")},
    )
    assert redact(everything) == {
        "string_value": "长" * 200 + "…",
        "bytes_value": "[5 bytes]",
        "numbers": list(range(20)),
        "labels": {"a": "b"},
        "by_number": {"7": {"name": "n"}},
    }

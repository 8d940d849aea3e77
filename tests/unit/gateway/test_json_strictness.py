"""What the converter refuses, though some parsers take it."""

import pytest
from google.protobuf import struct_pb2, timestamp_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from zhibu.testing.v1 import probe_service_pb2
from zhibu_gateway.descriptors import descriptor_of
from zhibu_gateway.json_codec import DecodeError, Decoders, EncodeError, Encoders, Fault, loads

_DECODERS = Decoders()
_EVERYTHING = probe_service_pb2.Everything.DESCRIPTOR


def decode(text: str | bytes, descriptor: Descriptor = _EVERYTHING) -> Message:
    message = GetMessageClass(descriptor)()
    _DECODERS.of(descriptor)(loads(text if isinstance(text, bytes) else text.encode()), message, 0)
    return message


@pytest.mark.parametrize(
    ("text", "fault", "path"),
    [
        ('{"int32Value": "1_000"}', Fault.NOT_INTEGER, "int32Value"),
        ('{"int32Value": " 5 "}', Fault.NOT_INTEGER, "int32Value"),
        ('{"int64Value": "٣"}', Fault.NOT_INTEGER, "int64Value"),
        ('{"int64Value": "+5"}', Fault.NOT_INTEGER, "int64Value"),
        ('{"int64Value": "05"}', Fault.NOT_INTEGER, "int64Value"),
        ('{"int64Value": ""}', Fault.NOT_INTEGER, "int64Value"),
        ('{"int64Value": 1.5}', Fault.NOT_INTEGER, "int64Value"),
        ('{"int64Value": 90071992547409930.0}', Fault.OUT_OF_RANGE, "int64Value"),
        ('{"int64Value": 9223372036854775808}', Fault.OUT_OF_RANGE, "int64Value"),
        ('{"uint32Value": -1}', Fault.OUT_OF_RANGE, "uint32Value"),
        ('{"int32Value": 1e400}', Fault.NOT_INTEGER, "int32Value"),
        ('{"int32Value": true}', Fault.WRONG_TYPE, "int32Value"),
        ('{"boolValue": 1}', Fault.WRONG_TYPE, "boolValue"),
        ('{"boolValue": "true"}', Fault.WRONG_TYPE, "boolValue"),
        ('{"doubleValue": 1e400}', Fault.OUT_OF_RANGE, "doubleValue"),
        ('{"doubleValue": "nan"}', Fault.NOT_NUMBER, "doubleValue"),
        ('{"doubleValue": "inf"}', Fault.NOT_NUMBER, "doubleValue"),
        ('{"doubleValue": "0x1p3"}', Fault.NOT_NUMBER, "doubleValue"),
        ('{"floatValue": 1e39}', Fault.OUT_OF_RANGE, "floatValue"),
        ('{"doubleValue": NaN}', Fault.NOT_JSON, ""),
        ('{"doubleValue": Infinity}', Fault.NOT_JSON, ""),
        ('{"stringValue": 5}', Fault.WRONG_TYPE, "stringValue"),
        ('{"stringValue": "a\\u0000b"}', Fault.BAD_TEXT, "stringValue"),
        ('{"stringValue": "\\ud800"}', Fault.BAD_TEXT, "stringValue"),
        ('{"labels": {"\\udc00": "x"}}', Fault.BAD_TEXT, "labels[*]"),
        ('{"labels": {"x": null}}', Fault.NULL_ELEMENT, "labels[*]"),
        ('{"byNumber": {"1": {}, "1.0": {}}}', Fault.DUPLICATE_KEY, "byNumber[*]"),
        ('{"byFlag": {"True": 1}}', Fault.WRONG_TYPE, "byFlag[*]"),
        ('{"stringValue": "a", "stringValue": "b"}', Fault.DUPLICATE_KEY, ""),
        ('{"stringValue": "a", "string_value": "b"}', Fault.DUPLICATE_FIELD, "string_value"),
        ('{"name": "a", "number": 1}', Fault.ONEOF_CONFLICT, "number"),
        ('{"nothing": null, "name": "a"}', Fault.ONEOF_CONFLICT, "name"),
        ('{"child": {"children": [{}, {"nope": 1}]}}', Fault.UNKNOWN_FIELD, "child.children[1].nope"),
        ('{"children": [null]}', Fault.NULL_ELEMENT, "children[0]"),
        ('{"children": {}}', Fault.WRONG_TYPE, "children"),
        ('{"numbers": [1, "x"]}', Fault.NOT_INTEGER, "numbers[1]"),
        ('{"child": []}', Fault.WRONG_TYPE, "child"),
        ('{"colour": "RED"}', Fault.UNKNOWN_ENUM, "colour"),
        ('{"colour": "1"}', Fault.UNKNOWN_ENUM, "colour"),
        ('{"colour": true}', Fault.WRONG_TYPE, "colour"),
        ('{"colour": 2147483648}', Fault.OUT_OF_RANGE, "colour"),
        ('{"bytesValue": "a b="}', Fault.NOT_BASE64, "bytesValue"),
        ('{"bytesValue": "QUI"}', None, ""),
        ('{"bytesValue": "QUI=="}', Fault.NOT_BASE64, "bytesValue"),
        ('{"bytesValue": "Q"}', Fault.NOT_BASE64, "bytesValue"),
        ('{"instant": "2026-11-23"}', Fault.BAD_TIMESTAMP, "instant"),
        ('{"instant": "2026-11-23T01:02:03"}', Fault.BAD_TIMESTAMP, "instant"),
        ('{"instant": "2026-11-23 01:02:03Z"}', Fault.BAD_TIMESTAMP, "instant"),
        ('{"instant": "2026-W48-1T01:02:03Z"}', Fault.BAD_TIMESTAMP, "instant"),
        ('{"instant": "2026-02-30T01:02:03Z"}', Fault.BAD_TIMESTAMP, "instant"),
        ('{"instant": "2026-11-23T24:00:00Z"}', Fault.BAD_TIMESTAMP, "instant"),
        ('{"instant": "2026-11-23T01:02:60Z"}', Fault.BAD_TIMESTAMP, "instant"),
        ('{"instant": "2026-11-23T01:02:03.1234567890Z"}', Fault.BAD_TIMESTAMP, "instant"),
        ('{"instant": "２026-11-23T01:02:03Z"}', Fault.BAD_TIMESTAMP, "instant"),
        ('{"instant": "0001-01-01T00:00:00+01:00"}', Fault.OUT_OF_RANGE, "instant"),
        ('{"duration": "1"}', Fault.BAD_DURATION, "duration"),
        ('{"duration": "1_0s"}', Fault.BAD_DURATION, "duration"),
        ('{"duration": "315576000001s"}', Fault.OUT_OF_RANGE, "duration"),
        ('{"mask": "full_name"}', Fault.BAD_FIELD_MASK, "mask"),
        ('{"mask": "a,,b"}', Fault.BAD_FIELD_MASK, "mask"),
        ('{"any": {"@type": "type.googleapis.com/no.such.Type"}}', Fault.UNKNOWN_TYPE, "any.@type"),
        ('{"any": {"value": 1}}', Fault.UNKNOWN_TYPE, "any.@type"),
        ('{"any": {"@type": "x/google.protobuf.Duration", "value": "1s", "more": 1}}', Fault.UNKNOWN_FIELD, "any"),
        ("[]", Fault.WRONG_TYPE, ""),
        ("null", Fault.WRONG_TYPE, ""),
        ("{} {}", Fault.NOT_JSON, ""),
        ("", Fault.NOT_JSON, ""),
        ("\ufeff{}", Fault.NOT_JSON, ""),
    ],
)
def test_lenient_input_is_refused_with_the_path_of_the_fault(text: str, fault: Fault | None, path: str) -> None:
    if fault is None:
        decode(text)
        return
    with pytest.raises(DecodeError) as caught:
        decode(text)
    assert (caught.value.fault, caught.value.path) == (fault, path)


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(b'{"stringValue": "\xff"}')
    assert caught.value.fault is Fault.NOT_UTF8
    with pytest.raises(DecodeError) as caught:
        decode('{"stringValue": "a"}'.encode("utf-16"))
    assert caught.value.fault is Fault.NOT_UTF8


@pytest.mark.parametrize(
    "text",
    [
        '{"child":' * 120 + "{}" + "}" * 120,
        '{"value":' + "[" * 120 + "]" * 120 + "}",
        '{"object":' + '{"a":' * 120 + "1" + "}" * 121,
        "[" * 200_000,
        '{"child":' * 200_000,
    ],
    ids=["messages", "lists", "objects", "brackets", "braces"],
)
def test_nesting_is_bounded(text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(text)
    assert caught.value.fault is Fault.TOO_DEEP


def test_nesting_within_the_bound_is_read() -> None:
    decode('{"child":' * 90 + "{}" + "}" * 90)


def test_an_unknown_name_is_cut_and_never_shown_raw() -> None:
    with pytest.raises(DecodeError) as caught:
        decode('{"' + "x" * 5000 + '": 1}')
    assert len(caught.value.path) == 60
    with pytest.raises(DecodeError) as caught:
        decode('{"\\u001b[2J": 1}')
    assert caught.value.path == "?"


def test_both_spellings_nulls_and_quoted_numbers_are_read() -> None:
    message = decode(
        '{"string_value": "支", "int64Value": "-9223372036854775808", "uint64Value": 18446744073709551615,'
        ' "int32Value": 1e2, "numbers": ["1.0", 2], "child": null, "name": null, "number": 7, "colour": 77,'
        ' "value": null, "doubleValue": "-Infinity", "bytesValue": "_-8", "instant": "2026-11-23T08:00:00.123456789+08:00",'
        ' "duration": "-0.5s", "mask": "fullName,branch.organisationId", "wrappedNumber": 5}'
    )
    expected = probe_service_pb2.Everything(
        string_value="支",
        int64_value=-(2**63),
        uint64_value=2**64 - 1,
        int32_value=100,
        numbers=[1, 2],
        number=7,
        value=struct_pb2.Value(null_value=struct_pb2.NULL_VALUE),
        double_value=float("-inf"),
        bytes_value=b"\xff\xef",
        instant=timestamp_pb2.Timestamp(seconds=1795392000, nanos=123456789),
    )
    expected.duration.nanos = -500_000_000
    expected.mask.paths.extend(["full_name", "branch.organisation_id"])
    expected.wrapped_number.value = 5
    setattr(expected, "colour", 77)  # noqa: B010 an unknown number, which the stub's type does not allow
    assert message == expected


def test_the_largest_float_reads_back_as_it_is_written() -> None:
    largest = float.fromhex("0x1.fffffep+127")
    message = probe_service_pb2.Everything(float_value=largest)
    written = Encoders(print_defaults=False).of(_EVERYTHING)(message)
    assert written == {"floatValue": 3.4028235e38}
    assert decode('{"floatValue": 3.4028235e+38}') == message


@pytest.mark.parametrize(
    "message",
    [
        timestamp_pb2.Timestamp(seconds=253402300800),
        timestamp_pb2.Timestamp(nanos=1_000_000_000),
        struct_pb2.Value(number_value=float("nan")),
    ],
)
def test_a_message_without_a_json_form_is_not_written(message: Message) -> None:
    with pytest.raises(EncodeError):
        Encoders(print_defaults=True).of(descriptor_of(message))(message)

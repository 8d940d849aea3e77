"""Well-known messages from their own JSON forms."""

from google.protobuf import duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2
from google.protobuf.message import Message

from zhibu_gateway.json_codec.errors import DecodeError, Fault
from zhibu_gateway.json_codec.field_masks import paths_of
from zhibu_gateway.json_codec.scalars import double_of, text_of
from zhibu_gateway.json_codec.strict_json import MAX_DEPTH, Json
from zhibu_gateway.json_codec.times import duration_of, timestamp_of


def check_depth(depth: int) -> None:
    """Refuses a message that lies too deep.

    Raises:
        DecodeError: TOO_DEEP.
    """
    if depth > MAX_DEPTH:
        raise DecodeError(Fault.TOO_DEEP)


def decode_timestamp(value: Json, message: Message, _depth: int) -> None:
    """Fills a Timestamp."""
    assert isinstance(message, timestamp_pb2.Timestamp)
    message.seconds, message.nanos = timestamp_of(value)


def decode_duration(value: Json, message: Message, _depth: int) -> None:
    """Fills a Duration."""
    assert isinstance(message, duration_pb2.Duration)
    message.seconds, message.nanos = duration_of(value)


def decode_field_mask(value: Json, message: Message, _depth: int) -> None:
    """Fills a FieldMask."""
    assert isinstance(message, field_mask_pb2.FieldMask)
    message.paths.extend(paths_of(value))


def decode_value(value: Json, message: Message, depth: int) -> None:
    """Fills a Value."""
    assert isinstance(message, struct_pb2.Value)
    check_depth(depth)
    match value:
        case None:
            message.null_value = struct_pb2.NULL_VALUE
        case bool():
            message.bool_value = value
        case str():
            message.string_value = text_of(value)
        case int() | float():
            message.number_value = double_of(value)
        case list():
            message.list_value.SetInParent()
            decode_list_value(value, message.list_value, depth + 1)
        case dict():
            message.struct_value.SetInParent()
            decode_struct(value, message.struct_value, depth + 1)


def decode_struct(value: Json, message: Message, depth: int) -> None:
    """Fills a Struct."""
    assert isinstance(message, struct_pb2.Struct)
    check_depth(depth)
    if not isinstance(value, dict):
        raise DecodeError(Fault.WRONG_TYPE)
    for key, item in value.items():
        try:
            decode_value(item, message.fields[text_of(key)], depth + 1)
        except DecodeError as error:
            raise error.within("[*]") from None


def decode_list_value(value: Json, message: Message, depth: int) -> None:
    """Fills a ListValue."""
    assert isinstance(message, struct_pb2.ListValue)
    check_depth(depth)
    if not isinstance(value, list):
        raise DecodeError(Fault.WRONG_TYPE)
    for index, item in enumerate(value):
        try:
            decode_value(item, message.values.add(), depth + 1)
        except DecodeError as error:
            raise error.within(f"[{index}]") from None

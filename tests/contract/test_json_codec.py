"""The compiled converter equals protobuf's own JSON mapping, for every message of the contract and the common protos."""

import json
from typing import Any, cast

import orjson
import pytest
from google.api import http_pb2, httpbody_pb2
from google.protobuf import (
    any_pb2,
    duration_pb2,
    field_mask_pb2,
    json_format,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2, error_details_pb2, status_pb2
from google.type import money_pb2, timeofday_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.contract_messages import a_message, contract_messages, messages_of
from zhibu.testing.v1 import probe_service_pb2
from zhibu_gateway.descriptors import descriptor_of
from zhibu_gateway.json_codec import Decoders, Encoders, Json, loads

_COMMON_FILES = [
    any_pb2.DESCRIPTOR,
    code_pb2.DESCRIPTOR,
    duration_pb2.DESCRIPTOR,
    error_details_pb2.DESCRIPTOR,
    field_mask_pb2.DESCRIPTOR,
    http_pb2.DESCRIPTOR,
    httpbody_pb2.DESCRIPTOR,
    money_pb2.DESCRIPTOR,
    status_pb2.DESCRIPTOR,
    struct_pb2.DESCRIPTOR,
    timeofday_pb2.DESCRIPTOR,
    timestamp_pb2.DESCRIPTOR,
    wrappers_pb2.DESCRIPTOR,
]
_ALL = contract_messages() + [message for file in _COMMON_FILES for message in messages_of(file)]
_SPARSE, _FULL = Encoders(print_defaults=False), Encoders(print_defaults=True)
_DECODERS = Decoders()


def test_the_contract_is_found() -> None:
    names = {message.full_name for message in _ALL}
    assert {"zhibu.testing.v1.Everything", "zhibu.identity.v1.Application"} <= names


@pytest.mark.parametrize("descriptor", _ALL, ids=lambda descriptor: descriptor.full_name)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(data=st.data())
def test_messages_are_written_as_protobuf_writes_them_and_read_back(
    descriptor: Descriptor, data: st.DataObject
) -> None:
    _check(data.draw(a_message(descriptor)))


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(message=a_message(descriptor_of(probe_service_pb2.Everything())))
def test_every_kind_of_field_is_written_as_protobuf_writes_it_and_read_back(message: Message) -> None:
    _check(message)


def _check(message: Message) -> None:
    descriptor = descriptor_of(message)
    expected = json_format.MessageToDict(message)
    written = _SPARSE.of(descriptor)(message)
    assert _same(written, expected)
    assert _same(
        _FULL.of(descriptor)(message), json_format.MessageToDict(message, always_print_fields_with_no_presence=True)
    )
    for value in (loads(orjson.dumps(written)), json_format.MessageToDict(message, preserving_proto_field_name=True)):
        read = GetMessageClass(descriptor)()
        _DECODERS.of(descriptor)(value, read, 0)
        # Compared as JSON, not as bytes: an Any holds maps whose order on the wire means nothing.
        assert _same(json_format.MessageToDict(read), json_format.MessageToDict(_reference(message, value)))


def _reference(message: Message, value: Json) -> Message:
    """Reads the value as protobuf does."""
    reference = type(message)()
    try:
        json_format.ParseDict(cast("dict[str, Any]", value), reference)
    except json_format.ParseError as error:
        if "Float value too" not in str(error):
            raise
        # It refuses the largest float as it writes it itself, rounded up: 3.4028235e+38.
        return message
    return reference


def _same(left: object, right: object) -> bool:
    """Compares by text, in which 1 and 1.0 and true differ and NaN equals itself."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)

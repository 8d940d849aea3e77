"""Validation of nested fields, and texts for the rules that the contract of the services uses."""

from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from zhibu.identity.v1 import application_service_pb2, grant_service_pb2
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu_kit.errors import ServiceError
from zhibu_kit.validation import validate


def violations_of(request: Message) -> list[tuple[str, str]]:
    try:
        validate(request)
    except ServiceError as error:
        return [(one.field, one.reason) for one in error.fields]
    return []


def test_a_good_request_passes() -> None:
    assert violations_of(pb.EchoRequest(text="你好", number=100)) == []


def test_a_nested_field_is_named_by_its_path() -> None:
    request = pb.UpdateRecordRequest(record=pb.Record(text="长" * 101))
    assert violations_of(request) == [("record.text", "STRING_MAX_LEN")]


def test_a_missing_message_is_required() -> None:
    assert violations_of(pb.UpdateRecordRequest()) == [("record", "REQUIRED")]


def filled_wrongly(descriptor: Descriptor, depth: int = 0) -> Message:
    """Make a message whose texts are wrong in every way that a rule may forbid."""
    message = GetMessageClass(descriptor)()
    for field in descriptor.fields:
        value: Any = None
        if field.type == FieldDescriptor.TYPE_STRING:
            value = "\u0001" * 6000
        elif field.type == FieldDescriptor.TYPE_ENUM:
            value = 99
        elif field.type in (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64):
            value = -1
        if value is not None:
            if field.is_repeated:
                getattr(message, field.name).extend([value] * 300)
            else:
                setattr(message, field.name, value)
        elif field.message_type is not None and not field.is_repeated and depth < 2:
            getattr(message, field.name).SetInParent()
    return message


@pytest.mark.parametrize("wrong", ["empty", "nonsense"])
def test_every_rule_of_the_services_has_texts_of_its_own(wrong: str) -> None:
    texts: set[str] = set()
    for module in (application_service_pb2, grant_service_pb2):
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                descriptor = method.input_type
                request = GetMessageClass(descriptor)() if wrong == "empty" else filled_wrongly(descriptor)
                try:
                    validate(request)
                except ServiceError as error:
                    texts |= {violation.zh for violation in error.fields} | {one.en for one in error.fields}
    assert texts
    assert not texts & {"填写有误。", "This is not right."}
    assert not [text for text in texts if "{value}" in text]

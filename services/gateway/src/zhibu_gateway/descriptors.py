"""Descriptors with the types that they have once it is known what kind of field they describe."""

from typing import Any, cast

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message


def message_of(field: FieldDescriptor) -> Descriptor:
    """Gives the type of a field that holds messages."""
    assert field.message_type is not None
    return field.message_type


def enum_of(field: FieldDescriptor) -> EnumDescriptor:
    """Gives the type of a field that holds values of an enum."""
    assert field.enum_type is not None
    return field.enum_type


def is_map(field: FieldDescriptor) -> bool:
    """Tells whether a field is a map, which protobuf writes as a repeated message."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def map_fields(field: FieldDescriptor) -> tuple[FieldDescriptor, FieldDescriptor]:
    """Gives the fields of a map's key and of its value."""
    entry = message_of(field)
    return entry.fields_by_name["key"], entry.fields_by_name["value"]


def descriptor_of(message: Message) -> Descriptor:
    """Gives the descriptor of a message; the stubs name the C implementation's own class beside."""
    return cast("Descriptor", message.DESCRIPTOR)


def typed(extension: Any) -> Any:
    """Passes an extension on as what the stubs of options ask for, which generated code does not call it."""
    return extension

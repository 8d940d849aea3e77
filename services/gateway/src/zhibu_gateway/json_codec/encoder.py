"""Messages to JSON: one generated function per message type.

google.protobuf.json_format walks the descriptors anew for every message and is slow pure Python (159 µs against 26 µs for a
typical answer). Here the walk happens once, at start, and its result is Python source in which each field is one statement.
"""

import math
from binascii import b2a_base64
from collections.abc import Callable
from keyword import iskeyword
from typing import cast

from google.protobuf import any_pb2, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pool import Default, DescriptorPool
from google.protobuf.message import DecodeError as WireError
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from zhibu_gateway.descriptors import descriptor_of, enum_of, is_map, map_fields, message_of
from zhibu_gateway.json_codec.errors import EncodeError
from zhibu_gateway.json_codec.field_masks import mask_text
from zhibu_gateway.json_codec.scalars import shortest_float, special_float
from zhibu_gateway.json_codec.strict_json import Json
from zhibu_gateway.json_codec.times import duration_text, timestamp_text

Encode = Callable[[Message], Json]

_WRAPPERS_FILE = "google/protobuf/wrappers.proto"
_QUOTED_INTEGERS = frozenset(
    {
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_SINT64,
        FieldDescriptor.TYPE_SFIXED64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_FIXED64,
    }
)


class Encoders:
    """Compiles message types to functions that give plain values for orjson."""

    def __init__(self, *, print_defaults: bool, pool: DescriptorPool | None = None) -> None:
        """With `print_defaults`, fields without presence are written also when empty, so that clients find every list."""
        self._print_defaults = print_defaults
        self._pool = pool or Default()
        # The generated functions' globals. They find each other here by name, which is all that recursive types need.
        self._names: dict[str, object] = {
            "_base64": b2a_base64,
            "_shortest_float": shortest_float,
            "_special_float": special_float,
        }
        self._compiled: dict[str, Encode] = {}

    def of(self, descriptor: Descriptor) -> Encode:
        """Gives the encoder of a type, compiling it and what it contains the first time."""
        found = self._compiled.get(descriptor.full_name)
        if found is not None:
            return found
        self._compile(descriptor)
        return self._compiled[descriptor.full_name]

    def _compile(self, descriptor: Descriptor) -> None:
        well_known = self._well_known(descriptor)
        if well_known is not None:
            self._add(descriptor, well_known)
            return
        if descriptor.file.name == _WRAPPERS_FILE:
            body = [f"return {self._expression(descriptor.fields_by_name['value'], 'm.value')}"]
        else:
            # Claims the name first: a type that contains itself must not be compiled again while it is being compiled.
            self._compiled[descriptor.full_name] = lambda message: self.of(descriptor_of(message))(message)
            body = ["o = {}", *(line for field in descriptor.fields for line in self._statements(field)), "return o"]
        name = _function_name(descriptor)
        source = f"def {name}(m):\n" + "".join(f"    {line}\n" for line in body)
        # The source holds names out of our own descriptors only, each through repr().
        exec(compile(source, f"<encoder of {descriptor.full_name}>", "exec"), self._names)  # noqa: S102 generated code is the point of this file
        self._compiled[descriptor.full_name] = cast("Encode", self._names[name])

    def _add(self, descriptor: Descriptor, encode: Encode) -> None:
        self._names[_function_name(descriptor)] = encode
        self._compiled[descriptor.full_name] = encode

    def _statements(self, field: FieldDescriptor) -> list[str]:
        access = f"getattr(m, {field.name!r})" if iskeyword(field.name) else f"m.{field.name}"
        target = f"o[{field.json_name!r}]"
        if is_map(field):
            key, value = map_fields(field)
            pairs = f"{{{_map_key(key)}: {self._expression(value, 'x')} for k, x in v.items()}}"
            return [f"v = {access}", *self._unless_empty(f"{target} = {pairs}")]
        if field.is_repeated:
            element = self._expression(field, "x")
            items = "list(v)" if element == "x" else f"[{element} for x in v]"
            return [f"v = {access}", *self._unless_empty(f"{target} = {items}")]
        if field.has_presence:
            return [
                f"if m.HasField({field.name!r}):",
                f"    v = {access}",
                f"    {target} = {self._expression(field, 'v')}",
            ]
        statement = f"{target} = {self._expression(field, 'v')}"
        if (
            field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)
            and not self._print_defaults
        ):
            # Minus zero is falsy and yet not the default.
            self._names["_copysign"] = math.copysign
            return [f"v = {access}", "if v or _copysign(1, v) < 0:", f"    {statement}"]
        return [f"v = {access}", *self._unless_empty(statement)]

    def _unless_empty(self, statement: str) -> list[str]:
        return [statement] if self._print_defaults else ["if v:", f"    {statement}"]

    def _expression(self, field: FieldDescriptor, value: str) -> str:
        match field.type:
            case FieldDescriptor.TYPE_MESSAGE | FieldDescriptor.TYPE_GROUP:
                inner = message_of(field)
                if inner.full_name not in self._compiled:
                    self._compile(inner)
                return f"{_function_name(inner)}({value})"
            case FieldDescriptor.TYPE_BYTES:
                return f"_base64({value}, newline=False).decode('ascii')"
            case FieldDescriptor.TYPE_FLOAT:
                return f"_shortest_float({value})"
            case FieldDescriptor.TYPE_DOUBLE:
                return f"_special_float({value})"
            case FieldDescriptor.TYPE_ENUM:
                enum = enum_of(field)
                if enum.full_name == "google.protobuf.NullValue":
                    return "None"
                table = f"_enum_{enum.full_name.replace('.', '__')}"
                self._names[table] = {number: value.name for number, value in enum.values_by_number.items()}
                return f"{table}.get({value}, {value})"
            case kind if kind in _QUOTED_INTEGERS:
                return f"str({value})"
            case _:
                return value

    def _well_known(self, descriptor: Descriptor) -> Encode | None:
        return {
            "google.protobuf.Timestamp": _timestamp,
            "google.protobuf.Duration": _duration,
            "google.protobuf.FieldMask": _field_mask,
            "google.protobuf.Value": _value,
            "google.protobuf.Struct": _struct,
            "google.protobuf.ListValue": _list_value,
            "google.protobuf.Any": self._any,
        }.get(descriptor.full_name)

    def _any(self, message: Message) -> Json:
        assert isinstance(message, any_pb2.Any)
        if not message.type_url and not message.value:
            return {}
        try:
            descriptor = self._pool.FindMessageTypeByName(message.type_url.rpartition("/")[2])
            inner = GetMessageClass(descriptor).FromString(message.value)
        except (KeyError, WireError) as error:
            raise EncodeError("an Any of a type that the contract does not know") from error
        written = self.of(descriptor)(inner)
        if self._well_known(descriptor) is not None or descriptor.file.name == _WRAPPERS_FILE:
            return {"@type": message.type_url, "value": written}
        assert isinstance(written, dict)
        return {"@type": message.type_url, **written}


def _function_name(descriptor: Descriptor) -> str:
    return f"_encode_{descriptor.full_name.replace('.', '__')}"


def _map_key(key: FieldDescriptor) -> str:
    match key.type:
        case FieldDescriptor.TYPE_STRING:
            return "k"
        case FieldDescriptor.TYPE_BOOL:
            return "('true' if k else 'false')"
        case _:
            return "str(k)"


def _timestamp(message: Message) -> Json:
    assert isinstance(message, timestamp_pb2.Timestamp)
    return timestamp_text(message.seconds, message.nanos)


def _duration(message: Message) -> Json:
    assert isinstance(message, duration_pb2.Duration)
    return duration_text(message.seconds, message.nanos)


def _field_mask(message: Message) -> Json:
    assert isinstance(message, field_mask_pb2.FieldMask)
    return mask_text(message.paths)


def _value(message: Message) -> Json:
    assert isinstance(message, struct_pb2.Value)
    match message.WhichOneof("kind"):
        case "string_value":
            return message.string_value
        case "number_value":
            if not math.isfinite(message.number_value):
                # The mapping's words for these would read back as strings.
                raise EncodeError("a Value that is no finite number")
            return message.number_value
        case "bool_value":
            return message.bool_value
        case "struct_value":
            return _struct(message.struct_value)
        case "list_value":
            return _list_value(message.list_value)
        case _:
            return None


def _struct(message: Message) -> Json:
    assert isinstance(message, struct_pb2.Struct)
    return {key: _value(value) for key, value in message.fields.items()}


def _list_value(message: Message) -> Json:
    assert isinstance(message, struct_pb2.ListValue)
    return [_value(value) for value in message.values]

"""JSON to messages: one table of setters per message type, compiled once.

Stricter than google.protobuf.json_format where that one guesses: both spellings of one field, two members of a oneof, text
that is nearly a number, a timestamp or base64, unknown fields. What it accepts gives the message that json_format gives.
"""

from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf import any_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pool import Default, DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from zhibu_gateway.descriptors import map_fields
from zhibu_gateway.json_codec.errors import DecodeError, Fault
from zhibu_gateway.json_codec.scalars import FromJson, from_json, from_text, text_of
from zhibu_gateway.json_codec.strict_json import MAX_DEPTH, Json
from zhibu_gateway.json_codec.well_known import (
    check_depth,
    decode_duration,
    decode_field_mask,
    decode_list_value,
    decode_struct,
    decode_timestamp,
    decode_value,
)

# Fills a message from a JSON value; the number is how deep the message lies.
DecodeInto = Callable[[Json, Message, int], None]

_WRAPPERS_FILE = "google/protobuf/wrappers.proto"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """How one field is set, and the bits by which its second appearance is noticed."""

    set: DecodeInto
    bits: int
    takes_null: bool


class Decoders:
    """Compiles message types to functions that fill a message from a parsed JSON value."""

    def __init__(self, pool: DescriptorPool | None = None) -> None:
        """Resolves the types named by Any in this pool, by default the contract's own."""
        self._pool = pool or Default()
        self._compiled: dict[str, DecodeInto] = {}

    def of(self, descriptor: Descriptor) -> DecodeInto:
        """Gives the decoder of a type, compiling it and what it contains the first time.

        The decoder raises DecodeError; the message is then half filled and must be thrown away.
        """
        found = self._compiled.get(descriptor.full_name)
        if found is not None:
            return found
        well_known = self._well_known(descriptor)
        if well_known is not None:
            self._compiled[descriptor.full_name] = well_known
            return well_known
        if descriptor.file.name == _WRAPPERS_FILE:
            decode = _wrapper(from_json(descriptor.fields_by_name["value"]))
            self._compiled[descriptor.full_name] = decode
            return decode
        members: dict[str, _Member] = {}
        decode = _regular(members)
        # Registered before its fields are compiled, for types that contain themselves.
        self._compiled[descriptor.full_name] = decode
        for index, field in enumerate(descriptor.fields):
            member = self._member(field, index, len(descriptor.fields))
            members[field.name] = member
            members[field.json_name] = member
        return decode

    def _member(self, field: FieldDescriptor, index: int, count: int) -> _Member:
        bits = 1 << index
        oneof = field.containing_oneof
        if oneof is not None:
            bits |= 1 << (count + oneof.index)
        takes_null = not field.is_repeated and (
            (field.message_type is not None and field.message_type.full_name == "google.protobuf.Value")
            or (field.enum_type is not None and field.enum_type.full_name == "google.protobuf.NullValue")
        )
        return _Member(set=self._setter(field), bits=bits, takes_null=takes_null)

    def _setter(self, field: FieldDescriptor) -> DecodeInto:
        name = field.name
        if field.message_type is None:
            convert = from_json(field)
            if field.enum_type is not None and field.enum_type.full_name == "google.protobuf.NullValue":
                convert = _null_or(convert)
            return _repeated_scalar(name, convert) if field.is_repeated else _scalar(name, convert)
        if field.message_type.GetOptions().map_entry:
            return self._map(field)
        decode = self.of(field.message_type)
        if field.is_repeated:
            return _repeated_message(name, decode, field.message_type.full_name == "google.protobuf.Value")
        return _message(name, decode)

    def _map(self, field: FieldDescriptor) -> DecodeInto:
        name = field.name
        key_field, value_field = map_fields(field)
        key_of = from_text(key_field)
        convert = from_json(value_field) if value_field.message_type is None else None
        decode = None if value_field.message_type is None else self.of(value_field.message_type)
        takes_null = (
            value_field.message_type is not None and value_field.message_type.full_name == "google.protobuf.Value"
        )

        def set_map(value: Json, message: Message, depth: int) -> None:
            if not isinstance(value, dict):
                raise DecodeError(Fault.WRONG_TYPE)
            entries = getattr(message, name)
            for text, item in value.items():
                try:
                    key = key_of(text_of(text))
                    _check_entry(is_known=key in entries, is_null=item is None and not takes_null)
                    if decode is not None:
                        decode(item, entries[key], depth + 1)
                    elif convert is not None:
                        entries[key] = convert(item)
                except DecodeError as error:
                    # The key may be personal data, so the path does not name it.
                    raise error.within("[*]") from None

        return set_map

    def _well_known(self, descriptor: Descriptor) -> DecodeInto | None:
        return {
            "google.protobuf.Timestamp": decode_timestamp,
            "google.protobuf.Duration": decode_duration,
            "google.protobuf.FieldMask": decode_field_mask,
            "google.protobuf.Value": decode_value,
            "google.protobuf.Struct": decode_struct,
            "google.protobuf.ListValue": decode_list_value,
            "google.protobuf.Any": self._any,
        }.get(descriptor.full_name)

    def _any(self, value: Json, message: Message, depth: int) -> None:
        assert isinstance(message, any_pb2.Any)
        check_depth(depth)
        if not isinstance(value, dict):
            raise DecodeError(Fault.WRONG_TYPE)
        if not value:
            return
        type_url = value.get("@type")
        if not isinstance(type_url, str) or "/" not in type_url:
            raise DecodeError(Fault.UNKNOWN_TYPE, ["@type"])
        try:
            descriptor = self._pool.FindMessageTypeByName(type_url.rpartition("/")[2])
        except KeyError as error:
            raise DecodeError(Fault.UNKNOWN_TYPE, ["@type"]) from error
        inner = GetMessageClass(descriptor)()
        rest: Json = {name: item for name, item in value.items() if name != "@type"}
        if self._well_known(descriptor) is not None or descriptor.file.name == _WRAPPERS_FILE:
            if rest.keys() != {"value"}:
                raise DecodeError(Fault.UNKNOWN_FIELD)
            rest = rest["value"]
        self.of(descriptor)(rest, inner, depth + 1)
        message.type_url = type_url
        message.value = inner.SerializeToString()


def _check_entry(*, is_known: bool, is_null: bool) -> None:
    if is_known:
        # "1" and "1.0" are one key of an integer map.
        raise DecodeError(Fault.DUPLICATE_KEY)
    if is_null:
        raise DecodeError(Fault.NULL_ELEMENT)


def _regular(members: dict[str, _Member]) -> DecodeInto:
    def decode(value: Json, message: Message, depth: int) -> None:
        if not isinstance(value, dict):
            raise DecodeError(Fault.WRONG_TYPE)
        if depth > MAX_DEPTH:
            raise DecodeError(Fault.TOO_DEEP)
        seen = 0
        for name, item in value.items():
            member = members.get(name)
            if member is None:
                raise DecodeError(Fault.UNKNOWN_FIELD, [_short(name)])
            if item is None and not member.takes_null:
                continue
            if seen & member.bits:
                raise DecodeError(
                    Fault.ONEOF_CONFLICT if _is_other_member(members, value, name) else Fault.DUPLICATE_FIELD, [name]
                )
            seen |= member.bits
            try:
                member.set(item, message, depth)
            except DecodeError as error:
                raise error.within(name) from None

    return decode


def _is_other_member(members: dict[str, _Member], value: dict[str, Json], name: str) -> bool:
    """Tells two members of a oneof from two spellings of one field."""
    return not any(other != name and members.get(other) is members[name] for other in value)


# A name that no field has comes from outside: it is cut before it goes into an error.
_NAME_SHOWN = 60


def _short(name: str) -> str:
    shown = name[:_NAME_SHOWN]
    return shown if shown.isascii() and shown.isprintable() else "?"


def _scalar(name: str, convert: FromJson) -> DecodeInto:
    def set_scalar(value: Json, message: Message, _depth: int) -> None:
        setattr(message, name, convert(value))

    return set_scalar


def _repeated_scalar(name: str, convert: FromJson) -> DecodeInto:
    def set_all(value: Json, message: Message, _depth: int) -> None:
        if not isinstance(value, list):
            raise DecodeError(Fault.WRONG_TYPE)
        append = getattr(message, name).append
        for index, item in enumerate(value):
            if item is None:
                raise DecodeError(Fault.NULL_ELEMENT, [f"[{index}]"])
            try:
                append(convert(item))
            except DecodeError as error:
                raise error.within(f"[{index}]") from None

    return set_all


def _message(name: str, decode: DecodeInto) -> DecodeInto:
    def set_message(value: Json, message: Message, depth: int) -> None:
        inner = getattr(message, name)
        inner.SetInParent()
        decode(value, inner, depth + 1)

    return set_message


def _repeated_message(name: str, decode: DecodeInto, takes_null: bool) -> DecodeInto:
    def set_all(value: Json, message: Message, depth: int) -> None:
        if not isinstance(value, list):
            raise DecodeError(Fault.WRONG_TYPE)
        add = getattr(message, name).add
        for index, item in enumerate(value):
            if item is None and not takes_null:
                raise DecodeError(Fault.NULL_ELEMENT, [f"[{index}]"])
            try:
                decode(item, add(), depth + 1)
            except DecodeError as error:
                raise error.within(f"[{index}]") from None

    return set_all


def _null_or(convert: FromJson) -> FromJson:
    return lambda value: 0 if value is None else convert(value)


def _wrapper(convert: FromJson) -> DecodeInto:
    def decode(value: Json, message: Message, _depth: int) -> None:
        # The generated classes share no type that has `value`.
        setattr(message, "value", convert(value))  # noqa: B010

    return decode

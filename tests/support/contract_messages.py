"""Every message of the contract, and Hypothesis strategies that make them."""

from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st
from zhibu_gateway.contract.files import contract_files
from zhibu_gateway.descriptors import descriptor_of, message_of

# A message inside a message inside a message is deep enough to meet every conversion, and quick to make.
MAX_DEPTH = 3

_INT32 = st.integers(-(2**31), 2**31 - 1)
_UINT32 = st.integers(0, 2**32 - 1)
_INT64 = st.integers(-(2**63), 2**63 - 1)
_UINT64 = st.integers(0, 2**64 - 1)
# U+0000 and lone surrogates are refused on purpose; both have tests of their own.
TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)

_SCALARS: dict[int, st.SearchStrategy[object]] = {
    FieldDescriptor.TYPE_DOUBLE: st.floats(),
    FieldDescriptor.TYPE_FLOAT: st.floats(width=32),
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_SINT32: _INT32,
    FieldDescriptor.TYPE_SFIXED32: _INT32,
    FieldDescriptor.TYPE_UINT32: _UINT32,
    FieldDescriptor.TYPE_FIXED32: _UINT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_SINT64: _INT64,
    FieldDescriptor.TYPE_SFIXED64: _INT64,
    FieldDescriptor.TYPE_UINT64: _UINT64,
    FieldDescriptor.TYPE_FIXED64: _UINT64,
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_STRING: TEXT,
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=12),
}


def contract_messages() -> list[Descriptor]:
    """Gives every message type of the contract, nested ones too, without the entries of maps."""
    return [message for file in contract_files() for message in messages_of(file)]


def messages_of(file: FileDescriptor) -> list[Descriptor]:
    """Gives every message type of one file."""
    return [nested for message in file.message_types_by_name.values() for nested in _with_nested(message)]


def _with_nested(descriptor: Descriptor) -> Iterator[Descriptor]:
    if descriptor.GetOptions().map_entry:
        return
    yield descriptor
    for nested in descriptor.nested_types:
        yield from _with_nested(nested)


@st.composite
def a_message(draw: st.DrawFn, descriptor: Descriptor, depth: int = 0) -> Message:
    """Makes a message with some fields set, of which every value has a JSON form unless it is a special one."""
    message = GetMessageClass(descriptor)()
    match descriptor.full_name:
        case "google.protobuf.Timestamp":
            _set(message, seconds=draw(st.integers(-62135596800, 253402300799)), nanos=draw(_nanos()))
        case "google.protobuf.Duration":
            seconds, nanos = draw(st.integers(0, 315576000000)), draw(_nanos())
            sign = draw(st.sampled_from([1, -1]))
            _set(message, seconds=sign * seconds, nanos=sign * nanos)
        case "google.protobuf.FieldMask":
            paths = draw(
                st.lists(
                    st.from_regex(r"[a-z]{1,3}(_[a-z][a-z0-9]{0,2}){0,2}(\.[a-z]{1,3})?", fullmatch=True), max_size=3
                )
            )
            getattr(message, "paths").extend(paths)  # noqa: B009
        case "google.protobuf.Any":
            if draw(st.booleans()):
                # An Any is one of the types that it is likely to hold, and its own well-known neighbours.
                inner = draw(a_message(draw(st.sampled_from(_any_contents())), depth + 1))
                getattr(message, "Pack")(inner)  # noqa: B009
        case "google.protobuf.Value":
            draw(_fill_value(message, depth))
        case _:
            for field in descriptor.fields:
                if draw(st.integers(0, 2 + 2 * depth)) < 2:
                    draw(_fill(message, field, depth))
    return message


def _nanos() -> st.SearchStrategy[int]:
    return st.one_of(
        st.just(0),
        st.integers(0, 999).map(lambda n: n * 1_000_000),
        st.integers(0, 999_999).map(lambda n: n * 1000),
        st.integers(0, 999_999_999),
    )


def _any_contents() -> list[Descriptor]:
    from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2  # noqa: PLC0415 used in one branch
    from zhibu.testing.v1 import probe_service_pb2  # noqa: PLC0415

    return [
        timestamp_pb2.Timestamp.DESCRIPTOR,
        duration_pb2.Duration.DESCRIPTOR,
        struct_pb2.Struct.DESCRIPTOR,
        wrappers_pb2.Int64Value.DESCRIPTOR,
        probe_service_pb2.Record.DESCRIPTOR,
    ]


@st.composite
def _fill(draw: st.DrawFn, message: Message, field: FieldDescriptor, depth: int) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key_field, value_field = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
        entries = getattr(message, field.name)
        for key in draw(st.lists(_SCALARS[key_field.type], max_size=2)):
            if value_field.message_type is None:
                entries[key] = draw(_scalar(value_field))
            elif depth < MAX_DEPTH:
                entries[key].CopyFrom(draw(a_message(value_field.message_type, depth + 1)))
    elif field.message_type is not None:
        if depth >= MAX_DEPTH:
            return
        if field.is_repeated:
            for _ in range(draw(st.integers(0, 2))):
                getattr(message, field.name).add().CopyFrom(draw(a_message(field.message_type, depth + 1)))
        else:
            inner = getattr(message, field.name)
            inner.SetInParent()
            inner.CopyFrom(draw(a_message(field.message_type, depth + 1)))
    elif field.is_repeated:
        getattr(message, field.name).extend(draw(st.lists(_scalar(field), max_size=3)))
    else:
        setattr(message, field.name, draw(_scalar(field)))


def _scalar(field: FieldDescriptor) -> st.SearchStrategy[object]:
    if field.enum_type is None:
        return _SCALARS[field.type]
    known = st.sampled_from([value.number for value in field.enum_type.values])
    if field.enum_type.is_closed or field.enum_type.full_name == "google.protobuf.NullValue":
        return known
    return st.one_of(known, _INT32)


@st.composite
def _fill_value(draw: st.DrawFn, message: Message, depth: int) -> None:
    # A Value without a kind and one that is no finite number have no JSON form that reads back.
    kind = draw(st.integers(0, 3 if depth >= MAX_DEPTH else 5))
    match kind:
        case 0:
            _set(message, null_value=0)
        case 1:
            _set(message, number_value=draw(st.floats(allow_nan=False, allow_infinity=False)))
        case 2:
            _set(message, string_value=draw(TEXT))
        case 3:
            _set(message, bool_value=draw(st.booleans()))
        case _:
            name = "struct_value" if kind == 4 else "list_value"
            inner = getattr(message, name)
            inner.SetInParent()
            inner.CopyFrom(draw(a_message(message_of(descriptor_of(message).fields_by_name[name]), depth + 1)))


def _set(message: Message, **values: object) -> None:
    for name, value in values.items():
        setattr(message, name, value)

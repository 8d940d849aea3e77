"""Puts the text of path and query parameters into request messages, by setters compiled at start."""

from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from zhibu_gateway.contract.methods import Binding, ContractError
from zhibu_gateway.json_codec import DecodeError, Decoders, Fault
from zhibu_gateway.json_codec.scalars import from_text

SetText = Callable[[Message, str], None]

# A filter inside a filter inside a filter: nobody writes deeper queries.
_MAX_DEPTH = 4
_MAX_PARAMETERS = 100
_FILE = "google.api.HttpBody"

# Messages that are one text in JSON, and so in a query.
TEXT_MESSAGES = frozenset(
    {
        "google.protobuf.Timestamp",
        "google.protobuf.Duration",
        "google.protobuf.FieldMask",
        "google.protobuf.StringValue",
        "google.protobuf.BytesValue",
        "google.protobuf.Int32Value",
        "google.protobuf.Int64Value",
        "google.protobuf.UInt32Value",
        "google.protobuf.UInt64Value",
        "google.protobuf.DoubleValue",
        "google.protobuf.FloatValue",
    }
)


def query_fields(
    request: Descriptor, binding: Binding
) -> Iterator[tuple[tuple[FieldDescriptor, ...], FieldDescriptor]]:
    """Gives the fields that travel in the query, each with the messages that lead to it.

    By google.api.http these are all that neither path nor body holds. Maps, repeated messages and free JSON have no form
    in a query.
    """
    if binding.has_body and binding.body_field is None:
        return
    taken = {variable.field_path for variable in binding.template.variables}
    if binding.body_field is not None:
        taken.add(binding.body_field.name)
        if binding.body_field.message_type is not None and binding.body_field.message_type.full_name == _FILE:
            # An upload's name comes in a header, see pipelines/header_fields.py.
            taken.add("file_name")
    yield from _leaves(request, (), taken)


def _leaves(
    message: Descriptor, parents: tuple[FieldDescriptor, ...], taken: set[str]
) -> Iterator[tuple[tuple[FieldDescriptor, ...], FieldDescriptor]]:
    for field in message.fields:
        path = ".".join(part.name for part in (*parents, field))
        if path in taken:
            continue
        if field.message_type is None or field.message_type.full_name in TEXT_MESSAGES:
            yield parents, field
        elif not field.is_repeated and len(parents) < _MAX_DEPTH and not _is_free(field.message_type):
            yield from _leaves(field.message_type, (*parents, field), taken)


def _is_free(message: Descriptor) -> bool:
    return message.file.name in ("google/protobuf/struct.proto", "google/protobuf/any.proto")


class ParameterSetters:
    """The setters of one binding."""

    def __init__(self, request: Descriptor, binding: Binding, decoders: Decoders) -> None:
        """Compiles a setter for every path variable and every query parameter.

        Raises:
            ContractError: a path variable names no singular scalar field.
        """
        self._path = {
            variable.field_path: _path_setter(request, variable.field_path, decoders)
            for variable in binding.template.variables
        }
        self._query: dict[str, tuple[SetText, bool]] = {}
        for parents, field in query_fields(request, binding):
            setter = (_setter(parents, field, decoders), field.is_repeated)
            for spell in ("json_name", "name"):
                self._query[".".join(getattr(part, spell) for part in (*parents, field))] = setter

    def set_path(self, message: Message, values: tuple[tuple[str, str], ...]) -> None:
        """Sets the fields that the path holds; a body that says something else about one of them is refused.

        Raises:
            DecodeError: a value does not fit its field, or contradicts the body.
        """
        for field_path, text in values:
            try:
                self._path[field_path](message, text)
            except DecodeError as error:
                raise error.within(field_path) from None

    def set_query(self, message: Message, raw_query: bytes) -> None:
        """Sets the fields that the query holds.

        Raises:
            DecodeError: an unknown or repeated parameter, or a value that does not fit its field.
        """
        pieces = raw_query.split(b"&")
        if len(pieces) > _MAX_PARAMETERS:
            raise DecodeError(Fault.OUT_OF_RANGE)
        seen: set[SetText] = set()
        for piece in pieces:
            if not piece:
                continue
            raw_name, _, raw_value = piece.partition(b"=")
            name, value = _decode(raw_name), _decode(raw_value)
            found = self._query.get(name)
            if found is None:
                raise DecodeError(Fault.UNKNOWN_FIELD, [name[:60] if name.isascii() and name.isprintable() else "?"])
            setter, repeated = found
            if setter in seen and not repeated:
                raise DecodeError(Fault.DUPLICATE_FIELD, [name])
            seen.add(setter)
            try:
                setter(message, value)
            except DecodeError as error:
                raise error.within(name) from None


def _decode(raw: bytes) -> str:
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise DecodeError(Fault.NOT_UTF8) from error
    return text


def _path_setter(request: Descriptor, field_path: str, decoders: Decoders) -> SetText:
    *parent_names, name = field_path.split(".")
    parents: list[FieldDescriptor] = []
    message = request
    for parent in parent_names:
        field = message.fields_by_name.get(parent)
        if field is None or field.message_type is None or field.is_repeated:
            raise ContractError(f"{request.full_name} has no message at {field_path}")
        parents.append(field)
        message = field.message_type
    field = message.fields_by_name.get(name)
    if field is None or field.is_repeated or field.message_type is not None:
        raise ContractError(f"{request.full_name}.{field_path} cannot stand in a path")
    convert = from_text(field)
    default = field.default_value

    def set_once(target: Message, text: str) -> None:
        for parent in parents:
            target = getattr(target, parent.name)
        value = convert(text)
        present = getattr(target, name)
        if present not in (default, value):
            # The body named another record than the path: which one is meant, nobody can say.
            raise DecodeError(Fault.DUPLICATE_FIELD)
        setattr(target, name, value)

    return set_once


def _setter(parents: tuple[FieldDescriptor, ...], field: FieldDescriptor, decoders: Decoders) -> SetText:
    name = field.name
    if field.message_type is not None:
        decode = decoders.of(field.message_type)

        def put(target: Message, text: str) -> None:
            inner = getattr(target, name).add() if field.is_repeated else getattr(target, name)
            if not field.is_repeated:
                inner.SetInParent()
            decode(text, inner, 0)

    else:
        convert = from_text(field)

        def put(target: Message, text: str) -> None:
            if field.is_repeated:
                getattr(target, name).append(convert(text))
            else:
                setattr(target, name, convert(text))

    def set_text(message: Message, text: str) -> None:
        target = message
        for parent in parents:
            target = getattr(target, parent.name)
            target.SetInParent()
        put(target, text)

    return set_text

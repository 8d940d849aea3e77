"""Headers that are fields of the request: Idempotency-Key, If-Match, Last-Event-ID, Content-Disposition; the answer's ETag."""

import re
from collections.abc import Callable
from email.message import Message as Headers
from typing import Final

from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from zhibu_kit.errors import ETAG_MISMATCH

from zhibu_gateway.contract.methods import Binding, Input, PublicMethod
from zhibu_gateway.errors import IDEMPOTENCY_KEY_UNSUPPORTED, MALFORMED_HEADER, PRECONDITION_REQUIRED
from zhibu_gateway.web.exchange import Exchange

# The draft for Idempotency-Key writes a quoted string; clients send bare ones as well.
_KEY: Final = re.compile(r'"?([A-Za-z0-9._~-]{1,64})"?', re.ASCII)
_STRONG_TAG: Final = re.compile(r'"([\x21\x23-\x7e]{1,64})"')
_ANY_TAG: Final = re.compile(r'(?:W/)?"([\x21\x23-\x7e]{0,64})"')

EtagOf = Callable[[Message], str]


class HeaderFields:
    """The header fields of one binding."""

    def __init__(self, method: PublicMethod, binding: Binding) -> None:
        """Finds which of the fields the request has."""
        self._writes = binding.http_method not in ("GET", "HEAD")
        self.has_request_id = self._writes and _is_text(method.request, "request_id")
        self.has_etag = self._writes and _is_text(method.request, "etag")
        self.needs_etag = self.has_etag and (
            binding.http_method in ("PUT", "PATCH") or _is_required(method.request.fields_by_name["etag"])
        )
        self._has_event_id = _is_text(method.request, "last_event_id")
        self.names_file = file_name_field(method.request, method.input, binding) is not None

    def apply(self, exchange: Exchange, message: Message) -> None:
        """Moves the headers into the message.

        Raises:
            ServiceError: a header is malformed, contradicts the body, is missing, or is one that the method cannot honour.
        """
        headers = exchange.headers
        if self._writes:
            key = headers.get("idempotency-key")
            if key is not None:
                self._set_key(message, key)
            if_match = headers.get("if-match")
            if if_match is not None:
                self._set_etag(message, if_match)
            if self.needs_etag and not getattr(message, "etag"):  # noqa: B009 generated classes share no type
                raise PRECONDITION_REQUIRED()
        if self.names_file:
            disposition = headers.get("content-disposition")
            if disposition is not None:
                setattr(message, "file_name", read_file_name(disposition))  # noqa: B010
        if self._has_event_id:
            event_id = headers.get("last-event-id")
            if event_id is not None and _KEY.fullmatch(event_id):
                setattr(message, "last_event_id", event_id)  # noqa: B010

    def _set_key(self, message: Message, header: str) -> None:
        if not self.has_request_id:
            # Ignoring it would let the client believe that repeating is safe.
            raise IDEMPOTENCY_KEY_UNSUPPORTED()
        match = _KEY.fullmatch(header)
        if match is None or getattr(message, "request_id") not in ("", match.group(1)):  # noqa: B009
            raise MALFORMED_HEADER(header="Idempotency-Key")
        setattr(message, "request_id", match.group(1))  # noqa: B010

    def _set_etag(self, message: Message, header: str) -> None:
        if not self.has_etag:
            raise MALFORMED_HEADER(header="If-Match")
        if header.startswith("W/"):
            # RFC 9110, 13.1.1: a weak tag never matches here.
            raise ETAG_MISMATCH()
        match = _STRONG_TAG.fullmatch(header.strip())
        if match is None or getattr(message, "etag") not in ("", match.group(1)):  # noqa: B009
            raise MALFORMED_HEADER(header="If-Match")
        setattr(message, "etag", match.group(1))  # noqa: B010


def file_name_field(request: Descriptor, kind: Input, binding: Binding) -> FieldDescriptor | None:
    """Gives the field of an upload that takes the file's name from Content-Disposition (RFC 6266), if there is one.

    The name may tell who somebody is, so it stands in no address; a path that holds it all the same is left alone.
    """
    in_path = any(variable.field_path == "file_name" for variable in binding.template.variables)
    if kind not in (Input.RAW, Input.RAW_STREAM) or in_path or not _is_text(request, "file_name"):
        return None
    return request.fields_by_name["file_name"]


def read_file_name(disposition: str) -> str:
    """Gives the file's name that a Content-Disposition holds.

    Raises:
        ServiceError: MALFORMED_HEADER when it holds none, or one in an encoding that makes no text of it.
    """
    header = Headers()
    header["content-disposition"] = disposition
    try:
        name = header.get_filename()
        # Some encodings that can be named there make halves of characters, which no message takes.
        (name or "").encode()
    except UnicodeError:
        name = None
    if name is None:
        raise MALFORMED_HEADER(header="Content-Disposition")
    # Of a path, as some browsers send it, only the name.
    return name.replace("\\", "/").rpartition("/")[2]


def etag_of(response: Descriptor) -> EtagOf | None:
    """Compiles how an answer's entity tag is found: in the answer, or in the one record that it holds."""
    if _is_text(response, "etag"):
        return lambda message: getattr(message, "etag")  # noqa: B009
    records = [
        field
        for field in response.fields
        if field.message_type is not None and not field.is_repeated and _is_text(field.message_type, "etag")
    ]
    if len(records) != 1:
        return None
    name = records[0].name
    return lambda message: getattr(message, name).etag


def is_known_to_client(exchange: Exchange, etag: str) -> bool:
    """Tells whether the client has this version already (If-None-Match, RFC 9110, 13.1.2)."""
    header = exchange.headers.get("if-none-match")
    if header is None or exchange.http_method not in ("GET", "HEAD"):
        return False
    return header.strip() == "*" or etag in _ANY_TAG.findall(header)


def _is_text(message: Descriptor, name: str) -> bool:
    field = message.fields_by_name.get(name)
    return field is not None and field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated


def _is_required(field: FieldDescriptor) -> bool:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    return rules.required or rules.string.min_len > 0 or rules.string.len > 0

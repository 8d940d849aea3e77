"""Makes the request message out of an HTTP request: body, path, query and headers, in this order."""

from typing import Final

from google.api import httpbody_pb2
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from zhibu_gateway.contract.methods import Binding, Input, PublicMethod
from zhibu_gateway.contract.request_fields import ParameterSetters
from zhibu_gateway.descriptors import message_of
from zhibu_gateway.json_codec import loads
from zhibu_gateway.pipelines.header_fields import HeaderFields
from zhibu_gateway.pipelines.parts import Parts
from zhibu_gateway.pipelines.request_body import check_json, refuse_compressed, whole_body
from zhibu_gateway.web.exchange import Exchange

Values = tuple[tuple[str, str], ...]

# What of a webhook's headers is nobody's business but ours.
_HIDDEN: Final = frozenset({"authorization", "cookie", "proxy-authorization", "connection", "host"})
_HIDDEN_PREFIXES: Final = ("x-forwarded-", "x-real-", "forwarded")
_MAX_HEADERS: Final = 60
_MAX_HEADER_LENGTH: Final = 4096
_DEFAULT_MEDIA_TYPE: Final = "application/octet-stream"


class RequestReader:
    """Reads the requests of one binding."""

    def __init__(self, method: PublicMethod, binding: Binding, parts: Parts) -> None:
        """Compiles what does not change from request to request."""
        self._new = GetMessageClass(method.request)
        self._input = method.input
        self._body_field = binding.body_field.name if binding.body_field is not None else None
        self.max_bytes = method.limits.max_request_bytes or parts.settings.max_request_bytes
        self._setters = ParameterSetters(method.request, binding, parts.decoders)
        self._headers = HeaderFields(method, binding)
        body_type = method.request if binding.body_field is None else message_of(binding.body_field)
        self._decode = parts.decoders.of(body_type) if method.input is Input.JSON else None

    async def read(self, exchange: Exchange, values: Values) -> Message:
        """Reads a request that is one message.

        Raises:
            ServiceError: size, format or headers are not in order.
            DecodeError: body, path or query do not fit the message.
        """
        message = self._new()
        match self._input:
            case Input.JSON:
                await self._read_json(exchange, message)
            case Input.RAW:
                refuse_compressed(exchange)
                self._put_raw(exchange, message, await whole_body(exchange, self.max_bytes))
            case Input.WEBHOOK:
                self._put_raw(exchange, message, await whole_body(exchange, self.max_bytes))
                _put_headers(exchange, message)
            case _:
                pass
        self.fill(exchange, message, values)
        return message

    def first(self, exchange: Exchange, values: Values) -> Message:
        """Makes the first message of an upload: everything but the bytes."""
        message = self._new()
        self._put_raw(exchange, message, b"")
        self.fill(exchange, message, values)
        return message

    def piece(self, message: Message | None, data: bytes) -> Message:
        """Makes a message with a piece of the body, or puts the piece into one that there is."""
        message = message if message is not None else self._new()
        self._raw(message).data = data
        return message

    def fill(self, exchange: Exchange, message: Message, values: Values) -> None:
        """Puts path, query and headers into a message."""
        self._setters.set_path(message, values)
        query: bytes = exchange.scope.get("query_string", b"")
        if query:
            self._setters.set_query(message, query)
        self._headers.apply(exchange, message)

    async def _read_json(self, exchange: Exchange, message: Message) -> None:
        body = await whole_body(exchange, self.max_bytes)
        check_json(exchange, empty=not body)
        assert self._decode is not None
        target = message
        if self._body_field is not None:
            target = getattr(message, self._body_field)
            target.SetInParent()
        # An action without any arguments needs no body at all.
        self._decode(loads(body) if body else {}, target, 0)

    def _put_raw(self, exchange: Exchange, message: Message, data: bytes) -> None:
        raw = self._raw(message)
        raw.content_type = exchange.headers.get("content-type", _DEFAULT_MEDIA_TYPE)[:255]
        raw.data = data

    def _raw(self, message: Message) -> httpbody_pb2.HttpBody:
        assert self._body_field is not None
        return getattr(message, self._body_field)


def _put_headers(exchange: Exchange, message: Message) -> None:
    headers = getattr(message, "headers")  # noqa: B009 generated classes share no type
    for name, value in list(exchange.headers.items())[:_MAX_HEADERS]:
        if name not in _HIDDEN and not name.startswith(_HIDDEN_PREFIXES) and len(value) <= _MAX_HEADER_LENGTH:
            headers[name] = value

"""Answers that are one message: JSON, or a small file."""

import asyncio
import random
import time
from collections.abc import Iterable
from typing import Final, cast

import grpc.aio
import orjson
from google.api import httpbody_pb2
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from zhibu_kit.errors import UNAVAILABLE
from zhibu_kit.method import method_of
from zhibu_kit.status import DETAILS_KEY, NOT_SERVED

from zhibu_gateway.contract.methods import Binding, Output, PublicMethod
from zhibu_gateway.json_codec import Json
from zhibu_gateway.pipelines.admission import Admission
from zhibu_gateway.pipelines.disposition import default_name, download_headers, name_of
from zhibu_gateway.pipelines.header_fields import etag_of, is_known_to_client
from zhibu_gateway.pipelines.parts import Parts
from zhibu_gateway.pipelines.request_body import check_acceptable
from zhibu_gateway.pipelines.request_reader import RequestReader, Values
from zhibu_gateway.web.exchange import Exchange

_JSON: Final = "application/json"
_MAX_ATTEMPTS: Final = 4
# Doubled each time: together well over the second that a restarted process needs to listen again.
_FIRST_PAUSE_S: Final = 0.1


class UnaryPipeline:
    """Takes requests of one binding to a unary RPC and back."""

    def __init__(self, method: PublicMethod, binding: Binding, parts: Parts) -> None:
        """Compiles the pipeline."""
        self._admission = Admission(method, parts)
        self._reader = RequestReader(method, binding, parts)
        self._peer, self._path = method.peer, method.full_path
        self._channels = parts.channels
        self._serialize = GetMessageClass(method.request).SerializeToString
        self._deserialize = GetMessageClass(method.response).FromString
        self._timeout_s = (method.limits.timeout_ms or parts.settings.timeout_ms) / 1000
        self._reads = method_of(method.descriptor).reads
        self._has_request_id = "request_id" in method.request.fields_by_name
        self._default_name = default_name(binding.template)
        self._is_file = method.output is Output.FILE
        self._encode = parts.encoders.of(method.response)
        self._part = binding.response_field.json_name if binding.response_field is not None else None
        self._etag_of = etag_of(method.response)

    async def __call__(self, exchange: Exchange, values: Values) -> None:
        """Handles one request; refusals are raised."""
        if not self._is_file:
            check_acceptable(exchange, _JSON)
        await self._admission.admit(exchange)
        request = await self._reader.read(exchange, values)
        invoke = self._channels.of(self._peer).unary_unary(
            self._path, request_serializer=self._serialize, response_deserializer=self._deserialize
        )
        response = await self._call(invoke, request, self._admission.metadata(exchange))
        if self._is_file:
            assert isinstance(response, httpbody_pb2.HttpBody)
            await self._answer_file(exchange, request, response)
        else:
            await self._answer_json(exchange, response)

    async def _call(
        self,
        invoke: "grpc.aio.UnaryUnaryMultiCallable[Message, Message]",
        request: Message,
        metadata: tuple[tuple[str, str], ...],
    ) -> Message:
        """Calls, and calls again where nobody was reached and a second time can do no harm: a service may be restarting."""
        ends_at_s = time.monotonic() + self._timeout_s
        may_repeat = self._reads or (self._has_request_id and bool(getattr(request, "request_id")))  # noqa: B009
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            left_s = ends_at_s - time.monotonic()
            try:
                return await invoke(request, timeout=left_s, metadata=metadata)
            except grpc.aio.AioRpcError as error:
                pause_s = _FIRST_PAUSE_S * 2**attempt * (0.5 + random.random() / 2)  # noqa: S311 jitter, no secret
                if not may_repeat or attempt == _MAX_ATTEMPTS or pause_s >= left_s or not _reached_nobody(error):
                    raise
            await asyncio.sleep(pause_s)
        raise UNAVAILABLE()

    async def _answer_json(self, exchange: Exchange, response: Message) -> None:
        if self._etag_of is not None:
            etag = self._etag_of(response)
            if etag:
                exchange.add("etag", f'"{etag}"')
                if is_known_to_client(exchange, etag):
                    await exchange.start(304, [(b"cache-control", b"no-store")])
                    await exchange.write(b"", more=False)
                    return
        written: Json = self._encode(response)
        if self._part is not None:
            assert isinstance(written, dict)
            written = written.get(self._part)
        await exchange.answer(200, orjson.dumps(written), media_type=_JSON)

    async def _answer_file(self, exchange: Exchange, request: Message, response: httpbody_pb2.HttpBody) -> None:
        headers = [
            *download_headers(response.content_type, name_of(request, response, default=self._default_name)),
            (b"content-length", str(len(response.data)).encode()),
        ]
        await exchange.start(200, headers)
        await exchange.write(response.data, more=False)


def _reached_nobody(error: grpc.aio.AioRpcError) -> bool:
    """Tells whether no service answered; one that answers "unavailable" by itself says so in the details."""
    trailers = cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata() or ())
    return error.code() in NOT_SERVED and all(key != DETAILS_KEY for key, _ in trailers)

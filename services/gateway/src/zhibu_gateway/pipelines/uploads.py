"""Uploads: the body's bytes become a stream of messages, no faster than the service takes them."""

import asyncio
from contextlib import aclosing
from typing import Final

import grpc.aio
import orjson
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from zhibu_gateway.contract.methods import Binding, PublicMethod
from zhibu_gateway.pipelines.admission import Admission
from zhibu_gateway.pipelines.parts import Parts
from zhibu_gateway.pipelines.request_body import check_acceptable, check_length, chunks_of, refuse_compressed
from zhibu_gateway.pipelines.request_reader import RequestReader, Values
from zhibu_gateway.web.exchange import Exchange

_TIMEOUT_S: Final = 300.0
# Well below the 4 MiB that a gRPC server takes by default.
_PIECE_BYTES: Final = 256 * 1024
_JSON: Final = "application/json"


class UploadPipeline:
    """Takes requests of one binding to an RPC that receives a stream.

    As in Google's and Envoy's transcoding, the first message carries path, query and media type besides the first piece, and
    the others carry pieces only.
    """

    def __init__(self, method: PublicMethod, binding: Binding, parts: Parts) -> None:
        """Compiles the pipeline."""
        self._admission = Admission(method, parts)
        self._reader = RequestReader(method, binding, parts)
        self._peer, self._path = method.peer, method.full_path
        self._channels = parts.channels
        self._serialize = GetMessageClass(method.request).SerializeToString
        self._deserialize = GetMessageClass(method.response).FromString
        self._timeout_s = method.limits.timeout_ms / 1000 or _TIMEOUT_S
        self._encode = parts.encoders.of(method.response)

    async def __call__(self, exchange: Exchange, values: Values) -> None:
        """Handles one request; refusals are raised, by us or by the service, whichever comes first."""
        check_acceptable(exchange, _JSON)
        refuse_compressed(exchange)
        await self._admission.admit(exchange)
        check_length(exchange, self._reader.max_bytes)
        first = self._reader.first(exchange, values)
        invoke = self._channels.of(self._peer).stream_unary(
            self._path, request_serializer=self._serialize, response_deserializer=self._deserialize
        )
        call = invoke(None, timeout=self._timeout_s, metadata=self._admission.metadata(exchange))
        try:
            await self._send(exchange, call, first)
            response: Message = await call
        finally:
            call.cancel()
        await exchange.answer(200, orjson.dumps(self._encode(response)), media_type=_JSON)

    async def _send(
        self, exchange: Exchange, call: "grpc.aio.StreamUnaryCall[Message, Message]", first: Message
    ) -> None:
        message: Message | None = first
        try:
            async with aclosing(chunks_of(exchange, self._reader.max_bytes)) as chunks:
                async for chunk in chunks:
                    for start in range(0, len(chunk), _PIECE_BYTES):
                        await call.write(self._reader.piece(message, chunk[start : start + _PIECE_BYTES]))
                        message = None
            if message is not None:
                await call.write(message)
            await call.done_writing()
        except asyncio.InvalidStateError:
            # The service has answered before the end, most likely with a refusal, which the caller of this awaits next.
            return

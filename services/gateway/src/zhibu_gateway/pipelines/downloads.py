"""Downloads: a stream of google.api.HttpBody becomes the answer's body, no faster than the client takes it."""

import asyncio
import logging
from typing import Final

import grpc.aio
from google.api import httpbody_pb2
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from zhibu_gateway.contract.methods import Binding, PublicMethod
from zhibu_gateway.pipelines.admission import Admission
from zhibu_gateway.pipelines.disconnect import watching
from zhibu_gateway.pipelines.disposition import default_name, download_headers, name_of
from zhibu_gateway.pipelines.parts import Parts
from zhibu_gateway.pipelines.request_reader import RequestReader, Values
from zhibu_gateway.web.exchange import Exchange

log = logging.getLogger("zhibu.gateway")

_TIMEOUT_S: Final = 600.0
# A client that takes no bytes for this long is not downloading any more.
_WRITE_TIMEOUT_S: Final = 60.0


class DownloadPipeline:
    """Takes requests of one binding to an RPC that streams a file."""

    def __init__(self, method: PublicMethod, binding: Binding, parts: Parts) -> None:
        """Compiles the pipeline."""
        self._admission = Admission(method, parts)
        self._reader = RequestReader(method, binding, parts)
        self._peer, self._path = method.peer, method.full_path
        self._channels, self._streams = parts.channels, parts.streams
        self._serialize = GetMessageClass(method.request).SerializeToString
        self._default_name = default_name(binding.template)
        self._timeout_s = method.limits.timeout_ms / 1000 or _TIMEOUT_S

    async def __call__(self, exchange: Exchange, values: Values) -> None:
        """Handles one request; what is refused before the first byte is raised."""
        await self._admission.admit(exchange)
        request = await self._reader.read(exchange, values)
        invoke = self._channels.of(self._peer).unary_stream(
            self._path,
            request_serializer=self._serialize,
            response_deserializer=httpbody_pb2.HttpBody.FromString,
        )
        with self._streams.one():
            call = invoke(request, timeout=self._timeout_s, metadata=self._admission.metadata(exchange))
            try:
                # Errors that come before any bytes still become a proper problem.
                first = await call.read()
                body = first if isinstance(first, httpbody_pb2.HttpBody) else httpbody_pb2.HttpBody()
                await exchange.start(
                    200, download_headers(body.content_type, name_of(request, body, default=self._default_name))
                )
                await self._pass_on(exchange, call, first)
            finally:
                call.cancel()

    async def _pass_on(
        self, exchange: Exchange, call: "grpc.aio.UnaryStreamCall[Message, Message]", piece: object
    ) -> None:
        async with watching(exchange) as gone:
            try:
                while isinstance(piece, httpbody_pb2.HttpBody):
                    if gone.done():
                        return
                    async with asyncio.timeout(_WRITE_TIMEOUT_S):
                        await exchange.write(piece.data, more=True)
                    piece = await call.read()
            except (grpc.aio.AioRpcError, TimeoutError) as error:
                # The status line is long gone. An answer without its end is cut off by the server, and the client sees it.
                log.warning(
                    "A download broke off", extra={"fields": {"method": self._path, "error": type(error).__name__}}
                )
                return
            await exchange.write(b"", more=False)

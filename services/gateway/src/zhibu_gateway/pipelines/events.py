"""Server-sent events: a stream of messages for browsers and curl (WHATWG HTML, section 9.2)."""

import asyncio
import logging
from typing import Final, Literal

import grpc.aio
import orjson
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from zhibu_kit.status import error_of

from zhibu_gateway.contract.methods import Binding, PublicMethod
from zhibu_gateway.pipelines.admission import Admission
from zhibu_gateway.pipelines.disconnect import watching
from zhibu_gateway.pipelines.parts import Parts
from zhibu_gateway.pipelines.request_body import check_acceptable
from zhibu_gateway.pipelines.request_reader import RequestReader, Values
from zhibu_gateway.web.exchange import API_POLICY, Exchange
from zhibu_gateway.web.problems import problem_of

log = logging.getLogger("zhibu.gateway")

MEDIA_TYPE: Final = "text/event-stream"
# Shorter than the fifty minutes after which services end streams; a client then opens the next one.
_TIMEOUT_S: Final = 2_900.0
# A refusal comes within this, and then as a proper status; a stream that has nothing to say yet opens after it.
_OPENING_S: Final = 1.0
_WRITE_TIMEOUT_S: Final = 30.0
# What EventSource waits before it opens the stream again, in milliseconds.
_RETRY: Final = b"retry: 2000\n\n"

_Waited = Literal["message", "silence", "gone", "closing"]


class EventsPipeline:
    """Takes requests of one binding to an RPC that streams messages.

    Each message is an event "update" with a number as id. The end of the stream is an event "end", after which a client
    does not come back; an error is an event "problem" with the same document as anywhere else.
    """

    def __init__(self, method: PublicMethod, binding: Binding, parts: Parts) -> None:
        """Compiles the pipeline."""
        self._admission = Admission(method, parts)
        self._reader = RequestReader(method, binding, parts)
        self._peer, self._path = method.peer, method.full_path
        self._channels, self._streams = parts.channels, parts.streams
        self._serialize = GetMessageClass(method.request).SerializeToString
        self._deserialize = GetMessageClass(method.response).FromString
        self._timeout_s = method.limits.timeout_ms / 1000 or _TIMEOUT_S
        self._encode = parts.encoders.of(method.response)
        self._heartbeat_s = parts.settings.heartbeat_s

    async def __call__(self, exchange: Exchange, values: Values) -> None:
        """Handles one request; what is refused before the first event is raised."""
        check_acceptable(exchange, MEDIA_TYPE)
        await self._admission.admit(exchange)
        request = await self._reader.read(exchange, values)
        invoke = self._channels.of(self._peer).unary_stream(
            self._path, request_serializer=self._serialize, response_deserializer=self._deserialize
        )
        with self._streams.one():
            call = invoke(request, timeout=self._timeout_s, metadata=self._admission.metadata(exchange))
            reading = asyncio.ensure_future(call.read())
            try:
                done, _ = await asyncio.wait({reading}, timeout=_OPENING_S)
                if done:
                    reading.result()
                await self._open(exchange)
                async with watching(exchange) as gone:
                    await self._pass_on(exchange, call, reading, gone)
            finally:
                reading.cancel()
                call.cancel()

    async def _open(self, exchange: Exchange) -> None:
        headers = [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"cache-control", b"no-store"),
            (b"content-security-policy", API_POLICY),
            # Buffering proxies would keep events back.
            (b"x-accel-buffering", b"no"),
        ]
        await exchange.start(200, headers)
        await exchange.write(_RETRY, more=True)

    async def _pass_on(
        self,
        exchange: Exchange,
        call: "grpc.aio.UnaryStreamCall[Message, Message]",
        reading: "asyncio.Future[object]",
        gone: asyncio.Task[None],
    ) -> None:
        number = 0
        closing = asyncio.create_task(self._streams.closing.wait(), name="closing")
        try:
            while True:
                match await self._wait(reading, gone, closing):
                    case "gone":
                        return
                    case "closing":
                        break
                    case "silence":
                        await _write(exchange, b": still here\n\n")
                        continue
                    case "message":
                        pass
                message = reading.result()
                if not isinstance(message, Message):
                    await _write(exchange, b"event: end\ndata: {}\n\n")
                    break
                number += 1
                data = orjson.dumps(self._encode(message))
                await _write(exchange, b"id: %d\nevent: update\ndata: %b\n\n" % (number, data))
                reading = asyncio.ensure_future(call.read())
        except grpc.aio.AioRpcError as error:
            problem = problem_of(exchange, error_of(error))
            await _write(exchange, b"event: problem\ndata: %b\n\n" % orjson.dumps(problem))
        except TimeoutError:
            log.info("An event stream's client takes nothing any more", extra={"fields": {"method": self._path}})
            return
        finally:
            closing.cancel()
            reading.cancel()
        await exchange.write(b"", more=False)

    async def _wait(
        self, reading: "asyncio.Future[object]", gone: asyncio.Task[None], closing: asyncio.Task[bool]
    ) -> _Waited:
        done, _ = await asyncio.wait(
            {reading, gone, closing}, timeout=self._heartbeat_s, return_when=asyncio.FIRST_COMPLETED
        )
        if gone in done:
            return "gone"
        if reading in done:
            return "message"
        return "closing" if closing in done else "silence"


async def _write(exchange: Exchange, data: bytes) -> None:
    async with asyncio.timeout(_WRITE_TIMEOUT_S):
        await exchange.write(data, more=True)

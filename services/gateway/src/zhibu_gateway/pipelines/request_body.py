"""Reads request bodies: bounded in length and time, and only in the format that the method takes."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from zhibu_kit.errors import REQUEST_TOO_LARGE

from zhibu_gateway.errors import MALFORMED_HEADER, NOT_ACCEPTABLE, REQUEST_TIMEOUT, UNSUPPORTED_MEDIA_TYPE
from zhibu_gateway.web.exchange import ClientGoneError, Exchange

# A client that sends nothing for this long is not sending any more.
_CHUNK_TIMEOUT_S: Final = 30.0
# Small bodies must be here within this, however the pieces are spread.
_WHOLE_TIMEOUT_S: Final = 60.0
_JSON: Final = "application/json"


def check_length(exchange: Exchange, max_bytes: int) -> None:
    """Refuses a body whose announced length is too large, before any of it is read.

    Raises:
        ServiceError: REQUEST_TOO_LARGE, or MALFORMED_HEADER.
    """
    announced = exchange.headers.get("content-length")
    if announced is None:
        return
    if not (announced.isascii() and announced.isdigit()):
        raise MALFORMED_HEADER(header="Content-Length")
    if len(announced) > 15 or int(announced) > max_bytes:
        raise REQUEST_TOO_LARGE()


async def chunks_of(exchange: Exchange, max_bytes: int) -> AsyncGenerator[bytes]:
    """Gives the body piece by piece as it arrives; the sender waits while nobody asks for the next piece.

    Raises:
        ServiceError: REQUEST_TOO_LARGE, or REQUEST_TIMEOUT when the sender has stopped.
        ClientGoneError: the connection closed in the middle.
    """
    size = 0
    while True:
        try:
            async with asyncio.timeout(_CHUNK_TIMEOUT_S):
                message = await exchange.receive()
        except TimeoutError:
            raise REQUEST_TIMEOUT() from None
        if message["type"] != "http.request":
            raise ClientGoneError
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            raise REQUEST_TOO_LARGE()
        if chunk:
            yield chunk
        if not message.get("more_body", False):
            return


async def whole_body(exchange: Exchange, max_bytes: int) -> bytes:
    """Gives the whole body.

    Raises:
        ServiceError: REQUEST_TOO_LARGE, or REQUEST_TIMEOUT.
    """
    check_length(exchange, max_bytes)
    try:
        async with asyncio.timeout(_WHOLE_TIMEOUT_S):
            return b"".join([chunk async for chunk in chunks_of(exchange, max_bytes)])
    except TimeoutError:
        raise REQUEST_TIMEOUT() from None


def check_json(exchange: Exchange, *, empty: bool) -> None:
    """Refuses a body that does not call itself JSON in UTF-8, or that is compressed.

    Raises:
        ServiceError: UNSUPPORTED_MEDIA_TYPE.
    """
    refuse_compressed(exchange)
    content_type = exchange.headers.get("content-type")
    if content_type == _JSON or (content_type is None and empty):
        return
    media_type, _, parameters = (content_type or "").partition(";")
    media_type = media_type.strip().lower()
    charset = parameters.strip().lower().replace('"', "")
    is_json = media_type == _JSON or (media_type.startswith("application/") and media_type.endswith("+json"))
    if not is_json or (charset.startswith("charset=") and charset not in ("charset=utf-8", "charset=utf8")):
        raise UNSUPPORTED_MEDIA_TYPE(media_type=_JSON)


def refuse_compressed(exchange: Exchange) -> None:
    """Refuses a compressed body: its true size would show too late.

    Raises:
        ServiceError: UNSUPPORTED_MEDIA_TYPE.
    """
    if exchange.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UNSUPPORTED_MEDIA_TYPE(media_type=_JSON)


def check_acceptable(exchange: Exchange, media_type: str) -> None:
    """Refuses when the client takes no answer of this type (RFC 9110, 12.5.1).

    Raises:
        ServiceError: NOT_ACCEPTABLE.
    """
    accept = exchange.headers.get("accept")
    if not accept or accept == "*/*":
        return
    major = media_type.partition("/")[0]
    for piece in accept.split(","):
        wanted, _, parameters = piece.partition(";")
        if wanted.strip().lower() in (media_type, f"{major}/*", "*/*") and not _is_refused(parameters):
            return
    raise NOT_ACCEPTABLE(media_type=media_type)


def _is_refused(parameters: str) -> bool:
    for parameter in parameters.replace(" ", "").split(";"):
        name, _, value = parameter.partition("=")
        if name.lower() == "q" and value.strip("0.") == "":
            return True
    return False

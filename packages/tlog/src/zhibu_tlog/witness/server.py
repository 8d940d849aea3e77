"""The HTTP interface of a witness (c2sp.org/tlog-witness): `POST /add-checkpoint` and `GET /<origin hash>/checkpoint`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.witness.ledger import Ledger, RequestRefusedError, SizeConflictError
from zhibu_tlog.witness.requests import LONGEST_REQUEST_BYTES, read_request

SIZE_TYPE: Final = "text/x.tlog.size"
# Whoever sends its few kilobytes more slowly than this is cut off.
BODY_TIMEOUT_S: Final = 10.0
LONGEST_NAME_LOGGED: Final = 100

_logger = logging.getLogger(__name__)


class _BodyTooLongError(Exception):
    """More than any request has."""


def make_app(ledger: Ledger, clock: Callable[[], datetime]) -> Starlette:
    """Make the application around the memory of a witness."""

    async def add_checkpoint(request: Request) -> Response:
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                body = await _read_body(request)
            signature = await run_in_threadpool(_cosign, ledger, body, clock())
        except _BodyTooLongError:
            return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has at most {LONGEST_REQUEST_BYTES} bytes")
        except TimeoutError:
            return _refusal(HTTPStatus.REQUEST_TIMEOUT, "the request did not come to its end")
        except ClientDisconnect:
            return _refusal(HTTPStatus.BAD_REQUEST, "the request was broken off")
        except MalformedError as error:
            return _refusal(HTTPStatus.BAD_REQUEST, str(error))
        except RequestRefusedError as error:
            return _refusal(error.status, str(error))
        except SizeConflictError as error:
            # Starlette would add a charset, and the specification names the type without one.
            return Response(f"{error.size}\n", HTTPStatus.CONFLICT, {"Content-Type": SIZE_TYPE})
        except OSError:
            _logger.exception("A checkpoint could not be written; nothing was cosigned.")
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "the checkpoint could not be kept")
        return PlainTextResponse(signature)

    async def get_checkpoint(request: Request) -> Response:
        note = ledger.find_checkpoint(request.path_params["origin_hash"])
        if note is None:
            return _refusal(HTTPStatus.NOT_FOUND, "nothing of this log was cosigned here")
        return PlainTextResponse(note, headers={"Cache-Control": "no-cache"})

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/{origin_hash}/checkpoint", get_checkpoint, methods=["GET"]),
        ]
    )


def _cosign(ledger: Ledger, body: bytes, at: datetime) -> str:
    request = read_request(body)
    # Anybody may send anything: no more of a name than names have.
    origin = request.checkpoint.origin[:LONGEST_NAME_LOGGED]
    try:
        signature = ledger.cosign(request, at=at)
    except RequestRefusedError as error:
        _logger.warning("%r refused: %s", origin, error)
        raise
    _logger.info("%r cosigned at size %d", origin, request.checkpoint.size)
    return signature.line


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_REQUEST_BYTES:
            raise _BodyTooLongError
    return bytes(body)


def _refusal(status: HTTPStatus, message: str) -> Response:
    return PlainTextResponse(f"{message}\n", status)

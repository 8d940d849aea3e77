"""The demo telephone page, its JSON API, and the control API for faults."""

import json
from collections.abc import AsyncGenerator, Callable
from importlib.resources import files
from typing import Final, cast

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zhibu_smsc.faults import FaultSwitch
from zhibu_smsc.inbox import Inbox
from zhibu_smsc.page import render_page

# The longest that GET /messages waits for a message.
_MAX_WAIT_S: Final = 30.0
# An event stream says at least this often that it lives, so that a closed browser is noticed.
_STREAM_BEAT_S: Final = 15.0
_CONTROL_BODY_MAX_BYTES: Final = 65_536
_CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_STATIC_TYPES: Final = {"phone.css": "text/css; charset=utf-8", "phone.js": "text/javascript; charset=utf-8"}


def make_app(inbox: Inbox, faults: FaultSwitch, *, drop_sessions: Callable[[], None]) -> Starlette:
    """The web side of one message centre."""
    site = _Site(inbox, faults, drop_sessions)
    return Starlette(
        routes=[
            Route("/", site.page),
            Route("/messages", site.list_messages, methods=["GET"]),
            Route("/messages", site.clear_messages, methods=["DELETE"]),
            Route("/messages/stream", site.stream),
            Route("/control", site.show_control, methods=["GET"]),
            Route("/control", site.change_control, methods=["PATCH"]),
            Route("/control", site.reset_control, methods=["DELETE"]),
            Route("/control/drop-sessions", site.drop, methods=["POST"]),
            Route("/healthz", site.health),
            Route("/favicon.ico", _no_icon),
            Route("/static/{name}", _static),
        ],
        middleware=[
            # Without this any web page could read the codes by pointing its own name at 127.0.0.1.
            Middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1", "[::1]"]),
            Middleware(_SecurityHeaders),
        ],
    )


class _Site:
    def __init__(self, inbox: Inbox, faults: FaultSwitch, drop_sessions: Callable[[], None]) -> None:
        self._inbox = inbox
        self._faults = faults
        self._drop_sessions = drop_sessions

    async def page(self, request: Request) -> Response:
        to = _number(request)
        return HTMLResponse(
            render_page(
                self._inbox.list_messages(to=to), number=to or "", english=request.query_params.get("lang") == "en"
            )
        )

    async def list_messages(self, request: Request) -> Response:
        try:
            after = int(request.query_params.get("after", "0"))
            wait_s = min(float(request.query_params.get("wait_s", "0")), _MAX_WAIT_S)
        except ValueError:
            return JSONResponse({"error": "after and wait_s are numbers"}, status_code=400)
        to = _number(request)
        if wait_s > 0:
            messages = await self._inbox.wait_messages(to=to, after=after, timeout_s=wait_s)
        else:
            messages = self._inbox.list_messages(to=to, after=after)
        return JSONResponse({"messages": [message.as_json() for message in messages]})

    async def clear_messages(self, _request: Request) -> Response:
        self._inbox.clear()
        return Response(status_code=204)

    async def stream(self, request: Request) -> Response:
        return StreamingResponse(self._events(_number(request)), media_type="text/event-stream")

    async def _events(self, to: str | None) -> AsyncGenerator[str]:
        known = self._inbox.list_messages(to=to)
        after = known[-1].sequence if known else 0
        # Tells the page at once what is there, so that nothing falls between its loading and this stream.
        yield f"event: arrived\ndata: {after}\n\n"
        while not self._inbox.is_closed:
            messages = await self._inbox.wait_messages(to=to, after=after, timeout_s=_STREAM_BEAT_S)
            if messages:
                after = messages[-1].sequence
                yield f"event: arrived\ndata: {after}\n\n"
            else:
                yield ": beat\n\n"

    async def show_control(self, _request: Request) -> Response:
        return JSONResponse(self._faults.as_json())

    async def change_control(self, request: Request) -> Response:
        # Only a script of our own page may send this type without asking first, so other sites cannot switch faults.
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return JSONResponse({"error": "send application/json"}, status_code=415)
        body = await request.body()
        if len(body) > _CONTROL_BODY_MAX_BYTES:
            return JSONResponse({"error": "too long"}, status_code=413)
        try:
            self._faults.change(_json_object(body))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse(self._faults.as_json())

    async def reset_control(self, _request: Request) -> Response:
        self._faults.reset()
        return JSONResponse(self._faults.as_json())

    async def drop(self, _request: Request) -> Response:
        self._drop_sessions()
        return Response(status_code=204)

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})


async def _static(request: Request) -> Response:
    name: str = request.path_params["name"]
    media_type = _STATIC_TYPES.get(name)
    if media_type is None:
        return Response(status_code=404)
    content = files("zhibu_smsc").joinpath("static", name).read_bytes()
    return Response(content, media_type=media_type)


async def _no_icon(_request: Request) -> Response:
    return Response(status_code=204)


def _json_object(body: bytes) -> dict[str, object]:
    given: object = json.loads(body)
    if not isinstance(given, dict):
        raise ValueError("send an object")  # noqa: TRY004 - The caller tells the client either way.
    return cast("dict[str, object]", given)


def _number(request: Request) -> str | None:
    digits = "".join(character for character in request.query_params.get("to", "") if character in "0123456789")
    return digits or None


class _SecurityHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Cache-Control"] = "no-store"
                headers["Cross-Origin-Resource-Policy"] = "same-origin"
            await send(message)

        await self._app(scope, receive, send_with_headers)

"""Headers that every answer carries: what a page may load, who may frame it, and that nobody keeps a copy."""

from __future__ import annotations

import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zhibu_web.settings import WebSettings

# The largest form is an answer of a thousand characters; a batch of 200 applications has about 20 KB.
MAX_BODY_BYTES: Final = 128 * 1024
# Pages that take a file, with room for the form around it; the gateway knows the exact limits.
_FORM_BYTES: Final = 64 * 1024
UPLOADS: Final = (
    (re.compile(r"^/desk/[^/]+/rosters/upload$"), 64 * 1024 * 1024 + _FORM_BYTES),
    (re.compile(r"^/desk/[^/]+/people/[^/]+/documents$"), 16 * 1024 * 1024 + _FORM_BYTES),
)
# A browser reads no answer before it has sent its body: so much of one that is too large is read and thrown away.
MAX_DRAINED_BYTES: Final = 256 * 1024 * 1024
# Set in the scope of a request whose body was turned away; the application answers with a page.
TOO_LARGE: Final = "zhibu.too_large"


def max_body_bytes(path: str) -> int:
    """Return how large the body of a request to a path may be."""
    return next((limit for pattern, limit in UPLOADS if pattern.match(path)), MAX_BODY_BYTES)


class SecurityHeaders:
    """Adds the headers, and turns away bodies that no form of ours can have."""

    def __init__(self, app: ASGIApp, settings: WebSettings) -> None:
        """Work out the headers once."""
        self._app = app
        self._headers = security_headers(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and add the headers to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        limit = max_body_bytes(scope["path"])
        received = 0
        too_large = False

        async def receive_bounded() -> Message:
            nonlocal received, too_large
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    too_large = True
                    # The rest is not read; what has been read is not a whole form and is refused as such.
                    return {"type": "http.disconnect"}
            return message

        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > limit:
            await _drain(receive)
            await self._app({**scope, TOO_LARGE: True}, _nothing, send_with_headers)
            return
        await self._app(scope, receive_bounded, send_with_headers)


async def _drain(receive: Receive) -> None:
    """Read a body and keep nothing of it, up to a limit."""
    drained = 0
    while drained <= MAX_DRAINED_BYTES:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
        drained += len(message.get("body", b""))


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def security_headers(settings: WebSettings) -> dict[str, str]:
    """Return the headers by name."""
    # A log-out posts a form whose answer leads to Keycloak: browsers count that as a target of the form.
    form_targets = " ".join(dict.fromkeys(["'self'", settings.login_origin] if settings.login_origin else ["'self'"]))
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "form-action": form_targets,
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "object-src": "'none'",
    }
    headers = {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # Same-origin, not none: without it browsers send `Origin: null` with forms, and we check the origin.
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    if settings.https:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return headers

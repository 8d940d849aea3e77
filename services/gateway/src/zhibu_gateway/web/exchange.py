"""One HTTP request under way, and the ways to answer it."""

import gzip
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final

from zhibu_kit.errors import EN, ZH
from zhibu_kit.principal import Principal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Below this, gzip makes answers longer, not shorter.
_GZIP_FROM_BYTES: Final = 1024
_GZIP_LEVEL: Final = 4

SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
API_POLICY: Final = b"default-src 'none'; frame-ancestors 'none'"
STRICT_TRANSPORT: Final = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request: what is known of it, and the headers that its answer carries whatever it will be."""

    scope: Scope
    receive: Receive
    send: Send
    http_method: str
    headers: dict[str, str]
    address: str
    language: str = ZH
    request_id: str = ""
    traceparent: str = ""
    trace_id: str = ""
    principal: Principal | None = None
    out: list[tuple[bytes, bytes]] = field(default_factory=list)
    status: int = 0
    # Which RPC it is, for metrics; a path that leads nowhere has none.
    operation: str = "none"
    # Spells field names of the request as the client wrote them.
    spell: Callable[[str], str] | None = None

    @property
    def started(self) -> bool:
        """Whether the status line has been sent, after which nothing else can be said."""
        return self.status != 0

    @property
    def in_english(self) -> bool:
        """Whether people read English in the answer."""
        return self.language == EN

    def add(self, name: str, value: str) -> None:
        """Adds a header to the answer."""
        self.out.append((name.encode("ascii"), value.encode("latin-1", "replace")))

    async def start(self, status: int, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Sends the status line and all headers."""
        self.status = status
        await self.send({"type": "http.response.start", "status": status, "headers": [*self.out, *headers]})

    async def write(self, body: bytes, *, more: bool) -> None:
        """Sends a piece of the body; waits while the client is slower than we are."""
        if self.http_method == "HEAD":
            body = b""
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def answer(
        self,
        status: int,
        body: bytes,
        *,
        media_type: str,
        policy: bytes = API_POLICY,
        cache: bytes = b"no-store",
    ) -> None:
        """Sends a whole answer, compressed where the client and the length ask for it."""
        headers = [
            (b"content-type", media_type.encode("latin-1", "replace")),
            (b"content-security-policy", policy),
            (b"cache-control", cache),
        ]
        if len(body) >= _GZIP_FROM_BYTES and accepts_gzip(self.headers.get("accept-encoding", "")):
            body = gzip.compress(body, _GZIP_LEVEL, mtime=0)
            headers.append((b"content-encoding", b"gzip"))
        headers.append((b"content-length", str(len(body)).encode()))
        await self.start(status, headers)
        await self.write(body, more=False)


def accepts_gzip(accept_encoding: str) -> bool:
    """Tells whether the client takes gzip (RFC 9110, 12.5.3)."""
    for piece in accept_encoding.split(","):
        coding, _, parameter = piece.partition(";")
        if coding.strip().lower() in ("gzip", "x-gzip", "*"):
            return parameter.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False

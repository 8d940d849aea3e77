"""Which other origins' pages may call us (the Fetch standard's CORS protocol)."""

from typing import Final

from zhibu_gateway.web.exchange import Exchange

_ALLOWED_HEADERS: Final = (
    "Authorization, Content-Type, Accept-Language, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "
    "X-Request-Id, Traceparent"
)
_EXPOSED_HEADERS: Final = (
    "ETag, Content-Disposition, Deprecation, Sunset, Link, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, "
    "WWW-Authenticate"
)
_MAX_AGE_S: Final = 600


class CrossOrigin:
    """The list of allowed origins. Credentials are bearer tokens, never cookies, so none are allowed to be sent along."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        """Allows these origins, exactly as browsers write them."""
        self._origins = frozenset(origins)

    def mark(self, exchange: Exchange) -> bool:
        """Adds the headers by which a browser hands our answer to an allowed page; tells whether it is one."""
        if not self._origins:
            return False
        exchange.add("vary", "Origin")
        origin = exchange.headers.get("origin")
        if origin is None or origin not in self._origins:
            return False
        exchange.add("access-control-allow-origin", origin)
        exchange.add("access-control-expose-headers", _EXPOSED_HEADERS)
        return True

    def answer_preflight(self, exchange: Exchange, methods: tuple[str, ...]) -> None:
        """Adds what a browser asks before it sends the request itself."""
        exchange.add("access-control-allow-methods", ", ".join(methods))
        exchange.add("access-control-allow-headers", _ALLOWED_HEADERS)
        exchange.add("access-control-max-age", str(_MAX_AGE_S))

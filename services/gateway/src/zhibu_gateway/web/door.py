"""The door: every request comes through here, and every answer leaves with the same headers and the same shape of error."""

import logging
import re
import time
from typing import Final, cast
from urllib.parse import quote

import grpc.aio
from opentelemetry.trace import SpanKind
from zhibu_kit import context as call_context
from zhibu_kit.context import CallContext
from zhibu_kit.errors import INTERNAL, ServiceError
from zhibu_kit.ids import new_ulid
from zhibu_kit.metrics import durations
from zhibu_kit.status import error_of
from zhibu_kit.telemetry import Telemetry

from zhibu_gateway.contract.path_template import Found, OtherMethods, PathError, RouteTable
from zhibu_gateway.errors import MALFORMED_REQUEST, METHOD_NOT_ALLOWED, ROUTE_NOT_FOUND, UNREPRESENTABLE
from zhibu_gateway.json_codec import DecodeError, EncodeError
from zhibu_gateway.pipelines.compile import Route
from zhibu_gateway.settings import GatewaySettings
from zhibu_gateway.web.client_address import client_address
from zhibu_gateway.web.cross_origin import CrossOrigin
from zhibu_gateway.web.exchange import (
    SECURITY_HEADERS,
    STRICT_TRANSPORT,
    ClientGoneError,
    Exchange,
    Receive,
    Scope,
    Send,
)
from zhibu_gateway.web.languages import language_of
from zhibu_gateway.web.problems import answer_problem, decode_problem, problem_of
from zhibu_gateway.web.tracing import SampledBudget

log = logging.getLogger("zhibu.gateway")

HTTP_DURATION: Final = durations(
    "zhibu.http.duration",
    "How long requests took at the gateway.",
    labels={
        "operation": "RPC of the contract, `page …` of the gateway itself, or `none` where there is no such route",
        "status": "HTTP status, or `cancelled` when the client went away",
    },
)

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_MAX_PATH_LENGTH: Final = 2048
_MAX_QUERY_LENGTH: Final = 8192

# A path that cannot be read is refused later, inside the trace and in the shape of all errors.
_Finding = Found[Route] | OtherMethods | ServiceError | None


class Door:
    """Lets requests in, finds their route, and answers for whatever goes wrong."""

    def __init__(self, table: RouteTable[Route], settings: GatewaySettings, telemetry: Telemetry) -> None:
        """Answers from the table of routes."""
        self._table = table
        self._trusted_proxies = settings.trusted_proxies
        self._cross_origin = CrossOrigin(settings.cors_origins)
        self._telemetry = telemetry
        self._sampled = SampledBudget()
        self._always = SECURITY_HEADERS + ((STRICT_TRANSPORT,) if settings.profile == "production" else ())
        self._durations = telemetry.durations(HTTP_DURATION)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request, whatever it is."""
        started_at_s = time.monotonic()
        exchange = self._begin(scope, receive, send)
        found = self._find(exchange)
        if isinstance(found, Found):
            exchange.operation = found.target.name
        operation = self._telemetry.begin(
            exchange.operation if exchange.operation != "none" else f"HTTP {exchange.http_method}",
            kind=SpanKind.SERVER,
            header=self._sampled.accept(exchange.headers.get("traceparent")),
        )
        exchange.traceparent, exchange.trace_id = str(operation.own), operation.own.trace_id
        # The server gives every request a task of its own, so this ends with the request.
        call_context.enter(
            CallContext(
                trace_id=exchange.trace_id,
                traceparent=exchange.traceparent,
                request_id=exchange.request_id,
                language=exchange.language,
            )
        )
        outcome = "cancelled"
        try:
            await self._handle(exchange, found)
            outcome = str(exchange.status)
        finally:
            operation.end(outcome, failed=exchange.status >= 500)
            self._durations.record(
                time.monotonic() - started_at_s, {"operation": exchange.operation, "status": outcome}
            )

    def _begin(self, scope: Scope, receive: Receive, send: Send) -> Exchange:
        headers: dict[str, str] = {}
        for raw_name, raw_value in cast("list[tuple[bytes, bytes]]", scope["headers"]):
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            # RFC 9110, 5.3: several lines of one header are one list.
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        client = cast("tuple[str, int] | None", scope.get("client"))
        given_id = headers.get("x-request-id", "")
        exchange = Exchange(
            scope=scope,
            receive=receive,
            send=send,
            http_method=scope["method"],
            headers=headers,
            address=client_address(
                client[0] if client else None, headers.get("x-forwarded-for"), trusted=self._trusted_proxies
            ),
            language=language_of(headers.get("accept-language")),
            request_id=given_id if _REQUEST_ID.fullmatch(given_id) else new_ulid(),
            out=list(self._always),
        )
        exchange.add("x-request-id", exchange.request_id)
        exchange.add("vary", "Accept-Encoding, Accept-Language")
        return exchange

    async def _handle(self, exchange: Exchange, found: _Finding) -> None:
        """Routes, and turns everything that is raised into one shape."""
        problem: dict[str, object] | None = None
        try:
            await self._route(exchange, found)
        except DecodeError as error:
            problem = decode_problem(exchange, error)
        except ServiceError as error:
            problem = problem_of(exchange, error)
        except grpc.aio.AioRpcError as error:
            problem = problem_of(exchange, error_of(error))
        except EncodeError as error:
            log.error("An answer has no JSON form", exc_info=error)  # noqa: TRY400 the formatter shows types only
            problem = problem_of(exchange, UNREPRESENTABLE())
        except ClientGoneError:
            pass
        except Exception as error:
            # The outermost loop of a request; what the log says of the error, its formatter decides.
            fields = {"operation": exchange.operation}
            log.error("A request failed", exc_info=error, extra={"fields": fields})  # noqa: TRY400
            problem = problem_of(exchange, INTERNAL())
        if problem is not None and not exchange.started:
            await answer_problem(exchange, problem)

    async def _route(self, exchange: Exchange, found: _Finding) -> None:
        allowed_origin = self._cross_origin.mark(exchange)
        match found:
            case Found(target=route, values=values):
                exchange.out.extend(route.headers)
                exchange.spell = route.spell
                await route.pipeline(exchange, values)
            case OtherMethods(allowed=allowed):
                methods = self._with_implied(allowed)
                if exchange.http_method == "OPTIONS":
                    if allowed_origin:
                        self._cross_origin.answer_preflight(exchange, methods)
                    exchange.add("allow", ", ".join(methods))
                    await exchange.start(204, [(b"cache-control", b"no-store")])
                    await exchange.write(b"", more=False)
                    return
                exchange.add("allow", ", ".join(methods))
                raise METHOD_NOT_ALLOWED()
            case None:
                raise ROUTE_NOT_FOUND()
            case ServiceError():
                raise found

    def _find(self, exchange: Exchange) -> _Finding:
        raw_path = self._raw_path(exchange.scope)
        if len(raw_path) > _MAX_PATH_LENGTH or len(exchange.scope.get("query_string", b"")) > _MAX_QUERY_LENGTH:
            return MALFORMED_REQUEST()
        try:
            found = self._table.find(exchange.http_method, raw_path)
            if exchange.http_method == "HEAD" and isinstance(found, OtherMethods) and "GET" in found.allowed:
                as_get = self._table.find("GET", raw_path)
                if isinstance(as_get, Found) and as_get.target.has_head:
                    return as_get
        except PathError:
            return MALFORMED_REQUEST()
        return found

    @staticmethod
    def _raw_path(scope: Scope) -> str:
        raw = cast("bytes | None", scope.get("raw_path"))
        if raw is None:
            # Servers may leave it out; the decoded path encodes back to something that means the same, but for %2F.
            return quote(cast("str", scope["path"]), safe="/:!$&'()*+,;=@~-._")
        return raw.partition(b"?")[0].decode("latin-1")

    @staticmethod
    def _with_implied(allowed: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted({*allowed, "OPTIONS", *(("HEAD",) if "GET" in allowed else ())}))

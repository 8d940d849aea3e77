"""The pipeline of one RPC, compiled at start: telemetry, errors, principal, access, validation, handler.

There is one pipeline for each method instead of a chain of interceptors: what the contract says about the method is read
once, and a call passes through straight code.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, NoReturn, cast

import grpc.aio
from google.protobuf.message import Message
from grpc import StatusCode
from opentelemetry.metrics import Histogram
from opentelemetry.trace import SpanKind

from zhibu_kit import context as call_context
from zhibu_kit import errors
from zhibu_kit.access import AccessRule
from zhibu_kit.auth import TokenVerifier
from zhibu_kit.call import Call
from zhibu_kit.context import CallContext
from zhibu_kit.deny_list import DenyList
from zhibu_kit.errors import EN, ZH, ServiceError
from zhibu_kit.ids import new_ulid
from zhibu_kit.method import Method
from zhibu_kit.metrics import durations
from zhibu_kit.ports import RefusalLog
from zhibu_kit.principal import Principal
from zhibu_kit.scope import Scope
from zhibu_kit.status import error_of, status_of, trailers_of
from zhibu_kit.telemetry import Operation, Telemetry
from zhibu_kit.validation import validate

log = logging.getLogger("zhibu.rpc")

# A caller that names no deadline is answered within this; the contract's timeout_ms takes its place where given.
DEFAULT_TIMEOUT_S: Final = 30.0
# The same for uploads.
UPLOAD_TIMEOUT_S: Final = 300.0
# A stream ends before the deny-list forgets who was revoked while it ran.
MAX_STREAM_S: Final = 3000.0
# Committing the audit row of a refusal may take this much longer than the call itself.
REFUSAL_TIMEOUT_S: Final = 2.0

RPC_DURATION: Final = durations(
    "zhibu.rpc.duration",
    "How long calls took at the service that answered them.",
    labels={"method": "package, service and RPC of the contract", "code": "gRPC code"},
)

_REQUEST_ID: Final = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
_READ: Final = frozenset({"authorization", "accept-language", "traceparent", "x-request-id"})
_OUR_FAULT: Final = frozenset({StatusCode.INTERNAL, StatusCode.UNKNOWN, StatusCode.DATA_LOSS, StatusCode.UNAVAILABLE})

Context = grpc.aio.ServicerContext[Message, Message]
UnaryHandler = Callable[[Message, Call], Awaitable[Message]]
DownHandler = Callable[[Message, Call], AsyncGenerator[Message]]
UpHandler = Callable[[AsyncIterator[Message], Call], Awaitable[Message]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineParts:
    """What every pipeline of a service shares."""

    verifier: TokenVerifier
    deny_list: DenyList
    refusals: RefusalLog
    telemetry: Telemetry
    # Seconds per call, by method and code.
    durations: Histogram


class _Flight:
    """One call under way, as far as it is known."""

    __slots__ = ("authorization", "context", "expires_at_s", "operation", "principal", "started_at_s")

    def __init__(
        self, operation: Operation, context: CallContext, authorization: str | None, started_at_s: float
    ) -> None:
        self.operation = operation
        self.context = context
        self.authorization = authorization
        self.started_at_s = started_at_s
        self.principal: Principal | None = None


class Pipeline:
    """Takes the calls of one method to its handler, or refuses them."""

    def __init__(
        self, method: Method, *, handler: Callable[..., object], rule: AccessRule, parts: PipelineParts
    ) -> None:
        """Compile what does not change from call to call."""
        self._method = method
        self._handler = handler
        self._rule = rule
        self._parts = parts
        self._attributes = {"rpc.system": "grpc", "rpc.method": method.name}
        self._timeout_s = method.limits.timeout_ms / 1000 or (
            UPLOAD_TIMEOUT_S if method.client_streaming else DEFAULT_TIMEOUT_S
        )

    async def unary_unary(self, request: Message, context: Context) -> Message:
        """Answer one request with one response."""
        flight = self._begin(context, timeout_s=self._timeout_s)
        bound = asyncio.timeout(self._remaining_s(flight))
        try:
            async with bound:
                call = await self._admit(flight, request)
                response = await cast("UnaryHandler", self._handler)(request, call)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the outermost loop of a call
            await self._refuse(flight, context, error, request=request, expired=bound.expired())
        self._end(flight, "OK", failed=False)
        return response

    async def unary_stream(self, request: Message, context: Context) -> AsyncGenerator[Message]:
        """Answer one request with a stream; a caller who is revoked meanwhile is cut off at the next message."""
        flight = self._begin(context, timeout_s=MAX_STREAM_S)
        try:
            call = await self._admit(flight, request)
            async with aclosing(cast("DownHandler", self._handler)(request, call)) as responses:
                async for response in responses:
                    await self._still_admitted(flight)
                    yield response
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the outermost loop of a call
            await self._refuse(flight, context, error, request=request, expired=self._remaining_s(flight) <= 0)
        self._end(flight, "OK", failed=False)

    async def stream_unary(self, requests: AsyncIterator[Message], context: Context) -> Message:
        """Answer a stream with one response; the first message is what access and validation judge."""
        flight = self._begin(context, timeout_s=self._timeout_s)
        bound = asyncio.timeout(self._remaining_s(flight))
        first: Message | None = None
        try:
            async with bound:
                first = await anext(aiter(requests), None)
                if first is None:
                    raise errors.INVALID_ARGUMENT()  # noqa: TRY301 - refused like everything else
                call = await self._admit(flight, first)
                rest = self._bounded(first, requests)
                response = await cast("UpHandler", self._handler)(rest, call)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the outermost loop of a call
            await self._refuse(flight, context, error, request=first, expired=bound.expired())
        self._end(flight, "OK", failed=False)
        return response

    def _begin(self, context: Context, *, timeout_s: float) -> _Flight:
        """Read what the metadata say about the call, and open its span."""
        metadata = {key: value for key, value in context.invocation_metadata() or () if key in _READ}
        now_s = time.monotonic()
        # The stubs deny it, but a call without a deadline has none.
        remaining_s = cast("float | None", context.time_remaining())
        operation = self._parts.telemetry.begin(
            self._method.name,
            kind=SpanKind.SERVER,
            header=_text(metadata.get("traceparent")),
            attributes=self._attributes,
        )
        request_id = _text(metadata.get("x-request-id")) or ""
        call = CallContext(
            trace_id=operation.own.trace_id,
            traceparent=str(operation.own),
            request_id=request_id if _REQUEST_ID.match(request_id) else new_ulid(),
            language=language_of(_text(metadata.get("accept-language"))),
            expires_at_s=now_s + (timeout_s if remaining_s is None else min(remaining_s, timeout_s)),
        )
        # grpc.aio gives every call a task of its own, so this ends with the call.
        call_context.enter(call)
        return _Flight(operation, call, _text(metadata.get("authorization")), now_s)

    async def _admit(self, flight: _Flight, request: Message) -> Call:
        """Find out who calls, whether they may, and whether the request is in order."""
        if self._rule.reads_token and flight.authorization is not None:
            scheme, _, token = flight.authorization.partition(" ")
            if scheme.lower() != "bearer" or not token:
                raise errors.UNAUTHENTICATED()
            principal = await self._parts.verifier.verify(token)
            flight.principal = principal
            await self._parts.deny_list.check(principal.account_id, principal.issued_at)
        admission = await self._rule.check(flight.principal, request)
        validate(request)
        return self._call(flight, admission.principal, admission.organisation_id, admission.scope)

    async def _still_admitted(self, flight: _Flight) -> None:
        if flight.principal is not None:
            await self._parts.deny_list.check(flight.principal.account_id, flight.principal.issued_at)
        if self._remaining_s(flight) <= 0:
            raise errors.DEADLINE_EXCEEDED()

    async def _bounded(self, first: Message, rest: AsyncIterator[Message]) -> AsyncIterator[Message]:
        """Give out an upload message by message, and no more bytes than the contract allows."""
        largest = self._method.limits.max_request_bytes
        size = first.ByteSize()
        yield first
        async for request in rest:
            size += request.ByteSize()
            if largest and size > largest:
                raise errors.REQUEST_TOO_LARGE()
            yield request

    async def _refuse(
        self,
        flight: _Flight,
        context: Context,
        cause: Exception | asyncio.CancelledError,
        *,
        request: Message | None,
        expired: bool,
    ) -> NoReturn:
        """Tell the caller, the log, the trace and the audit why there is no answer."""
        if isinstance(cause, asyncio.CancelledError):
            late = self._remaining_s(flight) <= 0
            self._end(flight, "DEADLINE_EXCEEDED" if late else "CANCELLED", failed=False)
            raise cause
        error = self._error_of(cause, expired=expired)
        fields = {"method": self._method.name, "reason": error.reason}
        if flight.principal is not None:
            fields["account_id"] = flight.principal.account_id
        failed = error.code in _OUR_FAULT
        log.log(logging.ERROR if failed else logging.INFO, "Call refused", extra={"fields": fields})
        if self._is_refusal(flight, error):
            await self._audit(flight, request, error)
        self._end(flight, error.code.name, failed=failed)
        status = status_of(error, language=flight.context.language)
        await context.abort(error.code, status.message, trailers_of(status))

    def _error_of(self, cause: Exception, *, expired: bool) -> ServiceError:
        match cause:
            case ServiceError():
                return cause
            case TimeoutError() if expired:
                return errors.DEADLINE_EXCEEDED()
            case grpc.aio.AioRpcError():
                return error_of(cause)
            case ExceptionGroup() if len(cause.exceptions) == 1:
                # A task group of the handler's own, in which one task refused.
                return self._error_of(cause.exceptions[0], expired=expired)
            case _:
                log.error("Call failed", exc_info=cause, extra={"fields": {"method": self._method.name}})
                return errors.INTERNAL()

    def _is_refusal(self, flight: _Flight, error: ServiceError) -> bool:
        """Whether the attempt belongs in the audit: not those without a good token, which anybody could pile up."""
        known = flight.principal is not None
        return self._method.audited is not None and (
            error.code is StatusCode.PERMISSION_DENIED or (known and error.code is StatusCode.UNAUTHENTICATED)
        )

    async def _audit(self, flight: _Flight, request: Message | None, error: ServiceError) -> None:
        call = self._call(flight, flight.principal, None, Scope.none())
        try:
            async with asyncio.timeout(REFUSAL_TIMEOUT_S):
                await self._parts.refusals.audit_refusal(call, request, error.reason)
        except Exception as failure:
            # The caller is refused whether or not the row could be written.
            log.error("A refused attempt could not be audited", exc_info=failure)  # noqa: TRY400

    def _call(self, flight: _Flight, principal: Principal | None, organisation_id: str | None, scope: Scope) -> Call:
        return Call(
            method=self._method,
            principal=principal,
            organisation_id=organisation_id,
            scope=scope,
            language=flight.context.language,
            request_id=flight.context.request_id,
            trace_id=flight.context.trace_id,
            traceparent=flight.context.traceparent,
            expires_at_s=flight.context.expires_at_s,
        )

    def _end(self, flight: _Flight, code: str, *, failed: bool) -> None:
        flight.operation.end(code, failed=failed)
        self._parts.durations.record(
            time.monotonic() - flight.started_at_s, {"method": self._method.name, "code": code}
        )

    @staticmethod
    def _remaining_s(flight: _Flight) -> float:
        expires_at_s = flight.context.expires_at_s
        assert expires_at_s is not None
        return expires_at_s - time.monotonic()


def language_of(header: str | None) -> str:
    """Return the language to answer in: Chinese unless the first one asked for is English."""
    return EN if header and header.lstrip().lower().startswith("en") else ZH


def _text(value: str | bytes | None) -> str | None:
    return value if isinstance(value, str) else None

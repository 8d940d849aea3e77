"""The gateway's public API, called as any client app calls it: JSON over HTTP with RFC 9457 errors."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast
from urllib.parse import quote

import httpx
from zhibu_kit.context import current_traceparent

from zhibu_web.contract import Message

log = logging.getLogger("zhibu.web.gateway")

# A page that takes longer than this is taken for broken by the person in front of it.
CALL_TIMEOUT_S: Final = 15.0
CONNECT_TIMEOUT_S: Final = 3.0
# A sheet of activation codes or a large file is made and taken in longer than a page is.
FILE_TIMEOUT_S: Final = 150.0

M = TypeVar("M", bound=Message)
Json = dict[str, object]


class GatewayUnreachableError(Exception):
    """The gateway did not answer; nothing is known about the call, and it may be repeated with the same request id."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field of a request."""

    field: str
    detail: str
    code: str


@dataclass(slots=True)
class ProblemError(Exception):
    """A refusal by the gateway or a service behind it (RFC 9457), with its text in the caller's language."""

    status: int
    code: str
    detail: str
    errors: tuple[FieldProblem, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    retry_after_s: int | None = None
    trace_id: str = ""

    def __str__(self) -> str:
        """Return status and code only: details may quote what a person entered."""
        return f"{self.status} {self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """On whose behalf the gateway is called."""

    language: str
    address: str
    access_token: str = ""


class Gateway:
    """Calls the API on behalf of one caller."""

    def __init__(self, http: httpx.AsyncClient, caller: Caller) -> None:
        """Share the connections of `http` among all callers."""
        self._http = http
        self._caller = caller

    async def get(self, path: str, answer: type[M], *, params: Mapping[str, object] | None = None, part: str = "") -> M:
        """Read; `part` names the field of the response that holds what is wanted."""
        return _parse(await self._call("GET", path, params=params), answer, part)

    async def get_list(
        self, path: str, item: type[M], part: str, params: Mapping[str, object] | None = None
    ) -> list[M]:
        """Read the repeated field `part` of a response."""
        rows = (await self._call("GET", path, params=params)).get(part, [])
        return [item.model_validate(row) for row in cast("list[object]", rows)]

    async def post(
        self, path: str, answer: type[M], *, body: Json, request_id: str = "", etag: str = "", part: str = ""
    ) -> M:
        """Write, or read what must not stand in an address."""
        return _parse(await self._call("POST", path, body=body, request_id=request_id, etag=etag), answer, part)

    async def put(
        self, path: str, answer: type[M], *, body: Json, request_id: str = "", etag: str = "", part: str = ""
    ) -> M:
        """Replace."""
        return _parse(await self._call("PUT", path, body=body, request_id=request_id, etag=etag), answer, part)

    async def get_with_etag(self, path: str, answer: type[M], part: str) -> tuple[M, str]:
        """Read a record that is edited, with its version."""
        document = await self._call("GET", path)
        return _parse(document, answer, part), str(document.get("etag", ""))

    @asynccontextmanager
    async def download(
        self,
        path: str,
        params: Mapping[str, object] | None = None,
        *,
        body: Json | None = None,
    ) -> AsyncGenerator[httpx.Response]:
        """Read a file as it arrives; with a body it is made by a POST."""
        headers = self._headers()
        try:
            async with self._http.stream(
                "GET" if body is None else "POST",
                path,
                params=_query(params),
                json=body,
                headers=headers,
                timeout=httpx.Timeout(FILE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            ) as response:
                if response.status_code >= 400:
                    await response.aread()
                    raise problem_of(response)
                yield response
        except httpx.TransportError as error:
            raise GatewayUnreachableError from error

    async def upload(
        self,
        path: str,
        answer: type[M],
        *,
        content: AsyncIterable[bytes],
        content_type: str,
        file_name: str,
        request_id: str = "",
        part: str = "",
    ) -> M:
        """Send a file as it arrives; none of it is kept here."""
        headers = self._headers() | {
            "Content-Type": content_type,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file_name, safe='')}",
        }
        if request_id:
            headers["Idempotency-Key"] = request_id
        try:
            response = await self._http.post(
                path,
                content=content,
                headers=headers,
                timeout=httpx.Timeout(FILE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            )
        except httpx.TransportError as error:
            log.warning("The gateway did not take a file", extra={"fields": {"error": type(error).__name__}})
            raise GatewayUnreachableError from error
        if response.status_code >= 400:
            raise problem_of(response)
        document: object = response.json()
        return _parse(cast("Json", document) if isinstance(document, dict) else {}, answer, part)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        body: Json | None = None,
        request_id: str = "",
        etag: str = "",
    ) -> Json:
        headers = self._headers()
        if request_id:
            headers["Idempotency-Key"] = request_id
        if etag:
            headers["If-Match"] = f'"{etag}"'
        try:
            response = await self._http.request(method, path, params=_query(params), json=body, headers=headers)
        except httpx.TransportError as error:
            log.warning("The gateway did not answer", extra={"fields": {"error": type(error).__name__}})
            raise GatewayUnreachableError from error
        if response.status_code >= 400:
            raise problem_of(response)
        document: object = response.json()
        return cast("Json", document) if isinstance(document, dict) else {}

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Language": self._caller.language, "X-Forwarded-For": self._caller.address}
        traceparent = current_traceparent()
        if traceparent:
            headers["traceparent"] = traceparent
        if self._caller.access_token:
            headers["Authorization"] = f"Bearer {self._caller.access_token}"
        return headers


def gateway_http(base_url: str) -> httpx.AsyncClient:
    """Return the connections to the gateway."""
    return httpx.AsyncClient(
        base_url=base_url,
        timeout=httpx.Timeout(CALL_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        headers={"User-Agent": "zhibu-web"},
        follow_redirects=False,
        trust_env=False,
    )


def segment(value: str) -> str:
    """Return a value as one segment of a path, whatever it holds."""
    return quote(value, safe="")


def _query(params: Mapping[str, object] | None) -> httpx.QueryParams | None:
    if params is None:
        return None
    pairs: list[tuple[str, str]] = []
    for name, value in params.items():
        values = cast("Sequence[object]", value) if isinstance(value, list | tuple) else [value]
        pairs += [(name, str(one)) for one in values if one not in ("", None)]
    return httpx.QueryParams(tuple(pairs))


def _parse(document: Json, answer: type[M], part: str) -> M:
    return answer.model_validate(document.get(part, {}) if part else document)


def problem_of(response: httpx.Response) -> ProblemError:
    """Read a problem document; what is not one (a proxy's page) becomes a problem without words."""
    try:
        parsed: object = response.json()
    except ValueError:
        parsed = {}
    document = cast("Json", parsed) if isinstance(parsed, dict) else {}
    metadata = document.get("metadata")
    retry_after = response.headers.get("Retry-After", "")
    return ProblemError(
        status=response.status_code,
        code=str(document.get("code") or "UNKNOWN"),
        detail=str(document.get("detail") or document.get("title") or ""),
        errors=tuple(_field_problems(document.get("errors"))),
        metadata={name: str(value) for name, value in cast("Json", metadata).items()}
        if isinstance(metadata, dict)
        else {},
        retry_after_s=int(retry_after) if retry_after.isdecimal() else None,
        trace_id=str(document.get("trace_id") or document.get("traceId") or ""),
    )


def _field_problems(errors: object) -> list[FieldProblem]:
    if not isinstance(errors, list):
        return []
    rows = [cast("Json", row) for row in cast("list[object]", errors) if isinstance(row, dict)]
    return [
        FieldProblem(str(row.get("field", "")), str(row.get("detail", "")), str(row.get("code", ""))) for row in rows
    ]

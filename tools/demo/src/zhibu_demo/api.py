"""The public API as any client sees it: JSON over HTTP through the gateway."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Self
from urllib.parse import quote

import httpx

from zhibu_demo.errors import DemoError

# JSON objects as the gateway takes and gives them.
Json = dict[str, Any]
# Gives an access token that is still good.
TokenSource = Callable[[], Awaitable[str]]

# A limit or a restart is waited out, but not for ever.
_MAX_ATTEMPTS: Final = 60
_LONGEST_WAIT_S: Final = 15.0
_TIMEOUT_S: Final = 60.0
# What was done in one service is known in the others within a second or two; longer, something is wrong.
_LONGEST_CATCH_UP_S: Final = 45.0
# Calls that are on their way at the same time; two cores do not gain from more.
_MAX_CALLS: Final = 8
_AGAIN: Final = frozenset({429, 502, 503, 504})


class RefusedError(Exception):
    """A refusal of the API: HTTP status, and the code that says why."""

    def __init__(self, status: int, code: str, body: Json) -> None:
        # Only codes and names of fields: what was sent may look like personal data.
        errors: list[Json] = body.get("errors") or []
        fields = ", ".join(f"{error.get('field')}: {error.get('code')}" for error in errors)
        super().__init__(f"{status} {code}{f' ({fields})' if fields else ''}")
        self.status = status
        self.codes = frozenset({code, *(str(error.get("code")) for error in errors)})


class Api:
    """Calls the gateway; limits (429) and restarts (503) are waited out."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=base_url, timeout=_TIMEOUT_S, headers={"Accept-Language": "zh-CN"}, trust_env=False
        )
        self._slots = asyncio.Semaphore(_MAX_CALLS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(
        self,
        path: str,
        *,
        token: TokenSource | None = None,
        wait_for: frozenset[str] = frozenset(),
        **parameters: str | int | list[str],
    ) -> Json:
        """Read; `wait_for` as in `post`."""
        answer, _ = await self._call("GET", path, token=token, parameters=parameters, wait_for=wait_for)
        return answer

    async def post(
        self,
        path: str,
        body: Json,
        *,
        token: TokenSource | None = None,
        request_id: str = "",
        wait_for: frozenset[str] = frozenset(),
    ) -> Json:
        """Write; `request_id` makes the repetition harmless.

        `wait_for` are codes of refusals that pass by themselves, because something that was just done has not yet reached every
        service.
        """
        answer, _ = await self._call("POST", path, body=body, token=token, request_id=request_id, wait_for=wait_for)
        return answer

    async def get_with_etag(self, path: str, *, token: TokenSource | None = None) -> tuple[Json, str]:
        """Read a record and its version."""
        answer, etag = await self._call("GET", path, token=token)
        return answer, etag

    async def put(self, path: str, body: Json, *, token: TokenSource, request_id: str, etag: str) -> Json:
        """Replace a record that is still as it was read."""
        answer, _ = await self._call("PUT", path, body=body, token=token, request_id=request_id, etag=etag)
        return answer

    async def upload(self, path: str, content: bytes, *, file_name: str, token: TokenSource, media_type: str) -> Json:
        """Send a file."""
        answer, _ = await self._call(
            "POST", path, token=token, content=content, media_type=media_type, file_name=file_name
        )
        return answer

    async def _call(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        token: TokenSource | None = None,
        parameters: Mapping[str, str | int | list[str]] | None = None,
        request_id: str = "",
        etag: str = "",
        wait_for: frozenset[str] = frozenset(),
        content: bytes | None = None,
        media_type: str = "",
        file_name: str = "",
    ) -> tuple[Json, str]:
        catch_up_until_s = time.monotonic() + _LONGEST_CATCH_UP_S
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            headers = {"Idempotency-Key": request_id} if request_id else {}
            if etag:
                headers["If-Match"] = etag
            if media_type:
                headers["Content-Type"] = media_type
                headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{segment(file_name)}"
            if token is not None:
                headers["Authorization"] = f"Bearer {await token()}"
            try:
                async with self._slots:
                    response = await self._client.request(
                        method, path, json=body, content=content, params=parameters or None, headers=headers
                    )
            except httpx.TransportError:
                if attempt == _MAX_ATTEMPTS:
                    raise
                await asyncio.sleep(_pause_s(attempt))
                continue
            if response.is_success:
                return response.json(), response.headers.get("etag", "")
            problem = _problem(response)
            catches_up = bool(problem.codes & wait_for) and time.monotonic() < catch_up_until_s
            passes = response.status_code in _AGAIN or catches_up
            if not passes or attempt == _MAX_ATTEMPTS:
                raise problem
            await asyncio.sleep(_pause_s(attempt, response.headers.get("retry-after", "")))
        raise DemoError("网关没有应答。", "The gateway does not answer.")


def segment(value: str) -> str:
    """Return a value as one segment of a path."""
    return quote(value, safe="")


def _pause_s(attempt: int, retry_after: str = "") -> float:
    wanted_s = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.1 * attempt
    return min(max(wanted_s, 0.1), _LONGEST_WAIT_S)


def _problem(response: httpx.Response) -> RefusedError:
    try:
        body: object = response.json()
    except ValueError:
        body = {}
    fields: Json = body if isinstance(body, dict) else {}
    return RefusedError(response.status_code, str(fields.get("code", "")), fields)

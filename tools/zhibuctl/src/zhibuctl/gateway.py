"""The gateway's API as an officer calls it from a terminal."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

import httpx

from zhibuctl.errors import OperatorError

Json = dict[str, Any]
_TIMEOUT_S: Final = 120.0
_ATTEMPTS: Final = 6
_AGAIN: Final = frozenset({429, 502, 503, 504})
_NOT_FOUND: Final = 404
# What was made in one service is known in the others within a second or two; longer, something is wrong.
_LONGEST_CATCH_UP_S: Final = 45.0
_CATCHES_UP: Final = frozenset({403, 404})
_LOOK_AGAIN_S: Final = 0.5


class RefusedError(OperatorError):
    """A refusal of the API, with the code that says why; the details are in both languages."""

    def __init__(self, status: int, code: str, zh: str, en: str) -> None:
        super().__init__(f"接口拒绝：{zh}", f"the API refused ({status} {code}): {en}")
        self.status = status
        self.code = code


class Gateway:
    """Calls the gateway; `token` gives an access token for each call. Limits and restarts are waited out."""

    def __init__(self, base_url: str, token: Callable[[], str]) -> None:
        self._client = httpx.Client(base_url=base_url.rstrip("/"), timeout=_TIMEOUT_S, trust_env=False)
        self._token = token

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **parameters: str | int) -> Json:
        """Read."""
        return self._call("GET", path, params=parameters).json()

    def read_caught_up(self, path: str) -> Json:
        """Read what was made a moment ago in another service."""
        return self._call_caught_up("GET", path).json()

    def find(self, path: str) -> Json | None:
        """Read what may not be there."""
        try:
            return self.get(path)
        except RefusedError as refused:
            if refused.status == _NOT_FOUND:
                return None
            raise

    def pages(self, path: str, field: str, **parameters: str | int) -> Iterator[Json]:
        """Give every row of a list."""
        token = ""
        while True:
            page = self.get(path, page_size=200, page_token=token, **parameters)
            yield from page.get(field, [])
            token = page.get("nextPageToken", "")
            if not token:
                return

    def write(self, method: str, path: str, body: Json, *, request_id: str) -> Json:
        """Write; the request id makes the repetition harmless.

        A service that does not know yet what was made in another a moment ago refuses; that is waited out.
        """
        headers = {"Idempotency-Key": request_id}
        return self._call_caught_up(method, path, json=body, headers=headers).json()

    def upload(self, path: str, file: Path, media_type: str) -> Json:
        """Send a file; a service that catches up is waited for, as in `write`."""
        headers = {
            "Content-Type": media_type,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        }
        return self._call_caught_up("POST", path, content=file.read_bytes(), headers=headers).json()

    def download(self, path: str, target: Path) -> None:
        """Keep a file, readable by its owner only: it may hold personal data."""
        content = self._call("GET", path).content
        with target.open("wb") as file:
            # Also one that a former run, or somebody else, left readable.
            os.fchmod(file.fileno(), 0o600)
            file.write(content)

    def _call_caught_up(self, method: str, path: str, **more: Any) -> httpx.Response:
        until_s = time.monotonic() + _LONGEST_CATCH_UP_S
        while True:
            try:
                return self._call(method, path, **more)
            except RefusedError as refused:
                if refused.status not in _CATCHES_UP or time.monotonic() > until_s:
                    raise
            time.sleep(_LOOK_AGAIN_S)

    def _call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        response = self._send(method, path, headers={**(headers or {}), "Accept-Language": "zh-CN"}, **more)
        if response.is_success:
            return response
        # A refusal has changed nothing: asked once more, it is told in the other language too.
        again = self._send(method, path, headers={**(headers or {}), "Accept-Language": "en"}, **more)
        if again.is_success:
            return again
        raise RefusedError(again.status_code, _code_of(again), _detail_of(response), _detail_of(again))

    def _send(self, method: str, path: str, *, headers: dict[str, str], **more: Any) -> httpx.Response:
        """Send until there is an answer that waiting does not change."""
        for attempt in range(1, _ATTEMPTS + 1):
            signed = {**headers, "Authorization": f"Bearer {self._token()}"}
            try:
                response = self._client.request(method, path, headers=signed, **more)
            except httpx.TransportError:
                if attempt == _ATTEMPTS:
                    raise OperatorError(
                        f"连不上网关 {self._client.base_url}。", "The gateway cannot be reached; check --gateway."
                    ) from None
            else:
                if response.status_code not in _AGAIN or attempt == _ATTEMPTS:
                    return response
            time.sleep(0.5 * 2**attempt)
        raise AssertionError("the last attempt returns or raises")


def _body_of(response: httpx.Response) -> Json:
    try:
        body: object = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _code_of(response: httpx.Response) -> str:
    return str(_body_of(response).get("code", ""))


def _detail_of(response: httpx.Response) -> str:
    body = _body_of(response)
    details = [str(body.get("detail", ""))]
    details += [f"{error.get('field')}: {error.get('detail')}" for error in body.get("errors", [])]
    return "；".join(filter(None, details))

"""The gateway's API as an officer calls it from a terminal."""

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


class RefusedError(OperatorError):
    """A refusal of the API, with the code that says why."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"接口拒绝：{detail}", f"the API refused ({status} {code})")
        self.status = status
        self.code = code


class Gateway:
    """Calls the gateway; `token` gives an access token for each call. Limits and restarts are waited out."""

    def __init__(self, base_url: str, token: Callable[[], str]) -> None:
        self._client = httpx.Client(
            base_url=base_url.rstrip("/"), timeout=_TIMEOUT_S, headers={"Accept-Language": "zh-CN"}, trust_env=False
        )
        self._token = token

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **parameters: str | int) -> Json:
        """Read."""
        return self._call("GET", path, params=parameters).json()

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
        """Write; the request id makes the repetition harmless."""
        return self._call(method, path, json=body, headers={"Idempotency-Key": request_id}).json()

    def upload(self, path: str, file: Path, media_type: str) -> Json:
        """Send a file."""
        headers = {
            "Content-Type": media_type,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        }
        return self._call("POST", path, content=file.read_bytes(), headers=headers).json()

    def download(self, path: str, target: Path) -> None:
        """Keep a file, readable by its owner only: it may hold personal data."""
        target.touch(mode=0o600)
        target.write_bytes(self._call("GET", path).content)

    def _call(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        for attempt in range(1, _ATTEMPTS + 1):
            signed = {**(headers or {}), "Authorization": f"Bearer {self._token()}"}
            try:
                response = self._client.request(method, path, headers=signed, **more)
            except httpx.TransportError:
                if attempt == _ATTEMPTS:
                    raise OperatorError("连不上网关。", "The gateway cannot be reached.") from None
            else:
                if response.is_success:
                    return response
                if response.status_code not in _AGAIN or attempt == _ATTEMPTS:
                    raise _refusal(response)
            time.sleep(0.5 * 2**attempt)
        raise AssertionError("the last attempt returns or raises")


def _refusal(response: httpx.Response) -> RefusedError:
    try:
        body: Json = response.json()
    except ValueError:
        body = {}
    details = [str(body.get("detail", ""))]
    details += [f"{error.get('field')}: {error.get('detail')}" for error in body.get("errors", [])]
    return RefusedError(response.status_code, str(body.get("code", "")), "；".join(filter(None, details)))

"""Reads the demonstration telephones: the page of the message centre has a JSON API."""

import re
from typing import Any, Final, Self

import httpx

from zhibu_demo.errors import DemoError

_WAIT_S: Final = 30
_CODE: Final = re.compile(r"(?<![0-9])[0-9]{6}(?![0-9])")


class Phone:
    """All telephones of the demonstration."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.AsyncClient(base_url=base_url, timeout=_WAIT_S + 10, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def newest(self, telephone: str) -> int:
        """Return the sequence of the newest message, to be given to `code` after another one was asked for."""
        messages = await self._messages(telephone, after=0, wait_s=0)
        return max((int(message["sequence"]) for message in messages), default=0)

    async def code(self, telephone: str, *, after: int) -> str:
        """Wait for a message newer than `after` and return the six digits in it.

        Raises:
            DemoError: none came in time.
        """
        for message in await self._messages(telephone, after=after, wait_s=_WAIT_S):
            if found := _CODE.search(str(message["text"])):
                return found.group()
        raise DemoError("演示手机没有收到验证码。", "No code arrived on the demo telephone.")

    async def _messages(self, telephone: str, *, after: int, wait_s: int) -> list[dict[str, Any]]:
        parameters = {"to": telephone, "after": after, "wait_s": wait_s}
        response = await self._client.get("/messages", params=parameters)
        response.raise_for_status()
        return response.json()["messages"]

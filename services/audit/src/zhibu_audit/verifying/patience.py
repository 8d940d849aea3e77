"""Waits where a server says that it was asked too often: a whole log is many files."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import httpx

# Servers count by the minute.
LONGEST_WAIT_S: Final = 70.0
_FIRST_WAIT_S: Final = 1.0
MOST_ATTEMPTS: Final = 8
_BUSY: Final = frozenset({httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE})


class PatientTransport(httpx.BaseTransport):
    """Asks again after the time that the server names, or after longer and longer ones."""

    def __init__(self, transport: httpx.BaseTransport, sleep: Callable[[float], None] = time.sleep) -> None:
        """Ask through another transport."""
        self._transport = transport
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Give the first answer that is one."""
        for attempt in range(1, MOST_ATTEMPTS):
            response = self._transport.handle_request(request)
            if response.status_code not in _BUSY:
                return response
            response.close()
            self._sleep(wait_s(response.headers.get("retry-after", ""), attempt))
        return self._transport.handle_request(request)

    def close(self) -> None:
        """Close what it asks through."""
        self._transport.close()


def wait_s(retry_after: str, attempt: int) -> float:
    """Say how long to wait; a date instead of seconds is taken for none."""
    named = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0
    return min(max(named, _FIRST_WAIT_S * 2 ** (attempt - 1)), LONGEST_WAIT_S)

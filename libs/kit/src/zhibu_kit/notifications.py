"""LISTEN/NOTIFY: one connection per process that wakes whoever waits for a channel."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Final

import asyncpg

log = logging.getLogger("zhibu.notifications")

# Told of rows in the outbox by commands beside the running service, of dead letters to be replayed by the same, and of
# audit rows that are wanted again by the log and by commands.
OUTBOX_CHANNEL: Final = "kit_outbox"
DEAD_LETTER_CHANNEL: Final = "kit_dead_letter"
AUDIT_FEED_CHANNEL: Final = "kit_audit_feed"

CONNECT_TIMEOUT_S: Final = 5
RETRY_S: Final = 1.0
# The connection is asked this often whether it still lives.
PROBE_S: Final = 15.0


class Notifications:
    """Wakes waiters of a channel at each NOTIFY, and all of them after a reconnection, when some may have been missed."""

    def __init__(self, url: str) -> None:
        """Listen at the database of `url` once `run` is started."""
        self._url = url
        self._events: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._channel_added = asyncio.Event()

    def event(self, channel: str) -> asyncio.Event:
        """Return an event that is set at each notification from now on; the waiter clears it. It lives as long as this."""
        event = asyncio.Event()
        self._add(channel, event)
        return event

    @contextmanager
    def woken(self, channel: str) -> Generator[asyncio.Event]:
        """Give an event that is set at each notification while the block runs."""
        event = asyncio.Event()
        self._add(channel, event)
        try:
            yield event
        finally:
            self._events[channel].discard(event)

    def wake(self, channel: str) -> None:
        """Wake who waits for a channel in this process, as a notification would."""
        for event in self._events.get(channel, ()):
            event.set()

    async def run(self) -> None:
        """Listen for ever."""
        while True:
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._listen()
            log.warning("Listening was interrupted")
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        connection: asyncpg.Connection = await asyncpg.connect(self._url, timeout=CONNECT_TIMEOUT_S)
        listening: set[str] = set()
        try:
            while True:
                self._channel_added.clear()
                for channel in self._events.keys() - listening:
                    await connection.add_listener(channel, self._received)
                    listening.add(channel)
                    self.wake(channel)
                with suppress(TimeoutError):
                    async with asyncio.timeout(PROBE_S):
                        await self._channel_added.wait()
                await connection.execute("select 1", timeout=CONNECT_TIMEOUT_S)
        finally:
            connection.terminate()

    def _add(self, channel: str, event: asyncio.Event) -> None:
        self._events[channel].add(event)
        self._channel_added.set()

    def _received(self, connection: object, pid: int, channel: str, payload: object) -> None:
        self.wake(channel)

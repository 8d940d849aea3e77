"""The deny-list: accounts whose tokens, made up to an instant, are refused although they have not expired.

identity publishes each revocation and, every five seconds, a heartbeat: "everything revoked before this instant was
published before it". While heartbeats are fresh the list is complete. After thirty seconds without one the list asks
identity itself, and when that fails too every call with a token is refused as UNAVAILABLE: nobody gets in on old news.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from opentelemetry.metrics import Observation

from zhibu_kit.clock import Clock
from zhibu_kit.errors import UNAUTHENTICATED, UNAVAILABLE, ServiceError
from zhibu_kit.metrics import gauge
from zhibu_kit.telemetry import Telemetry

log = logging.getLogger("zhibu.deny_list")

# identity sends a heartbeat every 5 s; six missing ones are silence.
SILENCE_S: Final = 30.0
# An answer from identity holds until the next heartbeat would have come.
ANSWER_HOLDS_S: Final = 5.0
# After identity did not answer, calls are refused for this long before it is asked again.
RETRY_S: Final = 1.0
# Tokens live for minutes and never longer than an hour, so older revocations bite on nothing.
MEMORY: Final = timedelta(hours=1)

SILENT: Final = gauge("zhibu.deny_list.silent", "Time since identity's last heartbeat was sent.", unit="s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Tokens of an account made at or before `revoked_at` are refused."""

    account_id: str
    revoked_at: datetime


# Asks identity for every revocation at or after an instant; raises ServiceError when it does not answer.
Fetch = Callable[[datetime], Awaitable[Iterable[Revocation]]]


class DenyList:
    """The revocations of the last hour, in memory, and how fresh that knowledge is."""

    def __init__(self, *, clock: Clock, fetch: Fetch | None = None, telemetry: Telemetry | None = None) -> None:
        """Start empty and not caught up; `fetch` asks identity when events are silent."""
        self._clock = clock
        self._fetch = fetch
        self._revoked_at_s: dict[str, float] = {}
        self._complete_up_to_s = 0.0
        self._answered_at_s = 0.0
        self._failed_at_s: float | None = None
        self._lock = asyncio.Lock()
        self._pruned_at_s = 0.0
        if telemetry is not None:
            telemetry.observe(SILENT, lambda: [Observation(self.silent_s)])

    def ask_with(self, fetch: Fetch) -> None:
        """Ask for revocations in another way: identity asks its own database."""
        self._fetch = fetch

    def revoke(self, revocation: Revocation) -> None:
        """Take in one revocation; an older one of the same account changes nothing."""
        revoked_at_s = revocation.revoked_at.timestamp()
        if revoked_at_s > self._revoked_at_s.get(revocation.account_id, 0.0):
            self._revoked_at_s[revocation.account_id] = revoked_at_s
        self._prune()

    def heartbeat(self, sent_at: datetime) -> None:
        """Take in a heartbeat; one from the future counts as now, a late one as the time when it was sent."""
        self._complete_up_to_s = max(self._complete_up_to_s, min(sent_at, self._clock.now()).timestamp())

    def is_denied(self, account_id: str, issued_at: datetime) -> bool:
        """Return whether a token of the account, made at that instant, is refused."""
        revoked_at_s = self._revoked_at_s.get(account_id)
        return revoked_at_s is not None and issued_at.timestamp() <= revoked_at_s

    @property
    def silent_s(self) -> float:
        """Seconds since the last heartbeat was sent."""
        return self._now_s() - self._complete_up_to_s

    @property
    def caught_up(self) -> bool:
        """Whether the list is complete now: the heartbeats are fresh, or identity has answered just now."""
        now_s = self._now_s()
        return now_s - self._complete_up_to_s < SILENCE_S or now_s - self._answered_at_s < ANSWER_HOLDS_S

    async def catch_up(self) -> bool:
        """Make the list complete when it is not, by asking identity; return whether it is complete now."""
        if self.caught_up:
            return True
        async with self._lock:
            return self.caught_up or await self.ask()

    async def ask(self) -> bool:
        """Ask identity for the revocations of the last hour now; return whether it answered."""
        if self._fetch is None or (self._failed_at_s is not None and self._now_s() - self._failed_at_s < RETRY_S):
            return False
        asked_at = self._clock.now()
        try:
            revocations = await self._fetch(asked_at - MEMORY)
        except ServiceError as error:
            self._failed_at_s = self._now_s()
            log.warning("identity did not list revocations", extra={"fields": {"reason": error.reason}})
            return False
        for revocation in revocations:
            self.revoke(revocation)
        self._failed_at_s = None
        self._answered_at_s = asked_at.timestamp()
        return True

    async def check(self, account_id: str, issued_at: datetime) -> None:
        """Let a token pass that was not revoked.

        Raises:
            ServiceError: UNAUTHENTICATED when it was revoked, UNAVAILABLE when nobody can tell.
        """
        if not self.caught_up and not await self.catch_up():
            raise UNAVAILABLE()
        if self.is_denied(account_id, issued_at):
            raise UNAUTHENTICATED()

    def _now_s(self) -> float:
        return self._clock.now().timestamp()

    def _prune(self) -> None:
        """Forget what no living token can be older than, at most once a minute."""
        now_s = self._now_s()
        if now_s - self._pruned_at_s < 60:
            return
        self._pruned_at_s = now_s
        oldest_s = now_s - 2 * MEMORY.total_seconds()
        self._revoked_at_s = {account: at for account, at in self._revoked_at_s.items() if at >= oldest_s}

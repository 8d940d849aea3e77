"""Sessions in PostgreSQL, shared by every instance of the web client.

The cookie holds a random identifier, the table its hash and the sealed contents. A change locks the row, so that two
instances never refresh one member's tokens at once and no change is lost.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import asyncpg
from zhibu_kit.clock import Clock

from zhibu_web.sealing import BrokenSealError, Sealer
from zhibu_web.session import SessionData

EndedReason = Literal["logged_out", "refused", "expired"]
Kind = Literal["visitor", "member"]

# A session that was used within this time need not be written again only to note its use.
TOUCH_EVERY_S: Final = 60
# Sealed contents are a few KB; a hostile form must not make them grow without end.
MAX_SEALED_BYTES: Final = 64 * 1024
_ID_BYTES: Final = 32
_DELETE_BATCH: Final = 1000


class SessionGoneError(Exception):
    """The session ended between reading and changing it."""


@dataclass(frozen=True, slots=True)
class Session:
    """An open session as it was when it was read."""

    session_id: str
    kind: Kind
    data: SessionData


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that was ended from elsewhere; the person is told why, once."""

    reason: EndedReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetimes:
    """How long sessions last."""

    member_idle: timedelta
    member_absolute: timedelta
    visitor_idle: timedelta
    visitor_absolute: timedelta = timedelta(hours=24)

    def idle(self, kind: Kind) -> timedelta:
        """How long an unused session of this kind lasts."""
        return self.member_idle if kind == "member" else self.visitor_idle

    def absolute(self, kind: Kind) -> timedelta:
        """How long a session of this kind lasts at most."""
        return self.member_absolute if kind == "member" else self.visitor_absolute


class SessionStore:
    """Creates, finds, changes and ends sessions."""

    def __init__(self, pool: asyncpg.Pool, *, sealer: Sealer, lifetimes: Lifetimes, clock: Clock) -> None:
        """Keep sessions in the database of `pool`, sealed by `sealer`."""
        self._pool = pool
        self._sealer = sealer
        self._lifetimes = lifetimes
        self._clock = clock

    async def create(self, data: SessionData, *, kind: Kind, account_id: str = "", login_id: str = "") -> str:
        """Open a session and return its identifier, which only the browser gets."""
        session_id = secrets.token_urlsafe(_ID_BYTES)
        key = _hash(session_id)
        now = self._clock.now()
        await self._pool.execute(
            "INSERT INTO session (session_hash, kind, account_id, login_id, sealed, create_time, touch_time,"
            " idle_expire_time, expire_time) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8)",
            key,
            kind,
            account_id or None,
            login_id or None,
            self._sealed(data, key),
            now,
            now + self._lifetimes.idle(kind),
            now + self._lifetimes.absolute(kind),
        )
        return session_id

    async def find(self, session_id: str) -> Session | EndedSession | None:
        """Return the session of a cookie and note that it was used; None when it expired or never was."""
        key, now = _hash(session_id), self._clock.now()
        row = await self._pool.fetchrow(
            "SELECT kind, sealed, ended_reason, touch_time FROM session"
            " WHERE session_hash = $1 AND idle_expire_time > $2 AND expire_time > $2",
            key,
            now,
        )
        if row is None:
            return None
        if row["ended_reason"] is not None:
            return EndedSession(row["ended_reason"])
        data = self._opened(row["sealed"], key)
        if data is None:
            await self.end(session_id)
            return None
        if now - row["touch_time"] > timedelta(seconds=TOUCH_EVERY_S):
            await self._pool.execute(
                "UPDATE session SET touch_time = $2, idle_expire_time = $3 WHERE session_hash = $1",
                key,
                now,
                now + self._lifetimes.idle(row["kind"]),
            )
        return Session(session_id, row["kind"], data)

    @asynccontextmanager
    async def change(self, session_id: str) -> AsyncGenerator[SessionData]:
        """Hand out the newest contents under a lock, and keep what the block made of them.

        Raises:
            SessionGoneError: the session has ended or expired.
        """
        key, now = _hash(session_id), self._clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(
                "SELECT sealed FROM session WHERE session_hash = $1 AND sealed IS NOT NULL"
                " AND idle_expire_time > $2 AND expire_time > $2 FOR UPDATE",
                key,
                now,
            )
            data = self._opened(row["sealed"], key) if row is not None else None
            if data is None:
                raise SessionGoneError
            yield data
            await connection.execute(
                "UPDATE session SET sealed = $2 WHERE session_hash = $1", key, self._sealed(data, key)
            )

    async def end(self, session_id: str, *, reason: EndedReason | None = None) -> None:
        """End a session: forget it, or with a reason keep the bare row so that its browser can be told."""
        key = _hash(session_id)
        if reason is None:
            await self._pool.execute("DELETE FROM session WHERE session_hash = $1", key)
        else:
            await self._pool.execute(
                "UPDATE session SET sealed = NULL, ended_reason = $2 WHERE session_hash = $1 AND sealed IS NOT NULL",
                key,
                reason,
            )

    async def end_login(self, *, login_id: str, account_id: str, before: datetime) -> int:
        """End the sessions of one log-in, or of an account when no log-in is named; return how many there were.

        Only what was opened before the log-out counts: a log-in made since is another one.
        """
        condition = "login_id = $1" if login_id else "account_id = $1"
        result = await self._pool.execute(
            "UPDATE session SET sealed = NULL, ended_reason = 'logged_out'"  # noqa: S608 - one of two constants
            f" WHERE {condition} AND sealed IS NOT NULL AND create_time <= $2",
            login_id or account_id,
            before,
        )
        return int(result.rpartition(" ")[2])

    async def delete_expired(self) -> int:
        """Delete a batch of expired sessions and return how many there were."""
        result = await self._pool.execute(
            "DELETE FROM session WHERE session_hash IN (SELECT session_hash FROM session"
            " WHERE idle_expire_time <= $1 OR expire_time <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)",
            self._clock.now(),
            _DELETE_BATCH,
        )
        return int(result.rpartition(" ")[2])

    async def is_reachable(self) -> bool:
        """Say whether the table of the sessions can be read; raises what the database does."""
        await self._pool.fetchval("SELECT 1 FROM session LIMIT 1")
        return True

    def _sealed(self, data: SessionData, key: bytes) -> bytes:
        sealed = self._sealer.seal(data.model_dump_json(exclude_defaults=True).encode(), b"session" + key)
        if len(sealed) > MAX_SEALED_BYTES:
            raise ValueError("a session has grown beyond its bound")
        return sealed

    def _opened(self, sealed: bytes, key: bytes) -> SessionData | None:
        """Return the contents; what was sealed with a key that is gone is as good as no session."""
        try:
            return SessionData.model_validate_json(self._sealer.open(sealed, b"session" + key))
        except (BrokenSealError, ValueError):
            return None


def _hash(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode()).digest()

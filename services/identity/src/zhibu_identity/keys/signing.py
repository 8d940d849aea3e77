"""Keys with which the province signs: cards (Ed25519, changed every year), certificates (the authority's key)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Final

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from zhibu_identity.keys.connections import KeyDatabase
from zhibu_identity.keys.master import MasterKeys, WrappedKey

if TYPE_CHECKING:
    from zhibu_identity.keys.connections import Connection

KEY_ID_BYTES: Final = 8
# A key signs for a year; its cards are good for another one, and a while longer while the next key is made.
SIGNS_FOR: Final = timedelta(days=365)
CARDS_GOOD_FOR: Final = timedelta(days=365)
SPARE: Final = timedelta(days=60)
# The next key is published before it signs, so that checkers without a network have it by then.
PUBLISHED_BEFORE: Final = timedelta(days=30)
# A call that began before the change of keys may still sign with the old one.
CHANGE_TAKES: Final = timedelta(days=1)
# Two processes must not make the next key at once; any number, the same everywhere.
_LOCK: Final = 0x5A52_4B45


class KeyPurpose(IntEnum):
    """What a key signs."""

    CARDS = 1
    CERTIFICATES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """What everybody may know of a key of cards."""

    key_id: str
    public: bytes
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The key with which cards are signed now."""

    key_id: str
    key: Ed25519PrivateKey = field(repr=False)
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityKey:
    """The authority's certificate (DER) and private key (PKCS#8, DER)."""

    certificate: bytes
    private_key: bytes = field(repr=False)


class SigningKeys:
    """Signing keys in the key database; none is kept in memory."""

    def __init__(self, database: KeyDatabase, master: MasterKeys) -> None:
        """Wrap private keys with the master key."""
        self._database = database
        self._master = master

    async def list_card_keys(self, *, now: datetime) -> list[PublicKey]:
        """Return the public keys whose cards may be good now or later, newest first; makes the first one."""
        await self.change_card_keys(now=now)
        async with self._database.begin() as connection:
            rows = await connection.fetch(
                "SELECT key_id, public, not_before, not_after FROM signing_key"
                " WHERE purpose = $1 AND not_after > $2 ORDER BY not_before DESC",
                int(KeyPurpose.CARDS),
                now,
            )
        return [PublicKey(**dict(row)) for row in rows]

    async def card_signer(self, *, now: datetime) -> Signer:
        """Return the key with which cards are signed now."""
        await self.change_card_keys(now=now)
        async with self._database.begin() as connection:
            row = await connection.fetchrow(
                "SELECT key_id, master_version, wrapped, not_after FROM signing_key WHERE purpose = $1"
                " AND not_before <= $2 AND wrapped IS NOT NULL ORDER BY not_before DESC LIMIT 1",
                int(KeyPurpose.CARDS),
                now,
            )
        assert row is not None, "the first key was made above"
        return Signer(
            key_id=row["key_id"],
            key=Ed25519PrivateKey.from_private_bytes(self._unwrap(row)),
            not_after=row["not_after"],
        )

    async def change_card_keys(self, *, now: datetime) -> None:
        """Make the first key, or the next one when its time has come, and destroy private keys that sign no more."""
        newest = "SELECT not_before FROM signing_key WHERE purpose = $1 ORDER BY not_before DESC LIMIT 1"
        async with self._database.begin() as connection:
            if not _is_due(await connection.fetchval(newest, int(KeyPurpose.CARDS)), now):
                return
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            last: datetime | None = await connection.fetchval(newest, int(KeyPurpose.CARDS))
            if _is_due(last, now):
                # Whoever checks may have a clock that is a little slow.
                begins = now - timedelta(hours=1) if last is None else max(last + SIGNS_FOR, now)
                await self._insert_card_key(connection, not_before=begins, now=now)

    async def destroy_old_keys(self, *, now: datetime) -> None:
        """Destroy the private halves of keys of cards that another one has followed."""
        async with self._database.begin() as connection:
            await connection.execute(
                "UPDATE signing_key SET wrapped = NULL, master_version = NULL WHERE purpose = $1 AND wrapped IS NOT NULL"
                " AND EXISTS (SELECT FROM signing_key next WHERE next.purpose = $1"
                " AND next.not_before > signing_key.not_before AND next.not_before <= $2)",
                int(KeyPurpose.CARDS),
                now - CHANGE_TAKES,
            )

    async def find_authority(self) -> AuthorityKey | None:
        """Return the authority's key, None when there is no authority yet."""
        async with self._database.begin() as connection:
            row = await connection.fetchrow(
                "SELECT key_id, public, master_version, wrapped FROM signing_key WHERE purpose = $1",
                int(KeyPurpose.CERTIFICATES),
            )
        return None if row is None else AuthorityKey(certificate=row["public"], private_key=self._unwrap(row))

    async def put_authority(
        self, authority: AuthorityKey, *, not_before: datetime, not_after: datetime, now: datetime
    ) -> bool:
        """Keep the authority's key; false when there is one already."""
        key_id = key_id_of(authority.certificate)
        wrapped = self._master.wrap(authority.private_key, owner=_owner(key_id))
        async with self._database.begin() as connection:
            done = await connection.execute(
                "INSERT INTO signing_key VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
                key_id,
                int(KeyPurpose.CERTIFICATES),
                wrapped.master_version,
                wrapped.wrapped,
                authority.certificate,
                not_before,
                not_after,
                now,
            )
        return done == "INSERT 0 1"

    async def wrap_anew(self) -> None:
        """Wrap every private key with the present master key."""
        async with self._database.begin() as connection:
            rows = await connection.fetch(
                "SELECT key_id, master_version, wrapped FROM signing_key WHERE master_version <> $1 FOR UPDATE",
                self._master.version,
            )
            for row in rows:
                wrapped = self._master.wrap(self._unwrap(row), owner=_owner(row["key_id"]))
                await connection.execute(
                    "UPDATE signing_key SET master_version = $2, wrapped = $3 WHERE key_id = $1",
                    row["key_id"],
                    wrapped.master_version,
                    wrapped.wrapped,
                )

    async def _insert_card_key(self, connection: Connection, *, not_before: datetime, now: datetime) -> None:
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        key_id = key_id_of(public)
        wrapped = self._master.wrap(key.private_bytes_raw(), owner=_owner(key_id))
        await connection.execute(
            "INSERT INTO signing_key VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            key_id,
            int(KeyPurpose.CARDS),
            wrapped.master_version,
            wrapped.wrapped,
            public,
            not_before,
            not_before + SIGNS_FOR + CARDS_GOOD_FOR + SPARE,
            now,
        )

    def _unwrap(self, row: asyncpg.Record) -> bytes:
        key = WrappedKey(master_version=row["master_version"], wrapped=row["wrapped"])
        return self._master.unwrap(key, owner=_owner(row["key_id"]))


def key_id_of(public: bytes) -> str:
    """Return the identifier of a key: the beginning of its digest."""
    return hashlib.sha256(public).digest()[:KEY_ID_BYTES].hex()


def _is_due(newest: datetime | None, now: datetime) -> bool:
    return newest is None or newest + SIGNS_FOR - PUBLISHED_BEFORE <= now


def _owner(key_id: str) -> str:
    return f"signing:{key_id}"

"""The vault: the key database as the use cases see it."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Final, cast

import asyncpg
from zhibu_kit.errors import UNAVAILABLE, ServiceError

from zhibu_identity.keys.master import KEY_BYTES, MasterKeyError, MasterKeys, WrappedKey
from zhibu_identity.keys.sealing import IndexKey, MemberKey, same
from zhibu_identity.rules.search_terms import Term, term_of_eid_number

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy

MOST_CONNECTIONS: Final = 10
STATEMENT_TIMEOUT_S: Final = 5.0
# More people than this under one search term are not searched for but browsed.
MOST_FOUND: Final = 1000
# Purpose of the index that spans all counties.
PROVINCE: Final = "province"
# Conditions that pass: the database is down, restarts, is full of connections, or waits too long for a lock.
_PASSING: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
)
_SEED_PLACE: Final = "totp_seed.sealed"
_JOBS: Final = "identity_keys_relay"


class NumberKind(IntEnum):
    """Which number the index across counties holds."""

    RESIDENT = 1
    TELEPHONE = 2


class TermSource(IntEnum):
    """Where a search term comes from: details are replaced together, numbers of e-IDs stay."""

    DETAILS = 1
    EID = 2


class Vault:
    """Data keys, blind indexes and seeds. Nothing is kept in memory but the keys of the indexes."""

    def __init__(self, pool: asyncpg.Pool, master: MasterKeys) -> None:
        """Use an open pool; `open_vault` makes one."""
        self._pool = pool
        self._master = master
        self._index_keys: dict[str, IndexKey] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    async def is_ready(self) -> bool:
        """Say whether the key database answers."""
        try:
            async with self._begin() as connection:
                return await connection.fetchval("SELECT true") is True
        except ServiceError:
            return False

    # Data keys

    async def create_member(self, member_id: str, county_code: str, *, now: datetime) -> MemberKey:
        """Make the data key of a new person, unconfirmed until `confirm`."""
        key = os.urandom(KEY_BYTES)
        wrapped = self._master.wrap(key, owner=member_id)
        async with self._county(county_code) as connection:
            await connection.execute(
                "INSERT INTO member_key (member_id, county_code, master_version, wrapped, created_at)"
                " VALUES ($1, $2, $3, $4, $5)",
                member_id,
                county_code,
                wrapped.master_version,
                wrapped.wrapped,
                now,
            )
        return MemberKey(member_id, key)

    async def confirm(self, member_id: str, county_code: str) -> None:
        """Say that the person's application is committed."""
        async with self._county(county_code) as connection:
            await connection.execute("UPDATE member_key SET confirmed = true WHERE member_id = $1", member_id)

    async def member_keys(self, member_ids: Iterable[str], county_code: str) -> dict[str, MemberKey]:
        """Return the data keys of people of a county; those whose key was erased are missing."""
        wanted = list(set(member_ids))
        if not wanted:
            return {}
        async with self._county(county_code) as connection:
            rows = await connection.fetch(
                "SELECT member_id, master_version, wrapped FROM member_key WHERE member_id = ANY($1)", wanted
            )
        return {row["member_id"]: self._unwrap(row) for row in rows}

    async def find_member_key(self, member_id: str, county_code: str) -> MemberKey | None:
        """Return the data key of a person, None when it was erased."""
        return (await self.member_keys([member_id], county_code)).get(member_id)

    async def erase(self, member_id: str) -> bool:
        """Destroy a person's key, tokens and seed; nothing that was sealed with it can be read again."""
        async with self._jobs() as connection:
            done = await connection.execute("DELETE FROM member_key WHERE member_id = $1", member_id)
        return done == "DELETE 1"

    async def list_unconfirmed(self, *, made_before: datetime, most: int) -> list[tuple[str, str]]:
        """Return (member, county) of keys whose application may never have been committed."""
        async with self._jobs() as connection:
            rows = await connection.fetch(
                "SELECT member_id, county_code FROM member_key WHERE NOT confirmed AND created_at < $1"
                " ORDER BY created_at LIMIT $2",
                made_before,
                most,
            )
        return [(row["member_id"], row["county_code"]) for row in rows]

    async def wrap_anew(self, *, most: int) -> int:
        """Wrap up to `most` keys with the present master key instead of an earlier one; return how many were left."""
        async with self._jobs() as connection:
            rows = await connection.fetch(
                "SELECT member_id, master_version, wrapped FROM member_key WHERE master_version <> $1"
                " LIMIT $2 FOR UPDATE SKIP LOCKED",
                self._master.version,
                most,
            )
            for row in rows:
                wrapped = self._master.wrap(self._raw(row, owner=row["member_id"]), owner=row["member_id"])
                await connection.execute(
                    "UPDATE member_key SET master_version = $2, wrapped = $3 WHERE member_id = $1",
                    row["member_id"],
                    wrapped.master_version,
                    wrapped.wrapped,
                )
        if not rows:
            await self._wrap_index_keys_anew()
        return len(rows)

    # Search

    async def put_terms(self, member_id: str, county_code: str, terms: Collection[Term]) -> None:
        """Make a person findable by these terms, and no longer by earlier ones of name and numbers."""
        index = await self.index_key(county_code)
        async with self._county(county_code) as connection:
            await connection.execute(
                "DELETE FROM search_token WHERE member_id = $1 AND source = $2", member_id, int(TermSource.DETAILS)
            )
            await connection.executemany(
                "INSERT INTO search_token (county_code, token, member_id, source) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                [
                    (county_code, index.token(term), member_id, int(TermSource.DETAILS))
                    for term in sorted(terms, key=repr)
                ],
            )

    async def add_eid_term(self, member_id: str, county_code: str, eid_number: str) -> None:
        """Make a person findable by the number of an e-ID; by those of earlier, revoked ones too."""
        token = (await self.index_key(county_code)).token(term_of_eid_number(eid_number))
        async with self._county(county_code) as connection:
            await connection.execute(
                "INSERT INTO search_token (county_code, token, member_id, source) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                county_code,
                token,
                member_id,
                int(TermSource.EID),
            )

    async def find_members(self, county_code: str, terms: Collection[Term]) -> list[str]:
        """Return the people of a county who have one of these terms."""
        index = await self.index_key(county_code)
        async with self._county(county_code) as connection:
            rows = await connection.fetch(
                "SELECT DISTINCT member_id FROM search_token WHERE county_code = $1 AND token = ANY($2)"
                " ORDER BY member_id DESC LIMIT $3",
                county_code,
                [index.token(term) for term in terms],
                MOST_FOUND,
            )
        return [row["member_id"] for row in rows]

    # Numbers across counties

    async def put_numbers(self, member_id: str, county_code: str, numbers: Sequence[tuple[NumberKind, str]]) -> None:
        """Enter a person's numbers, instead of earlier ones, in the index that spans all counties."""
        index = await self.index_key(PROVINCE)
        async with self._county(county_code) as connection:
            await connection.execute("SELECT number_drop($1)", member_id)
            for kind, number in numbers:
                token = index.digest(f"number:{int(kind)}", number)
                await connection.execute("SELECT number_put($1, $2, $3, $4)", int(kind), token, member_id, county_code)

    async def drop_numbers(self, member_id: str) -> None:
        """Take a person's numbers out of the index: the application came to nothing, or the e-ID is revoked."""
        async with self._begin() as connection:
            await connection.execute("SELECT number_drop($1), number_release($1)", member_id)

    async def number_known(
        self, kind: NumberKind, number: str, *, but_member_id: str, county_code: str, elsewhere: bool
    ) -> bool:
        """Say whether somebody else has the number, in the county or elsewhere."""
        token = (await self.index_key(PROVINCE)).digest(f"number:{int(kind)}", number)
        async with self._begin() as connection:
            return bool(
                await connection.fetchval(
                    "SELECT number_known($1, $2, $3, $4, $5)", int(kind), token, but_member_id, county_code, elsewhere
                )
            )

    async def hold_number(self, resident_number: str, member_id: str) -> bool:
        """Take a resident number for the one living e-ID that it may have; false when another member has it."""
        token = (await self.index_key(PROVINCE)).digest(f"number:{int(NumberKind.RESIDENT)}", resident_number)
        async with self._begin() as connection:
            return bool(await connection.fetchval("SELECT number_hold($1, $2)", token, member_id))

    # Seeds

    async def ensure_seed(self, key: MemberKey, eid_id: str, *, county_code: str, proposed: str) -> str:
        """Keep the seed of an e-ID's one-time codes, or return the one that is kept already."""
        async with self._county(county_code) as connection:
            await connection.execute(
                "INSERT INTO totp_seed (eid_id, member_id, county_code, sealed) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                eid_id,
                key.member_id,
                county_code,
                key.seal(proposed, place=_SEED_PLACE),
            )
        seed = await self.find_seed(key, eid_id, county_code=county_code)
        assert seed is not None, "the row was inserted above"
        return seed

    async def find_seed(self, key: MemberKey, eid_id: str, *, county_code: str) -> str | None:
        """Return the seed of an e-ID's one-time codes."""
        async with self._county(county_code) as connection:
            sealed = await connection.fetchval("SELECT sealed FROM totp_seed WHERE eid_id = $1", eid_id)
        return None if sealed is None else key.open(sealed, place=_SEED_PLACE)

    async def drop_seed(self, eid_id: str, *, county_code: str) -> None:
        """Forget the seed: the account is gone."""
        async with self._county(county_code) as connection:
            await connection.execute("DELETE FROM totp_seed WHERE eid_id = $1", eid_id)

    # Index keys

    async def index_key(self, purpose: str) -> IndexKey:
        """Return the key of a county's index, or of the province's; it is made when first asked for."""
        if purpose not in self._index_keys:
            self._index_keys[purpose] = IndexKey(await self._load_index_key(purpose))
        return self._index_keys[purpose]

    async def check_master_key(self) -> None:
        """Make sure that the master key is the one with which the database was made.

        Raises:
            MasterKeyError: when it is not.
        """
        async with self._begin() as connection:
            await connection.execute(
                "INSERT INTO master_key_check (master_version, proof) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                self._master.version,
                self._master.proof(self._master.version),
            )
            rows = await connection.fetch("SELECT master_version, proof FROM master_key_check")
        known = {row["master_version"]: row["proof"] for row in rows}
        for version in self._master.versions & known.keys():
            if not same(known[version], self._master.proof(version)):
                raise MasterKeyError(f"master key {version} is not the one with which the key database was made")

    async def _load_index_key(self, purpose: str) -> bytes:
        owner = f"index:{purpose}"
        wrapped = self._master.wrap(os.urandom(KEY_BYTES), owner=owner)
        async with self._begin() as connection:
            await connection.execute(
                "INSERT INTO index_key (purpose, master_version, wrapped, created_at) VALUES ($1, $2, $3, now())"
                " ON CONFLICT DO NOTHING",
                purpose,
                wrapped.master_version,
                wrapped.wrapped,
            )
            row = await connection.fetchrow("SELECT master_version, wrapped FROM index_key WHERE purpose = $1", purpose)
        assert row is not None, "the row was inserted above, and rows are never deleted"
        return self._raw(row, owner=owner)

    async def _wrap_index_keys_anew(self) -> None:
        async with self._begin() as connection:
            rows = await connection.fetch(
                "SELECT purpose, master_version, wrapped FROM index_key WHERE master_version <> $1 FOR UPDATE",
                self._master.version,
            )
            for row in rows:
                owner = f"index:{row['purpose']}"
                wrapped = self._master.wrap(self._raw(row, owner=owner), owner=owner)
                await connection.execute(
                    "UPDATE index_key SET master_version = $2, wrapped = $3 WHERE purpose = $1",
                    row["purpose"],
                    wrapped.master_version,
                    wrapped.wrapped,
                )

    def _unwrap(self, row: asyncpg.Record) -> MemberKey:
        return MemberKey(row["member_id"], self._raw(row, owner=row["member_id"]))

    def _raw(self, row: asyncpg.Record, *, owner: str) -> bytes:
        key = WrappedKey(master_version=row["master_version"], wrapped=row["wrapped"])
        return self._master.unwrap(key, owner=owner)

    @asynccontextmanager
    async def _county(self, county_code: str) -> AsyncGenerator[Connection]:
        """Open a transaction which sees one county."""
        async with self._begin() as connection:
            await connection.execute("SELECT set_config('zhibu.counties', $1, true)", county_code)
            yield connection

    @asynccontextmanager
    async def _jobs(self) -> AsyncGenerator[Connection]:
        """Open a transaction of a job, which sees every county."""
        async with self._begin() as connection:
            await connection.execute(f"SET LOCAL ROLE {_JOBS}")
            yield connection

    @asynccontextmanager
    async def _begin(self) -> AsyncGenerator[Connection]:
        """Open a transaction.

        Raises:
            ServiceError: UNAVAILABLE when the key database cannot serve it now.
        """
        try:
            connection = await self._pool.acquire(timeout=STATEMENT_TIMEOUT_S)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            # Whatever it is, down to a wrong password, nobody can be served now and perhaps later.
            raise UNAVAILABLE() from error
        try:
            async with connection.transaction():
                yield cast("Connection", connection)
        except _PASSING as error:
            raise UNAVAILABLE() from error
        finally:
            await self._pool.release(connection)


async def open_vault(url: str, master: MasterKeys) -> Vault:
    """Connect to the key database.

    Raises:
        MasterKeyError: when the master key is not the one with which the database was made.
    """
    pool = await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=MOST_CONNECTIONS,
        command_timeout=STATEMENT_TIMEOUT_S,
        server_settings={
            "application_name": "zhibu_identity keys",
            "statement_timeout": "5000",
            "lock_timeout": "3000",
        },
    )
    vault = Vault(pool, master)
    try:
        await vault.check_master_key()
    except BaseException:
        await vault.close()
        raise
    return vault

"""The vault: the key database as the use cases see it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg
from zhibu_kit.telemetry import Telemetry

from zhibu_identity.keys.connections import KeyDatabase
from zhibu_identity.keys.index_keys import IndexKeys
from zhibu_identity.keys.master import KEY_BYTES, MasterKeyError, MasterKeys, WrappedKey
from zhibu_identity.keys.numbers import NumberIndex
from zhibu_identity.keys.sealing import IndexKey, MemberKey, same
from zhibu_identity.keys.search import SearchIndex, TermSource
from zhibu_identity.keys.signing import SigningKeys

_SEED_PLACE: Final = "totp_seed.sealed"


class Vault:
    """Data keys, seeds and blind indexes. Nothing is kept in memory but the keys of the indexes."""

    def __init__(self, database: KeyDatabase, master: MasterKeys) -> None:
        """Use a connected database; `open_vault` makes one."""
        self._database = database
        self._master = master
        self._index_keys = IndexKeys(database, master)
        self.search = SearchIndex(database, self._index_keys)
        self.numbers = NumberIndex(database, self._index_keys)
        self.signing = SigningKeys(database, master)

    def observe(self, telemetry: Telemetry) -> None:
        """Tell in the process's metrics how many connections are in use."""
        self._database.observe(telemetry)

    async def close(self) -> None:
        """Close the connections."""
        await self._database.close()

    async def is_ready(self) -> bool:
        """Say whether the key database answers."""
        return await self._database.is_ready()

    async def index_key(self, purpose: str) -> IndexKey:
        """Return the key of a county's index, or of the province's."""
        return await self._index_keys.get(purpose)

    async def create_member(self, member_id: str, county_code: str, *, now: datetime) -> MemberKey:
        """Make the data key of a new person, unconfirmed until `confirm`."""
        key = os.urandom(KEY_BYTES)
        wrapped = self._master.wrap(key, owner=member_id)
        async with self._database.county(county_code) as connection:
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

    async def create_members(
        self, member_ids: Sequence[str], county_code: str, *, now: datetime
    ) -> dict[str, MemberKey]:
        """Make the data keys of many new people, unconfirmed until `confirm_many`."""
        keys = {member_id: os.urandom(KEY_BYTES) for member_id in member_ids}
        wrapped = {member_id: self._master.wrap(key, owner=member_id) for member_id, key in keys.items()}
        async with self._database.county(county_code) as connection:
            await connection.execute(
                "INSERT INTO member_key (member_id, county_code, master_version, wrapped, created_at)"
                " SELECT member_id, $1, $2, wrapped, $3 FROM unnest($4::text[], $5::bytea[]) AS given (member_id, wrapped)",
                county_code,
                self._master.version,
                now,
                list(wrapped),
                [key.wrapped for key in wrapped.values()],
            )
        return {member_id: MemberKey(member_id, key) for member_id, key in keys.items()}

    async def confirm_many(self, member_ids: Collection[str], county_code: str) -> None:
        """Say that the rows of these people are committed."""
        async with self._database.county(county_code) as connection:
            await connection.execute(
                "UPDATE member_key SET confirmed = true WHERE member_id = ANY($1) AND NOT confirmed", list(member_ids)
            )

    async def confirm(self, member_id: str, county_code: str) -> None:
        """Say that the person's application is committed."""
        async with self._database.county(county_code) as connection:
            await connection.execute("UPDATE member_key SET confirmed = true WHERE member_id = $1", member_id)

    async def member_keys(self, member_ids: Iterable[str], county_code: str) -> dict[str, MemberKey]:
        """Return the data keys of people of a county; those whose key was erased are missing."""
        wanted = list(set(member_ids))
        if not wanted:
            return {}
        async with self._database.county(county_code) as connection:
            rows = await connection.fetch(
                "SELECT member_id, master_version, wrapped FROM member_key WHERE member_id = ANY($1)", wanted
            )
        return {row["member_id"]: self._unwrap(row) for row in rows}

    async def keys_in(self, people: Mapping[str, str]) -> dict[str, MemberKey]:
        """Return the data keys of people of several counties (member to county), in one round trip."""
        if not people:
            return {}
        # A code has no comma in it; what row-level security compares is the list.
        async with self._database.county(",".join(sorted(set(people.values())))) as connection:
            rows = await connection.fetch(
                "SELECT member_id, master_version, wrapped FROM member_key WHERE member_id = ANY($1)", list(people)
            )
        return {row["member_id"]: self._unwrap(row) for row in rows}

    async def move_member(self, member_id: str, *, from_county: str, to_county: str) -> None:
        """Have a member's key, seeds and numbers stand in another county. Doing it twice is the same as once."""
        async with self._database.county(f"{from_county},{to_county}") as connection:
            await connection.execute(
                "UPDATE member_key SET county_code = $2 WHERE member_id = $1", member_id, to_county
            )
            await connection.execute("UPDATE totp_seed SET county_code = $2 WHERE member_id = $1", member_id, to_county)
            await connection.execute("SELECT numbers_move($1, $2)", member_id, to_county)
            # The serial number stays known to the county that gave it: that is where a log-in looks for it.
            await connection.execute(
                "DELETE FROM search_token WHERE member_id = $1 AND county_code = $2 AND source = $3",
                member_id,
                from_county,
                int(TermSource.DETAILS),
            )

    async def replace_seed(self, key: MemberKey, eid_id: str, *, county_code: str, seed: str) -> None:
        """Keep another seed for an e-ID's one-time codes."""
        async with self._database.county(county_code) as connection:
            await connection.execute(
                "UPDATE totp_seed SET sealed = $2 WHERE eid_id = $1", eid_id, key.seal(seed, place=_SEED_PLACE)
            )

    async def find_member_key(self, member_id: str, county_code: str) -> MemberKey | None:
        """Return the data key of a person, None when it was erased."""
        return (await self.member_keys([member_id], county_code)).get(member_id)

    async def has_member_key(self, member_id: str) -> bool:
        """Say whether a person has a key, wherever they are."""
        async with self._database.jobs() as connection:
            return await connection.fetchval("SELECT true FROM member_key WHERE member_id = $1", member_id) is not None

    async def erase(self, member_id: str) -> bool:
        """Destroy a person's key, tokens and seed; nothing that was sealed with it can be read again."""
        async with self._database.jobs() as connection:
            done = await connection.execute("DELETE FROM member_key WHERE member_id = $1", member_id)
        return done == "DELETE 1"

    async def list_unconfirmed(self, *, made_before: datetime, most: int) -> list[tuple[str, str]]:
        """Return (member, county) of keys whose application may never have been committed."""
        async with self._database.jobs() as connection:
            rows = await connection.fetch(
                "SELECT member_id, county_code FROM member_key WHERE NOT confirmed AND created_at < $1"
                " ORDER BY created_at LIMIT $2",
                made_before,
                most,
            )
        return [(row["member_id"], row["county_code"]) for row in rows]

    async def wrap_anew(self, *, most: int) -> int:
        """Wrap up to `most` keys with the present master key instead of an earlier one; return how many were left."""
        async with self._database.jobs() as connection:
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
            await self._index_keys.wrap_anew()
            await self.signing.wrap_anew()
        return len(rows)

    async def ensure_seed(self, key: MemberKey, eid_id: str, *, county_code: str, proposed: str) -> str:
        """Keep the seed of an e-ID's one-time codes, or return the one that is kept already."""
        async with self._database.county(county_code) as connection:
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

    async def ensure_seeds(
        self, keys: Mapping[str, MemberKey], *, county_code: str, proposed: Mapping[str, str]
    ) -> dict[str, str]:
        """Do so for many e-IDs at once: keys and seeds by e-ID, in one order everywhere."""
        eid_ids = sorted(proposed)
        async with self._database.county(county_code) as connection:
            await connection.execute(
                "INSERT INTO totp_seed (eid_id, member_id, county_code, sealed)"
                " SELECT eid_id, member_id, $1, sealed"
                " FROM unnest($2::text[], $3::text[], $4::bytea[]) AS given (eid_id, member_id, sealed)"
                " ON CONFLICT DO NOTHING",
                county_code,
                eid_ids,
                [keys[eid_id].member_id for eid_id in eid_ids],
                [keys[eid_id].seal(proposed[eid_id], place=_SEED_PLACE) for eid_id in eid_ids],
            )
            rows = await connection.fetch("SELECT eid_id, sealed FROM totp_seed WHERE eid_id = ANY($1)", eid_ids)
        return {row["eid_id"]: keys[row["eid_id"]].open(row["sealed"], place=_SEED_PLACE) for row in rows}

    async def find_seed(self, key: MemberKey, eid_id: str, *, county_code: str) -> str | None:
        """Return the seed of an e-ID's one-time codes."""
        async with self._database.county(county_code) as connection:
            sealed = await connection.fetchval("SELECT sealed FROM totp_seed WHERE eid_id = $1", eid_id)
        return None if sealed is None else key.open(sealed, place=_SEED_PLACE)

    async def drop_seed(self, eid_id: str, *, county_code: str) -> None:
        """Forget the seed: the account is gone."""
        async with self._database.county(county_code) as connection:
            await connection.execute("DELETE FROM totp_seed WHERE eid_id = $1", eid_id)

    async def check_master_key(self) -> None:
        """Make sure that the master key is the one with which the database was made.

        Raises:
            MasterKeyError: when it is not.
        """
        async with self._database.begin() as connection:
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

    def _unwrap(self, row: asyncpg.Record) -> MemberKey:
        return MemberKey(row["member_id"], self._raw(row, owner=row["member_id"]))

    def _raw(self, row: asyncpg.Record, *, owner: str) -> bytes:
        key = WrappedKey(master_version=row["master_version"], wrapped=row["wrapped"])
        return self._master.unwrap(key, owner=owner)


async def open_vault(url: str, master: MasterKeys) -> Vault:
    """Connect to the key database.

    Raises:
        MasterKeyError: when the master key is not the one with which the database was made.
    """
    vault = Vault(await KeyDatabase.connect(url), master)
    try:
        await vault.check_master_key()
    except BaseException:
        await vault.close()
        raise
    return vault

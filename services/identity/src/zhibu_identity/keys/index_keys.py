"""The keys of the blind indexes: one for each county, one for the whole province."""

from __future__ import annotations

import os
from typing import Final

from zhibu_identity.keys.connections import KeyDatabase
from zhibu_identity.keys.master import KEY_BYTES, MasterKeys, WrappedKey
from zhibu_identity.keys.sealing import IndexKey

# Purpose of the index that spans all counties.
PROVINCE: Final = "province"


class IndexKeys:
    """Keys of indexes by purpose: the code of a county, or the province. They stay in memory once they were used."""

    def __init__(self, database: KeyDatabase, master: MasterKeys) -> None:
        """Unwrap what lies in the key database."""
        self._database = database
        self._master = master
        self._keys: dict[str, IndexKey] = {}

    async def get(self, purpose: str) -> IndexKey:
        """Return the key of an index; it is made when first asked for."""
        if purpose not in self._keys:
            self._keys[purpose] = IndexKey(await self._load(purpose))
        return self._keys[purpose]

    async def wrap_anew(self) -> None:
        """Wrap every key with the present master key."""
        async with self._database.begin() as connection:
            rows = await connection.fetch(
                "SELECT purpose, master_version, wrapped FROM index_key WHERE master_version <> $1 FOR UPDATE",
                self._master.version,
            )
            for row in rows:
                owner = f"index:{row['purpose']}"
                wrapped = self._master.wrap(
                    self._master.unwrap(
                        WrappedKey(master_version=row["master_version"], wrapped=row["wrapped"]), owner=owner
                    ),
                    owner=owner,
                )
                await connection.execute(
                    "UPDATE index_key SET master_version = $2, wrapped = $3 WHERE purpose = $1",
                    row["purpose"],
                    wrapped.master_version,
                    wrapped.wrapped,
                )

    async def _load(self, purpose: str) -> bytes:
        owner = f"index:{purpose}"
        wrapped = self._master.wrap(os.urandom(KEY_BYTES), owner=owner)
        async with self._database.begin() as connection:
            await connection.execute(
                "INSERT INTO index_key (purpose, master_version, wrapped, created_at) VALUES ($1, $2, $3, now())"
                " ON CONFLICT DO NOTHING",
                purpose,
                wrapped.master_version,
                wrapped.wrapped,
            )
            row = await connection.fetchrow("SELECT master_version, wrapped FROM index_key WHERE purpose = $1", purpose)
        assert row is not None, "the row was inserted above, and rows are never deleted"
        key = WrappedKey(master_version=row["master_version"], wrapped=row["wrapped"])
        return self._master.unwrap(key, owner=owner)

"""The index of numbers across counties: it answers yes or no, and gives each resident number to one living e-ID."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from zhibu_identity.keys.connections import KeyDatabase
from zhibu_identity.keys.index_keys import PROVINCE, IndexKeys


class NumberKind(IntEnum):
    """Which number the index holds."""

    RESIDENT = 1
    TELEPHONE = 2


class NumberIndex:
    """Keyed digests of numbers, under one key for the province."""

    def __init__(self, database: KeyDatabase, index_keys: IndexKeys) -> None:
        """Ask the functions of the key database; the tables themselves cannot be read."""
        self._database = database
        self._index_keys = index_keys

    async def put(self, member_id: str, county_code: str, numbers: Sequence[tuple[NumberKind, str]]) -> None:
        """Enter a person's numbers, instead of earlier ones, in the index that spans all counties."""
        index = await self._index_keys.get(PROVINCE)
        async with self._database.county(county_code) as connection:
            await connection.execute("SELECT number_drop($1)", member_id)
            for kind, number in numbers:
                token = index.digest(f"number:{int(kind)}", number)
                await connection.execute("SELECT number_put($1, $2, $3, $4)", int(kind), token, member_id, county_code)

    async def drop(self, member_id: str) -> None:
        """Take a person's numbers out of the index: the application came to nothing, or the e-ID is revoked."""
        async with self._database.begin() as connection:
            await connection.execute("SELECT number_drop($1), number_release($1)", member_id)

    async def known(
        self, kind: NumberKind, number: str, *, but_member_id: str, county_code: str, elsewhere: bool
    ) -> bool:
        """Say whether somebody else has the number, in the county or elsewhere."""
        token = (await self._index_keys.get(PROVINCE)).digest(f"number:{int(kind)}", number)
        async with self._database.begin() as connection:
            return bool(
                await connection.fetchval(
                    "SELECT number_known($1, $2, $3, $4, $5)", int(kind), token, but_member_id, county_code, elsewhere
                )
            )

    async def hold(self, resident_number: str, member_id: str) -> bool:
        """Take a resident number for the one living e-ID that it may have; false when another member has it."""
        token = (await self._index_keys.get(PROVINCE)).digest(f"number:{int(NumberKind.RESIDENT)}", resident_number)
        async with self._database.begin() as connection:
            return bool(await connection.fetchval("SELECT number_hold($1, $2)", token, member_id))

"""The index of numbers across counties: it answers yes or no, and gives each resident number to one living e-ID."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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

    async def put_of_many(self, county_code: str, numbers: Mapping[str, Sequence[tuple[NumberKind, str]]]) -> None:
        """Enter the numbers of people (member to numbers), instead of earlier ones."""
        rows = [
            (int(kind), await self._token(kind, number), member_id)
            for member_id, of_member in sorted(numbers.items())
            for kind, number in of_member
        ]
        async with self._database.county(county_code) as connection:
            await connection.execute(
                "SELECT numbers_put($1::smallint[], $2::bytea[], $3::text[], $4)",
                [kind for kind, _, _ in rows],
                [token for _, token, _ in rows],
                [member_id for _, _, member_id in rows],
                county_code,
            )

    async def find_here(self, kind: NumberKind, numbers: Collection[str], *, county_code: str) -> dict[str, list[str]]:
        """Return who in a county has which of these numbers: number to members; numbers that nobody has are missing."""
        tokens = {await self._token(kind, number): number for number in numbers}
        async with self._database.county(county_code) as connection:
            rows = await connection.fetch(
                "SELECT token, member_id FROM numbers_here($1, $2, $3) ORDER BY member_id",
                int(kind),
                list(tokens),
                county_code,
            )
        found: dict[str, list[str]] = {}
        for row in rows:
            found.setdefault(tokens[row["token"]], []).append(row["member_id"])
        return found

    async def find_elsewhere(self, kind: NumberKind, numbers: Collection[str], *, county_code: str) -> frozenset[str]:
        """Return those of these numbers which somebody of another county has."""
        tokens = {await self._token(kind, number): number for number in numbers}
        async with self._database.county(county_code) as connection:
            rows = await connection.fetch(
                "SELECT numbers_elsewhere($1, $2, $3) AS token", int(kind), list(tokens), county_code
            )
        return frozenset(tokens[row["token"]] for row in rows)

    async def hold_many(self, numbers: Mapping[str, str]) -> frozenset[str]:
        """Take resident numbers (member to number) for living e-IDs; return the members who have theirs now."""
        rows = [(await self._token(NumberKind.RESIDENT, number), member_id) for member_id, number in numbers.items()]
        async with self._database.begin() as connection:
            found = await connection.fetch(
                "SELECT numbers_hold($1::bytea[], $2::text[]) AS member_id",
                [token for token, _ in rows],
                [member_id for _, member_id in rows],
            )
        return frozenset(row["member_id"] for row in found)

    async def correct(self, resident_number: str, member_id: str, county_code: str) -> bool:
        """Take a corrected resident number beside the old one; false when somebody else, anywhere, has it."""
        token = await self._token(NumberKind.RESIDENT, resident_number)
        async with self._database.county(county_code) as connection:
            return bool(await connection.fetchval("SELECT number_correct($1, $2, $3)", token, member_id, county_code))

    async def settle(self, resident_number: str, member_id: str) -> None:
        """Have the member's one living e-ID, if there is one, hold the number of the record."""
        token = await self._token(NumberKind.RESIDENT, resident_number)
        async with self._database.begin() as connection:
            await connection.execute("SELECT number_settle($1, $2)", token, member_id)

    async def release(self, member_id: str) -> None:
        """Give back the number's one living e-ID; the person stays known by it."""
        async with self._database.begin() as connection:
            await connection.execute("SELECT number_release($1)", member_id)

    async def _token(self, kind: NumberKind, number: str) -> bytes:
        return (await self._index_keys.get(PROVINCE)).digest(f"number:{int(kind)}", number)

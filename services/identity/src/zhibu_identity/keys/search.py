"""The blind index of a county: who is found by which terms."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import IntEnum
from typing import Final

from zhibu_identity.keys.connections import KeyDatabase
from zhibu_identity.keys.index_keys import IndexKeys
from zhibu_identity.rules.search_terms import Term, term_of_eid_number

# More people than this under one search term are not searched for but browsed.
MOST_FOUND: Final = 1000


class TermSource(IntEnum):
    """Where a search term comes from: details are replaced together, numbers of e-IDs stay."""

    DETAILS = 1
    EID = 2


class SearchIndex:
    """Keyed tokens of whole terms, under a key of each county."""

    def __init__(self, database: KeyDatabase, index_keys: IndexKeys) -> None:
        """Keep tokens in the key database."""
        self._database = database
        self._index_keys = index_keys

    async def put_terms(self, member_id: str, county_code: str, terms: Collection[Term]) -> None:
        """Make a person findable by these terms, and no longer by earlier ones of name and numbers."""
        index = await self._index_keys.get(county_code)
        async with self._database.county(county_code) as connection:
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

    async def put_terms_of_many(self, county_code: str, terms: Mapping[str, Collection[Term]]) -> None:
        """Make people (member to terms) findable, and no longer by earlier terms of name and numbers."""
        index = await self._index_keys.get(county_code)
        # In one order everywhere, so that two who write many people at once do not wait for each other.
        rows = sorted((member_id, index.token(term)) for member_id, of_member in terms.items() for term in of_member)
        async with self._database.county(county_code) as connection:
            await connection.execute(
                "DELETE FROM search_token WHERE member_id = ANY($1) AND source = $2",
                list(terms),
                int(TermSource.DETAILS),
            )
            await connection.execute(
                "INSERT INTO search_token (county_code, token, member_id, source)"
                " SELECT $1, token, member_id, $4 FROM unnest($2::bytea[], $3::text[]) AS given (token, member_id)"
                " ON CONFLICT DO NOTHING",
                county_code,
                [token for _, token in rows],
                [member_id for member_id, _ in rows],
                int(TermSource.DETAILS),
            )

    async def add_eid_term(self, member_id: str, county_code: str, eid_number: str) -> None:
        """Make a person findable by the number of an e-ID; by those of earlier, revoked ones too."""
        token = (await self._index_keys.get(county_code)).token(term_of_eid_number(eid_number))
        async with self._database.county(county_code) as connection:
            await connection.execute(
                "INSERT INTO search_token (county_code, token, member_id, source) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT DO NOTHING",
                county_code,
                token,
                member_id,
                int(TermSource.EID),
            )

    async def add_eid_terms(self, county_code: str, numbers: Mapping[str, str]) -> None:
        """Make people (member to number) findable by the numbers of their e-IDs."""
        index = await self._index_keys.get(county_code)
        rows = sorted((member_id, index.token(term_of_eid_number(number))) for member_id, number in numbers.items())
        async with self._database.county(county_code) as connection:
            await connection.execute(
                "INSERT INTO search_token (county_code, token, member_id, source)"
                " SELECT $1, token, member_id, $4 FROM unnest($2::bytea[], $3::text[]) AS given (token, member_id)"
                " ON CONFLICT DO NOTHING",
                county_code,
                [token for _, token in rows],
                [member_id for member_id, _ in rows],
                int(TermSource.EID),
            )

    async def find_members(self, county_code: str, terms: Collection[Term]) -> list[str]:
        """Return the people of a county who have one of these terms."""
        index = await self._index_keys.get(county_code)
        async with self._database.county(county_code) as connection:
            rows = await connection.fetch(
                "SELECT DISTINCT member_id FROM search_token WHERE county_code = $1 AND token = ANY($2)"
                " ORDER BY member_id DESC LIMIT $3",
                county_code,
                [index.token(term) for term in terms],
                MOST_FOUND,
            )
        return [row["member_id"] for row in rows]

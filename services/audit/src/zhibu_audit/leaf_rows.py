"""The leaves as PostgreSQL keeps them, read in bounded parts."""

from collections.abc import AsyncGenerator, Sequence
from typing import Final

from zhibu_kit.db import Database, Role
from zhibu_kit.scope import Scope
from zhibu_tlog.hashes import hash_leaf
from zhibu_tlog.right_edge import RightEdge

# What is appended to the tree at once, below what it takes.
BATCH: Final = 8192
BATCH_BYTES: Final = 32 * 1024 * 1024
_NEXT: Final = """
select leaf from (
  select entry_index, leaf, sum(length(leaf)) over (order by entry_index) as bytes from entry
  where entry_index >= $1 and entry_index < $2 order by entry_index limit $3) as next
where bytes <= $4 order by entry_index"""


async def read_leaves(database: Database, first: int, until: int) -> Sequence[bytes]:
    """Return the leaves from an index on, before another, as many as make a batch."""
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        rows = await (await transaction.raw()).fetch(_NEXT, first, until, BATCH, BATCH_BYTES)
    return [row["leaf"] for row in rows]


async def iterate_leaves(database: Database, first: int, until: int) -> AsyncGenerator[Sequence[bytes]]:
    """Give all leaves from an index on, before another, batch by batch."""
    while first < until:
        leaves = await read_leaves(database, first, until)
        if not leaves:
            return
        yield leaves
        first += len(leaves)


async def root_of_rows(database: Database, first: int, size: int) -> bytes:
    """Return the root of a tree of so many leaves, from an index on."""
    edge = RightEdge()
    async for leaves in iterate_leaves(database, first, first + size):
        edge.append(map(hash_leaf, leaves))
    return edge.root

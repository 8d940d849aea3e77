"""Hashes for many proofs out of one log: every tile is read once for all entries in it, and everything above its hashes made once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from zhibu_tlog.hashes import hash_children
from zhibu_tlog.proofs import Node
from zhibu_tlog.reader import LogReader
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.tiles import TILE_HEIGHT, find_tile

# Of each level the tile at which the entries are, for entries that are nearly in order; a megabyte.
MOST_TILES_KEPT: Final = 64


class ProofHashes:
    """Hashes of complete subtrees of a tree of `size` leaves; not believed before the proofs made from them are checked."""

    def __init__(self, log: LogReader, size: int) -> None:
        """Read from the log."""
        self._log = log
        self._size = size
        self._kept: OrderedDict[tuple[int, int], list[list[bytes]]] = OrderedDict()

    def read_hashes(self, nodes: Sequence[Node]) -> list[bytes]:
        """Give the hash of each.

        Raises:
            LogFileMissingError, MalformedError: when a tile is not there, or none.
        """
        return [self._read(node) for node in nodes]

    def _read(self, node: Node) -> bytes:
        level, height = divmod(node.level, TILE_HEIGHT)
        index = node.index >> (TILE_HEIGHT - height)
        rows = self._rows(level, index)
        place = node.index - (index << (TILE_HEIGHT - height))
        if place >= len(rows[height]):
            raise MalformedError(f"{node} is not in a tree of {self._size}")
        return rows[height][place]

    def _rows(self, level: int, index: int) -> list[list[bytes]]:
        """Give the hashes of a tile, and row by row those above them that are complete."""
        kept = self._kept.get((level, index))
        if kept is not None:
            self._kept.move_to_end((level, index))
            return kept
        tile = find_tile(level, index, self._size)
        if tile is None:
            raise MalformedError(f"tile {index} of level {level} is not in a tree of {self._size}")
        rows = [self._log.read_tile(tile)]
        for _ in range(TILE_HEIGHT - 1):
            below = rows[-1]
            rows.append([hash_children(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
        self._kept[level, index] = rows
        if len(self._kept) > MOST_TILES_KEPT:
            self._kept.popitem(last=False)
        return rows

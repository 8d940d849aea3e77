"""Hashes of complete subtrees out of the tiles of a log: what proofs are made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhibu_tlog.hashes import hash_children
from zhibu_tlog.proofs import Node
from zhibu_tlog.reader import LogReader
from zhibu_tlog.tiles import find_tile, place_of

# Eight levels of tiles for each end of a range, several times over.
MOST_TILES_KEPT: Final = 64


class TileHashes:
    """Reads hashes of a tree of `size` leaves; what its tiles say is not believed before a proof made from it was checked."""

    def __init__(self, log: LogReader, size: int) -> None:
        """Read from the log."""
        self._log = log
        self._size = size
        # Of each tile its hashes, the nodes above them by twos, and so on: proofs of neighbours need the same ones.
        self._kept: dict[tuple[int, int], list[list[bytes]]] = {}

    def read_hashes(self, nodes: Sequence[Node]) -> list[bytes]:
        """Give the hash of each.

        Raises:
            LogFileMissingError: when a tile is not there.
            MalformedError: when a tile is none.
        """
        return [self._read(node) for node in nodes]

    def _read(self, node: Node) -> bytes:
        level, index, first, count = place_of(node)
        rows = self._kept.get((level, index))
        if rows is None:
            rows = self._keep(level, index, node)
        if first + count > len(rows[0]):
            raise ValueError(f"{node} is not in a tree of {self._size}")
        height = count.bit_length() - 1
        while len(rows) <= height:
            below = rows[-1]
            rows.append([hash_children(*pair) for pair in zip(below[::2], below[1::2], strict=False)])
        return rows[height][first >> height]

    def _keep(self, level: int, index: int, node: Node) -> list[list[bytes]]:
        tile = find_tile(level, index, self._size)
        if tile is None:
            raise ValueError(f"{node} is not in a tree of {self._size}")
        if len(self._kept) == MOST_TILES_KEPT:
            del self._kept[next(iter(self._kept))]
        rows = self._kept[level, index] = [self._log.read_tile(tile)]
        return rows

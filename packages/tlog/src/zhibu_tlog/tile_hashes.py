"""Hashes of complete subtrees out of the tiles of a log: what proofs are made from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhibu_tlog.hashes import hash_subtree
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
        self._kept: dict[tuple[int, int], list[bytes]] = {}

    def read_hashes(self, nodes: Sequence[Node]) -> list[bytes]:
        """Give the hash of each.

        Raises:
            LogFileMissingError: when a tile is not there.
            MalformedError: when a tile is none.
        """
        return [self._read(node) for node in nodes]

    def _read(self, node: Node) -> bytes:
        level, index, first, count = place_of(node)
        hashes = self._kept.get((level, index))
        if hashes is None:
            tile = find_tile(level, index, self._size)
            if tile is None:
                raise ValueError(f"{node} is not in a tree of {self._size}")
            hashes = self._log.read_tile(tile)
            if len(self._kept) == MOST_TILES_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[level, index] = hashes
        if first + count > len(hashes):
            raise ValueError(f"{node} is not in a tree of {self._size}")
        return hash_subtree(hashes[first : first + count])

"""The right edge of a growing tree: what of it must be known to add leaves and to tell the root, at most 255 hashes a level."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from zhibu_tlog.hashes import EMPTY_ROOT, hash_subtree
from zhibu_tlog.tiles import TILE_HEIGHT, TILE_WIDTH, Tile


@dataclass(frozen=True, slots=True, kw_only=True)
class TileContent:
    """A tile and the hashes in it."""

    tile: Tile
    hashes: tuple[bytes, ...]

    @property
    def data(self) -> bytes:
        """The tile as it is written."""
        return b"".join(self.hashes)


class RightEdge:
    """Takes leaves and gives back the tiles that they fill."""

    def __init__(self, size: int = 0, rows: Sequence[Sequence[bytes]] = ()) -> None:
        """Go on from a tree of `size` leaves; `rows` are the hashes of its partial tiles, from level 0 up."""
        self.size = size
        self._rows = [list(row) for row in rows]

    def copy(self) -> RightEdge:
        """Give another edge that grows by itself."""
        return RightEdge(self.size, self._rows)

    def append(self, leaf_hashes: Iterable[bytes]) -> list[TileContent]:
        """Add leaves; give the tiles that became full by them."""
        filled: list[TileContent] = []
        for leaf_hash in leaf_hashes:
            self.size += 1
            self._put(0, leaf_hash, filled)
        return filled

    def partial_tiles(self) -> Iterator[TileContent]:
        """Give the tiles at the edge that are not full."""
        for level, row in enumerate(self._rows):
            if row:
                index = self.size >> (TILE_HEIGHT * (level + 1))
                yield TileContent(tile=Tile(level=level, index=index, width=len(row)), hashes=tuple(row))

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        below: bytes | None = None
        for row in self._rows:
            # What is left over at the level below is the last, smaller subtree of this level.
            whole = row if below is None else [*row, below]
            below = hash_subtree(whole) if whole else None
        return EMPTY_ROOT if below is None else below

    def _put(self, level: int, hashed: bytes, filled: list[TileContent]) -> None:
        if level == len(self._rows):
            self._rows.append([])
        row = self._rows[level]
        row.append(hashed)
        if len(row) == TILE_WIDTH:
            index = (self.size >> (TILE_HEIGHT * (level + 1))) - 1
            filled.append(TileContent(tile=Tile(level=level, index=index), hashes=tuple(row)))
            self._rows[level] = []
            self._put(level + 1, hash_subtree(row), filled)

"""Where the hashes and the entries of a log lie (c2sp.org/tlog-tiles): tiles of 256 hashes, bundles of 256 entries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from zhibu_tlog.proofs import Node

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
# A tree has at most 2^63 leaves, so that eight levels of tiles hold all of it.
TILE_LEVELS: Final = 8

_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Consecutive hashes of one level of the tree: 256 of them, or fewer at the right edge."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it lies below the log's prefix."""
        return f"tile/{self.level}/{_index_path(self.index)}{_partial_suffix(self.width)}"

    @property
    def full(self) -> Tile:
        """The tile that this one is the beginning of."""
        return Tile(level=self.level, index=self.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Consecutive entries: 256 of them, or fewer at the right edge."""

    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it lies below the log's prefix."""
        return f"tile/entries/{_index_path(self.index)}{_partial_suffix(self.width)}"

    @property
    def full(self) -> Bundle:
        """The bundle that this one is the beginning of."""
        return Bundle(index=self.index)


def count_hashes(level: int, size: int) -> int:
    """Count the hashes that tiles of a level hold in a tree of `size` leaves."""
    return size >> (TILE_HEIGHT * level)


def list_tiles(level: int, size: int) -> Iterator[Tile]:
    """Give the tiles of a level of a tree of `size` leaves, left to right."""
    full, rest = divmod(count_hashes(level, size), TILE_WIDTH)
    for index in range(full):
        yield Tile(level=level, index=index)
    if rest:
        yield Tile(level=level, index=full, width=rest)


def list_bundles(size: int) -> Iterator[Bundle]:
    """Give the bundles of a log of `size` entries, left to right."""
    for tile in list_tiles(0, size):
        yield Bundle(index=tile.index, width=tile.width)


def find_tile(level: int, index: int, size: int) -> Tile | None:
    """Give a tile as it is in a tree of `size` leaves; None when nothing of it is there."""
    width = min(count_hashes(level, size) - index * TILE_WIDTH, TILE_WIDTH)
    return Tile(level=level, index=index, width=width) if width > 0 else None


def find_bundle(index: int, size: int) -> Bundle | None:
    """Give a bundle as it is in a log of `size` entries; None when nothing of it is there."""
    tile = find_tile(0, index, size)
    return Bundle(index=index, width=tile.width) if tile else None


def place_of(node: Node) -> tuple[int, int, int, int]:
    """Say in which tile a complete subtree lies: level and index of the tile, the first of its hashes there and their number."""
    level, height = divmod(node.level, TILE_HEIGHT)
    index, first = divmod(node.index << height, TILE_WIDTH)
    return level, index, first, 1 << height


def read_path(path: str) -> Tile | Bundle | None:
    """Say what lies at a path below the log's prefix; None where neither tile nor bundle can lie."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    index = int(found[2].replace("x", "").replace("/", ""))
    width = int(found[3] or TILE_WIDTH)
    if found[1] == "entries":
        read: Tile | Bundle = Bundle(index=index, width=width)
    else:
        read = Tile(level=int(found[1]), index=index, width=width)
    # What is spelt in another way (leading zeros, width 256) lies nowhere.
    return read if read.path == path else None


def _index_path(index: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([f"x{part}" for part in parts[:-1]] + [parts[-1]])


def _partial_suffix(width: int) -> str:
    return "" if width == TILE_WIDTH else f".p/{width}"

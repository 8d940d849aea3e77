"""A log that is read for several checks at once: what the check of the tree reads, the check of the lanes sees too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from zhibu_tlog.checkpoints import read_checkpoint
from zhibu_tlog.notes import read_note
from zhibu_tlog.reader import LogFileMissingError, LogReader
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.tiles import TILE_WIDTH, Bundle, Tile

from zhibu_audit.verifying.lanes import LaneCheck

# Called with how many entries were read, and of how many.
Progress = Callable[[int, int], None]
_UNKNOWN: Final = 0


@dataclass(slots=True)
class SharedReader:
    """Reads a log; each bundle is read once, in the order of the tree, by whoever checks the tree."""

    log: LogReader
    lanes: LaneCheck
    progress: Progress
    _size: int = _UNKNOWN

    def read_checkpoint(self) -> bytes:
        """Give the checkpoint as it is, unchecked."""
        data = self.log.read_checkpoint()
        self._size = size_said(data)
        return data

    def read_tile(self, tile: Tile) -> list[bytes]:
        """Give the hashes of a tile."""
        return self.log.read_tile(tile)

    def read_bundle(self, bundle: Bundle) -> list[bytes]:
        """Give the entries of a bundle."""
        first = bundle.index * TILE_WIDTH
        try:
            entries = self.log.read_bundle(bundle)
        except (LogFileMissingError, MalformedError):
            self.lanes.skip()
            raise
        for place, entry in enumerate(entries):
            self.lanes.take(first + place, entry)
        self.progress(first + len(entries), self._size)
        return entries


def size_said(checkpoint: bytes) -> int:
    """Give the size of which a checkpoint tells, unchecked; 0 when it tells of none."""
    try:
        return read_checkpoint(read_note(checkpoint).text).size
    except MalformedError:
        return _UNKNOWN

"""What a check of a log finds wrong."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What is wrong."""

    CHECKPOINT_REFUSED = "CHECKPOINT_REFUSED"
    """The checkpoint is none, is of another log, or is not signed by the log's key."""
    COSIGNATURES_MISSING = "COSIGNATURES_MISSING"
    """Fewer witnesses than wanted have cosigned the checkpoint, or one of their cosignatures is wrong."""
    FILE_MISSING = "FILE_MISSING"
    """A tile or a bundle that a log of this size has is not there."""
    FILE_MALFORMED = "FILE_MALFORMED"
    """A tile or a bundle is cut off, too long or otherwise none."""
    ENTRIES_CHANGED = "ENTRIES_CHANGED"
    """The entries of a bundle are not those of which the tile has the hashes."""
    TILE_CHANGED = "TILE_CHANGED"
    """A tile does not have the hashes of what lies below it."""
    ROOT_CHANGED = "ROOT_CHANGED"
    """The tree has another root than the checkpoint says."""
    TRUNCATED = "TRUNCATED"
    """The log is smaller than it once was."""
    FORKED = "FORKED"
    """The log does not continue what it once was."""
    UNEXPECTED_FILE = "UNEXPECTED_FILE"
    """A file lies where a log of this size has none."""
    PAST_CHANGED = "PAST_CHANGED"
    """A partial tile or bundle of an earlier size is not the beginning of what is there now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, and in which file."""

    kind: FindingKind
    path: str
    message: str

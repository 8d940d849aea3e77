"""Whether a directory holds a log and nothing else: no tiles behind its end, no earlier partial tiles that say something different.

A log that is being written on has tiles which its checkpoint does not tell of yet: check a copy, or while the writer rests.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from zhibu_tlog.entries import LONGEST_BUNDLE_BYTES
from zhibu_tlog.findings import Finding, FindingKind
from zhibu_tlog.hashes import HASH_BYTES
from zhibu_tlog.reader import CHECKPOINT_PATH
from zhibu_tlog.tiles import TILE_LEVELS, TILE_WIDTH, Bundle, Tile, find_bundle, find_tile, read_path


def check_directory(directory: Path, size: int) -> Iterator[Finding]:
    """Find what does not belong to a log of `size` entries; hidden files are not part of a log."""
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory)
        if name.parts[0].startswith(".") or (path.is_dir() and not path.is_symlink()):
            continue
        finding = _check_file(directory, name.as_posix(), size)
        if finding:
            yield finding


def _check_file(directory: Path, name: str, size: int) -> Finding | None:
    if name == CHECKPOINT_PATH:
        return None
    lies = read_path(name)
    now = _as_it_is(lies, size) if lies else None
    if lies is None or now is None or lies.width > now.width:
        return Finding(kind=FindingKind.UNEXPECTED_FILE, path=name, message=f"a log of {size} entries has no such file")
    if lies.width < now.width and not _begins(directory, lies, now):
        message = f"it is not the beginning of {now.path}"
        return Finding(kind=FindingKind.PAST_CHANGED, path=name, message=message)
    return None


def _as_it_is(lies: Tile | Bundle, size: int) -> Tile | Bundle | None:
    if isinstance(lies, Bundle):
        return find_bundle(lies.index, size)
    return find_tile(lies.level, lies.index, size) if lies.level < TILE_LEVELS else None


def _begins(directory: Path, lies: Tile | Bundle, now: Tile | Bundle) -> bool:
    """Say whether an earlier tile or bundle, of its right length, is the beginning of the one that is there now."""
    earlier = _read(directory / lies.path)
    if isinstance(lies, Tile) and len(earlier) != lies.width * HASH_BYTES:
        return False
    whole = _read(directory / now.path)
    if isinstance(lies, Bundle) and len(earlier) != _length_of(whole, lies.width):
        return False
    return whole.startswith(earlier)


def _length_of(bundle: bytes, count: int) -> int:
    """Say how long the first entries of a bundle are."""
    at = 0
    for _ in range(count):
        at += 2 + int.from_bytes(bundle[at : at + 2], "big")
    return at


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(max(LONGEST_BUNDLE_BYTES, TILE_WIDTH * HASH_BYTES) + 1)
    except FileNotFoundError:
        return b""

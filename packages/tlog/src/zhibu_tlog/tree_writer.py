"""Appends entries to a log in a directory: durable, whole or not at all, and with work that does not grow with the log.

Everything is written aside at once. Then it is put in its place, in this order: the journal (from here on the batch is decided),
tiles and bundles, the checkpoint; then what is no longer needed goes. Whatever a crash cut off is done when the log is opened
again, and leaves the same bytes.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhibu_tlog.checkpoints import Checkpoint, SignedCheckpoint, open_checkpoint, sign_checkpoint
from zhibu_tlog.durable_files import DurableFiles, put_in_place, write_all, write_aside
from zhibu_tlog.entries import encode_entries
from zhibu_tlog.hashes import EMPTY_ROOT, hash_leaf
from zhibu_tlog.journal import Journal, read_journal
from zhibu_tlog.keys import SignerKey
from zhibu_tlog.notes import Note, Signature
from zhibu_tlog.reader import CHECKPOINT_PATH, DirectoryReader, LogFileMissingError
from zhibu_tlog.right_edge import RightEdge
from zhibu_tlog.tiles import TILE_HEIGHT, TILE_LEVELS, TILE_WIDTH, Bundle, Tile, find_bundle, find_tile

# Beside the log's own files; servers that publish the directory need not serve it.
STATE_DIRECTORY: Final = ".writer"
_JOURNAL: Final = "journal"
_LOCK: Final = "lock"
# A batch and its tiles are held in memory.
MOST_ENTRIES_PER_BATCH: Final = 64 * TILE_WIDTH
LARGEST_BATCH_BYTES: Final = 64 * 1024 * 1024


class LogInUseError(Exception):
    """Another writer has the log open."""


class LogDamagedError(Exception):
    """The files of the log contradict its checkpoint; it must not be written on."""


class EntriesRefusedError(ValueError):
    """The entries do not continue the log: a gap, or others than those that are there already."""


def create_log(directory: Path, key: SignerKey, files: DurableFiles | None = None) -> None:
    """Begin an empty log, named as its key is, in a directory that is empty or not there.

    Raises:
        FileExistsError: when anything is there already: a log is never begun over another one.
    """
    files = files or DurableFiles()
    state = directory / STATE_DIRECTORY
    if directory.exists() and any(child != state for child in directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty")
    for made in (directory, state):
        files.make_directory(made)
        files.sync(made.parent)
    empty = sign_checkpoint(Checkpoint(origin=key.name, size=0, root=EMPTY_ROOT), key)
    write_all(files, {directory / CHECKPOINT_PATH: empty.note.data}, root=directory, aside=state)


@contextmanager
def opened_log(directory: Path, key: SignerKey, files: DurableFiles | None = None) -> Generator[TreeWriter]:
    """Open a log for writing, which one writer can at a time; what a crash cut off is done first.

    Raises:
        LogInUseError: when another writer has it open.
        LogDamagedError: when it contradicts itself.
        LogFileMissingError, MalformedError, NoteRefusedError: when a file is missing, damaged, or signed by another key.
    """
    if not (directory / CHECKPOINT_PATH).is_file():
        raise LogFileMissingError(CHECKPOINT_PATH)
    state = directory / STATE_DIRECTORY
    state.mkdir(exist_ok=True)
    descriptor = os.open(state / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LogInUseError(f"{directory} is open for writing elsewhere") from None
        yield TreeWriter(directory, key, files or DurableFiles())
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    edge: RightEdge
    contents: dict[Path, bytes]
    last_entries: list[bytes]


class TreeWriter:
    """One log, open for writing; made by `opened_log`."""

    def __init__(self, directory: Path, key: SignerKey, files: DurableFiles) -> None:
        """Finish what was begun and read the right edge."""
        self._directory = directory
        self._state = directory / STATE_DIRECTORY
        self._key = key
        self._verifier = key.verifier
        self._files = files
        self._log = DirectoryReader(directory)
        # After a failed operation nobody knows what is on the disk: the log must be opened again.
        self._failed = False
        self.signed = self._read_signed()
        self._edge, self._last_entries = self._read_edge()
        self._finish_begun()

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.signed.checkpoint.size

    def append(self, entries: Sequence[bytes], *, first_index: int) -> SignedCheckpoint:
        """Append entries of which the first has this index; those that are there already are compared and left.

        Returns the checkpoint that is published, which covers all of them.

        Raises:
            EntriesRefusedError: when they do not continue the log.
            ValueError: when there are too many or one is too long.
            OSError: when the disk refuses; the log must then be opened again.
        """
        self._refuse_after_failure()
        if len(entries) > MOST_ENTRIES_PER_BATCH or sum(map(len, entries)) > LARGEST_BATCH_BYTES:
            raise ValueError(f"a batch has at most {MOST_ENTRIES_PER_BATCH} entries and {LARGEST_BATCH_BYTES} bytes")
        if not 0 <= first_index <= self.size:
            raise EntriesRefusedError(f"entry {first_index} does not follow a log of {self.size}")
        known = min(self.size - first_index, len(entries))
        if self._read_entries(first_index, known) != list(entries[:known]):
            raise EntriesRefusedError(f"other entries stand at {first_index} and behind")
        new = tuple(entries[known:])
        if new:
            self._append_new(new)
        return self.signed

    def publish_cosignatures(self, signatures: Sequence[Signature]) -> SignedCheckpoint:
        """Add cosignatures to the published checkpoint; whoever calls has checked them."""
        self._refuse_after_failure()
        note = self.signed.note
        added = [signature for signature in signatures if signature not in note.signatures]
        cosigned = Note(text=note.text, signatures=(*note.signatures, *added))
        self._publish(cosigned.data)
        return self.signed

    def _append_new(self, entries: tuple[bytes, ...]) -> None:
        # Raised for an entry that is too long, before anything is decided.
        plan = self._plan(entries)
        signed = sign_checkpoint(Checkpoint(origin=self._key.name, size=plan.edge.size, root=plan.edge.root), self._key)
        journal = Journal(old_size=self.size, entries=entries, checkpoint=signed.note.data)
        self._carry_out(plan, journal.checkpoint, {self._state / _JOURNAL: journal.data})
        self._tidy_up(journal)

    def _plan(self, entries: tuple[bytes, ...]) -> _Plan:
        """Say what becomes of the log when these entries follow."""
        edge = self._edge.copy()
        filled = edge.append(hash_leaf(entry) for entry in entries)
        changed = (tile for tile in edge.partial_tiles() if tile.tile != _as_it_was(tile.tile, self.size))
        contents = {self._directory / tile.tile.path: tile.data for tile in (*filled, *changed)}
        bundled = [*self._last_entries, *entries]
        for at in range(0, len(bundled), TILE_WIDTH):
            part = bundled[at : at + TILE_WIDTH]
            bundle = Bundle(index=(self.size + at) // TILE_WIDTH, width=len(part))
            contents[self._directory / bundle.path] = encode_entries(part)
        return _Plan(edge=edge, contents=contents, last_entries=bundled[len(bundled) - edge.size % TILE_WIDTH :])

    def _carry_out(self, plan: _Plan, checkpoint: bytes, decision: Mapping[Path, bytes]) -> None:
        """Put the decision in its place (none when it is there already), then what it decides, then tell of that."""
        signed = self._open(checkpoint)
        published = {self._directory / CHECKPOINT_PATH: checkpoint}
        with self._failing():
            drafts = write_aside(self._files, {**decision, **plan.contents, **published}, aside=self._state)
            for contents, root in (
                (decision, self._state),
                (plan.contents, self._directory),
                (published, self._directory),
            ):
                put_in_place(self._files, {path: drafts[path] for path in contents}, root=root)
        self.signed = signed
        self._edge, self._last_entries = plan.edge, plan.last_entries

    def _tidy_up(self, journal: Journal) -> None:
        with self._failing():
            self._remove_superseded(journal.old_size, journal.size)
            self._files.remove(self._state / _JOURNAL)

    def _publish(self, note: bytes) -> None:
        # Refused, for example for too many signatures, before it is written.
        signed = self._open(note)
        with self._failing():
            contents = {self._directory / CHECKPOINT_PATH: note}
            write_all(self._files, contents, root=self._directory, aside=self._state)
        self.signed = signed

    def _remove_superseded(self, old_size: int, size: int) -> None:
        """Remove the partial tiles whose full tile is there now; until then every size that was published can be read."""
        for level in range(TILE_LEVELS):
            index = old_size >> (TILE_HEIGHT * (level + 1))
            if index == size >> (TILE_HEIGHT * (level + 1)):
                # Nothing became full here, so nothing did above.
                return
            self._remove_partials(self._directory / Tile(level=level, index=index).path)
            if level == 0:
                self._remove_partials(self._directory / Bundle(index=index).path)

    def _remove_partials(self, full: Path) -> None:
        partials = full.with_name(f"{full.name}.p")
        if partials.is_dir():
            for path in sorted(partials.iterdir()):
                self._files.remove(path)
            self._files.remove_directory(partials)
            self._files.sync(partials.parent)

    def _finish_begun(self) -> None:
        with suppress(FileNotFoundError):
            journal = read_journal((self._state / _JOURNAL).read_bytes())
            if self.size not in {journal.old_size, journal.size}:
                raise LogDamagedError(f"a batch was begun at {journal.old_size}, but the log has {self.size} entries")
            if self.size < journal.size:
                plan = self._plan(journal.entries)
                signed = self._open(journal.checkpoint)
                if (signed.checkpoint.size, signed.checkpoint.root) != (plan.edge.size, plan.edge.root):
                    raise LogDamagedError("the batch that was begun does not fit its checkpoint")
                self._carry_out(plan, journal.checkpoint, {})
            self._tidy_up(journal)
        for path in self._state.glob("*.new"):
            self._files.remove(path)

    def _read_signed(self) -> SignedCheckpoint:
        return self._open(self._log.read_checkpoint())

    def _open(self, note: bytes) -> SignedCheckpoint:
        return open_checkpoint(note, origin=self._key.name, keys=[self._verifier])

    def _read_edge(self) -> tuple[RightEdge, list[bytes]]:
        """Read the partial tiles and the last bundle, and compare them with the checkpoint."""
        size = self.size
        rows: list[list[bytes]] = []
        for level in range(TILE_LEVELS):
            tile = find_tile(level, size >> (TILE_HEIGHT * (level + 1)), size)
            rows.append(self._log.read_tile(tile) if tile else [])
        edge = RightEdge(size, rows)
        last = size - size % TILE_WIDTH
        entries = self._read_entries(last, size - last)
        if edge.root != self.signed.checkpoint.root or [hash_leaf(entry) for entry in entries] != rows[0]:
            raise LogDamagedError(f"the right edge of the log does not fit its checkpoint of size {size}")
        return edge, entries

    def _read_entries(self, first: int, count: int) -> list[bytes]:
        entries: list[bytes] = []
        for index in range(first // TILE_WIDTH, -(-(first + count) // TILE_WIDTH) if count else 0):
            bundle = find_bundle(index, self.size)
            if bundle:
                entries += self._log.read_bundle(bundle)
        return entries[first % TILE_WIDTH :][:count]

    def _refuse_after_failure(self) -> None:
        if self._failed:
            raise OSError("an operation on the disk has failed; open the log again")

    @contextmanager
    def _failing(self) -> Generator[None]:
        """Remember that an operation on the disk did not come to its end."""
        self._failed = True
        yield
        self._failed = False


def _as_it_was(tile: Tile, size: int) -> Tile | None:
    """Give the tile at the same place as it was when the log had `size` entries."""
    return find_tile(tile.level, tile.index, size)

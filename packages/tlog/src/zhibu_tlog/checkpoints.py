"""Checkpoints (c2sp.org/tlog-checkpoint): a log's name, size and root, as a signed note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zhibu_tlog.hashes import EMPTY_ROOT, read_hash
from zhibu_tlog.keys import SignerKey, VerifierKey
from zhibu_tlog.notes import Note, NoteRefusedError, check_note, read_note, sign_text
from zhibu_tlog.spelling import MalformedError, read_number, write_base64


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a log says of itself."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text of the note."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, write_base64(self.root), *self.extensions))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint whose log's signature was checked, with the note that it came in."""

    checkpoint: Checkpoint
    note: Note


def read_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint.

    Raises:
        MalformedError: when it is none.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise MalformedError("a checkpoint has at least three lines, none of them empty")
    origin, size, root, *extensions = lines
    return Checkpoint(origin=origin, size=read_number(size), root=read_hash(root), extensions=tuple(extensions))


def open_checkpoint(data: bytes, *, origin: str, keys: Sequence[VerifierKey]) -> SignedCheckpoint:
    """Read a checkpoint that a log must have signed.

    Raises:
        MalformedError: when it is none.
        NoteRefusedError: when it is of another log, or no key of the log has signed it.
    """
    note = read_note(data)
    checkpoint = read_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise NoteRefusedError(f"the checkpoint is one of {checkpoint.origin!r}, not of {origin!r}")
    check_note(note, keys)
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise MalformedError("an empty log has the root of an empty tree")
    return SignedCheckpoint(checkpoint=checkpoint, note=note)


def sign_checkpoint(checkpoint: Checkpoint, key: SignerKey) -> SignedCheckpoint:
    """Sign a checkpoint as its log."""
    text = checkpoint.text
    return SignedCheckpoint(checkpoint=checkpoint, note=Note(text=text, signatures=(sign_text(text, key),)))

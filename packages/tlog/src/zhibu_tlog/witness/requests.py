"""What a log sends to a witness: the size it was last cosigned at, the proof that it has only grown, and its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhibu_tlog.checkpoints import Checkpoint, read_checkpoint
from zhibu_tlog.hashes import read_hash
from zhibu_tlog.notes import LONGEST_NOTE_BYTES, Note, read_note
from zhibu_tlog.proofs import LONGEST_PROOF
from zhibu_tlog.spelling import MalformedError, read_number, write_base64

# The longest note behind the longest proof.
LONGEST_REQUEST_BYTES: Final = LONGEST_NOTE_BYTES + 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    """A request to cosign, as it was read: nothing of it is believed yet."""

    old_size: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


def read_request(body: bytes) -> AddCheckpoint:
    """Read the body of `add-checkpoint`.

    Raises:
        MalformedError: when it is none.
    """
    head, found, note_data = body.partition(b"\n\n")
    try:
        first, *proof = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise MalformedError("the lines before the checkpoint are ASCII") from error
    if not found or not first.startswith("old "):
        raise MalformedError("a request begins with the old size, and a blank line ends its proof")
    if len(proof) > LONGEST_PROOF:
        raise MalformedError(f"a proof has at most {LONGEST_PROOF} hashes")
    note = read_note(note_data)
    return AddCheckpoint(
        old_size=read_number(first.removeprefix("old ")),
        proof=tuple(map(read_hash, proof)),
        note=note,
        checkpoint=read_checkpoint(note.text),
    )


def write_request(old_size: int, proof: tuple[bytes, ...], note: bytes) -> bytes:
    """Write the body of `add-checkpoint`, for whoever asks a witness."""
    return "\n".join([f"old {old_size}", *map(write_base64, proof), "", ""]).encode() + note

"""Cosignatures (c2sp.org/tlog-cosignature): what witnesses say of a checkpoint, and when they said it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from zhibu_tlog.keys import SignatureType, VerifierKey
from zhibu_tlog.notes import Note, NoteRefusedError, Signature, check_note, cosigned_seconds, read_signatures
from zhibu_tlog.spelling import MalformedError

# What Python's datetime can hold; a time behind it says nothing.
_LAST_SECOND = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosignature:
    """A cosignature that was checked."""

    witness: VerifierKey
    cosigned_at: datetime


def list_cosignatures(note: Note, witnesses: Sequence[VerifierKey]) -> list[Cosignature]:
    """Give the cosignatures of known witnesses, one for each; of several by one witness the latest.

    Raises:
        NoteRefusedError: when one of them is wrong.
        ValueError: when a key given is not that of a witness.
    """
    if any(witness.type is not SignatureType.COSIGNATURE for witness in witnesses):
        raise ValueError("a witness has a key for cosignatures")
    if not any(signature.is_by(witness) for signature in note.signatures for witness in witnesses):
        return []
    latest: dict[VerifierKey, int] = {}
    for key, signature in check_note(note, witnesses):
        latest[key] = max(latest.get(key, 0), cosigned_seconds(signature))
    return [
        Cosignature(witness=key, cosigned_at=datetime.fromtimestamp(min(seconds, _LAST_SECOND), UTC))
        for key, seconds in latest.items()
    ]


def check_quorum(note: Note, witnesses: Sequence[VerifierKey], *, quorum: int) -> list[Cosignature]:
    """Give the cosignatures of known witnesses, of which there must be `quorum`.

    Two keys of one name, or one key under two names, do not count twice.

    Raises:
        NoteRefusedError: when there are fewer, or one of them is wrong.
    """
    cosignatures = list_cosignatures(note, witnesses)
    counted = min(
        len({cosignature.witness.name for cosignature in cosignatures}),
        len({cosignature.witness.public for cosignature in cosignatures}),
    )
    if counted < quorum:
        raise NoteRefusedError(f"{counted} of {quorum} witnesses have cosigned")
    return cosignatures


def read_cosignatures(note: Note, answer: bytes, witness: VerifierKey) -> list[Signature]:
    """Read a witness's answer (c2sp.org/tlog-witness, add-checkpoint) and give its cosignatures on the note.

    Raises:
        MalformedError: when the answer is none.
        NoteRefusedError: when this witness has not cosigned, or wrongly.
    """
    try:
        signatures = read_signatures(answer.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedError("a witness answers in UTF-8") from error
    return [signature for _, signature in check_note(Note(text=note.text, signatures=signatures), [witness])]

"""Signed notes (c2sp.org/signed-note): a text, a blank line, and the signatures of whoever vouches for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

from zhibu_tlog.keys import SignatureType, SignerKey, VerifierKey, check_key_name
from zhibu_tlog.spelling import LARGEST_NUMBER, MalformedError, read_base64, write_base64

# A checkpoint with sixteen signatures of any kind takes less.
LONGEST_NOTE_BYTES: Final = 128 * 1024
MOST_SIGNATURES: Final = 100
_KEY_ID_BYTES: Final = 4
_TIME_BYTES: Final = 8
_DASH: Final = "—"


class NoteRefusedError(Exception):
    """No key that is known has signed the note, or a signature under the name of a known key is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature line: who is said to have signed, and with what."""

    name: str
    key_id: int
    signature: bytes

    @property
    def line(self) -> str:
        """The line with its newline."""
        return f"{_DASH} {self.name} {write_base64(self.key_id.to_bytes(_KEY_ID_BYTES, 'big') + self.signature)}\n"

    def is_by(self, key: VerifierKey) -> bool:
        """Say whether the line names this key; whether the key has signed is another question."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note as it was read: nothing of it is believed before its signatures are checked."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def data(self) -> bytes:
        """The note as it is written."""
        return (self.text + "\n" + "".join(signature.line for signature in self.signatures)).encode()


def read_note(data: bytes) -> Note:
    """Read a note.

    Raises:
        MalformedError: when it is none.
    """
    if len(data) > LONGEST_NOTE_BYTES:
        raise MalformedError(f"a note has at most {LONGEST_NOTE_BYTES} bytes")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("a note is UTF-8") from error
    if any(character < " " and character != "\n" for character in whole):
        raise MalformedError("a note has no control characters")
    text, found, lines = whole.rpartition("\n\n")
    if not found or not lines:
        raise MalformedError("a note has a text, a blank line and signatures")
    return Note(text=text + "\n", signatures=read_signatures(lines))


def read_signatures(lines: str) -> tuple[Signature, ...]:
    """Read signature lines, at least one, each with its newline.

    Raises:
        MalformedError: when they are none.
    """
    if not lines.endswith("\n") or lines.count("\n") > MOST_SIGNATURES:
        raise MalformedError(f"a note has at most {MOST_SIGNATURES} signatures, each on its line")
    return tuple(_read_signature(line) for line in lines.removesuffix("\n").split("\n"))


def check_note(note: Note, keys: Sequence[VerifierKey]) -> list[tuple[VerifierKey, Signature]]:
    """Give the signatures by known keys; others are passed over, as the specification demands.

    Raises:
        NoteRefusedError: when there is none, or one is wrong.
    """
    checked: list[tuple[VerifierKey, Signature]] = []
    for signature in note.signatures:
        key = next((key for key in keys if signature.is_by(key)), None)
        if key is None:
            continue
        if not _is_right(key, note.text, signature.signature):
            raise NoteRefusedError(f"the signature of {key.name} is wrong")
        checked.append((key, signature))
    if not checked:
        raise NoteRefusedError("no key that is known has signed")
    return checked


def sign_text(text: str, key: SignerKey, *, at: datetime | None = None) -> Signature:
    """Sign a text; `at` is the time that a cosignature states, and only a cosignature has one."""
    match key.type:
        case SignatureType.ED25519:
            signed = key.sign(text.encode())
        case SignatureType.COSIGNATURE:
            if at is None:
                raise ValueError("a cosignature states its time")
            seconds = int(at.timestamp())
            signed = seconds.to_bytes(_TIME_BYTES, "big") + key.sign(_cosigned_message(text, seconds))
        case _:
            assert_never(key.type)
    return Signature(name=key.name, key_id=key.verifier.key_id, signature=signed)


def cosigned_seconds(signature: Signature) -> int:
    """Give the time that a cosignature states, in seconds since 1970."""
    return int.from_bytes(signature.signature[:_TIME_BYTES], "big")


def _is_right(key: VerifierKey, text: str, signature: bytes) -> bool:
    match key.type:
        case SignatureType.ED25519:
            return key.has_signed(text.encode(), signature)
        case SignatureType.COSIGNATURE:
            seconds = int.from_bytes(signature[:_TIME_BYTES], "big")
            return 0 < seconds <= LARGEST_NUMBER and key.has_signed(
                _cosigned_message(text, seconds), signature[_TIME_BYTES:]
            )
        case _:
            assert_never(key.type)


def _cosigned_message(text: str, seconds: int) -> bytes:
    """Write what a cosignature signs (c2sp.org/tlog-cosignature, "Ed25519 signed message")."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _read_signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != _DASH:
        raise MalformedError("a signature line begins with a dash")
    check_key_name(name)
    data = read_base64(encoded)
    if len(data) <= _KEY_ID_BYTES:
        raise MalformedError("the signature is too short")
    return Signature(name=name, key_id=int.from_bytes(data[:_KEY_ID_BYTES], "big"), signature=data[_KEY_ID_BYTES:])

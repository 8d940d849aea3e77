"""Proofs as files (c2sp.org/tlog-proof): that an entry is in a log, to be checked by anybody without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhibu_tlog.checkpoints import SignedCheckpoint, open_checkpoint
from zhibu_tlog.cosignatures import Cosignature, check_quorum
from zhibu_tlog.hashes import hash_leaf, read_hash
from zhibu_tlog.keys import VerifierKey
from zhibu_tlog.notes import LONGEST_NOTE_BYTES
from zhibu_tlog.proofs import LONGEST_PROOF, check_inclusion, make_inclusion_proof
from zhibu_tlog.reader import LogReader
from zhibu_tlog.spelling import MalformedError, read_base64, read_number, write_base64
from zhibu_tlog.tile_hashes import TileHashes
from zhibu_tlog.tiles import TILE_WIDTH, find_bundle

FILE_ENDING: Final = ".tlog-proof"
_FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
# What others add is not ours to understand, only to bound.
LONGEST_EXTRA_BYTES: Final = 64 * 1024
LONGEST_FILE_BYTES: Final = LONGEST_NOTE_BYTES + 2 * LONGEST_EXTRA_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFile:
    """A proof as it was read: nothing of it is believed before it is checked, and `extra` not even then."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    @property
    def data(self) -> bytes:
        """The file as it is written."""
        lines = [_FIRST_LINE]
        if self.extra is not None:
            lines.append(f"extra {write_base64(self.extra)}")
        lines += [f"index {self.index}", *map(write_base64, self.proof), "", ""]
        return "\n".join(lines).encode() + self.checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What a checked proof says: this entry stands at this place of this log."""

    index: int
    checkpoint: SignedCheckpoint
    cosignatures: tuple[Cosignature, ...]


def read_proof_file(data: bytes) -> ProofFile:
    """Read a proof.

    Raises:
        MalformedError: when it is none.
    """
    if len(data) > LONGEST_FILE_BYTES:
        raise MalformedError(f"a proof has at most {LONGEST_FILE_BYTES} bytes")
    head, found, checkpoint = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise MalformedError("a proof is text") from error
    if not found or lines.pop(0) != _FIRST_LINE:
        raise MalformedError(f"a proof begins with {_FIRST_LINE}")
    extra = read_base64(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
    if not lines or not lines[0].startswith("index "):
        raise MalformedError("a proof names the index of its entry")
    index = read_number(lines.pop(0).removeprefix("index "))
    if len(lines) > LONGEST_PROOF:
        raise MalformedError(f"a proof has at most {LONGEST_PROOF} hashes")
    return ProofFile(index=index, proof=tuple(map(read_hash, lines)), checkpoint=checkpoint, extra=extra)


def check_proof_file(
    data: bytes,
    entry: bytes,
    *,
    origin: str,
    keys: Sequence[VerifierKey],
    witnesses: Sequence[VerifierKey] = (),
    quorum: int = 0,
) -> Proved:
    """Check that the entry is in the log of this name and key, and that `quorum` of these witnesses have seen it so.

    Raises:
        MalformedError: when the file is no proof.
        NoteRefusedError: when its checkpoint is not signed as it must be.
        ProofRefusedError: when the entry is not proved to be there.
    """
    read = read_proof_file(data)
    signed = open_checkpoint(read.checkpoint, origin=origin, keys=keys)
    cosignatures = check_quorum(signed.note, witnesses, quorum=quorum)
    check_inclusion(
        index=read.index,
        size=signed.checkpoint.size,
        leaf_hash=hash_leaf(entry),
        proof=read.proof,
        root=signed.checkpoint.root,
    )
    return Proved(index=read.index, checkpoint=signed, cosignatures=tuple(cosignatures))


def make_proof_file(log: LogReader, index: int, signed: SignedCheckpoint, *, extra: bytes | None = None) -> ProofFile:
    """Make the proof for an entry of a log, and check it before it is given out.

    Raises:
        LogFileMissingError, MalformedError, ProofRefusedError: when the log is damaged there.
    """
    size = signed.checkpoint.size
    bundle = find_bundle(index // TILE_WIDTH, size)
    if bundle is None or index >= size:
        raise ValueError(f"no entry {index} in a log of {size}")
    entry = log.read_bundle(bundle)[index % TILE_WIDTH]
    proof = make_inclusion_proof(index, size, TileHashes(log, size))
    check_inclusion(index=index, size=size, leaf_hash=hash_leaf(entry), proof=proof, root=signed.checkpoint.root)
    return ProofFile(index=index, proof=tuple(proof), checkpoint=signed.note.data, extra=extra)

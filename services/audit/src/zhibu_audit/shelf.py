"""The logs as they lie on the disk, for reading: checkpoints, tiles, bundles and proofs.

All of it waits for the disk: in an event loop it is called in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from zhibu_tlog.checkpoints import SignedCheckpoint, open_checkpoint
from zhibu_tlog.entries import LONGEST_BUNDLE_BYTES
from zhibu_tlog.hashes import HASH_BYTES
from zhibu_tlog.keys import SignatureType, VerifierKey
from zhibu_tlog.notes import NoteRefusedError
from zhibu_tlog.proof_files import make_proof_file
from zhibu_tlog.proofs import ProofRefusedError
from zhibu_tlog.reader import CHECKPOINT_PATH, DirectoryReader, LogFileMissingError
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.tiles import TILE_WIDTH, Bundle, read_path

from zhibu_audit.errors import LOG_NOT_WHOLE
from zhibu_audit.origins import Origin

# What a reader meets that the log's own writer never leaves.
DAMAGED: Final = (LogFileMissingError, MalformedError, NoteRefusedError, ProofRefusedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Who signs: the log's public key, the witnesses, and how many of them must have cosigned."""

    public: bytes
    witnesses: tuple[VerifierKey, ...]
    quorum: int


def log_of(logs: Sequence[Origin], index: int) -> Origin | None:
    """Return the log in which an entry stands."""
    return next((log for log in reversed(logs) if log.first_index <= index), None)


class Shelf:
    """The logs of a directory."""

    def __init__(self, root: Path, keys: Keys) -> None:
        """Read from the directory in which every log has a folder."""
        self._root = root
        self.keys = keys

    def verifier_key(self, log: Origin) -> VerifierKey:
        """Return the key by which a log is checked: its name is the log's."""
        return VerifierKey(name=log.name, type=SignatureType.ED25519, public=self.keys.public)

    def reader(self, log: Origin) -> DirectoryReader:
        """Return what reads a log."""
        return DirectoryReader(log.directory(self._root))

    def signed(self, log: Origin) -> SignedCheckpoint | None:
        """Return the newest checkpoint; None when there is none yet.

        Raises:
            ServiceError: LOG_NOT_WHOLE when there is one that the log did not sign.
        """
        try:
            return self._opened(log, self.reader(log).read_checkpoint())
        except LogFileMissingError:
            return None

    def cosigned(self, log: Origin) -> SignedCheckpoint | None:
        """Return the newest checkpoint that enough witnesses have cosigned: they are a moment behind the log."""
        try:
            return self._opened(log, log.cosigned_file(self._root).read_bytes())
        except FileNotFoundError:
            return None

    def signed_at(self, log: Origin) -> datetime | None:
        """Return when the newest checkpoint was written."""
        try:
            changed_s = (log.directory(self._root) / CHECKPOINT_PATH).stat().st_mtime
        except FileNotFoundError:
            return None
        return datetime.fromtimestamp(changed_s, UTC)

    def covering(self, log: Origin, index: int) -> SignedCheckpoint | None:
        """Return a checkpoint over an entry: the newest with its cosignatures, otherwise the newest; None when there is none."""
        place = index - log.first_index
        for read in (self.cosigned, self.signed):
            signed = read(log)
            if signed is not None and place < signed.checkpoint.size:
                return signed
        return None

    def prove(self, log: Origin, index: int, signed: SignedCheckpoint) -> str:
        """Return the proof of an entry (c2sp.org/tlog-proof).

        Raises:
            ServiceError: LOG_NOT_WHOLE when the files of the log do not prove it.
        """
        try:
            return make_proof_file(self.reader(log), index - log.first_index, signed).data.decode()
        except DAMAGED as error:
            raise LOG_NOT_WHOLE() from error

    def find_file(self, log: Origin, path: str) -> bytes | None:
        """Return a tile or bundle as it lies there; None when there is none."""
        lies = read_path(path)
        if lies is None:
            return None
        limit = LONGEST_BUNDLE_BYTES if isinstance(lies, Bundle) else TILE_WIDTH * HASH_BYTES
        try:
            with (log.directory(self._root) / path).open("rb") as file:
                return file.read(limit)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def find_checkpoint(self, log: Origin) -> bytes | None:
        """Return the newest checkpoint as it is published."""
        try:
            return self.reader(log).read_checkpoint()
        except LogFileMissingError:
            return None

    def _opened(self, log: Origin, data: bytes) -> SignedCheckpoint:
        try:
            return open_checkpoint(data, origin=log.name, keys=[self.verifier_key(log)])
        except DAMAGED as error:
            raise LOG_NOT_WHOLE() from error

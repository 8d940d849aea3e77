"""The logs as they lie on the disk, for reading: checkpoints, tiles, bundles and proofs.

All of it waits for the disk: in an event loop it is called in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row, select
from zhibu_kit.db import Transaction
from zhibu_tlog.checkpoints import SignedCheckpoint, open_checkpoint
from zhibu_tlog.cosignatures import check_quorum
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
from zhibu_audit.models import log_origin

# What a reader meets that the log's own writer never leaves.
DAMAGED: Final = (LogFileMissingError, MalformedError, NoteRefusedError, ProofRefusedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLog:
    """A log and the entries in it: entry `first_index` stands at its place 0."""

    origin: str
    first_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Who signs: the log's public key, the witnesses, and how many of them must have cosigned."""

    public: bytes
    witnesses: tuple[VerifierKey, ...]
    quorum: int


async def list_logs(transaction: Transaction) -> list[PlacedLog]:
    """Return the logs, the first one first: a new one was begun after each loss that could not be fed again."""
    statement = select(log_origin.c.origin, log_origin.c.first_index).order_by(log_origin.c.serial)
    return [_placed(row) for row in await transaction.all(statement)]


def log_of(logs: Sequence[PlacedLog], index: int) -> PlacedLog | None:
    """Return the log in which an entry stands."""
    return next((log for log in reversed(logs) if log.first_index <= index), None)


class Shelf:
    """The logs of a directory."""

    def __init__(self, root: Path, keys: Keys) -> None:
        """Read from the directory in which every log has a folder."""
        self._root = root
        self.keys = keys
        # The newest checkpoint of each log that enough witnesses have cosigned: they are a moment behind the log.
        self._believed: dict[str, SignedCheckpoint] = {}

    def verifier_key(self, log: PlacedLog) -> VerifierKey:
        """Return the key by which a log is checked: its name is the log's."""
        return VerifierKey(name=log.origin, type=SignatureType.ED25519, public=self.keys.public)

    def directory_of(self, log: PlacedLog) -> Path:
        """Return the folder of a log."""
        return self._root / folder_of(log.origin)

    def signed(self, log: PlacedLog) -> SignedCheckpoint | None:
        """Return the newest checkpoint; None when there is none yet.

        Raises:
            ServiceError: LOG_NOT_WHOLE when there is one that the log did not sign.
        """
        try:
            data = DirectoryReader(self.directory_of(log)).read_checkpoint()
            signed = open_checkpoint(data, origin=log.origin, keys=[self.verifier_key(log)])
        except LogFileMissingError:
            return None
        except DAMAGED as error:
            raise LOG_NOT_WHOLE() from error
        if self._is_believed(signed):
            self._believed[log.origin] = signed
        return signed

    def signed_at(self, log: PlacedLog) -> datetime | None:
        """Return when the newest checkpoint was written."""
        try:
            changed_s = (self.directory_of(log) / CHECKPOINT_PATH).stat().st_mtime
        except FileNotFoundError:
            return None
        return datetime.fromtimestamp(changed_s, UTC)

    def covering(self, log: PlacedLog, index: int) -> SignedCheckpoint | None:
        """Return a checkpoint over an entry: the newest with its cosignatures, otherwise the newest; None when there is none."""
        newest = self.signed(log)
        place = index - log.first_index
        for signed in (self._believed.get(log.origin), newest):
            if signed is not None and place < signed.checkpoint.size:
                return signed
        return None

    def prove(self, log: PlacedLog, index: int, signed: SignedCheckpoint) -> str:
        """Return the proof of an entry (c2sp.org/tlog-proof).

        Raises:
            ServiceError: LOG_NOT_WHOLE when the files of the log do not prove it.
        """
        reader = DirectoryReader(self.directory_of(log))
        try:
            return make_proof_file(reader, index - log.first_index, signed).data.decode()
        except DAMAGED as error:
            raise LOG_NOT_WHOLE() from error

    def find_file(self, log: PlacedLog, path: str) -> bytes | None:
        """Return a tile or bundle as it lies there; None when there is none."""
        lies = read_path(path)
        if lies is None:
            return None
        limit = LONGEST_BUNDLE_BYTES if isinstance(lies, Bundle) else TILE_WIDTH * HASH_BYTES
        try:
            with (self.directory_of(log) / path).open("rb") as file:
                return file.read(limit)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def find_checkpoint(self, log: PlacedLog) -> bytes | None:
        """Return the newest checkpoint as it is published."""
        try:
            return DirectoryReader(self.directory_of(log)).read_checkpoint()
        except LogFileMissingError:
            return None

    def _is_believed(self, signed: SignedCheckpoint) -> bool:
        try:
            check_quorum(signed.note, self.keys.witnesses, quorum=self.keys.quorum)
        except NoteRefusedError:
            return False
        return True


def folder_of(origin: str) -> str:
    """Return the name of a log's folder."""
    return origin.replace("/", "_")


def _placed(row: Row[Any]) -> PlacedLog:
    return PlacedLog(origin=row.origin, first_index=row.first_index)

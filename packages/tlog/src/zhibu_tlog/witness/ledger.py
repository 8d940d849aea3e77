"""What a witness has cosigned: the latest checkpoint of each log, on the disk before anybody gets the cosignature.

Because the old size is compared and the new checkpoint kept in one step, and because a checkpoint of the same size must have
the same root, no two roots of one size are ever signed, whatever crashes in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Final

from zhibu_tlog.checkpoints import Checkpoint, read_checkpoint
from zhibu_tlog.durable_files import DurableFiles, write_all
from zhibu_tlog.hashes import EMPTY_ROOT
from zhibu_tlog.keys import SignerKey, VerifierKey
from zhibu_tlog.notes import Note, NoteRefusedError, Signature, check_note, read_note, sign_text
from zhibu_tlog.proofs import ProofRefusedError, check_consistency
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.witness.requests import AddCheckpoint

_CHECKPOINT_FILE: Final = "checkpoint"


class RequestRefusedError(Exception):
    """The witness does not cosign; `status` says why (c2sp.org/tlog-witness, "add-checkpoint")."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        """Name the reason."""
        super().__init__(message)
        self.status = status


class SizeConflictError(Exception):
    """The log was last cosigned at another size than the request says."""

    def __init__(self, size: int) -> None:
        """Name the size."""
        super().__init__(f"the log was last cosigned at {size}")
        self.size = size


@dataclass(slots=True, kw_only=True)
class _Watched:
    """A log that is watched, and what of it was cosigned last."""

    keys: tuple[VerifierKey, ...]
    directory: Path
    latest: Note | None = None
    size: int = 0
    root: bytes = EMPTY_ROOT
    # After a failed write nobody knows what is on the disk: the witness must be started again.
    failed: bool = False
    lock: Lock = field(default_factory=Lock)


class Ledger:
    """The memory of a witness. Safe to use from several threads; one process at a time may use a directory."""

    def __init__(
        self,
        directory: Path,
        key: SignerKey,
        logs: Mapping[str, Sequence[VerifierKey]],
        files: DurableFiles | None = None,
    ) -> None:
        """Read what was cosigned before.

        Raises:
            MalformedError, NoteRefusedError: when that is damaged or was cosigned by another key.
        """
        self._directory = directory
        self._key = key
        self._files = files or DurableFiles()
        self._watched = {
            origin: _Watched(keys=tuple(keys), directory=directory / _hash_origin(origin))
            for origin, keys in logs.items()
        }
        self._by_hash = {watched.directory.name: watched for watched in self._watched.values()}
        for origin, watched in self._watched.items():
            self._read_latest(origin, watched)

    def cosign(self, request: AddCheckpoint, *, at: datetime) -> Signature:
        """Check that the log has only grown, keep its checkpoint, and cosign it.

        Raises:
            RequestRefusedError: when it is not cosigned.
            SizeConflictError: when it was last cosigned at another size.
            OSError: when the disk refuses.
        """
        watched = self._watched.get(request.checkpoint.origin)
        if watched is None:
            raise RequestRefusedError(HTTPStatus.NOT_FOUND, "this log is not watched here")
        try:
            signatures = [signature for _, signature in check_note(request.note, watched.keys)]
        except NoteRefusedError as error:
            raise RequestRefusedError(HTTPStatus.FORBIDDEN, str(error)) from error
        if request.old_size > request.checkpoint.size:
            raise RequestRefusedError(HTTPStatus.BAD_REQUEST, "the old size is larger than that of the checkpoint")
        with watched.lock:
            if watched.failed:
                raise OSError("an earlier checkpoint of this log could not be written; start the witness again")
            if request.old_size != watched.size:
                raise SizeConflictError(watched.size)
            _check_growth(request, watched)
            cosignature = sign_text(request.note.text, self._key, at=at)
            self._keep(watched, Note(text=request.note.text, signatures=(*signatures, cosignature)), request.checkpoint)
        return cosignature

    def find_checkpoint(self, origin_hash: str) -> bytes | None:
        """Give the latest cosigned checkpoint of a log by the SHA-256 of its origin in lower-case hex."""
        watched = self._by_hash.get(origin_hash)
        return watched.latest.data if watched and watched.latest else None

    def _keep(self, watched: _Watched, note: Note, checkpoint: Checkpoint) -> None:
        watched.failed = True
        contents = {watched.directory / _CHECKPOINT_FILE: note.data}
        # Aside is the log's own directory, so that two logs do not meet there.
        if not watched.directory.is_dir():
            self._files.make_directory(watched.directory)
            self._files.sync(self._directory)
        write_all(self._files, contents, root=self._directory, aside=watched.directory)
        watched.latest, watched.size, watched.root = note, checkpoint.size, checkpoint.root
        watched.failed = False

    def _read_latest(self, origin: str, watched: _Watched) -> None:
        try:
            data = (watched.directory / _CHECKPOINT_FILE).read_bytes()
        except FileNotFoundError:
            return
        note = read_note(data)
        check_note(note, [self._key.verifier])
        checkpoint = read_checkpoint(note.text)
        if checkpoint.origin != origin:
            raise MalformedError(f"{watched.directory} holds a checkpoint of {checkpoint.origin!r}, not of {origin!r}")
        watched.latest, watched.size, watched.root = note, checkpoint.size, checkpoint.root


def _check_growth(request: AddCheckpoint, watched: _Watched) -> None:
    checkpoint = request.checkpoint
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        raise RequestRefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "an empty log has the root of an empty tree")
    try:
        check_consistency(
            old_size=watched.size,
            size=checkpoint.size,
            old_root=watched.root,
            root=checkpoint.root,
            proof=request.proof,
        )
    except ProofRefusedError as error:
        raise RequestRefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error


def _hash_origin(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()

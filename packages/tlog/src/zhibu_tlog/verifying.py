"""The whole check of a log, offline: every entry against its tile, every tile against the root, the root against the signatures.

Whoever keeps a checkpoint from an earlier check, or knows the keys of witnesses, also sees a log that was rebuilt and signed anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from zhibu_tlog.checkpoints import Checkpoint, SignedCheckpoint, open_checkpoint
from zhibu_tlog.cosignatures import Cosignature, check_quorum
from zhibu_tlog.findings import Finding, FindingKind
from zhibu_tlog.hashes import hash_leaf
from zhibu_tlog.keys import VerifierKey
from zhibu_tlog.notes import NoteRefusedError
from zhibu_tlog.proofs import ProofRefusedError, check_consistency, make_consistency_proof
from zhibu_tlog.reader import CHECKPOINT_PATH, LogFileMissingError, LogReader
from zhibu_tlog.right_edge import RightEdge, TileContent
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.tile_hashes import TileHashes
from zhibu_tlog.tiles import TILE_WIDTH, Bundle, Tile, list_bundles

# One is enough to refuse a log; these say where to look.
MOST_FINDINGS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What became of a check. Keep `signed` and give it to the next check."""

    signed: SignedCheckpoint | None
    cosignatures: tuple[Cosignature, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def is_good(self) -> bool:
        """Say whether nothing was found."""
        return not self.findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom the checker believes: the log by name and keys, so many of these witnesses, and what was seen before."""

    origin: str
    keys: tuple[VerifierKey, ...]
    witnesses: tuple[VerifierKey, ...] = ()
    quorum: int = 0
    # A checkpoint that was checked earlier: the log must continue it.
    older: Checkpoint | None = None


def verify_log(log: LogReader, trust: Trust) -> Verification:
    """Check all of a log, in one pass and with little memory."""
    try:
        signed = open_checkpoint(log.read_checkpoint(), origin=trust.origin, keys=trust.keys)
    except (LogFileMissingError, MalformedError, NoteRefusedError) as error:
        finding = Finding(kind=FindingKind.CHECKPOINT_REFUSED, path=CHECKPOINT_PATH, message=str(error))
        return Verification(signed=None, findings=(finding,))
    check = _Check(log=log)
    cosignatures: list[Cosignature] = []
    try:
        cosignatures = check_quorum(signed.note, trust.witnesses, quorum=trust.quorum)
    except NoteRefusedError as error:
        check.found(FindingKind.COSIGNATURES_MISSING, CHECKPOINT_PATH, str(error))
    check.all_files(signed.checkpoint)
    if trust.older:
        check.continues(trust.older, signed.checkpoint)
    return Verification(signed=signed, cosignatures=tuple(cosignatures), findings=tuple(check.findings[:MOST_FINDINGS]))


@dataclass(slots=True, kw_only=True)
class _Check:
    log: LogReader
    findings: list[Finding] = field(default_factory=list[Finding])

    def found(self, kind: FindingKind, path: str, message: str) -> None:
        self.findings.append(Finding(kind=kind, path=path, message=message))

    def all_files(self, checkpoint: Checkpoint) -> None:
        edge = RightEdge()
        for bundle in list_bundles(checkpoint.size):
            if len(self.findings) >= MOST_FINDINGS:
                return
            leaf_hashes = self._leaf_hashes(bundle)
            if not leaf_hashes:
                # Neither entries nor hashes: what lies above cannot be compared with anything.
                return
            for content in edge.append(leaf_hashes):
                self._compare(content)
        for content in edge.partial_tiles():
            self._compare(content)
        if edge.root != checkpoint.root:
            self.found(FindingKind.ROOT_CHANGED, CHECKPOINT_PATH, "the tree has another root than the checkpoint says")

    def continues(self, older: Checkpoint, newer: Checkpoint) -> None:
        if newer.size < older.size:
            message = f"the log has {newer.size} entries and had {older.size}"
            self.found(FindingKind.TRUNCATED, CHECKPOINT_PATH, message)
            return
        try:
            check_consistency(
                old_size=older.size,
                size=newer.size,
                old_root=older.root,
                root=newer.root,
                proof=make_consistency_proof(older.size, newer.size, TileHashes(self.log, newer.size)),
            )
        except (ProofRefusedError, LogFileMissingError, MalformedError) as error:
            message = f"the log does not continue what it was at {older.size} entries: {error}"
            self.found(FindingKind.FORKED, CHECKPOINT_PATH, message)

    def _leaf_hashes(self, bundle: Bundle) -> list[bytes]:
        """Give the hashes of the entries of a bundle, which entries and tile must agree on; those of the tile if they do not."""
        tile = Tile(level=0, index=bundle.index, width=bundle.width)
        entries, stored = self._read_bundle(bundle), self._read_tile(tile)
        if entries is None:
            return stored or []
        hashes = [hash_leaf(entry) for entry in entries]
        if stored is None or stored == hashes:
            return hashes
        place = next(place for place, (one, other) in enumerate(zip(hashes, stored, strict=True)) if one != other)
        index = bundle.index * TILE_WIDTH + place
        self.found(FindingKind.ENTRIES_CHANGED, bundle.path, f"entry {index} is not the one that {tile.path} tells of")
        return stored

    def _compare(self, content: TileContent) -> None:
        """Compare a tile with what was made from below; level 0 was compared with its entries."""
        if content.tile.level == 0:
            return
        stored = self._read_tile(content.tile)
        if stored is not None and stored != list(content.hashes):
            self.found(FindingKind.TILE_CHANGED, content.tile.path, "the tile does not tell of what lies below it")

    def _read_tile(self, tile: Tile) -> list[bytes] | None:
        try:
            return self.log.read_tile(tile)
        except (LogFileMissingError, MalformedError) as error:
            self._unreadable(tile.path, error)
        return None

    def _read_bundle(self, bundle: Bundle) -> list[bytes] | None:
        try:
            return self.log.read_bundle(bundle)
        except (LogFileMissingError, MalformedError) as error:
            self._unreadable(bundle.path, error)
        return None

    def _unreadable(self, path: str, error: LogFileMissingError | MalformedError) -> None:
        missing = isinstance(error, LogFileMissingError)
        kind = FindingKind.FILE_MISSING if missing else FindingKind.FILE_MALFORMED
        self.found(kind, path, "the file is not there" if missing else str(error))

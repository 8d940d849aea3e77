"""The check of an export: every entry in it is proved to be in the log, and it is what it says it is."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, Protocol, cast

import orjson
from zhibu_tlog.checkpoints import SignedCheckpoint, open_checkpoint
from zhibu_tlog.cosignatures import Cosignature, check_quorum
from zhibu_tlog.findings import FindingKind
from zhibu_tlog.hashes import hash_leaf, read_hash
from zhibu_tlog.keys import read_verifier_key
from zhibu_tlog.notes import LONGEST_NOTE_BYTES, NoteRefusedError
from zhibu_tlog.proofs import LONGEST_PROOF, ProofRefusedError, check_inclusion
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.verifying import Trust

from zhibu_audit.verifying.faults import Fault, FaultKind
from zhibu_audit.verifying.lanes import MOST_FAULTS
from zhibu_audit.verifying.leaves import LeafRefusedError, RowLeaf, read_leaf
from zhibu_audit.verifying.logs import CannotCheckError, Checked
from zhibu_audit.verifying.reading import Progress

FORMAT: Final = "zhibu-audit-export@v1"
ABOUT: Final = "export.json"
CHECKPOINT: Final = "checkpoint"
ENTRIES: Final = "entries.jsonl"
README: Final = "README.txt"
SUMS: Final = "SHA256SUMS"
# SHA256SUMS tells of these.
SUMMED: Final = (README, CHECKPOINT, ENTRIES, ABOUT)
LONGEST_ABOUT_BYTES: Final = 64 * 1024
# An entry of 64 KiB, in which every character is escaped, its proof and its words.
LONGEST_LINE_BYTES: Final = 512 * 1024
_PART_BYTES: Final = 1024 * 1024
_DAMAGED: Final = (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, KeyError)


# When an entry was made, and where it stands.
_Place = tuple[datetime, int]
_BEFORE_ALL: Final[_Place] = (datetime.min.replace(tzinfo=UTC), -1)


class _Files(Protocol):
    def open(self, name: str) -> IO[bytes]: ...


@dataclass(frozen=True, slots=True)
class _Directory:
    path: Path

    def open(self, name: str) -> IO[bytes]:
        return (self.path / name).open("rb")


@dataclass(frozen=True, slots=True, kw_only=True)
class _About:
    trust: Trust
    start_time: datetime
    end_time: datetime
    entries_count: int


class _RefusedError(Exception):
    def __init__(self, kind: FaultKind | FindingKind, where: str, detail: str) -> None:
        super().__init__(detail)
        self.fault = Fault(kind=kind, where=where, detail=detail)


def is_export(path: Path) -> bool:
    """Say whether something is an export rather than a log."""
    return path.is_file() or (path / ABOUT).is_file() or (path / ENTRIES).is_file()


def check_export(path: Path, trust: Trust | None, progress: Progress) -> Checked:
    """Check an export, a .zip or the directory that was made from one; without `trust` by the keys that lie in it."""
    check = _ExportCheck(progress=progress)
    try:
        with _opened(path) as files:
            check.all_of(files, trust)
    except _RefusedError as error:
        check.faults.append(error.fault)
    notes = () if trust else (_OWN_KEYS,)
    return Checked(
        faults=tuple(check.faults),
        entries_count=check.count,
        signed=check.signed,
        cosignatures=check.cosignatures,
        notes=notes,
    )


_OWN_KEYS: Final = (
    "检查所用的密钥取自导出文件本身：请与另行公布的密钥核对，或用 --key、--witness 给出。",
    "The keys were taken from the export itself: compare them with those published elsewhere, or give --key and --witness.",
)


@dataclass(slots=True, kw_only=True)
class _ExportCheck:
    progress: Progress
    faults: list[Fault] = field(default_factory=list[Fault])
    count: int = 0
    signed: SignedCheckpoint | None = None
    cosignatures: tuple[Cosignature, ...] = ()

    def all_of(self, files: _Files, trust: Trust | None) -> None:
        about = _read_about(_read(files, ABOUT, LONGEST_ABOUT_BYTES), trust)
        self._sums(files)
        self._checkpoint(_read(files, CHECKPOINT, LONGEST_NOTE_BYTES), about.trust)
        last = _BEFORE_ALL
        for line in _lines(files):
            if len(self.faults) >= MOST_FAULTS:
                return
            last = self._entry(line, about, last)
            self.count += 1
            self.progress(self.count, about.entries_count)
        if self.count != about.entries_count:
            detail = f"{about.entries_count} said, {self.count} found"
            self.faults.append(Fault(kind=FaultKind.EXPORT_COUNT, where=ENTRIES, detail=detail))

    def _sums(self, files: _Files) -> None:
        said = _read(files, SUMS, LONGEST_ABOUT_BYTES)
        found = "".join(f"{_sum(files, name)}  {name}\n" for name in SUMMED).encode()
        if said == found:
            return
        wrong = [name for name, line in zip(SUMMED, found.splitlines(), strict=True) if line not in said.splitlines()]
        for name in wrong or [SUMS]:
            self.faults.append(Fault(kind=FaultKind.EXPORT_CHANGED, where=name, detail="SHA-256"))

    def _checkpoint(self, data: bytes, trust: Trust) -> None:
        try:
            self.signed = open_checkpoint(data, origin=trust.origin, keys=trust.keys)
        except (MalformedError, NoteRefusedError) as error:
            raise _RefusedError(FindingKind.CHECKPOINT_REFUSED, CHECKPOINT, str(error)) from error
        try:
            self.cosignatures = tuple(check_quorum(self.signed.note, trust.witnesses, quorum=trust.quorum))
        except NoteRefusedError as error:
            fault = Fault(kind=FindingKind.COSIGNATURES_MISSING, where=CHECKPOINT, detail=str(error))
            self.faults.append(fault)

    def _entry(self, line: bytes, about: _About, last: _Place) -> _Place:
        """Check a line; give its time and index, by which lines are in order, or the last ones when it is none."""
        where = f"{ENTRIES}:{self.count + 1}"
        try:
            index, leaf, proof, action = _read_line(line)
            row = _read_row(leaf)
        except (LeafRefusedError, MalformedError) as error:
            self.faults.append(Fault(kind=FaultKind.ENTRY_MALFORMED, where=where, detail=str(error)))
            return last
        assert self.signed
        checkpoint = self.signed.checkpoint
        try:
            check_inclusion(
                index=index, size=checkpoint.size, leaf_hash=hash_leaf(leaf), proof=proof, root=checkpoint.root
            )
        except ProofRefusedError as error:
            self.faults.append(Fault(kind=FaultKind.PROOF_REFUSED, where=where, detail=str(error)))
            return last
        place = (_time_of(row), index)
        if not place > last:
            self.faults.append(Fault(kind=FaultKind.EXPORT_COUNT, where=where, detail="twice, or not in order"))
        if not (about.start_time <= place[0] < about.end_time and row.row.get("action") == action):
            detail = "another time or action than the export says"
            self.faults.append(Fault(kind=FaultKind.EXPORT_COUNT, where=where, detail=detail))
        return max(place, last)


@contextmanager
def _opened(path: Path) -> Generator[_Files]:
    if path.is_dir():
        yield _Directory(path)
        return
    if not path.is_file():
        raise CannotCheckError(f"没有 {path}", f"there is no {path}")
    try:
        file = zipfile.ZipFile(path)
    except _DAMAGED as error:
        raise _RefusedError(FaultKind.EXPORT_MALFORMED, path.name, str(error)) from error
    with file:
        yield cast("_Files", file)


def _read(files: _Files, name: str, limit_bytes: int) -> bytes:
    try:
        with files.open(name) as file:
            data = file.read(limit_bytes + 1)
    except _DAMAGED as error:
        raise _RefusedError(FaultKind.EXPORT_MALFORMED, name, str(error)) from error
    if len(data) > limit_bytes:
        raise _RefusedError(FaultKind.EXPORT_MALFORMED, name, f"more than {limit_bytes} bytes")
    return data


def _sum(files: _Files, name: str) -> str:
    digest = hashlib.sha256()
    try:
        with files.open(name) as file:
            while part := file.read(_PART_BYTES):
                digest.update(part)
    except _DAMAGED as error:
        raise _RefusedError(FaultKind.EXPORT_MALFORMED, name, str(error)) from error
    return digest.hexdigest()


def _lines(files: _Files) -> Iterator[bytes]:
    try:
        with files.open(ENTRIES) as file:
            while line := file.readline(LONGEST_LINE_BYTES + 1):
                if not line.endswith(b"\n"):
                    raise _RefusedError(FaultKind.EXPORT_MALFORMED, ENTRIES, "a line is too long or cut off")
                yield line
    except _DAMAGED as error:
        raise _RefusedError(FaultKind.EXPORT_MALFORMED, ENTRIES, str(error)) from error


def _read_about(data: bytes, trust: Trust | None) -> _About:
    try:
        fields = cast("dict[str, Any]", orjson.loads(data))
        if fields["format"] != FORMAT:
            raise CannotCheckError(
                "这种导出格式不认识", f"the export is of a format that is not known here, not {FORMAT}"
            )
        key = read_verifier_key(fields["verifier_key"])
        own = Trust(
            origin=key.name,
            keys=(key,),
            witnesses=tuple(map(read_verifier_key, fields["witness_keys"])),
            quorum=int(fields["quorum"]),
        )
        return _About(
            trust=trust or own,
            start_time=datetime.fromisoformat(fields["start_time"]),
            end_time=datetime.fromisoformat(fields["end_time"]),
            entries_count=int(fields["entries_count"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _RefusedError(FaultKind.EXPORT_MALFORMED, ABOUT, f"{type(error).__name__}: {error}") from error


def _read_line(line: bytes) -> tuple[int, bytes, list[bytes], str]:
    try:
        fields = cast("dict[str, Any]", orjson.loads(line))
        index, leaf, proof, action = fields["index"], fields["leaf"], fields["proof"], fields["action"]
        if not isinstance(index, int) or isinstance(index, bool) or index < 0 or len(proof) > LONGEST_PROOF:
            raise MalformedError("an index or a proof is none")
        return index, leaf.encode(), [read_hash(one) for one in proof], str(action)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedError(f"{type(error).__name__}: {error}") from error


def _read_row(leaf: bytes) -> RowLeaf:
    row = read_leaf(leaf)
    if not isinstance(row, RowLeaf):
        raise LeafRefusedError("not an audit row")
    return row


def _time_of(leaf: RowLeaf) -> datetime:
    try:
        return datetime.fromisoformat(leaf.row["occurred_at"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError, OverflowError):
        return _BEFORE_ALL[0]

"""The check of a whole log, in a directory or behind a URL: its tree, its signatures, and the lanes in it."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Final

import httpx
from zhibu_tlog.checkpoints import SignedCheckpoint, open_checkpoint
from zhibu_tlog.cosignatures import Cosignature, check_quorum
from zhibu_tlog.directory_checking import check_directory
from zhibu_tlog.notes import LONGEST_NOTE_BYTES, NoteRefusedError
from zhibu_tlog.reader import CHECKPOINT_PATH, DirectoryReader, LogFileMissingError, LogReader, UrlReader
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.tree_writer import STATE_DIRECTORY
from zhibu_tlog.verifying import MOST_FINDINGS, Trust, verify_log

from zhibu_audit.verifying.faults import Fault
from zhibu_audit.verifying.lanes import LaneCheck
from zhibu_audit.verifying.patience import PatientTransport
from zhibu_audit.verifying.reading import Progress, SharedReader

# Witnesses answer within a second; a log that nobody appends to has its cosignatures long since.
COSIGNATURES_WAIT_S: Final = 10.0
_LOOK_AGAIN_S: Final = 0.2
HTTP_TIMEOUT_S: Final = 30.0


class CannotCheckError(Exception):
    """What was to be checked cannot be reached or read; that says nothing about whether it is good."""

    def __init__(self, zh: str, en: str) -> None:
        """Say why, in both languages."""
        super().__init__(en)
        self.zh = zh
        self.en = en


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check came to. `notes` are what the checker should know beside the verdict, in both languages."""

    faults: tuple[Fault, ...]
    entries_count: int = 0
    # How far every lane goes.
    lanes: dict[str, int] = field(default_factory=dict[str, int])
    signed: SignedCheckpoint | None = None
    cosignatures: tuple[Cosignature, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def is_good(self) -> bool:
        """Say whether nothing was found."""
        return not self.faults


def check_log_directory(directory: Path, trust: Trust, progress: Progress) -> Checked:
    """Check a log in a directory; also for stray files, unless somebody is writing on it."""
    if not directory.is_dir():
        raise CannotCheckError(f"没有目录 {directory}", f"there is no directory {directory}")
    reader = DirectoryReader(directory)
    written_on = _is_written_on(directory)
    checked = check_log(reader, trust, progress, grows=written_on)
    if checked.signed is None:
        return checked
    strays: tuple[Fault, ...] = ()
    notes = [*checked.notes]
    if not written_on:
        size = checked.signed.checkpoint.size
        strays = tuple(Fault.of(finding) for finding in islice(check_directory(directory, size), MOST_FINDINGS))
        written_on = _reread(reader) != checked.signed.note.data
    if written_on:
        strays = ()
        notes.append(
            (
                "有程序正在写这份日志，因此没有检查多余的文件；对副本检查可以看到它们。",
                "The log is being written on, so stray files were not looked for; check a copy for them.",
            )
        )
    return replace(checked, faults=(*checked.faults, *strays), notes=tuple(notes))


def check_log_url(url: str, trust: Trust, progress: Progress, *, token: str | None) -> Checked:
    """Check a log behind a URL prefix; `token` lets a holder of audit.log.read read the entries."""
    headers = {"Accept-Encoding": "gzip, identity"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    client = httpx.Client(
        timeout=HTTP_TIMEOUT_S,
        headers=headers,
        transport=PatientTransport(httpx.HTTPTransport()),
        event_hooks={"response": [_refuse_what_is_refused]},
    )
    try:
        with UrlReader(url, client) as reader:
            return check_log(reader, trust, progress, grows=True)
    except httpx.HTTPError as error:
        raise CannotCheckError(f"无法读取 {url}：{error}", f"{url} cannot be read: {error}") from error


def check_log(log: LogReader, trust: Trust, progress: Progress, *, grows: bool) -> Checked:
    """Check all of a log in one pass; memory does not grow with it. Of one that `grows` cosignatures are waited for."""
    lanes = LaneCheck()
    shared = SharedReader(_Waiting(log, trust) if grows else log, lanes, progress)
    verification = verify_log(shared, trust)
    faults = [*map(Fault.of, verification.findings), *lanes.faults]
    return Checked(
        faults=tuple(faults),
        entries_count=verification.signed.checkpoint.size if verification.signed else 0,
        lanes={name: lane.sequence for name, lane in sorted(lanes.lanes.items())},
        signed=verification.signed,
        cosignatures=verification.cosignatures,
    )


class _Waiting:
    """A log that grows: its newest checkpoint gets its cosignatures a moment after it is published."""

    def __init__(self, log: LogReader, trust: Trust, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._trust = trust
        self._clock = clock
        self.read_tile = log.read_tile
        self.read_bundle = log.read_bundle

    def read_checkpoint(self) -> bytes:
        until_s = self._clock() + COSIGNATURES_WAIT_S
        while True:
            data = self._log.read_checkpoint()
            if not self._waits_for_witnesses(data) or self._clock() > until_s:
                return data
            time.sleep(_LOOK_AGAIN_S)

    def _waits_for_witnesses(self, data: bytes) -> bool:
        try:
            signed = open_checkpoint(data, origin=self._trust.origin, keys=self._trust.keys)
        except (MalformedError, NoteRefusedError):
            return False
        try:
            check_quorum(signed.note, self._trust.witnesses, quorum=self._trust.quorum)
        except NoteRefusedError:
            return True
        return False


def read_older(path: Path, trust: Trust) -> SignedCheckpoint:
    """Read a checkpoint that was kept from an earlier check.

    Raises:
        CannotCheckError: when it is none, or not one of this log.
    """
    try:
        with path.open("rb") as file:
            return open_checkpoint(file.read(LONGEST_NOTE_BYTES), origin=trust.origin, keys=trust.keys)
    except (OSError, MalformedError, NoteRefusedError) as error:
        raise CannotCheckError(
            f"以前的检查点 {path} 不能用：{error}", f"the older checkpoint {path} cannot be used: {error}"
        ) from error


def _refuse_what_is_refused(response: httpx.Response) -> None:
    # A reader of tlog-tiles takes 403 for "not there", which here would be a false alarm.
    if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        raise CannotCheckError(
            "服务器不允许读取条目：请用 --token-file 给出省级有 audit.log.read 权限的令牌。",
            "the server refuses the entries: give a token of a holder of audit.log.read at the province by --token-file",
        )


def _is_written_on(directory: Path) -> bool:
    """Say whether a writer has the log open; its lock is let go at once, so that nobody is kept from writing."""
    try:
        with (directory / STATE_DIRECTORY / "lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        # A copy without the writer's own directory.
        return False
    except OSError:
        # Held by a writer, or somebody else's so that it cannot be seen.
        return True
    return False


def _reread(reader: DirectoryReader) -> bytes:
    try:
        return reader.read_checkpoint()
    except (LogFileMissingError, MalformedError):
        return CHECKPOINT_PATH.encode()

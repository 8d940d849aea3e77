"""An export as a file: a .zip that is written piece by piece, and that `zhibu-audit verify` checks without a network.

The layout is that of `verifying/exports.py`. Memory does not grow with the entries.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Final

import orjson
from sqlalchemy import Row
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.errors import EN, ZH
from zhibu_tlog.checkpoints import SignedCheckpoint
from zhibu_tlog.hashes import hash_leaf
from zhibu_tlog.proofs import check_inclusion, make_inclusion_proof
from zhibu_tlog.spelling import write_base64

from zhibu_audit.export_readme import README_TEXT
from zhibu_audit.origins import Origin
from zhibu_audit.proof_hashes import ProofHashes
from zhibu_audit.shelf import Shelf
from zhibu_audit.texts import text_of_action
from zhibu_audit.verifying.exports import ABOUT, CHECKPOINT, ENTRIES, FORMAT, README, SUMS

_PIECE_BYTES: Final = 512 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportAbout:
    """What an export is of."""

    organisation_id: str
    organisation_name: str
    period: tuple[datetime, datetime]
    made_at: datetime


class ExportFile:
    """Takes entries, oldest first, and gives the bytes of the file as they come. All of it is work for a thread."""

    def __init__(self, shelf: Shelf, log: Origin, signed: SignedCheckpoint, about: ExportAbout) -> None:
        """Begin the file."""
        self._shelf = shelf
        self._log = log
        self._signed = signed
        self._about = about
        self._hashes = ProofHashes(shelf.reader(log), signed.checkpoint.size)
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)
        self._sums: dict[str, str] = {}
        self._count = 0
        self._add(README, README_TEXT.encode())
        self._add(CHECKPOINT, signed.note.data)
        self._entries: IO[bytes] = self._open(ENTRIES)
        self._digest = hashlib.sha256()

    def write(self, rows: Sequence[Row[Any]], names: Mapping[str, str]) -> list[bytes]:
        """Add entries with their proofs; return what of the file is finished.

        Raises:
            LogFileMissingError, MalformedError, ProofRefusedError: when the log does not prove one of them.
        """
        for row in rows:
            line = self._line(row, names)
            self._digest.update(line)
            self._entries.write(line)
            self._count += 1
        return self._sink.take()

    def finish(self) -> list[bytes]:
        """End the file; return the rest of it."""
        self._entries.close()
        self._sums[ENTRIES] = self._digest.hexdigest()
        self._add(ABOUT, orjson.dumps(self._describe(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        sums = "".join(f"{self._sums[name]}  {name}\n" for name in (README, CHECKPOINT, ENTRIES, ABOUT))
        self._add(SUMS, sums.encode())
        self._zip.close()
        return self._sink.take()

    def close(self) -> None:
        """Let go of a file that nobody wants to its end, or that is ended."""
        self._entries.close()
        self._zip.close()

    def _line(self, row: Row[Any], names: Mapping[str, str]) -> bytes:
        leaf = bytes(row.leaf)
        content: dict[str, Any] = orjson.loads(leaf)["row"]
        place, checkpoint = row.entry_index - self._log.first_index, self._signed.checkpoint
        proof = make_inclusion_proof(place, checkpoint.size, self._hashes)
        # What does not hold is not given out.
        check_inclusion(index=place, size=checkpoint.size, leaf_hash=hash_leaf(leaf), proof=proof, root=checkpoint.root)
        line = {
            "index": place,
            "time": row.occurred_at.astimezone(SHANGHAI).isoformat(),
            "action": content["action"],
            "action_zh": text_of_action(content["action"], ZH),
            "action_en": text_of_action(content["action"], EN),
            "organisation_name": names.get(content["organisation_id"], ""),
            "leaf": leaf.decode(),
            "proof": [write_base64(one) for one in proof],
        }
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)

    def _describe(self) -> dict[str, Any]:
        start, end = self._about.period
        return {
            "format": FORMAT,
            "origin": self._log.name,
            "verifier_key": self._shelf.verifier_key(self._log).text,
            "witness_keys": [key.text for key in self._shelf.keys.witnesses],
            "quorum": self._shelf.keys.quorum,
            "organisation_id": self._about.organisation_id,
            "organisation_name": self._about.organisation_name,
            "start_time": start.isoformat(),
            "end_time": end.isoformat(),
            "made_at": self._about.made_at.isoformat(),
            "entries_count": self._count,
        }

    def _add(self, name: str, data: bytes) -> None:
        with self._open(name) as file:
            file.write(data)
        self._sums[name] = hashlib.sha256(data).hexdigest()

    def _open(self, name: str) -> IO[bytes]:
        made_at = self._about.made_at.astimezone(SHANGHAI)
        described = zipfile.ZipInfo(name, made_at.timetuple()[:6])
        described.compress_type = zipfile.ZIP_DEFLATED
        # How long it becomes is not known before; the entries of a year may be long.
        return self._zip.open(described, "w", force_zip64=name == ENTRIES)


class _Sink(io.RawIOBase):
    """Where the file is written: nobody can go back in it, so that what was written can leave."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def take(self) -> list[bytes]:
        """Give what was written, in pieces that fit into a message."""
        data = b"".join(self._parts)
        self._parts.clear()
        return [data[at : at + _PIECE_BYTES] for at in range(0, len(data), _PIECE_BYTES)]

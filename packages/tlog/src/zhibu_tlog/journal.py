"""What a writer has decided to append, written down before anything else is: after a crash it is carried out as it was decided.

So no tile ever shows a leaf of which it is not certain that it stays, and no size is signed twice with different roots.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from zhibu_tlog.entries import decode_entries, encode_entries
from zhibu_tlog.spelling import MalformedError

_FIRST_LINE: Final = b"zhibu-tlog journal 1\n"
# The size before, the number of entries, the length of the checkpoint.
_NUMBERS = struct.Struct(">QII")
_DIGEST_BYTES: Final = sha256().digest_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A batch: the entries that follow the first `old_size` ones, and the checkpoint that will tell of them."""

    old_size: int
    entries: tuple[bytes, ...]
    checkpoint: bytes

    @property
    def size(self) -> int:
        """The size of the log with them."""
        return self.old_size + len(self.entries)

    @property
    def data(self) -> bytes:
        """The journal as it is written."""
        numbers = _NUMBERS.pack(self.old_size, len(self.entries), len(self.checkpoint))
        body = numbers + self.checkpoint + encode_entries(self.entries)
        return _FIRST_LINE + sha256(body).digest() + body


def read_journal(data: bytes) -> Journal:
    """Read a journal.

    Raises:
        MalformedError: when it is none; it is written as a whole, so this is damage and not a crash.
    """
    start = len(_FIRST_LINE) + _DIGEST_BYTES
    body = data[start:]
    if data[:start] != _FIRST_LINE + sha256(body).digest() or len(body) < _NUMBERS.size:
        raise MalformedError("the journal of the log is damaged")
    old_size, count, length = _NUMBERS.unpack_from(body)
    checkpoint = body[_NUMBERS.size : _NUMBERS.size + length]
    entries = decode_entries(body[_NUMBERS.size + length :], count)
    return Journal(old_size=old_size, entries=tuple(entries), checkpoint=checkpoint)

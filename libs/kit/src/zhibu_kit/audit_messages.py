"""Audit rows as the log takes them: read in their order with what opens their commitments, packed into bounded messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Final

import asyncpg
from zhibu.audit.v1.audit_rows_pb2 import AuditRow, AuditRows, Subject

from zhibu_kit import tables
from zhibu_kit.audit_chain import canonical_row
from zhibu_kit.transaction import Transaction

MAX_ROWS: Final = 200
# Below what JetStream takes.
MAX_BYTES: Final = 400 * 1024
# With the longest identifiers these are 250 KiB; what a row has beyond them follows under the same number.
MAX_SUBJECTS: Final = 2000

_ROWS: Final = (
    f"select {', '.join(column.name for column in tables.audit.columns)} from kit_audit "  # noqa: S608 - constants
    "where sequence > $1 and sequence <= $2 order by sequence"
)
_SUBJECTS: Final = """
select sequence, commitment, kit_audit_subject.subject_id, salt from kit_audit join kit_audit_subject using (audit_id)
where sequence > $1 and sequence <= $2 order by sequence, commitment"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A row with its subjects, or with a part of them; `is_last` when no more of the row follows."""

    row: AuditRow
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A message; once it and those before it are taken, the log has every row up to `whole_until`."""

    payload: bytes
    first: int
    whole_until: int


async def read_pieces(transaction: Transaction, after: int, until: int) -> AsyncGenerator[Piece]:
    """Read the rows behind a number, as the relay. Of a row about very many, one piece is held at a time."""
    raw = await transaction.raw()
    rows = await raw.fetch(_ROWS, after, until)
    if not any(row["subjects_count"] for row in rows):
        for row in rows:
            yield Piece(row=_message(row), is_last=True)
        return
    subjects = aiter(raw.cursor(_SUBJECTS, after, until, prefetch=MAX_SUBJECTS))
    waiting = await anext(subjects, None)
    for row in rows:
        message = _message(row)
        while waiting is not None and waiting["sequence"] == message.sequence:
            if len(message.subjects) == MAX_SUBJECTS:
                yield Piece(row=message, is_last=False)
                message = _message(row)
            message.subjects.append(_subject(waiting))
            waiting = await anext(subjects, None)
        yield Piece(row=message, is_last=True)


async def pack(lane: str, pieces: AsyncIterator[Piece]) -> AsyncGenerator[Packed]:
    """Put pieces into messages in their order, as many into each as it may hold."""
    rows: list[AuditRow] = []
    size, whole_until = 0, 0
    async for piece in pieces:
        adds = piece.row.ByteSize()
        if rows and (len(rows) == MAX_ROWS or size + adds > MAX_BYTES):
            yield _packed(lane, rows, whole_until)
            # Calls go on between two messages, however many rows are caught up on.
            await asyncio.sleep(0)
            rows, size = [], 0
        rows.append(piece.row)
        size += adds
        whole_until = piece.row.sequence if piece.is_last else piece.row.sequence - 1
    if rows:
        yield _packed(lane, rows, whole_until)


def _packed(lane: str, rows: list[AuditRow], whole_until: int) -> Packed:
    payload = AuditRows(lane=lane, rows=rows).SerializeToString()
    return Packed(payload=payload, first=rows[0].sequence, whole_until=whole_until)


def _message(row: asyncpg.Record) -> AuditRow:
    sequence = row["sequence"]
    return AuditRow(sequence=sequence, row=canonical_row(sequence, row), chain_hash=row["chain_hash"])


def _subject(record: asyncpg.Record) -> Subject:
    return Subject(commitment=record["commitment"], subject_id=record["subject_id"] or "", salt=record["salt"] or b"")

"""Documents: originals that belong to a member's record, sealed piece by piece with the member's key.

A piece is bound to its document, its place in it and to whether it is the last one: pieces cannot be exchanged, left out
or cut off without that being noticed. Nothing of a file is kept in memory but the piece at hand.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.errors import NOT_FOUND, field_error
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope

from zhibu_identity.errors import DOCUMENT_KIND, DOCUMENT_TOO_LARGE
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.models import document, document_chunk
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import PersonRecord
from zhibu_identity.rules.media_types import MOST_BYTES, SNIFFED_BYTES, safe_file_name, sniff

NOUN: Final = "document"
CHUNK_BYTES: Final = 256 * 1024
# Nobody's record has more originals.
MOST_DOCUMENTS: Final = 500
_NAME_PLACE: Final = "document.file_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document as stored."""

    document_id: str
    county_code: str
    member_id: str
    file_name: bytes
    content_type: str
    size_bytes: int
    chunk_count: int
    made_by_member_id: str
    created_at: datetime


def open_file_name(record: Document, key: MemberKey | None) -> str:
    """Return the name of the file; empty when the person's key was destroyed."""
    return "" if key is None else key.open(record.file_name, place=_NAME_PLACE)


async def store_document(
    transaction: Transaction,
    parts: Parts,
    person: PersonRecord,
    *,
    key: MemberKey,
    file_name: str,
    pieces: AsyncIterator[bytes],
    officer_member_id: str,
) -> Document:
    """Keep a file as it comes in.

    Raises:
        ServiceError: field errors on `file`: DOCUMENT_KIND, DOCUMENT_TOO_LARGE.
    """
    document_id = new_ulid(parts.clock)
    size, position, kind = 0, 0, None
    buffer = bytearray()

    async def seal(plain: bytes, *, last: bool) -> None:
        await transaction.execute(
            insert(document_chunk).values(
                document_id=document_id,
                county_code=person.county_code,
                position=position,
                sealed=key.seal_bytes(plain, place=_place(document_id, position, last=last)),
            )
        )

    async for piece in pieces:
        size += len(piece)
        if size > MOST_BYTES:
            raise field_error("file", DOCUMENT_TOO_LARGE)
        buffer += piece
        if kind is None and len(buffer) >= SNIFFED_BYTES:
            # Before anything is stored: what is no document is refused after its first kilobyte.
            kind = _kind_of(buffer)
        while len(buffer) > CHUNK_BYTES:
            await seal(bytes(buffer[:CHUNK_BYTES]), last=False)
            del buffer[:CHUNK_BYTES]
            position += 1
    kind = kind or _kind_of(buffer)
    await seal(bytes(buffer), last=True)
    record = Document(
        document_id=document_id,
        county_code=person.county_code,
        member_id=person.member_id,
        file_name=key.seal(safe_file_name(file_name), place=_NAME_PLACE),
        content_type=kind,
        size_bytes=size,
        chunk_count=position + 1,
        made_by_member_id=officer_member_id,
        created_at=parts.clock.now(),
    )
    values = {name: getattr(record, name) for name in document.c.keys()}  # noqa: SIM118 - a ColumnCollection is no dict
    await transaction.execute(insert(document).values(values))
    return record


async def list_documents(transaction: Transaction, member_id: str) -> list[Document]:
    """Return the documents about a member, newest first."""
    rows = await transaction.all(
        select(document)
        .where(document.c.member_id == member_id)
        .order_by(document.c.document_id.desc())
        .limit(MOST_DOCUMENTS)
    )
    return [record_of(row) for row in rows]


async def get_document(transaction: Transaction, document_id: str, *, member_id: str) -> Document:
    """Return a document about a member.

    Raises:
        ServiceError: NOT_FOUND when there is none, or one about somebody else.
    """
    row = await transaction.one_or_none(
        select(document).where(document.c.document_id == document_id, document.c.member_id == member_id)
    )
    if row is None:
        raise NOT_FOUND(noun=NOUN)
    return record_of(row)


async def read_document(parts: Parts, record: Document, key: MemberKey) -> AsyncGenerator[bytes]:
    """Yield a document piece by piece, each read in a transaction of its own.

    Raises:
        KeyDamagedError: when a piece was changed, exchanged or cut off.
    """
    table = document_chunk
    for position in range(record.chunk_count):
        statement = select(table.c.sealed).where(
            table.c.document_id == record.document_id, table.c.position == position
        )
        async with parts.database.transaction(Scope.of(record.county_code)) as transaction:
            sealed: bytes = await transaction.scalar(statement) or b""
        last = position == record.chunk_count - 1
        yield key.open_bytes(sealed, place=_place(record.document_id, position, last=last))


def _kind_of(beginning: bytes | bytearray) -> str:
    kind = sniff(bytes(beginning[:SNIFFED_BYTES]))
    if kind is None:
        raise field_error("file", DOCUMENT_KIND)
    return kind


def _place(document_id: str, position: int, *, last: bool) -> str:
    return f"document_chunk.sealed/{document_id}/{position}/{'last' if last else 'more'}"


def record_of(row: Row[Any] | Sequence[Any]) -> Document:
    """Return a document as a row of its table holds it."""
    values: dict[str, Any] = dict(zip(document.c.keys(), row, strict=True))
    return Document(**values)

"""Audit rows in messages: all of them, in their order, within bounds, and told only when whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zhibu.audit.v1.audit_rows_pb2 import AuditRow, AuditRows
from zhibu_kit.audit_messages import MAX_BYTES, MAX_ROWS, Packed, Piece, pack

# Of each row, how large its pieces are.
ROWS = st.lists(st.lists(st.sampled_from((10, 600, 250 * 1024)), min_size=1, max_size=3), max_size=8)
# That a busy machine is slow at drawing examples is no news about the code.
CALMLY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def pieces_of(sizes: Sequence[Sequence[int]]) -> list[Piece]:
    return [
        Piece(row=AuditRow(sequence=number, row=bytes(size)), is_last=at == len(of_row))
        for number, of_row in enumerate(sizes, 1)
        for at, size in enumerate(of_row, 1)
    ]


def packed(pieces: Sequence[Piece]) -> list[Packed]:
    async def give() -> AsyncGenerator[Piece]:
        for piece in pieces:
            yield piece

    async def take() -> list[Packed]:
        return [message async for message in pack("identity", give())]

    return asyncio.run(take())


@CALMLY
@given(ROWS)
def test_every_piece_is_sent_once_in_its_order_and_no_message_is_too_large(sizes: list[list[int]]) -> None:
    pieces = pieces_of(sizes)
    sent = [AuditRows.FromString(message.payload) for message in packed(pieces)]
    assert [row for rows in sent for row in rows.rows] == [piece.row for piece in pieces]
    for rows in sent:
        assert rows.lane == "identity"
        assert 1 <= len(rows.rows) <= MAX_ROWS
        # Its own two fields and the length before each row.
        assert rows.ByteSize() <= MAX_BYTES + 16 + 8 * MAX_ROWS


@CALMLY
@given(ROWS)
def test_a_row_counts_as_taken_with_the_message_of_its_last_piece(sizes: list[list[int]]) -> None:
    left = pieces_of(sizes)
    for message in packed(left):
        count = len(AuditRows.FromString(message.payload).rows)
        assert message.first == left[0].row.sequence
        left = left[count:]
        whole = left[0].row.sequence - 1 if left else len(sizes)
        assert message.whole_until == whole


def test_small_rows_fill_a_message() -> None:
    counts = [len(AuditRows.FromString(message.payload).rows) for message in packed(pieces_of([[600]] * 450))]
    assert counts == [MAX_ROWS, MAX_ROWS, 50]

"""What becomes of rows, decided from where their lane stands."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.lane_rows import LaneRows, make_row
from zhibu.audit.v1.audit_rows_pb2 import AuditRow
from zhibu_audit.chains import Link
from zhibu_audit.rules import (
    ASK_MAX_S,
    ArrivedRow,
    Restored,
    Verdict,
    Walk,
    Walker,
    after_gap,
    ask_after_s,
    judge,
    judge_restored,
)

COUNT = 12
ROWS = LaneRows(lane="identity").write(COUNT)


def arrived(row: AuditRow, *, readable: bool = True) -> ArrivedRow:
    return ArrivedRow(lane="identity", sequence=row.sequence, row=row.row, chain=row.chain_hash, readable=readable)


def link_after(count: int) -> Link:
    return Link(sequence=count, chain=ROWS[count - 1].chain_hash if count else bytes(32))


def walk(count: int, rows: Sequence[AuditRow], *, held_at: int | None = None) -> Walk:
    """Walk rows through a lane of which so many are in the log."""
    walker = Walker(
        link=link_after(count),
        logged={row.sequence: [arrived(row).leaf] for row in ROWS[:count]},
        chains={row.sequence: row.chain_hash for row in ROWS[:count]},
        held_at=held_at,
    )
    return walker.walk(sorted(map(arrived, rows), key=lambda row: row.sequence))


@given(count=st.integers(0, COUNT), picks=st.lists(st.integers(0, COUNT - 1), max_size=40))
def test_whatever_of_the_right_rows_comes_a_lane_moves_on_without_gap_and_contradicts_nothing(
    count: int, picks: list[int]
) -> None:
    result = walk(count, [ROWS[at] for at in picks])
    have = count
    while have in picks:
        have += 1
    assert result.link == link_after(have)
    assert result.conflict is None
    placed = [row for row, verdict in zip(sorted(picks), result.verdicts, strict=True) if verdict is Verdict.NEXT]
    assert placed == list(range(count, have))
    assert {verdict for at, verdict in zip(sorted(picks), result.verdicts, strict=True) if at > have} <= {Verdict.AHEAD}


@given(count=st.integers(0, COUNT), at=st.integers(1, COUNT), byte=st.integers(0, 31))
def test_a_row_with_another_hash_is_never_taken(count: int, at: int, byte: int) -> None:
    row = AuditRow()
    row.CopyFrom(ROWS[at - 1])
    changed = bytearray(row.chain_hash)
    changed[byte] ^= 1
    row.chain_hash = bytes(changed)
    verdict = judge(link_after(count), arrived(row), logged=[arrived(ROWS[at - 1]).leaf] if at <= count else [])
    assert verdict is (Verdict.AHEAD if at > count + 1 else Verdict.CONFLICT)


def test_after_a_contradiction_nothing_goes_on() -> None:
    result = walk(3, [make_row("identity", 4, b"other"), ROWS[4]])
    assert list(result.verdicts) == [Verdict.CONFLICT, Verdict.AHEAD]
    assert result.link == link_after(3)
    assert result.conflict is not None
    assert (result.conflict.from_sequence, result.conflict.to_sequence) == (4, 3)
    assert result.conflict.link.anchored


def test_a_restored_service_goes_on_from_the_last_row_that_both_know() -> None:
    restored = make_row("identity", 6, ROWS[4].chain_hash)
    conflict = walk(9, [restored]).conflict
    assert conflict is not None
    assert (conflict.from_sequence, conflict.link) == (6, link_after(5))


def test_a_row_that_was_changed_alone_leaves_the_lane_where_it_stands() -> None:
    changed = make_row("identity", 6, b"")
    changed.chain_hash = ROWS[5].chain_hash
    conflict = walk(9, [changed]).conflict
    assert conflict is not None
    assert (conflict.from_sequence, conflict.link) == (6, link_after(9))


def test_a_lane_that_is_held_at_a_row_goes_on_when_the_right_one_comes() -> None:
    held = walk(9, [ROWS[9]], held_at=6)
    assert (list(held.verdicts), held.freed) == ([Verdict.AHEAD], False)
    freed = walk(9, [ROWS[5], ROWS[9]], held_at=6)
    assert (list(freed.verdicts), freed.freed) == ([Verdict.KNOWN, Verdict.NEXT], True)


def test_a_row_that_cannot_be_read_is_left_out_when_two_officers_say_so() -> None:
    row = arrived(ROWS[3], readable=False)
    assert judge(link_after(3), row, logged=[]) is Verdict.CONFLICT
    conflict = Walker(link=link_after(3), logged={}, chains={}).walk([row]).conflict
    assert conflict is not None
    assert (conflict.from_sequence, conflict.link) == (4, link_after(4))


def test_after_a_gap_only_the_row_that_was_seen_then_is_taken() -> None:
    going_on = after_gap(link_after(3), ahead_sequence=7, ahead_chain=ROWS[6].chain_hash)
    assert (going_on.from_sequence, going_on.to_sequence) == (4, 6)
    assert judge(going_on.link, arrived(ROWS[6]), logged=[]) is Verdict.NEXT
    assert judge(going_on.link, arrived(make_row("identity", 7, b"")), logged=[]) is Verdict.CONFLICT
    assert judge(going_on.link, arrived(ROWS[4]), logged=[]) is Verdict.LOST


def test_rows_are_asked_for_less_and_less_often() -> None:
    waits = [ask_after_s(count) for count in range(12)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (1.0, ASK_MAX_S)


@pytest.mark.parametrize(
    ("rows", "tree", "cosigned", "wanted"),
    [
        (5, 5, [5, 5], Restored.GOES_ON),
        (9, 5, [5, 5], Restored.GOES_ON),
        (9, 5, [9], Restored.GOES_ON),
        (5, 9, [9, 5], Restored.FEED_ROWS),
        (5, 9, [], Restored.FEED_ROWS),
        (5, 9, [10, 5], Restored.STOP),
        (5, 5, [6], Restored.STOP),
        (0, 0, [], Restored.GOES_ON),
        (0, 0, [1], Restored.STOP),
    ],
)
def test_a_log_that_is_opened_goes_on_only_where_nothing_that_was_cosigned_is_missing(
    rows: int, tree: int, cosigned: list[int], wanted: Restored
) -> None:
    assert judge_restored(row_count=rows, tree_size=tree, cosigned_sizes=cosigned) is wanted

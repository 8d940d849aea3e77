"""Groups of few people cannot be read from an answer, nor computed from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_kit.small_cells import LEAST_TOLD, NOT_TOLD, hide_small_cells

groups = st.lists(st.integers(min_value=0, max_value=40), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("counts", "total", "told"),
    [
        ([], 0, ()),
        ([0, 0], 0, (0, 0)),
        ([12, 30], 42, (12, 30)),
        ([3], NOT_TOLD, (NOT_TOLD,)),
        ([3, 0], NOT_TOLD, (NOT_TOLD, NOT_TOLD)),
        ([3, 20, 30], 53, (NOT_TOLD, NOT_TOLD, 30)),
        ([1, 1, 20, 30], 52, (NOT_TOLD, NOT_TOLD, NOT_TOLD, 30)),
        ([4, 4, 20], 28, (NOT_TOLD, NOT_TOLD, 20)),
        ([4, 7, 7], 18, (NOT_TOLD, NOT_TOLD, 7)),
    ],
)
def test_few_people_are_hidden_with_their_smallest_neighbour(
    counts: list[int], total: int, told: tuple[int, ...]
) -> None:
    shown = hide_small_cells(counts)
    assert (shown.total, shown.counts) == (total, told)


@given(groups)
def test_no_group_of_few_is_told_and_what_is_told_is_true(counts: list[int]) -> None:
    shown = hide_small_cells(counts)
    assert shown.total in (sum(counts), NOT_TOLD)
    for count, told in zip(counts, shown.counts, strict=True):
        assert told == NOT_TOLD or (told == count and not 0 < told < LEAST_TOLD)


@given(groups)
def test_the_sum_less_what_is_told_gives_no_group_away(counts: list[int]) -> None:
    shown = hide_small_cells(counts)
    hidden = [count for count, told in zip(counts, shown.counts, strict=True) if told == NOT_TOLD]
    if hidden and shown.total != NOT_TOLD:
        rest = shown.total - sum(told for told in shown.counts if told != NOT_TOLD)
        assert rest == sum(hidden) >= LEAST_TOLD
        assert len(hidden) >= 2

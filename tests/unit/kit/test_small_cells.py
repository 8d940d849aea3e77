"""Groups of few people are not told, and cannot be computed from what is."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zhibu_kit.small_cells import LEAST_TOLD, hidden_below, hidden_of_top

groups = st.lists(st.integers(min_value=0, max_value=40), min_size=1, max_size=12)
counts = st.one_of(st.integers(0, 8), st.integers(0, 60))


@st.composite
def tables(draw: st.DrawFn, *, rows_max: int = 6) -> list[list[int]]:
    columns = draw(st.integers(3, 6))
    return draw(st.lists(st.lists(counts, min_size=columns, max_size=columns), min_size=1, max_size=rows_max))


@pytest.mark.parametrize(
    ("counts", "hidden"),
    [
        ([], set()),
        ([0, 0], set()),
        ([12, 30], set()),
        ([3], {0}),
        ([3, 0], {0, 1}),
        ([3, 20, 30], {0, 1}),
        ([1, 1, 20, 30], {0, 1, 2}),
        ([4, 4, 20], {0, 1}),
        ([4, 7, 7], {0, 1}),
    ],
)
def test_few_people_are_hidden_with_their_smallest_neighbour(counts: list[int], hidden: set[int]) -> None:
    assert hidden_of_top(counts) == hidden


@given(groups)
def test_the_sum_less_what_is_told_gives_no_group_of_a_row_away(counts: list[int]) -> None:
    hidden = hidden_of_top(counts)
    assert {column for column, count in enumerate(counts) if 0 < count < LEAST_TOLD} <= hidden
    if hidden and len(hidden) < len(counts):
        assert len(hidden) >= 2
        assert sum(counts[column] for column in hidden) >= LEAST_TOLD


def test_what_is_large_enough_is_told_and_so_is_an_empty_group() -> None:
    assert hidden_of_top([7, 0, 12]) == frozenset()
    assert hidden_below([[7, 0, 12], [9, 5, 0]], frozenset()) == [frozenset(), frozenset()]


def test_a_small_group_hides_a_neighbour_in_its_row_and_its_column() -> None:
    hidden = hidden_below([[3, 20, 30], [40, 50, 60], [70, 80, 90]], frozenset())
    assert hidden == [frozenset({0, 1}), frozenset({0, 1}), frozenset()]


def test_nobody_protects_nobody_and_is_told() -> None:
    assert hidden_below([[0, 0, 0], [3, 20, 30], [0, 0, 0]], hidden_of_top([3, 20, 30])) == [
        frozenset(),
        frozenset({0, 1}),
        frozenset(),
    ]


def test_an_only_child_hides_what_its_parent_hides() -> None:
    assert hidden_below([[3, 20, 30]], hidden_of_top([3, 20, 30])) == [frozenset({0, 1})]


@given(tables())
def test_every_small_group_is_hidden_and_the_hidden_of_a_line_are_no_small_group(table: list[list[int]]) -> None:
    top = [sum(column) for column in zip(*table, strict=True)]
    hidden = hidden_below(table, hidden_of_top(top))
    for row, columns in zip(table, hidden, strict=True):
        small = {column for column, count in enumerate(row) if 0 < count < LEAST_TOLD}
        assert small <= columns
        together = sum(row[column] for column in columns)
        assert not columns or len(columns) == len(row) or (len(columns) > 1 and together >= LEAST_TOLD)


@given(tables())
def test_the_same_table_hides_the_same_each_time(table: list[list[int]]) -> None:
    top = hidden_of_top([sum(column) for column in zip(*table, strict=True)])
    assert hidden_below(table, top) == hidden_below(table, top)


@settings(max_examples=150)
@given(
    st.lists(tables(rows_max=4), min_size=2, max_size=3).filter(lambda some: len({len(one[0]) for one in some}) == 1)
)
def test_nothing_hidden_follows_from_what_is_told_in_a_tree_of_tables(children: list[list[list[int]]]) -> None:
    """Every hidden count, above and below, is free: the equations that a reader has leave it open."""
    width = len(children[0][0])
    middle = [[sum(column) for column in zip(*table, strict=True)] for table in children]
    top = [sum(column) for column in zip(*middle, strict=True)]
    hidden_top = hidden_of_top(top)
    hidden_middle = hidden_below(middle, hidden_top)
    hidden_leaves = [hidden_below(table, above) for table, above in zip(children, hidden_middle, strict=True)]
    # The unknowns, named by their place in the tree, and the equations: each row's sum, and each column's sum above.
    unknowns = [("top", 0, 0, column) for column in sorted(hidden_top)]
    unknowns += [("middle", at, 0, column) for at, columns in enumerate(hidden_middle) for column in sorted(columns)]
    unknowns += [
        ("leaf", at, row, column)
        for at, rows in enumerate(hidden_leaves)
        for row, columns in enumerate(rows)
        for column in sorted(columns)
    ]
    place = {unknown: number for number, unknown in enumerate(unknowns)}
    equations: list[dict[int, int]] = [{place["top", 0, 0, column]: 1 for column in hidden_top}]
    equations += [{place["middle", at, 0, one]: 1 for one in columns} for at, columns in enumerate(hidden_middle)]
    equations += [
        {place["leaf", at, row, one]: 1 for one in columns}
        for at, rows in enumerate(hidden_leaves)
        for row, columns in enumerate(rows)
    ]
    for column in range(width):
        equations.append({place["top", 0, 0, column]: -1} if column in hidden_top else {})
        for at, columns in enumerate(hidden_middle):
            if column in columns:
                equations[-1][place["middle", at, 0, column]] = 1
        for at, rows in enumerate(hidden_leaves):
            equation = {place["middle", at, 0, column]: -1} if column in hidden_middle[at] else {}
            equation |= {place["leaf", at, row, column]: 1 for row, columns in enumerate(rows) if column in columns}
            equations.append(equation)
    assert _determined(equations, len(unknowns)) == set()


def _determined(equations: list[dict[int, int]], width: int) -> set[int]:
    """The unknowns that a system of equations leaves no choice of, by Gauss and Jordan."""
    rows = [[Fraction(equation.get(column, 0)) for column in range(width)] for equation in equations]
    done: list[list[Fraction]] = []
    for column in range(width):
        pivot = next((row for row in rows if row[column] != 0), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        pivot = [value / pivot[column] for value in pivot]
        for others in (rows, done):
            for at, row in enumerate(others):
                if row[column] != 0:
                    others[at] = [value - row[column] * one for value, one in zip(row, pivot, strict=True)]
        done.append(pivot)
    return {
        next(at for at, value in enumerate(row) if value != 0) for row in done if sum(value != 0 for value in row) == 1
    }

"""Which counts of a table are told: groups of few people are not, with enough others that nobody can compute them.

A pure rule for every service that publishes counts of people.

A table has a row for each organisation directly below one and a column for each group. Whoever reads it knows the sum of
each row (how many members the organisation has) and of each column (the same group above). So a hidden count that is alone
in its row or column could be computed. Hidden counts are the edges of a graph between rows and columns: one of them can be
computed exactly when no circle of hidden counts leads through it (Gusfield, "A graph theoretic approach to statistical
data security", 1988). Every hidden count is put on a circle of four.

Tables hang together, because each row is itself the sum of a table further down, which the same reader may open. They are
therefore judged from the top: what is hidden of a row above stays hidden, and then all its hidden columns are hidden in two
rows below, so that whatever the hidden counts above may have been, counts below fit to them.

One organisation with few people would take its large neighbours along: beside a county that has just begun with forty
members, whose every group is small, a county of 24,000 could show none of its own. Counties of fewer than
LEAST_COUNTED_ABOVE people are therefore *apart*: no group above them counts their people, so nothing has to be hidden
elsewhere for their sake, and what they themselves tell is judged as if nothing stood above.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

# A group of fewer people than this tells who is in it to whoever knows some of them. A group of nobody tells of nobody.
LEAST_TOLD: Final = 5
# Stands in an answer for a count that is not told.
NOT_TOLD: Final = -1
# People of a county from which on the groups of city and province count them.
LEAST_COUNTED_ABOVE: Final = 500
# A circle of hidden counts runs through two of a line.
_PAIR: Final = 2

_SumOf = Callable[[int], int]


def hidden_of_top(counts: Sequence[int]) -> frozenset[int]:
    """The columns that are not told of a row which nothing above bounds: few people, and what protects them."""
    hidden = {column for column, count in enumerate(counts) if 0 < count < LEAST_TOLD}
    _fill_row(counts, hidden)
    return frozenset(hidden)


def hidden_below(table: Sequence[Sequence[int]], hidden_above: AbstractSet[int]) -> list[frozenset[int]]:
    """The columns that are not told of each row, where hidden_above are those that are not told of the sum.

    Of a row without anybody all is known, because its sum is told: it needs no protection and gives none.
    """
    judged = iter(_hidden_below([row for row in table if any(row)], hidden_above))
    return [next(judged) if any(row) else frozenset() for row in table]


def _hidden_below(table: Sequence[Sequence[int]], hidden_above: AbstractSet[int]) -> list[frozenset[int]]:
    if not table:
        return []
    if len(table) == 1:
        # The only row with people is the sum itself.
        return [frozenset(hidden_above)]
    hidden = [{column for column, count in enumerate(row) if 0 < count < LEAST_TOLD} for row in table]
    if hidden_above:
        for row in _largest_rows(table):
            hidden[row] |= hidden_above
    changed = True
    while changed:
        changed = False
        for row, columns in zip(table, hidden, strict=True):
            changed |= _fill_row(row, columns)
        for column in range(len(table[0])):
            changed |= _fill_column(table, hidden, column)
        if not changed:
            changed = _close_circles(hidden)
    return [frozenset(columns) for columns in hidden]


def _largest_rows(table: Sequence[Sequence[int]]) -> list[int]:
    """The two rows in which hiding costs least, for their groups are large anyway; ties go to the first."""
    return sorted(range(len(table)), key=lambda row: (-sum(table[row]), row))[:_PAIR]


def _fill_row(counts: Sequence[int], hidden: set[int]) -> bool:
    """Hides further columns until the hidden ones are two and hold enough people, or all are hidden."""
    return _fill(hidden, [(count, column) for column, count in enumerate(counts)], sum_of=lambda column: counts[column])


def _fill_column(table: Sequence[Sequence[int]], hidden: Sequence[set[int]], column: int) -> bool:
    rows = {row for row, columns in enumerate(hidden) if column in columns}
    changed = _fill(
        rows, [(counts[column], row) for row, counts in enumerate(table)], sum_of=lambda row: table[row][column]
    )
    for row in rows:
        hidden[row].add(column)
    return changed


def _fill(hidden: set[int], candidates: Sequence[tuple[int, int]], *, sum_of: _SumOf) -> bool:
    if not hidden:
        return False
    before = len(hidden)
    # Small groups first, so that little is lost, but those with people before empty ones, which protect nobody.
    waiting = iter(sorted((count == 0, count, at) for count, at in candidates if at not in hidden))
    while len(hidden) < _PAIR or sum(sum_of(at) for at in hidden) < LEAST_TOLD:
        found = next(waiting, None)
        if found is None:
            break
        hidden.add(found[-1])
    return len(hidden) > before


def _close_circles(hidden: Sequence[set[int]]) -> bool:
    """Puts each hidden count that could be computed on a circle of four; False when there is none."""
    changed = False
    for row, column in sorted(_bridges(hidden)):
        others = sorted(hidden[row] - {column})
        rows = [other for other, columns in enumerate(hidden) if other != row and column in columns]
        if others and rows:
            hidden[rows[0]].add(others[0])
            changed = True
    return changed


def _bridges(hidden: Sequence[set[int]]) -> set[tuple[int, int]]:
    """Hidden counts through which no circle of hidden counts leads: the bridges of the graph (Tarjan 1974)."""
    rows = len(hidden)
    columns_of = [sorted(columns) for columns in hidden]
    rows_of: dict[int, list[int]] = {}
    for row, columns in enumerate(columns_of):
        for column in columns:
            rows_of.setdefault(column, []).append(row)

    def neighbours(node: int) -> list[int]:
        return [rows + column for column in columns_of[node]] if node < rows else rows_of[node - rows]

    number: dict[int, int] = {}
    low: dict[int, int] = {}
    bridges: set[tuple[int, int]] = set()
    for root in range(rows):
        if root in number:
            continue
        number[root] = low[root] = len(number)
        # Depth first without recursion: (node, whence, neighbours that wait).
        path = [(root, -1, iter(neighbours(root)))]
        while path:
            node, whence, waiting = path[-1]
            following = next(waiting, None)
            if following is None:
                path.pop()
                if path:
                    above = path[-1][0]
                    low[above] = min(low[above], low[node])
                    if low[node] > number[above]:
                        bridges.add((min(node, above), max(node, above) - rows))
            elif following not in number:
                number[following] = low[following] = len(number)
                path.append((following, node, iter(neighbours(following))))
            elif following != whence:
                low[node] = min(low[node], number[following])
    return bridges

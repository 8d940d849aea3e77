"""Small cells: groups of few people are not told, with enough neighbours that nobody can compute them from the sum.

A pure rule for every service that publishes counts of people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# A group of fewer people than this tells who is in it to whoever knows some of them.
LEAST_TOLD: Final = 5
# Stands in an answer for a count that is not told.
NOT_TOLD: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of a sum and of the groups that make it up, in their order; NOT_TOLD where nothing is."""

    total: int
    counts: tuple[int, ...]


def hide_small_cells(counts: Sequence[int], *, least: int = LEAST_TOLD) -> Told:
    """Return what may be told of groups which together make up a sum that is told too.

    Cases: a group of nobody is told, for it shows nobody. Of several groups the hidden ones together hold at least `least`
    people, and are at least two: otherwise the sum, less what is told, would give them away. Where that cannot be had
    (everybody is in one small group, or all are few) the sum is not told either.
    """
    total = sum(counts)
    if 0 < total < least:
        return Told(total=NOT_TOLD, counts=(NOT_TOLD,) * len(counts))
    hidden = {at for at, count in enumerate(counts) if 0 < count < least}
    # The smallest neighbours first: what is lost to the reader is little. Ties go to the first, so that the answer is
    # the same each time: two different answers about the same people could be compared.
    neighbours = iter(sorted((count, at) for at, count in enumerate(counts) if count >= least))
    while hidden and (len(hidden) < 2 or sum(counts[at] for at in hidden) < least):
        _, at = next(neighbours)
        hidden.add(at)
    return Told(total=total, counts=tuple(NOT_TOLD if at in hidden else count for at, count in enumerate(counts)))

"""What becomes of rows that arrive, and of a log that was restored: pure decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from zhibu_audit.chains import Link, chain_hash, follows
from zhibu_audit.leaves import row_leaf

# The first asking for rows that are missing; each further one waits twice as long, up to the second figure.
ASK_MIN_S: Final = 1.0
ASK_MAX_S: Final = 30.0


class Verdict(StrEnum):
    """What a row is to its lane."""

    NEXT = "next"
    KNOWN = "known"
    """It stands in the log, the same; its subjects may bring what an earlier part did not."""
    LOST = "lost"
    """Its number was put on record as lost; it comes too late."""
    AHEAD = "ahead"
    """Rows before it are missing, or the lane stands still."""
    CONFLICT = "conflict"
    """It contradicts the chain, or what stands in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivedRow:
    """A row as a service published it; `readable` is false when it is not what a row of the log can be."""

    lane: str
    sequence: int
    row: bytes
    chain: bytes
    readable: bool = True

    @property
    def leaf(self) -> bytes:
        """The leaf that it becomes."""
        return row_leaf(self.lane, self.row, self.chain)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingOn:
    """How a lane goes on once two officers have signed: `from_sequence` contradicts or is missing, `link` is where it goes on."""

    from_sequence: int
    link: Link

    @property
    def to_sequence(self) -> int:
        """The last number that is put on record."""
        return self.link.sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What became of a batch of rows: a verdict for each, where the lane is after them, and what contradicts."""

    verdicts: Sequence[Verdict]
    link: Link
    conflict: GoingOn | None
    freed: bool


def judge(link: Link, row: ArrivedRow, *, logged: Sequence[bytes]) -> Verdict:
    """Say what a row is; `logged` are the leaves that the log has under its number, of which there are rarely two."""
    if row.sequence > link.sequence + 1:
        return Verdict.AHEAD
    if row.sequence == link.sequence + 1:
        fits = row.readable and follows(link, sequence=row.sequence, row=row.row, chain=row.chain)
        return Verdict.NEXT if fits else Verdict.CONFLICT
    if not logged:
        return Verdict.LOST
    return Verdict.KNOWN if row.leaf in logged else Verdict.CONFLICT


@dataclass(slots=True, kw_only=True)
class Walker:
    """Leads a lane through a batch of rows that is sorted by number.

    `logged` are the leaves of the log by number, `chains` the hashes of what stands last under a number. `held_at` is the
    number of a row that contradicts what is in the log: until the right one comes, nothing goes on.
    """

    link: Link
    logged: Mapping[int, Sequence[bytes]]
    chains: Mapping[int, bytes]
    held_at: int | None = None
    _fresh: dict[int, bytes] = field(default_factory=dict[int, bytes])

    def walk(self, rows: Sequence[ArrivedRow]) -> Walk:
        """Take the rows in their order."""
        conflict: GoingOn | None = None
        was_held = self.held_at
        verdicts: list[Verdict] = []
        for row in rows:
            verdict = judge(self.link, row, logged=self._logged_at(row.sequence))
            if verdict is Verdict.KNOWN and row.sequence == self.held_at:
                self.held_at = None
            if verdict is Verdict.CONFLICT:
                conflict = conflict or after_conflict(self.link, row, chain_before=self._chain_at(row.sequence - 1))
            elif verdict is Verdict.NEXT and (conflict or self.held_at is not None):
                verdict = Verdict.AHEAD
            elif verdict is Verdict.NEXT:
                self.link = Link(sequence=row.sequence, chain=row.chain)
                self._fresh[row.sequence] = row.leaf
            verdicts.append(verdict)
        freed = was_held is not None and self.held_at is None
        return Walk(verdicts=verdicts, link=self.link, conflict=conflict, freed=freed)

    def _logged_at(self, sequence: int) -> Sequence[bytes]:
        fresh = self._fresh.get(sequence)
        return [fresh] if fresh else self.logged.get(sequence, ())

    def _chain_at(self, sequence: int) -> bytes | None:
        return Link().chain if sequence == 0 else self.chains.get(sequence)


def after_gap(link: Link, *, ahead_sequence: int, ahead_chain: bytes) -> GoingOn:
    """Say how a lane goes on when everything before the first row that came is lost: from that row's own hash."""
    return GoingOn(
        from_sequence=link.sequence + 1, link=Link(sequence=ahead_sequence - 1, chain=ahead_chain, anchored=True)
    )


def after_conflict(link: Link, row: ArrivedRow, *, chain_before: bytes | None) -> GoingOn:
    """Say how a lane goes on after a row that contradicts; `chain_before` is the hash that the log has before its number.

    A service that was restored chains its new rows to an old one that the log knows: the lane goes on from there, with
    the numbers again. A single row that was changed after the log had it leaves the lane where it stands. When the next row
    does not fit, nobody knows what it was chained from, so it is taken with the hash that it brought; one that cannot be read
    is left out, and the next is chained from its hash.
    """
    if row.sequence == link.sequence + 1:
        if not row.readable:
            return GoingOn(from_sequence=row.sequence, link=Link(sequence=row.sequence, chain=row.chain))
        anchor = Link(sequence=row.sequence - 1, chain=row.chain, anchored=True)
        return GoingOn(from_sequence=row.sequence, link=anchor)
    if chain_before is not None and chain_hash(chain_before, row.row) == row.chain:
        return GoingOn(from_sequence=row.sequence, link=Link(sequence=row.sequence - 1, chain=chain_before))
    return GoingOn(from_sequence=row.sequence, link=link)


def ask_after_s(asked_count: int) -> float:
    """Return how long rows are missing, or the last asking lies back, before they are asked for (again)."""
    return min(ASK_MIN_S * 2 ** min(asked_count, 10), ASK_MAX_S)


class Restored(StrEnum):
    """What is to be done with a log that is opened."""

    GOES_ON = "goes on"
    """The directory may lie behind the rows: it is made again from them."""
    FEED_ROWS = "feed rows"
    """The rows lie behind the directory: they are fed again from it."""
    STOP = "stop"
    """Both lie behind what a witness has cosigned, so entries are lost."""


def judge_restored(*, row_count: int, tree_size: int, cosigned_sizes: Sequence[int]) -> Restored:
    """Compare the rows, the directory and what witnesses say; a witness that does not answer says nothing."""
    if max(cosigned_sizes, default=0) > max(row_count, tree_size):
        return Restored.STOP
    return Restored.FEED_ROWS if tree_size > row_count else Restored.GOES_ON

"""What becomes of a row that arrives: pure decisions from where its lane stands."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhibu_audit.chains import Link, chain_hash, follows

# An asking that brought nothing is repeated after this long, doubled up to the second figure.
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
    """Rows before it are missing."""
    CONFLICT = "conflict"
    """It contradicts the chain, or what stands in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivedRow:
    """A row as a service published it."""

    sequence: int
    row: bytes
    chain: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRow:
    """A row as it stands in the log."""

    row: bytes
    chain: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingOn:
    """How a lane goes on once two officers have signed: after `to_sequence`, chained from `link`."""

    from_sequence: int
    link: Link

    @property
    def to_sequence(self) -> int:
        """The last number that is put on record."""
        return self.link.sequence


def judge(link: Link, row: ArrivedRow, *, logged: LoggedRow | None) -> Verdict:
    """Say what a row is; `logged` is what stands in the log under its number, None when nothing does."""
    if row.sequence > link.sequence + 1:
        return Verdict.AHEAD
    if row.sequence == link.sequence + 1:
        next_one = follows(link, sequence=row.sequence, row=row.row, chain=row.chain)
        return Verdict.NEXT if next_one else Verdict.CONFLICT
    if logged is None:
        return Verdict.LOST
    return Verdict.KNOWN if (logged.row, logged.chain) == (row.row, row.chain) else Verdict.CONFLICT


def after_gap(link: Link, *, ahead_sequence: int, ahead_chain: bytes) -> GoingOn:
    """Say how a lane goes on when everything before the first row that came is lost: from that row's own hash."""
    return GoingOn(
        from_sequence=link.sequence + 1, link=Link(sequence=ahead_sequence - 1, chain=ahead_chain, anchored=True)
    )


def after_conflict(link: Link, row: ArrivedRow, *, before: LoggedRow | None) -> GoingOn:
    """Say how a lane goes on after a row that contradicts; `before` is what the log has under the number before it.

    A service that was restored chains its new rows to an old one that the log knows: the lane goes on from there, with
    the numbers again. A single row that was changed after the log had it leaves the lane where it stands. When the next row
    does not fit, nobody knows what it was chained from, so it is taken with the hash that it brought.
    """
    if row.sequence == link.sequence + 1:
        return GoingOn(from_sequence=row.sequence, link=Link(sequence=row.sequence - 1, chain=row.chain, anchored=True))
    chain_before = Link().chain if row.sequence == 1 else before.chain if before else None
    if chain_before is not None and chain_hash(chain_before, row.row) == row.chain:
        return GoingOn(from_sequence=row.sequence, link=Link(sequence=row.sequence - 1, chain=chain_before))
    return GoingOn(from_sequence=row.sequence, link=link)


def ask_again_after_s(asked_count: int) -> float:
    """Return how long to wait after an asking before the next."""
    return min(ASK_MIN_S * 2 ** min(asked_count, 10), ASK_MAX_S)

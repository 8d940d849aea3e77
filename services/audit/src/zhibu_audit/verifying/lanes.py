"""Whether the rows of every service stand in the log once each, in their order, and are those of which the chain was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, assert_never

from zhibu_audit.verifying.faults import Fault, FaultKind
from zhibu_audit.verifying.leaves import HASH_BYTES, IncidentLeaf, LeafRefusedError, OriginLeaf, RowLeaf, read_leaf

# One is enough to refuse a log; these say where to look.
MOST_FAULTS: Final = 100
# There are as many lanes as services; more would only fill the memory of whoever checks.
MOST_LANES: Final = 1000


@dataclass(slots=True)
class _Lane:
    sequence: int = 0
    # None when it is not known any more, because entries could not be read: the next row is believed.
    chain: bytes | None = bytes(HASH_BYTES)
    # `chain` is not what the next row is chained from, but what its own hash must be: rows before it are lost.
    anchored: bool = False

    def is_followed_by(self, leaf: RowLeaf) -> bool:
        """Say whether a row, of the right number, is the next one."""
        if self.chain is None:
            return True
        return leaf.chain == (self.chain if self.anchored else sha256(self.chain + leaf.chained).digest())


@dataclass(slots=True)
class LaneCheck:
    """Takes the entries of a log from its beginning on, one after the other."""

    faults: list[Fault] = field(default_factory=list[Fault])
    lanes: dict[str, _Lane] = field(default_factory=dict[str, _Lane])
    # Set while entries before the next one could not be read.
    _torn: bool = False

    def take(self, index: int, entry: bytes) -> None:
        """Check the entry at a place of the tree."""
        try:
            leaf = read_leaf(entry)
        except LeafRefusedError as error:
            self._found(FaultKind.ENTRY_MALFORMED, index, str(error))
            # What it was, and of which lane, nobody knows.
            self.skip()
            return
        match leaf:
            case RowLeaf():
                self._row(index, leaf)
            case IncidentLeaf():
                self._incident(index, leaf)
            case OriginLeaf():
                if index:
                    self._found(FaultKind.ORIGIN_MISPLACED, index, "origin")
            case _:
                assert_never(leaf)

    def skip(self) -> None:
        """Know that entries could not be read; another finding says so."""
        self._torn = True
        for lane in self.lanes.values():
            lane.chain = None

    def _row(self, index: int, leaf: RowLeaf) -> None:
        lane = self._lane(index, leaf.lane)
        expected = lane.sequence + 1
        detail = f"{leaf.lane}: {expected} expected, {leaf.sequence} found"
        if leaf.sequence < expected:
            # The lane goes on from where it was.
            self._found(FaultKind.LANE_REPEATED, index, detail)
            return
        if leaf.sequence > expected and lane.chain is not None:
            self._found(FaultKind.LANE_GAP, index, detail)
        elif not lane.is_followed_by(leaf):
            self._found(FaultKind.LANE_CHAIN_BROKEN, index, f"{leaf.lane} {leaf.sequence}")
        lane.sequence, lane.chain, lane.anchored = leaf.sequence, leaf.chain, False

    def _incident(self, index: int, leaf: IncidentLeaf) -> None:
        one, other = leaf.signers
        if one == other:
            self._found(FaultKind.INCIDENT_MISPLACED, index, f"{leaf.lane}: signed twice by {one}")
        if not leaf.lane:
            # It is about the log as a whole; every lane goes on as it was.
            return
        lane = self._lane(index, leaf.lane)
        expected = lane.sequence + 1
        if leaf.incident_kind == "conflict":
            # Behind a row that contradicts, a lane goes on where it stood, or from the row before with numbers again.
            fits = 1 <= leaf.from_sequence <= expected and leaf.from_sequence - 1 <= leaf.to_sequence <= lane.sequence
        else:
            fits = leaf.from_sequence == expected and leaf.to_sequence >= expected
        if lane.chain is not None and not fits:
            detail = f"{leaf.lane}: {leaf.from_sequence} to {leaf.to_sequence}, where {expected} follows"
            self._found(FaultKind.INCIDENT_MISPLACED, index, detail)
        lane.sequence, lane.chain, lane.anchored = leaf.to_sequence, leaf.chain or leaf.next_chain, not leaf.chain

    def _lane(self, index: int, name: str) -> _Lane:
        lane = self.lanes.get(name)
        if lane is None:
            lane = _Lane(chain=None) if self._torn else _Lane()
            if len(self.lanes) == MOST_LANES:
                self._found(FaultKind.ENTRY_MALFORMED, index, f"more than {MOST_LANES} lanes")
                return lane
            self.lanes[name] = lane
        return lane

    def _found(self, kind: FaultKind, index: int, detail: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(kind=kind, where=f"#{index}", detail=detail))

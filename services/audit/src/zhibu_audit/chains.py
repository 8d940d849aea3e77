"""The chains of the lanes, checked from the leaves alone: by intake, by feeding, and by `zhibu-audit verify`."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from zhibu_audit.leaves import INCIDENT, ORIGIN, ROW, canonical

NO_HASH: Final = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a lane stands: its last number, and what the next row is chained from.

    `anchored`: rows before the next one are lost, and `chain` is what that row's own hash must be.
    """

    sequence: int = 0
    chain: bytes = NO_HASH
    anchored: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafFault:
    """A leaf that cannot stand where it stands."""

    index: int
    lane: str
    sequence: int
    because: str


def chain_hash(previous: bytes, row: bytes) -> bytes:
    """Return the hash of a row (canonical JSON) after another one's."""
    return hashlib.sha256(previous + row).digest()


def follows(link: Link, *, sequence: int, row: bytes, chain: bytes) -> bool:
    """Say whether a row is the next one of its lane."""
    expected = link.chain if link.anchored else chain_hash(link.chain, row)
    return sequence == link.sequence + 1 and chain == expected


class Chains:
    """Follows every lane through the leaves of a log, from the first on."""

    def __init__(self) -> None:
        """Begin before the first leaf."""
        self.links: dict[str, Link] = {}

    def follow(self, index: int, leaf: bytes) -> Iterator[LeafFault]:
        """Take the next leaf, and give what is wrong with it."""
        try:
            content = read_leaf(leaf)
            if content["kind"] == ROW:
                yield from self._follow_row(index, content)
            elif content["kind"] == INCIDENT:
                self._follow_incident(content)
        except (ValueError, KeyError, TypeError) as error:
            yield LeafFault(index=index, lane="", sequence=0, because=f"the entry cannot be read: {error}")

    def _follow_row(self, index: int, content: dict[str, Any]) -> Iterator[LeafFault]:
        lane, row, chain = str(content["lane"]), canonical(content["row"]), bytes.fromhex(content["chain"])
        sequence = int(content["row"]["sequence"])
        link = self.links.get(lane, Link())
        if sequence != link.sequence + 1:
            because = f"row {sequence} of {lane} stands behind {link.sequence}"
            yield LeafFault(index=index, lane=lane, sequence=sequence, because=because)
        elif not follows(link, sequence=sequence, row=row, chain=chain):
            because = f"row {sequence} of {lane} is not chained to the one before"
            yield LeafFault(index=index, lane=lane, sequence=sequence, because=because)
        self.links[lane] = Link(sequence=sequence, chain=chain)

    def _follow_incident(self, content: dict[str, Any]) -> None:
        lane = str(content["lane"])
        if lane:
            self.links[lane] = after_incident(content)


def read_leaf(leaf: bytes) -> dict[str, Any]:
    """Read a leaf.

    Raises:
        ValueError: when it is not canonical JSON of a kind of entry.
    """
    content = orjson.loads(leaf)
    if not isinstance(content, dict) or canonical(content) != leaf:
        raise ValueError("it is not written canonically")
    if content.get("kind") not in {ROW, INCIDENT, ORIGIN}:
        raise ValueError("it is no kind of entry")
    return content


def after_incident(content: dict[str, Any]) -> Link:
    """Say where a lane stands after the leaf of its incident."""
    chain = bytes.fromhex(content["chain"])
    return Link(
        sequence=int(content["to_sequence"]),
        chain=chain or bytes.fromhex(content["next_chain"]),
        anchored=not chain,
    )

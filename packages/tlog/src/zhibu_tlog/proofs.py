"""Proofs that a leaf is in a tree, and that a tree continues another one (RFC 6962, sections 2.1.1 and 2.1.2).

They are made from the hashes of complete subtrees and checked by the algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from zhibu_tlog.hashes import EMPTY_ROOT, HASH_BYTES, hash_children

# The deepest tree has 2^63 leaves.
LONGEST_PROOF: Final = 63


class ProofRefusedError(Exception):
    """The proof does not prove what it was given for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A complete subtree: that of the leaves from `index * 2**level` on, `2**level` of them."""

    level: int
    index: int


class HashReader(Protocol):
    """Whatever knows the hashes of complete subtrees of a tree."""

    def read_hashes(self, nodes: Sequence[Node]) -> list[bytes]:
        """Give the hash of each."""
        ...


def make_inclusion_proof(index: int, size: int, hashes: HashReader) -> list[bytes]:
    """Prove that leaf `index` is in the tree of `size` leaves; from the leaf's neighbour up."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    low, high = 0, size
    beside: list[tuple[int, int]] = []
    while high - low > 1:
        middle = low + _largest_power_below(high - low)
        if index < middle:
            beside.append((middle, high))
            high = middle
        else:
            beside.append((low, middle))
            low = middle
    return _read_ranges(beside[::-1], hashes)


def make_consistency_proof(old_size: int, size: int, hashes: HashReader) -> list[bytes]:
    """Prove that the tree of `size` leaves begins with that of `old_size` leaves."""
    if not 0 <= old_size <= size:
        raise ValueError(f"a tree of {size} does not continue one of {old_size}")
    if old_size in {0, size}:
        return []
    low, high = 0, size
    ranges: list[tuple[int, int]] = []
    while old_size != high:
        middle = low + _largest_power_below(high - low)
        if old_size <= middle:
            ranges.append((middle, high))
            high = middle
        else:
            ranges.append((low, middle))
            low = middle
    if low > 0:
        # Otherwise the old root itself is the node from which the proof starts, and whoever checks has it.
        ranges.append((low, high))
    return _read_ranges(ranges[::-1], hashes)


def read_root(size: int, hashes: HashReader) -> bytes:
    """Give the root of the tree of the first `size` leaves."""
    return _read_ranges([(0, size)], hashes)[0] if size else EMPTY_ROOT


def check_inclusion(*, index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf is in the tree of this size and root.

    Raises:
        ProofRefusedError: when that is not proved.
    """
    if not 0 <= index < size:
        raise ProofRefusedError(f"no leaf {index} in a tree of {size}")
    _refuse_other_than_hashes(leaf_hash, root, *proof)
    place, last, found = index, size - 1, leaf_hash
    for step in proof:
        if last == 0:
            raise ProofRefusedError("the proof is too long")
        if place & 1 or place == last:
            found = hash_children(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = hash_children(found, step)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofRefusedError("the proof is too short")
    if found != root:
        raise ProofRefusedError("the proof leads to another root")


def check_consistency(*, old_size: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of `size` and `root` begins with that of `old_size` and `old_root`.

    Raises:
        ProofRefusedError: when that is not proved.
    """
    if not 0 <= old_size <= size:
        raise ProofRefusedError(f"a tree of {size} does not continue one of {old_size}")
    _refuse_other_than_hashes(old_root, root, *proof)
    if old_size in {0, size}:
        if proof:
            raise ProofRefusedError("the proof is too long")
        if old_size == 0 and old_root != EMPTY_ROOT:
            raise ProofRefusedError("an empty tree has another root")
        if old_size == size and old_root != root:
            raise ProofRefusedError("the roots differ")
        return
    steps = list(proof) if old_size & (old_size - 1) else [old_root, *proof]
    if not steps:
        raise ProofRefusedError("the proof is too short")
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old_found = found = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ProofRefusedError("the proof is too long")
        if place & 1 or place == last:
            old_found, found = hash_children(step, old_found), hash_children(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = hash_children(found, step)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofRefusedError("the proof is too short")
    if old_found != old_root or found != root:
        raise ProofRefusedError("the proof leads to another root")


def _refuse_other_than_hashes(*hashes: bytes) -> None:
    if any(len(hashed) != HASH_BYTES for hashed in hashes):
        raise ProofRefusedError(f"a hash has {HASH_BYTES} bytes")


def _largest_power_below(count: int) -> int:
    """Give the largest power of two smaller than `count`, where RFC 6962 splits a tree."""
    return 1 << ((count - 1).bit_length() - 1)


def _read_ranges(ranges: Sequence[tuple[int, int]], hashes: HashReader) -> list[bytes]:
    """Give the root of each range of leaves, reading all that they need at once."""
    nodes = [_complete_subtrees(low, high) for low, high in ranges]
    read = iter(hashes.read_hashes([node for of_range in nodes for node in of_range]))
    roots: list[bytes] = []
    for of_range in nodes:
        parts = [next(read) for _ in of_range]
        root = parts.pop()
        while parts:
            root = hash_children(parts.pop(), root)
        roots.append(root)
    return roots


def _complete_subtrees(low: int, high: int) -> list[Node]:
    """Split a range of leaves that begins where RFC 6962 begins one into complete subtrees, the largest first."""
    nodes: list[Node] = []
    while low < high:
        level = (high - low).bit_length() - 1
        nodes.append(Node(level=level, index=low >> level))
        low += 1 << level
    return nodes

"""The hashes of a Merkle tree (RFC 6962, section 2.1): leaves and inner nodes are hashed apart, so that none can pass for the other."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from zhibu_tlog.spelling import MalformedError, read_base64

HASH_BYTES: Final = 32
# The root of a tree without leaves.
EMPTY_ROOT: Final = sha256(b"").digest()


def hash_leaf(entry: bytes) -> bytes:
    """Hash an entry to its leaf."""
    return sha256(b"\x00" + entry).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Hash two nodes to the one above them."""
    return sha256(b"\x01" + left + right).digest()


def hash_subtree(hashes: Sequence[bytes]) -> bytes:
    """Hash nodes of one level, left to right, to the root above them.

    All but the last must be roots of subtrees of one size, which is a power of two; the last may be the root of a smaller one.
    """
    if not hashes:
        return EMPTY_ROOT
    row = list(hashes)
    while len(row) > 1:
        # A node without a neighbour goes up unchanged: this is how the tree of RFC 6962 is split.
        alone = [row[-1]] if len(row) % 2 else []
        row = [
            sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=False)
        ] + alone
    return row[0]


def read_hash(text: str) -> bytes:
    """Read a hash from its Base64."""
    read = read_base64(text)
    if len(read) != HASH_BYTES:
        raise MalformedError(f"a hash has {HASH_BYTES} bytes, not {len(read)}")
    return read

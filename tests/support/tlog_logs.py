"""Logs for tests: keys that are the same in every run, entries, trees in memory, and logs in directories."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from zhibu_tlog.durable_files import DurableFiles
from zhibu_tlog.hashes import hash_children, hash_leaf
from zhibu_tlog.keys import SignatureType, SignerKey
from zhibu_tlog.proofs import Node
from zhibu_tlog.tree_writer import STATE_DIRECTORY, create_log, opened_log

ORIGIN = "log.example/linqu"


def signer(name: str, kind: SignatureType = SignatureType.ED25519, *, seed: str = "") -> SignerKey:
    """Make a key out of its name, or of another word."""
    return SignerKey(name=name, type=kind, seed=sha256((seed or name).encode()).digest())


LOG_KEY = signer(ORIGIN)
OTHER_KEY = signer(ORIGIN, seed="another key under the same name")
WITNESS_KEY = signer("witness.example/w1", SignatureType.COSIGNATURE)
SECOND_WITNESS_KEY = signer("witness.example/w2", SignatureType.COSIGNATURE)


def entry(index: int) -> bytes:
    """Give an entry, of a length of its own, that stands nowhere else."""
    return f"entry {index} ".encode() * (1 + index % 7)


def entries(count: int, first: int = 0) -> list[bytes]:
    """Give entries from `first` on."""
    return [entry(index) for index in range(first, first + count)]


class UnsyncedFiles(DurableFiles):
    """Files that need not outlast the test, without waiting for the disk."""

    def write(self, path: Path, data: bytes) -> None:
        """Write."""
        path.write_bytes(data)

    def sync(self, directory: Path) -> None:
        """Wait for nothing."""


class TreeInMemory:
    """All hashes of a tree, level by level, made by the definition."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        """Hash the leaves and everything above them."""
        self._levels = [[hash_leaf(leaf) for leaf in leaves]]
        while len(self._levels[-1]) > 1:
            row = self._levels[-1]
            self._levels.append([hash_children(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)])

    def read_hashes(self, nodes: Sequence[Node]) -> list[bytes]:
        """Give the hashes of complete subtrees."""
        return [self._levels[node.level][node.index] for node in nodes]


def defined_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Give the Merkle Tree Hash word for word as RFC 6962, section 2.1, defines it."""
    if not leaf_hashes:
        return sha256(b"").digest()
    if len(leaf_hashes) == 1:
        return leaf_hashes[0]
    split = 1
    while split * 2 < len(leaf_hashes):
        split *= 2
    return sha256(b"\x01" + defined_root(leaf_hashes[:split]) + defined_root(leaf_hashes[split:])).digest()


def write_log(directory: Path, batches: Sequence[Sequence[bytes]], key: SignerKey = LOG_KEY) -> Path:
    """Write a log in these batches."""
    create_log(directory, key, UnsyncedFiles())
    append_to(directory, batches, key)
    return directory


def append_to(directory: Path, batches: Sequence[Sequence[bytes]], key: SignerKey = LOG_KEY) -> None:
    """Append to a log in these batches."""
    with opened_log(directory, key, UnsyncedFiles()) as writer:
        for batch in batches:
            writer.append(batch, first_index=writer.size)


def files_of(directory: Path) -> dict[str, bytes]:
    """Give every file of a log, without the state of its writer."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.relative_to(directory).parts[0] != STATE_DIRECTORY
    }


def split(count: int, sizes: Sequence[int]) -> list[list[bytes]]:
    """Give the first `count` entries in batches of these sizes, which are repeated as long as needed."""
    batches: list[list[bytes]] = []
    first, turn = 0, 0
    while first < count:
        size = min(sizes[turn % len(sizes)], count - first)
        batches.append(entries(size, first))
        first, turn = first + size, turn + 1
    return batches

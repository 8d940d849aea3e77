"""A log as a witness sees it: requests to cosign it at any size, and forks of it."""

from collections.abc import Sequence
from functools import cache

from support.tlog_logs import LOG_KEY, TreeInMemory, entries
from zhibu_tlog.checkpoints import Checkpoint, sign_checkpoint
from zhibu_tlog.keys import SignerKey
from zhibu_tlog.proofs import make_consistency_proof, read_root
from zhibu_tlog.witness.requests import write_request

LARGEST = 200


class WitnessedLog:
    """A log in memory, of which every size can be signed."""

    def __init__(self, leaves: Sequence[bytes], key: SignerKey = LOG_KEY) -> None:
        """Hold these entries."""
        self._tree = TreeInMemory(leaves)
        self._key = key

    def root(self, size: int) -> bytes:
        """Give the root at a size."""
        return read_root(size, self._tree)

    def note(self, size: int) -> bytes:
        """Give the checkpoint of a size."""
        return sign_checkpoint(Checkpoint(origin=self._key.name, size=size, root=self.root(size)), self._key).note.data

    def proof(self, old_size: int, size: int) -> tuple[bytes, ...]:
        """Prove that it has only grown in between."""
        return tuple(make_consistency_proof(old_size, size, self._tree))

    def request(self, old_size: int, size: int) -> bytes:
        """Ask to be cosigned."""
        return write_request(old_size, self.proof(old_size, size), self.note(size))


@cache
def the_log() -> WitnessedLog:
    """Give the log."""
    return WitnessedLog(entries(LARGEST))


@cache
def fork(number: int = 0) -> WitnessedLog:
    """Give a log with the same key that was the same up to entry 50, and of which there may be many."""
    return WitnessedLog([*entries(50), f"fork {number}".encode(), *entries(LARGEST - 51, 51)])

"""Proofs as files, and what Go's implementations say of the same trees: `go_examples.json` is written by packages/tlog/interop."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.tlog_logs import LOG_KEY, ORIGIN, WITNESS_KEY, TreeInMemory, entries, write_log
from zhibu_tlog.checkpoints import open_checkpoint
from zhibu_tlog.hashes import hash_leaf, read_hash
from zhibu_tlog.notes import NoteRefusedError
from zhibu_tlog.proof_files import LONGEST_EXTRA_BYTES, ProofFile, check_proof_file, make_proof_file, read_proof_file
from zhibu_tlog.proofs import (
    ProofRefusedError,
    check_consistency,
    check_inclusion,
    make_consistency_proof,
    make_inclusion_proof,
    read_root,
)
from zhibu_tlog.reader import DirectoryReader
from zhibu_tlog.spelling import MalformedError

GO: dict[str, Any] = json.loads((Path(__file__).parent / "go_examples.json").read_text(encoding="utf-8"))
GO_SIZE = 600
LOG = (LOG_KEY.verifier,)
WITNESSES = (WITNESS_KEY.verifier,)


def go_entry(number: int) -> bytes:
    """Give an entry of Go's examples."""
    return f"entry {number}".encode()


_TREE = TreeInMemory(map(go_entry, range(GO_SIZE)))


def test_go_has_the_same_roots_and_makes_the_same_proofs() -> None:
    roots = {size: read_hash(root) for size, root in zip(GO["sizes"], GO["roots"], strict=True)}
    assert {size: read_root(size, _TREE) for size in roots} == roots
    assert max(roots) == GO_SIZE
    for one in GO["inclusion"]:
        proof = [read_hash(hashed) for hashed in one["proof"]]
        assert make_inclusion_proof(one["index"], one["size"], _TREE) == proof
        leaf_hash, root = hash_leaf(go_entry(one["index"])), roots[one["size"]]
        check_inclusion(index=one["index"], size=one["size"], leaf_hash=leaf_hash, proof=proof, root=root)
    for one in GO["consistency"]:
        proof = [read_hash(hashed) for hashed in one["proof"]]
        assert make_consistency_proof(one["old_size"], one["size"], _TREE) == proof
        old_root, root = read_root(one["old_size"], _TREE), roots[one["size"]]
        check_consistency(old_size=one["old_size"], size=one["size"], old_root=old_root, root=root, proof=proof)


def test_a_checkpoint_and_a_proof_that_go_signed_and_cosigned_are_right() -> None:
    signed = open_checkpoint(GO["checkpoint"].encode(), origin=ORIGIN, keys=LOG)
    assert signed.note.data == GO["checkpoint"].encode()
    proved = check_proof_file(
        GO["proof_file"].encode(),
        go_entry(GO_SIZE - 1),
        origin=ORIGIN,
        keys=LOG,
        witnesses=WITNESSES,
        quorum=1,
    )
    assert (proved.index, proved.checkpoint, len(proved.cosignatures)) == (GO_SIZE - 1, signed, 1)
    assert read_proof_file(GO["proof_file"].encode()).data == GO["proof_file"].encode()


@pytest.mark.parametrize("index", [0, 255, 256, 299])
def test_a_proof_is_made_from_the_log_and_checked_without_it(tmp_path: Path, index: int) -> None:
    log = DirectoryReader(write_log(tmp_path / "log", [entries(300)]))
    signed = open_checkpoint(log.read_checkpoint(), origin=ORIGIN, keys=LOG)
    made = make_proof_file(log, index, signed, extra=b"" if index else None)
    proved = check_proof_file(made.data, entries(1, index)[0], origin=ORIGIN, keys=LOG)
    assert (proved.index, proved.checkpoint) == (index, signed)
    assert read_proof_file(made.data) == made
    with pytest.raises(ProofRefusedError):
        check_proof_file(made.data, b"another entry", origin=ORIGIN, keys=LOG)
    with pytest.raises(NoteRefusedError):
        check_proof_file(made.data, entries(1, index)[0], origin=ORIGIN, keys=LOG, witnesses=WITNESSES, quorum=1)


def test_no_bit_of_a_proof_can_be_changed(tmp_path: Path) -> None:
    log = DirectoryReader(write_log(tmp_path / "log", [entries(20)]))
    signed = open_checkpoint(log.read_checkpoint(), origin=ORIGIN, keys=LOG)
    data = make_proof_file(log, 13, signed).data
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((MalformedError, NoteRefusedError, ProofRefusedError)):
            check_proof_file(bytes(changed), entries(1, 13)[0], origin=ORIGIN, keys=LOG)


def test_no_proof_is_given_out_of_a_damaged_log_or_of_what_is_not_there(tmp_path: Path) -> None:
    directory = write_log(tmp_path / "log", [entries(300)])
    log = DirectoryReader(directory)
    signed = open_checkpoint(log.read_checkpoint(), origin=ORIGIN, keys=LOG)
    for index in (300, 511, 10**9):
        with pytest.raises(ValueError, match="no entry"):
            make_proof_file(log, index, signed)
    tile = directory / "tile/0/000"
    tile.write_bytes(bytes(8192))
    with pytest.raises(ProofRefusedError):
        make_proof_file(log, 3, signed)


_RIGHT = ProofFile(index=1, proof=(bytes(32),), checkpoint=b"c\n").data.decode()


@pytest.mark.parametrize(
    "text",
    [
        "", "\n\n", _RIGHT.replace("@v1", "@v2"), _RIGHT.replace("index 1\n", ""), _RIGHT.replace("index 1", "index 01"),
        _RIGHT.replace("index 1", "index"), _RIGHT.replace("index 1", "extra x\nindex 1"), _RIGHT.replace("index 1", "extra QQ==\nextra QQ==\nindex 1"),
        _RIGHT.replace("AAAA", "AAA"), _RIGHT.replace("\n\n", "\n"), _RIGHT.replace("index", "\u00efndex"),
        _RIGHT.replace("index 1\n", "index 1\n" + (_RIGHT.split("\n")[2] + "\n") * 63), _RIGHT + "x" * 3 * LONGEST_EXTRA_BYTES * 2,
    ],
)  # fmt: skip
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        read_proof_file(text.encode())

"""Proofs of every tree up to 300 leaves, and of none of them with any bit changed."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.tlog_logs import TreeInMemory, defined_root, entries
from zhibu_tlog.hashes import EMPTY_ROOT, hash_leaf
from zhibu_tlog.proofs import (
    ProofRefusedError,
    check_consistency,
    check_inclusion,
    make_consistency_proof,
    make_inclusion_proof,
    read_root,
)

LARGEST = 300
_LEAF_HASHES = [hash_leaf(entry) for entry in entries(LARGEST)]
_TREE = TreeInMemory(entries(LARGEST))
_ROOTS = [defined_root(_LEAF_HASHES[:size]) for size in range(LARGEST + 1)]


def test_every_leaf_of_every_tree_up_to_300_is_proved() -> None:
    for size in range(1, LARGEST + 1):
        assert read_root(size, _TREE) == _ROOTS[size]
        for index in range(size):
            proof = make_inclusion_proof(index, size, _TREE)
            check_inclusion(index=index, size=size, leaf_hash=_LEAF_HASHES[index], proof=proof, root=_ROOTS[size])


def test_every_tree_up_to_300_is_proved_to_continue_every_smaller_one() -> None:
    for size in range(LARGEST + 1):
        for old_size in range(size + 1):
            proof = make_consistency_proof(old_size, size, _TREE)
            check_consistency(old_size=old_size, size=size, old_root=_ROOTS[old_size], root=_ROOTS[size], proof=proof)


def test_proofs_are_those_of_the_examples_in_rfc_6962() -> None:
    # Section 2.1.3: a tree of seven leaves d0 … d6 and what lies in it.
    a, b, c, d, e, f, j = (_LEAF_HASHES[index] for index in range(7))
    g, h, i = defined_root([a, b]), defined_root([c, d]), defined_root([e, f])
    k, whole = defined_root([a, b, c, d]), defined_root([e, f, j])
    assert make_inclusion_proof(0, 7, _TREE) == [b, h, whole]
    assert make_inclusion_proof(3, 7, _TREE) == [c, g, whole]
    assert make_inclusion_proof(4, 7, _TREE) == [f, j, k]
    assert make_inclusion_proof(6, 7, _TREE) == [i, k]
    assert make_consistency_proof(3, 7, _TREE) == [c, d, g, whole]
    assert make_consistency_proof(4, 7, _TREE) == [whole]
    assert make_consistency_proof(6, 7, _TREE) == [i, j, k]


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_an_inclusion_proof_with_any_bit_changed_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    given_hashes = [_LEAF_HASHES[index], _ROOTS[size], *make_inclusion_proof(index, size, _TREE)]

    def check(index: int, hashes: Sequence[bytes]) -> None:
        check_inclusion(index=index, size=size, leaf_hash=hashes[0], proof=hashes[2:], root=hashes[1])

    check(index, given_hashes)
    for changed in _with_each_bit_changed(given_hashes):
        with pytest.raises(ProofRefusedError):
            check(index, changed)
    for bit in range(64):
        with pytest.raises(ProofRefusedError):
            check(index ^ (1 << bit), given_hashes)
    for changed in _with_hashes_more_or_fewer(given_hashes):
        with pytest.raises(ProofRefusedError):
            check(index, changed)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_consistency_proof_with_any_bit_changed_is_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, LARGEST))
    old_size = data.draw(st.integers(1, size - 1))
    given_hashes = [_ROOTS[old_size], _ROOTS[size], *make_consistency_proof(old_size, size, _TREE)]

    def check(hashes: Sequence[bytes]) -> None:
        check_consistency(old_size=old_size, size=size, old_root=hashes[0], root=hashes[1], proof=hashes[2:])

    check(given_hashes)
    for changed in [*_with_each_bit_changed(given_hashes), *_with_hashes_more_or_fewer(given_hashes)]:
        with pytest.raises(ProofRefusedError):
            check(changed)


@pytest.mark.parametrize(
    ("old_size", "old_root", "proof"),
    [
        (0, EMPTY_ROOT, [_ROOTS[5]]),
        (0, _ROOTS[5], []),
        (5, _ROOTS[5], [_ROOTS[5]]),
        (5, _ROOTS[4], []),
        (3, _ROOTS[3], []),
        (4, _ROOTS[4], []),
        (6, _ROOTS[6], []),
        (-1, EMPTY_ROOT, []),
        (0, b"", []),
        (5, b"", []),
    ],
)
def test_a_tree_of_five_does_not_continue(old_size: int, old_root: bytes, proof: list[bytes]) -> None:
    with pytest.raises(ProofRefusedError):
        check_consistency(old_size=old_size, size=5, old_root=old_root, root=_ROOTS[5], proof=proof)


def test_an_empty_tree_has_one_root_and_hashes_have_one_length() -> None:
    check_consistency(old_size=0, size=0, old_root=EMPTY_ROOT, root=EMPTY_ROOT, proof=[])
    with pytest.raises(ProofRefusedError):
        check_consistency(old_size=0, size=0, old_root=_ROOTS[1], root=_ROOTS[1], proof=[])
    with pytest.raises(ProofRefusedError):
        check_inclusion(index=0, size=1, leaf_hash=b"", proof=[], root=b"")


def test_no_proof_is_made_of_what_is_not_there() -> None:
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ValueError, match="no leaf"):
            make_inclusion_proof(index, size, _TREE)
        with pytest.raises(ProofRefusedError):
            check_inclusion(index=index, size=size, leaf_hash=_LEAF_HASHES[0], proof=[], root=_ROOTS[size])
    with pytest.raises(ValueError, match="does not continue"):
        make_consistency_proof(6, 5, _TREE)


def _with_each_bit_changed(hashes: Sequence[bytes]) -> list[list[bytes]]:
    changed: list[list[bytes]] = []
    for place, hashed in enumerate(hashes):
        number = int.from_bytes(hashed, "big")
        for bit in range(256):
            other = (number ^ (1 << bit)).to_bytes(32, "big")
            changed.append([*hashes[:place], other, *hashes[place + 1 :]])
    return changed


def _with_hashes_more_or_fewer(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Give the proof behind the first two hashes with each hash left out, and with one more at each place."""
    places = range(2, len(hashes))
    fewer = [[*hashes[:place], *hashes[place + 1 :]] for place in places]
    more = [[*hashes[:place], _LEAF_HASHES[1], *hashes[place:]] for place in (*places, len(hashes))]
    return fewer + more

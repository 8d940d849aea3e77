"""The tree of RFC 6962 against its published values and against its definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.tlog_logs import defined_root
from zhibu_tlog.hashes import EMPTY_ROOT, hash_children, hash_leaf, hash_subtree, read_hash
from zhibu_tlog.right_edge import RightEdge
from zhibu_tlog.spelling import MalformedError, read_base64, read_number

# The leaves by which implementations of RFC 6962 are compared, and the roots of the trees of the first 1, 2, … of them.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(root)
    for root in (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]


def test_an_empty_tree_a_leaf_and_a_node_have_the_published_hashes() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert hash_leaf(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert hash_children(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"


def test_trees_have_the_published_roots() -> None:
    edge = RightEdge()
    for size, root in enumerate(ROOTS, start=1):
        leaf_hashes = [hash_leaf(leaf) for leaf in LEAVES[:size]]
        edge.append(leaf_hashes[-1:])
        assert (hash_subtree(leaf_hashes), edge.root, edge.size) == (root, root, size)


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=300))
def test_a_subtree_is_hashed_as_it_is_defined(hashes: list[bytes]) -> None:
    assert hash_subtree(hashes) == defined_root(hashes)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 70_000])
def test_the_right_edge_has_the_root_of_the_whole_tree(size: int) -> None:
    leaf_hashes = [index.to_bytes(32, "big") for index in range(size)]
    edge = RightEdge()
    filled = edge.append(leaf_hashes)
    assert edge.root == defined_root(leaf_hashes)
    tiles = {content.tile for content in [*filled, *edge.partial_tiles()]}
    assert sum(tile.width for tile in tiles if tile.level == 0) == size
    assert sum(tile.width for tile in tiles if tile.level == 1) == size // 256


@pytest.mark.parametrize(
    "text", ["", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "１", "9223372036854775808", "9" * 5000]
)
def test_a_number_has_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError):
        read_number(text)


def test_the_largest_number_is_read() -> None:
    assert (read_number("0"), read_number("9223372036854775807")) == (0, 2**63 - 1)


@pytest.mark.parametrize("text", ["QQ", "QR==", "QQ==\n", "QQ= =", "QQ-_", "Q"])
def test_bytes_have_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError):
        read_base64(text)


def test_a_hash_has_32_bytes() -> None:
    with pytest.raises(MalformedError):
        read_hash("QQ==")

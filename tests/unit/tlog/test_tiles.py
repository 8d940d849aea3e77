"""Where tiles and bundles lie: the examples of c2sp.org/tlog-tiles, and back from the path."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_tlog.entries import LONGEST_ENTRY_BYTES, decode_entries, encode_entries
from zhibu_tlog.proofs import Node
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.tiles import Bundle, Tile, find_bundle, find_tile, list_bundles, list_tiles, place_of, read_path


def test_paths_are_those_of_the_specification() -> None:
    assert Tile(level=0, index=1234067).path == "tile/0/x001/x234/067"
    assert Tile(level=5, index=0, width=17).path == "tile/5/000.p/17"
    assert Bundle(index=999, width=1).path == "tile/entries/999.p/1"
    assert Bundle(index=1000).path == "tile/entries/x001/000"


def test_a_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    levels = [list(list_tiles(level, 70_000)) for level in range(4)]
    assert [len(tiles) for tiles in levels] == [274, 2, 1, 0]
    assert [tiles[-1].width for tiles in levels[:3]] == [112, 17, 1]
    assert all(tile.width == 256 for tiles in levels for tile in tiles[:-1])


def test_a_tree_of_256_has_a_full_tile_and_one_hash_above_it() -> None:
    assert list(list_tiles(0, 256)) == [Tile(level=0, index=0)]
    assert list(list_tiles(1, 256)) == [Tile(level=1, index=0, width=1)]
    assert list(list_bundles(256)) == [Bundle(index=0)]
    assert (find_tile(0, 1, 256), find_bundle(1, 256), list(list_bundles(0))) == (None, None, [])


@given(st.integers(0, 63), st.integers(0, 2**55), st.integers(1, 256))
def test_a_path_leads_back_to_its_tile(level: int, index: int, width: int) -> None:
    for lies in (Tile(level=level, index=index, width=width), Bundle(index=index, width=width)):
        assert read_path(lies.path) == lies


@pytest.mark.parametrize(
    "path",
    [
        "tile/00/000", "tile/0/0", "tile/0/x000/001", "tile/0/x001/x000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01",
        "tile/0/000.p", "tile/entries/x000/000", "tile/8/0/000", "checkpoint", "tile/0/000/", "tile/-1/000", "tile/0/１23",
    ],
)  # fmt: skip
def test_nothing_lies_at_a_path_that_is_spelt_otherwise(path: str) -> None:
    assert read_path(path) is None


def test_a_complete_subtree_lies_in_one_tile() -> None:
    assert place_of(Node(level=0, index=300)) == (0, 1, 44, 1)
    assert place_of(Node(level=7, index=3)) == (0, 1, 128, 128)
    assert place_of(Node(level=8, index=3)) == (1, 0, 3, 1)
    assert place_of(Node(level=10, index=65)) == (1, 1, 4, 4)


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_entries_come_out_of_a_bundle_as_they_went_in(entries: list[bytes]) -> None:
    assert decode_entries(encode_entries(entries), len(entries)) == entries


def test_a_bundle_is_its_lengths_and_entries() -> None:
    assert encode_entries([b"", b"ab", b"c" * 256]) == b"\x00\x00" + b"\x00\x02ab" + b"\x01\x00" + b"c" * 256


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=20), st.integers(0, 500))
def test_a_bundle_that_is_cut_off_is_refused(entries: list[bytes], at: int) -> None:
    data = encode_entries(entries)
    with pytest.raises(MalformedError):
        decode_entries(data[: at % len(data)], len(entries))


def test_a_bundle_with_another_number_of_entries_is_refused() -> None:
    for count in (1, 3):
        with pytest.raises(MalformedError):
            decode_entries(encode_entries([b"a", b"b"]), count)


def test_the_longest_entry_fits_and_a_longer_one_is_refused() -> None:
    longest = b"x" * LONGEST_ENTRY_BYTES
    assert decode_entries(encode_entries([longest]), 1) == [longest]
    with pytest.raises(ValueError, match="at most"):
        encode_entries([longest + b"x"])

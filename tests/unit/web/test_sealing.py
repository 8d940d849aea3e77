"""What leaves the process sealed can be opened by us, where it belongs, and by nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_web.sealing import BrokenSealError, Sealer

OLD, NEW = "old-secret-" + "x" * 32, "new-secret-" + "y" * 32


@given(st.binary(max_size=2000), st.binary(max_size=100))
def test_what_was_sealed_is_opened_unchanged(plain: bytes, context: bytes) -> None:
    sealer = Sealer([OLD])
    assert sealer.open(sealer.seal(plain, context), context) == plain


def test_the_same_contents_never_look_the_same() -> None:
    sealer = Sealer([OLD])
    assert sealer.seal(b"a", b"c") != sealer.seal(b"a", b"c")


@given(st.integers(min_value=0, max_value=40))
def test_a_changed_octet_breaks_the_seal(position: int) -> None:
    sealer = Sealer([OLD])
    sealed = bytearray(sealer.seal(b"contents of a session", b"session"))
    sealed[position % len(sealed)] ^= 1
    with pytest.raises(BrokenSealError):
        sealer.open(bytes(sealed), b"session")


def test_a_seal_belongs_to_its_place() -> None:
    sealer = Sealer([OLD])
    with pytest.raises(BrokenSealError):
        sealer.open(sealer.seal(b"contents", b"session 1"), b"session 2")


@pytest.mark.parametrize("sealed", [b"", b"abc", b"\x00" * 16, b"\x00" * 64])
def test_garbage_is_no_seal(sealed: bytes) -> None:
    with pytest.raises(BrokenSealError):
        Sealer([OLD]).open(sealed, b"session")


def test_after_a_change_of_secret_the_old_seals_open_and_new_ones_use_the_new_secret() -> None:
    before, during, after = Sealer([OLD]), Sealer([NEW, OLD]), Sealer([NEW])
    assert during.open(before.seal(b"a", b"c"), b"c") == b"a"
    assert after.open(during.seal(b"a", b"c"), b"c") == b"a"
    with pytest.raises(BrokenSealError):
        after.open(before.seal(b"a", b"c"), b"c")


def test_a_form_token_is_good_for_its_subject_only() -> None:
    sealer = Sealer([OLD])
    token = sealer.token("session:1")
    assert sealer.matches(token, "session:1")
    assert not sealer.matches(token, "session:2")
    assert not sealer.matches("", "session:1")
    assert not sealer.matches("ü", "session:1")
    assert not Sealer([NEW]).matches(token, "session:1")
    assert Sealer([NEW, OLD]).matches(token, "session:1")

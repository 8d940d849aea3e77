"""Keys and sealed values: what opens where, and what does not."""

from __future__ import annotations

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_identity.keys.master import KeyDamagedError, MasterKeyError, MasterKeys
from zhibu_identity.keys.sealing import IndexKey, MemberKey

KEY = MemberKey("member-a", bytes(range(32)))


@given(st.text())
def test_a_sealed_text_opens_in_its_place(text: str) -> None:
    assert KEY.open(KEY.seal(text, place="application.real_name"), place="application.real_name") == text


def test_a_sealed_value_opens_in_no_other_column_and_for_nobody_else() -> None:
    sealed = KEY.seal("王𠮷", place="application.real_name")
    with pytest.raises(KeyDamagedError):
        KEY.open(sealed, place="application.answer")
    with pytest.raises(KeyDamagedError):
        MemberKey("member-b", bytes(range(32))).open(sealed, place="application.real_name")
    with pytest.raises(KeyDamagedError):
        MemberKey("member-a", bytes(32)).open(sealed, place="application.real_name")


@given(st.data())
def test_one_changed_bit_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(KEY.seal("13812345678", place="application.telephone"))
    position = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[position // 8] ^= 1 << position % 8
    with pytest.raises(KeyDamagedError):
        KEY.open(bytes(sealed), place="application.telephone")


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert KEY.seal("张伟", place="a.b") != KEY.seal("张伟", place="a.b")


def test_keys_do_not_show_themselves() -> None:
    assert "\\x01\\x02" not in repr(KEY)
    assert "\\x00" not in repr(IndexKey(bytes(32)))


def test_digests_of_two_purposes_cannot_be_compared() -> None:
    index = IndexKey(bytes(32))
    assert index.digest("a", "1") == index.digest("a", "1")
    assert index.digest("a", "1") != index.digest("b", "1")
    assert IndexKey(bytes([1]) * 32).digest("a", "1") != index.digest("a", "1")


def test_a_master_key_can_be_changed_while_the_old_one_is_at_hand() -> None:
    old, new = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
    first, both = MasterKeys.parse(old), MasterKeys.parse(f"2:{new},1:{old}")
    wrapped = first.wrap(bytes(32), owner="member-a")
    assert both.unwrap(wrapped, owner="member-a") == bytes(32)
    again = both.wrap(bytes(32), owner="member-a")
    assert again.master_version == 2
    with pytest.raises(MasterKeyError):
        first.unwrap(again, owner="member-a")
    with pytest.raises(KeyDamagedError):
        both.unwrap(wrapped, owner="member-b")


@pytest.mark.parametrize("text", ["", "abc", "1:" + base64.b64encode(bytes(16)).decode(), "x:" + "A" * 43])
def test_what_is_no_master_key_is_refused(text: str) -> None:
    with pytest.raises(MasterKeyError):
        MasterKeys.parse(text)

"""Real names: characters of every plane, the middle dot, and what is no name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_identity.rules.real_name import (
    HAN_RANGES,
    RealName,
    RealNameFault,
    is_rare,
    normalise_real_name,
    read_real_name,
    search_form,
)

han = st.one_of(*(st.integers(first, last) for first, last in HAN_RANGES)).map(chr)


@pytest.mark.parametrize(
    ("text", "value", "rare"),
    [
        ("张伟", "张伟", False),
        ("王𠮷", "王𠮷", True),
        ("李㛃", "李㛃", True),
        ("刘䶮", "刘䶮", True),
        ("陈𬍛", "陈𬍛", True),
        ("赵\U000323b0", "赵\U000323b0", True),  # Extension J
        ("〇一", "〇一", False),
        ("阿卜杜拉·买买提", "阿卜杜拉·买买提", False),
        ("阿卜杜拉・买买提", "阿卜杜拉·买买提", False),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提", False),
        ("阿卜杜拉‧买买提", "阿卜杜拉·买买提", False),
        ("阿卜杜拉．买买提", "阿卜杜拉·买买提", False),
        (" 张　伟\u200b", "张伟", False),
        ("葛\U000e0100城", "葛\U000e0100城", True),  # an ideographic variation sequence
        ("\u2f00平", "一平", False),  # a Kangxi radical, as PDFs give it
        ("陈\ue854", "陈\u9fba", True),  # private in GB 18030-2005
    ],
)
def test_names_as_they_stand_on_cards_are_kept(text: str, value: str, *, rare: bool) -> None:
    assert read_real_name(text) == RealName(value=value, rare=rare)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("张", RealNameFault.LENGTH),
        ("", RealNameFault.LENGTH),
        ("张" * 61, RealNameFault.LENGTH),
        ("Zhang Wei", RealNameFault.CHARACTER),
        ("张伟2", RealNameFault.CHARACTER),
        ("张\u202e伟", RealNameFault.CHARACTER),
        ("\U000e0100张伟", RealNameFault.CHARACTER),
        ("张😀伟", RealNameFault.CHARACTER),
        ("张\ue000", RealNameFault.PRIVATE_CHARACTER),
        ("·张伟", RealNameFault.DOT),
        ("张··伟", RealNameFault.DOT),
        ("张伟·", RealNameFault.DOT),
    ],
)
def test_what_is_no_name_is_refused_with_its_fault(text: str, fault: RealNameFault) -> None:
    assert read_real_name(text) is fault


@given(st.lists(han, min_size=2, max_size=60).map("".join))
def test_every_han_character_of_every_plane_stays_as_it_is(name: str) -> None:
    read = read_real_name(name)
    assert isinstance(read, RealName)
    assert read.value == name


@given(st.text(max_size=80))
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise_real_name(text)
    assert normalise_real_name(once) == once


def test_spellings_of_one_name_are_found_by_each_other() -> None:
    assert search_form("葛\U000e0100城") == search_form("葛城")
    assert search_form("阿卜杜拉・买买提") == search_form("阿卜杜拉买买提")
    assert search_form("\uf9d1") == search_form("六")
    assert search_form("王𠮷") != search_form("王吉")


def test_only_names_with_characters_outside_of_gbk_are_rare() -> None:
    assert [is_rare(name) for name in ("张伟", "朱镕基", "王𠮷", "阿·合")] == [False, False, True, False]

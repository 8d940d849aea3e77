"""By which terms people are found."""

from __future__ import annotations

import pytest
from zhibu_identity.rules.numbers import eid_number_of
from zhibu_identity.rules.search_terms import MOST_READINGS, TermKind, terms_of_person, terms_of_query


def found(name: str, query: str) -> bool:
    terms = terms_of_person(name, resident_number="11010519491231002X", telephone="13812345678")
    return bool(terms & terms_of_query(query))


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("张伟", "张伟"),
        ("张伟", "zhangwei"),
        ("张伟", "Zhāng Wěi"),
        ("张伟", "zw"),
        ("单雄信", "shanxiongxin"),
        ("单雄信", "danxiongxin"),
        ("吕布", "lvbu"),
        ("吕布", "lübu"),
        ("吕布", "LYU BU"),
        ("西安安", "xi'an'an"),
        ("阿卜杜拉·买买提", "阿卜杜拉买买提"),
        ("阿卜杜拉·买买提", "阿卜杜拉・买买提"),
        ("王𠮷", "王𠮷"),
        ("张伟", "002X"),
        ("张伟", "002x"),
        ("张伟", "31002X"),
        ("张伟", "5678"),
        ("张伟", "345678"),
    ],
)
def test_a_person_is_found_by_each_of_the_usual_ways(name: str, query: str) -> None:
    assert found(name, query)


@pytest.mark.parametrize("query", ["张", "伟", "zhang", "678", "12345678", "李伟", "", "%", "002"])
def test_nobody_is_found_by_a_part_of_a_term(query: str) -> None:
    assert not found("张伟", query)


def test_a_name_with_a_character_of_unknown_reading_is_found_by_the_whole_name() -> None:
    name = "赵\U000323b0"
    terms = terms_of_person(name, resident_number="11010519491231002X", telephone="13812345678")
    assert not {kind for kind, _ in terms} & {TermKind.PINYIN, TermKind.INITIALS}
    assert found(name, name)


def test_the_number_of_readings_is_bounded() -> None:
    terms = terms_of_person("重" * 40, resident_number="11010519491231002X", telephone="13812345678")
    assert len(terms) <= 2 * MOST_READINGS + 5


def test_a_serial_number_is_searched_as_such() -> None:
    number = eid_number_of("370724", 2026, sequence=7)
    assert terms_of_query(f"{number[:8]} {number[8:]}") == {(TermKind.EID_NUMBER, number)}

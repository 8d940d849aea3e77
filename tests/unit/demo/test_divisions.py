"""The table of divisions is whole and is the real one."""

import pytest
from zhibu_demo.divisions import (
    LINQU_COUNTY_CODE,
    QINGZHOU_COUNTY_CODE,
    Division,
    Level,
    children_of,
    cities,
    counties,
    get_division,
    load_divisions,
)


def test_shandong_has_sixteen_cities_and_one_hundred_and_thirty_six_counties() -> None:
    assert len(cities()) == 16
    assert len(counties()) == 136


def test_every_division_comes_after_its_parent_and_no_code_comes_twice() -> None:
    seen: set[str] = set()
    for division in load_divisions():
        assert division.code not in seen
        assert division.parent_code is None or division.parent_code in seen
        seen.add(division.code)


def test_only_the_province_has_no_parent() -> None:
    roots = [division for division in load_divisions() if division.parent_code is None]
    assert roots == [Division(code="37", parent_code=None, level=Level.PROVINCE, name="山东省")]


def test_every_city_has_counties() -> None:
    assert all(children_of(city.code) for city in cities())


def test_linqu_has_its_ten_townships() -> None:
    assert get_division(LINQU_COUNTY_CODE).name == "临朐县"
    assert {township.name for township in children_of(LINQU_COUNTY_CODE)} == {
        "城关街道",
        "东城街道",
        "冶源街道",
        "辛寨街道",
        "五井镇",
        "寺头镇",
        "九山镇",
        "山旺镇",
        "柳山镇",
        "蒋峪镇",
    }


def test_qingzhou_has_its_twelve_townships() -> None:
    assert get_division(QINGZHOU_COUNTY_CODE).name == "青州市"
    assert len(children_of(QINGZHOU_COUNTY_CODE)) == 12


def test_development_zones_of_the_statistical_table_are_left_out() -> None:
    assert not [division for division in counties() if 71 <= int(division.code[4:]) <= 79]


def test_an_unknown_code_is_an_error() -> None:
    with pytest.raises(KeyError):
        get_division("370799")


def test_a_division_whose_code_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="370724"):
        Division(code="370724", parent_code="3708", level=Level.COUNTY, name="临朐县")

"""Where an organisation may stand, how it is called, and how it is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_branches.rules.tree import (
    Level,
    Place,
    Refusal,
    place_below,
    province_place,
    query_tokens,
    readable_name,
    search_form,
    search_tokens,
)

_PROVINCE = province_place("37")
_CITY = Place(organisation_id="3707", level=Level.CITY, county_code="3707", ancestor_ids=("37",))
_COUNTY = Place(organisation_id="370724", level=Level.COUNTY, county_code="370724", ancestor_ids=("37", "3707"))
_TOWNSHIP = Place(
    organisation_id="370724101", level=Level.TOWNSHIP, county_code="370724", ancestor_ids=("37", "3707", "370724")
)
_BRANCH = Place(
    organisation_id="370724-b1",
    level=Level.BRANCH,
    county_code="370724",
    ancestor_ids=("37", "3707", "370724", "370724101"),
)


@pytest.mark.parametrize(
    ("parent", "level", "code", "expected"),
    [
        (_PROVINCE, Level.CITY, "3707", _CITY),
        (_CITY, Level.COUNTY, "370724", _COUNTY),
        (_COUNTY, Level.TOWNSHIP, "370724101", _TOWNSHIP),
        (_TOWNSHIP, Level.BRANCH, "", _BRANCH),
        (
            _COUNTY,
            Level.BRANCH,
            "",
            Place(
                organisation_id="370724-b1",
                level=Level.BRANCH,
                county_code="370724",
                ancestor_ids=("37", "3707", "370724"),
            ),
        ),
        (
            _COUNTY,
            Level.TOWNSHIP,
            "",
            Place(
                organisation_id="370724-b1",
                level=Level.TOWNSHIP,
                county_code="370724",
                ancestor_ids=("37", "3707", "370724"),
            ),
        ),
        (_PROVINCE, Level.COUNTY, "370724", Refusal.LEVEL_NOT_ALLOWED),
        (_CITY, Level.BRANCH, "", Refusal.LEVEL_NOT_ALLOWED),
        (_TOWNSHIP, Level.TOWNSHIP, "", Refusal.LEVEL_NOT_ALLOWED),
        (_BRANCH, Level.BRANCH, "", Refusal.LEVEL_NOT_ALLOWED),
        (_COUNTY, Level.PROVINCE, "37", Refusal.LEVEL_NOT_ALLOWED),
        (_PROVINCE, Level.CITY, "", Refusal.CODE_REQUIRED),
        (_CITY, Level.COUNTY, "", Refusal.CODE_REQUIRED),
        (_TOWNSHIP, Level.BRANCH, "370724102", Refusal.CODE_NOT_ALLOWED),
        (_CITY, Level.COUNTY, "370811", Refusal.CODE_NOT_BELOW_PARENT),
        (_CITY, Level.COUNTY, "37072", Refusal.CODE_NOT_BELOW_PARENT),
        (_COUNTY, Level.TOWNSHIP, "370781101", Refusal.CODE_NOT_BELOW_PARENT),
    ],
)
def test_a_new_organisation_stands_where_its_level_and_code_allow(
    parent: Place, level: Level, code: str, expected: Place | Refusal
) -> None:
    assert place_below(parent, level=level, code=code, new_id="1") == expected


@pytest.mark.parametrize("code", ["", "3", "370", "3a", "３７"])
def test_a_province_has_a_code_of_two_digits(code: str) -> None:
    with pytest.raises(ValueError, match="province"):
        province_place(code)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("  临朐县  委员会 ", "临朐县 委员会"),
        ("𠮷林社区党支部", "𠮷林社区党支部"),
        ("阿卜杜拉·买买提党支部", "阿卜杜拉·买买提党支部"),
        (" \u3000 ", Refusal.NAME_NOT_READABLE),
        ("党", Refusal.NAME_NOT_READABLE),
        ("党\u200b支部", Refusal.NAME_NOT_READABLE),
        ("党\x07支部", Refusal.NAME_NOT_READABLE),
        ("\u202e部支党", Refusal.NAME_NOT_READABLE),
    ],
)
def test_a_name_is_stored_composed_and_without_invisible_characters(name: str, expected: str | Refusal) -> None:
    assert readable_name(name) == expected


@given(name=st.text(min_size=2, max_size=60))
def test_a_stored_name_stays_as_it_is(name: str) -> None:
    stored = readable_name(name)
    if not isinstance(stored, Refusal):
        assert readable_name(stored) == stored


@given(name=st.text(min_size=1, max_size=60), data=st.data())
def test_every_part_of_a_name_finds_it(name: str, data: st.DataObject) -> None:
    form = search_form(name)
    if not form:
        return
    start = data.draw(st.integers(0, len(form) - 1))
    part = form[start : data.draw(st.integers(start + 1, len(form)))]
    # A part of a composed form may normalise again; parts that people type are already in that form.
    if search_form(part) == part:
        assert query_tokens(part) <= search_tokens(name)


def test_width_case_and_spaces_make_no_difference_to_a_search() -> None:
    assert search_form("ＡＢＣ １２３ Ｐarty") == "abc123party"

"""The people of the demonstration are synthetic beyond doubt, and always the same."""

import re
from collections import Counter
from datetime import date

import pytest
from zhibu_demo.divisions import counties
from zhibu_demo.people import PEOPLE_COUNT, Outcome, Role, make_people
from zhibu_demo.synthetic import check_character, resident_number, telephone

_BRANCH_COUNTIES = ("370724",) * 5 + ("370781",) * 3
_PEOPLE = make_people(branch_counties=_BRANCH_COUNTIES)


def test_there_are_sixty_people_and_no_two_share_a_name_a_number_or_a_telephone() -> None:
    assert len(_PEOPLE) == PEOPLE_COUNT
    for field in ("key", "real_name", "resident_number", "telephone"):
        assert len({getattr(person, field) for person in _PEOPLE}) == PEOPLE_COUNT


def test_the_same_seed_gives_the_same_people_and_another_seed_gives_others() -> None:
    assert make_people(branch_counties=_BRANCH_COUNTIES) == _PEOPLE
    assert make_people("another", branch_counties=_BRANCH_COUNTIES) != _PEOPLE


def test_every_resident_number_lies_in_an_area_that_is_not_assigned_and_has_a_valid_check_character() -> None:
    assigned = {county.code[:2] for county in counties()}
    for person in _PEOPLE:
        assert person.resident_number[:2] == "99"
        assert person.resident_number[:2] not in assigned
        assert check_character(person.resident_number[:17]) == person.resident_number[17]


def test_every_telephone_has_a_prefix_that_is_not_assigned() -> None:
    assert all(re.fullmatch(r"12[0-9]{9}", person.telephone) for person in _PEOPLE)


def test_every_outcome_and_every_office_of_the_demonstration_is_there() -> None:
    assert set(Counter(person.outcome for person in _PEOPLE)) == set(Outcome)
    assert {person.role for person in _PEOPLE if person.role} == set(Role)


def test_some_names_have_characters_beyond_the_basic_plane_and_some_a_middle_dot() -> None:
    assert sum(any(ord(character) > 0xFFFF for character in person.real_name) for person in _PEOPLE) >= 5
    assert sum("·" in person.real_name for person in _PEOPLE) >= 4
    assert any("𠮷" in person.real_name for person in _PEOPLE)


def test_people_want_to_belong_to_branches_of_their_own_county_or_do_not_know() -> None:
    for person in _PEOPLE:
        assert person.branch is None or _BRANCH_COUNTIES[person.branch] == person.county_code


@pytest.mark.parametrize("area", ["370724", "99", "99aaaa", "999999 "])
def test_a_resident_number_is_made_only_in_unassigned_areas(area: str) -> None:
    with pytest.raises(ValueError, match="99"):
        resident_number(area, date(2000, 1, 1), 1)


def test_a_known_resident_number_has_the_check_character_that_the_standard_computes() -> None:
    # The example in the annex of GB 11643-1999.
    assert check_character("11010519491231002") == "X"


def test_a_telephone_has_eleven_digits() -> None:
    assert telephone(5) == "12000000005"
    with pytest.raises(ValueError, match="nine"):
        telephone(1_000_000_000)

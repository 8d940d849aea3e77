"""Resident numbers: GB 11643, the age of 18, and synthetic people."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_identity.rules.check_digits import resident_check_character
from zhibu_identity.rules.resident_number import (
    PROVINCE_CODES,
    ResidentNumber,
    ResidentNumberFault,
    read_resident_number,
    years_between,
)

TODAY = date(2026, 11, 23)
adult_births = st.dates(min_value=date(1900, 1, 1), max_value=date(2008, 11, 23))
orders = st.integers(min_value=0, max_value=999)


def make_number(area: str, birth: date, order: int) -> str:
    first_17 = f"{area}{birth:%Y%m%d}{order:03d}"
    return first_17 + resident_check_character(first_17)


def read(text: str, *, synthetic_allowed: bool = True, today: date = TODAY) -> ResidentNumber | ResidentNumberFault:
    return read_resident_number(text, today=today, synthetic_allowed=synthetic_allowed)


def test_the_example_of_the_standard_is_accepted() -> None:
    # GB 11643-1999, annex A.
    assert read("11010519491231002X") == ResidentNumber(
        value="11010519491231002X", birth_date=date(1949, 12, 31), synthetic=False
    )


def test_a_small_x_full_width_digits_and_blanks_are_read() -> None:
    expected = read("11010519491231002X")
    assert read("11010519491231002x") == expected
    assert read(" 110105 19491231 002X ") == expected
    assert read("１１０１０５１９４９１２３１００２Ｘ") == expected


@given(area=st.sampled_from(sorted(PROVINCE_CODES)), birth=adult_births, order=orders)
def test_every_well_made_number_of_an_adult_is_accepted(area: str, birth: date, order: int) -> None:
    number = make_number(f"{area}0724", birth, order)
    assert read(number, synthetic_allowed=False) == ResidentNumber(value=number, birth_date=birth, synthetic=False)


@given(birth=adult_births, order=orders, position=st.integers(0, 16), shift=st.integers(1, 9))
def test_one_wrong_digit_is_always_found(birth: date, order: int, position: int, shift: int) -> None:
    number = make_number("370724", birth, order)
    wrong = str((int(number[position]) + shift) % 10)
    assert read(number[:position] + wrong + number[position + 1 :]) is ResidentNumberFault.CHECK_CHARACTER


@given(birth=adult_births, order=orders, position=st.integers(0, 15))
def test_two_digits_that_changed_places_are_always_found(birth: date, order: int, position: int) -> None:
    number = make_number("370724", birth, order)
    swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
    assert swapped == number or read(swapped) is ResidentNumberFault.CHECK_CHARACTER


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        ("", ResidentNumberFault.SHAPE),
        ("370724900101001", ResidentNumberFault.SHAPE),  # fifteen digits, as before 1999
        ("37072419900230001" + resident_check_character("37072419900230001"), ResidentNumberFault.BIRTH_DATE),
        (make_number("370724", date(1899, 12, 31), 1), ResidentNumberFault.BIRTH_DATE),
        (make_number("370724", date(2026, 11, 24), 1), ResidentNumberFault.BIRTH_DATE),
        (make_number("990724", date(1990, 1, 1), 1)[:-1] + "?", ResidentNumberFault.SHAPE),
        (make_number("160724", date(1990, 1, 1), 1), ResidentNumberFault.AREA),
        (make_number("937156", date(1990, 1, 1), 1), ResidentNumberFault.AREA),
        (make_number("370724", date(2008, 11, 24), 1), ResidentNumberFault.UNDER_AGE),
        ("१" * 18, ResidentNumberFault.SHAPE),
    ],
)
def test_a_number_that_cannot_be_right_is_refused_with_its_fault(number: str, fault: ResidentNumberFault) -> None:
    assert read(number) is fault


def test_a_person_may_apply_on_the_eighteenth_birthday_and_not_the_day_before() -> None:
    number = make_number("370724", TODAY.replace(year=2008), 7)
    assert isinstance(read(number), ResidentNumber)
    assert read(number, today=TODAY - timedelta(days=1)) is ResidentNumberFault.UNDER_AGE


def test_who_was_born_on_a_leap_day_is_a_year_older_on_the_first_of_march() -> None:
    assert years_between(date(2008, 2, 29), date(2026, 2, 28)) == 17
    assert years_between(date(2008, 2, 29), date(2026, 3, 1)) == 18


@given(birth=adult_births, order=orders, area=st.integers(0, 9999))
def test_synthetic_people_pass_in_development_and_are_refused_in_production(birth: date, order: int, area: int) -> None:
    number = make_number(f"99{area:04d}", birth, order)
    assert read(number) == ResidentNumber(value=number, birth_date=birth, synthetic=True)
    assert read(number, synthetic_allowed=False) is ResidentNumberFault.SYNTHETIC

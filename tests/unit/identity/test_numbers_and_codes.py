"""Case numbers, serial numbers of e-IDs, and codes that people copy by hand."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_identity.rules.codes import (
    ALPHABET,
    CASE_CODE_LENGTH,
    make_code,
    make_one_time_code,
    normalise_code,
)
from zhibu_identity.rules.numbers import (
    case_number_of,
    eid_number_of,
    find_county_of_case,
    find_county_of_eid,
    normalise_eid_number,
)

counties = st.integers(100000, 999999).map(str)
years = st.integers(2026, 2099)
sequences = st.integers(1, 9_999_999)


@given(counties, years, sequences)
def test_a_case_number_says_its_county_and_a_wrong_digit_is_found(county: str, year: int, sequence: int) -> None:
    number = case_number_of(county, year, sequence=sequence)
    assert find_county_of_case(number) == county
    assert 8 <= len(number) <= 32
    for position, character in enumerate(number):
        if character != "-":
            wrong = number[:position] + str((int(character) + 1) % 10) + number[position + 1 :]
            assert find_county_of_case(wrong) is None


@given(counties, years, sequences)
def test_a_serial_number_has_sixteen_digits_and_finds_each_slip(county: str, year: int, sequence: int) -> None:
    number = eid_number_of(county, year, sequence=sequence)
    assert len(number) == 16
    assert find_county_of_eid(number) == county
    for position in range(15):
        swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
        assert swapped == number or find_county_of_eid(swapped) is None


def test_the_numbers_look_as_the_contract_says() -> None:
    assert case_number_of("370724", 2026, sequence=123).startswith("370724-26-000123-")
    assert eid_number_of("370724", 2026, sequence=123).startswith("370724260000123")
    assert normalise_eid_number("3707 2426-0000 1234") == "3707242600001234"


@pytest.mark.parametrize("text", ["", "370724", "370724-26-000123-x", "370724-26-000123-７", "３" * 16])
def test_what_is_no_number_has_no_county(text: str) -> None:
    assert find_county_of_case(text) is None
    assert find_county_of_eid(text) is None


def test_a_sequence_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="sequence"):
        eid_number_of("370724", 2026, sequence=10_000_000)
    with pytest.raises(ValueError, match="sequence"):
        case_number_of("370724", 2026, sequence=0)


def test_codes_have_no_look_alikes_and_are_read_as_people_type_them() -> None:
    code = make_code(CASE_CODE_LENGTH, secrets.choice)
    assert len(code) == CASE_CODE_LENGTH
    assert set(code) <= set(ALPHABET)
    assert not set(ALPHABET) & set("0O1IL2Z5S8B")
    assert normalise_code(f" {code[:4].lower()}-{code[4:]} ") == code
    assert make_one_time_code(secrets.choice).isdigit()

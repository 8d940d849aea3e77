"""Slips of the finger in a resident number are told at once, whatever keyboard it came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_web.resident_number import check_digit_fits, has_form, normalised

# The example of GB 11643-1999, annex.
STANDARD = "11010519491231002X"


def test_the_example_of_the_standard_is_accepted() -> None:
    assert has_form(STANDARD)
    assert check_digit_fits(STANDARD)


@pytest.mark.parametrize(
    "entered",
    ["11010519491231002x", " 110105 19491231 002X ", "１１０１０５１９４９１２３１００２Ｘ", "110105-19491231-002X"],
)
def test_every_keyboards_way_of_writing_comes_out_as_on_the_card(entered: str) -> None:
    assert normalised(entered) == STANDARD


@given(st.integers(min_value=0, max_value=16), st.integers(min_value=1, max_value=9))
def test_one_wrong_digit_is_noticed(position: int, difference: int) -> None:
    wrong = list(STANDARD)
    wrong[position] = str((int(wrong[position]) + difference) % 10)
    assert not check_digit_fits("".join(wrong))


@pytest.mark.parametrize(
    "number", ["", "123", STANDARD[:-1], STANDARD + "0", "A" + STANDARD[1:], "1" * 16 + "X1", "١" * 18]
)
def test_what_has_another_form_is_no_number(number: str) -> None:
    assert not has_form(number)

"""The card's picture: any name can be drawn, and none crashes it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from zhibu_identity.cards.drawing import DEFAULT_FONTS, SIZE, CardPrinter, CardText
from zhibu_identity.rules.real_name import HAN_RANGES

han = st.one_of(*(st.integers(first, last) for first, last in HAN_RANGES)).map(chr)


@pytest.fixture(scope="module")
def printer() -> CardPrinter:
    return CardPrinter()


def text_of(name: str) -> CardText:
    return CardText(real_name=name, eid_number="3707242600001234", county="临朐县", issued_on="2026-11-23")


def pixels(printed: bytes) -> bytes:
    image = Image.open(io.BytesIO(printed))
    assert (image.format, image.size) == ("PNG", SIZE)
    return image.tobytes()


@pytest.mark.parametrize("name", ["王𠮷", "李㛃", "刘䶮", "陈𬍛", "阿卜杜拉·买买提", "赵\U000323b0", "张" * 60])
def test_each_name_makes_a_picture_of_its_own(printer: CardPrinter, name: str) -> None:
    assert pixels(printer.print_card(text_of(name))) != pixels(printer.print_card(text_of("张伟")))


def test_two_characters_that_no_font_has_are_told_apart_by_their_code_points(printer: CardPrinter) -> None:
    one, other = "\U000323b0", "\U000323b1"
    assert not printer.can_draw(one)
    assert pixels(printer.print_card(text_of(f"赵{one}"))) != pixels(printer.print_card(text_of(f"赵{other}")))


@pytest.mark.skipif(not Path(DEFAULT_FONTS.split("#")[0]).exists(), reason="fonts-noto-cjk is not installed")
def test_rare_characters_of_real_names_are_drawn_and_not_boxed(printer: CardPrinter) -> None:
    assert all(printer.can_draw(character) for character in "𠮷㛃䶮𬍛·")


def test_without_any_font_a_card_still_shows_code_points() -> None:
    assert pixels(CardPrinter("/nowhere/font.ttf").print_card(text_of("王𠮷")))


@settings(max_examples=25, deadline=None)
@given(name=st.lists(han, min_size=2, max_size=60).map("".join))
def test_no_name_crashes_the_printer(name: str) -> None:
    assert pixels(CardPrinter("/nowhere/font.ttf").print_card(text_of(name)))

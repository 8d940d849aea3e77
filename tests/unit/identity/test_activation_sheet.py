"""The sheet of activation codes: a strip for each person, a branch begins on a page of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from support.pdf_text import pages_of
from zhibu_identity.eid_batches.sheet import STRIPS_PER_PAGE, Section, SheetPrinter, Strip
from zhibu_kit.errors import ServiceError

NOW = datetime(2026, 11, 30, 18, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(days=7)


@pytest.fixture(scope="module")
def printer() -> SheetPrinter:
    return SheetPrinter("", web_url="https://zhibu.example/")


def strip(real_name: str = "王建国", code: str = "ACDEF34679") -> Strip:
    return Strip(real_name=real_name, eid_number="3707242600000123", code=code)


def pages(printer: SheetPrinter, *sections: Section) -> list[str]:
    return pages_of(printer.draw(sections, until=UNTIL, now=NOW))


def test_a_strip_holds_name_number_code_and_what_to_do(printer: SheetPrinter) -> None:
    (page,) = pages(printer, Section(branch_name="临朐县第一党支部", strips=[strip()]))
    for told in ("临朐县第一党支部", "王建国", "3707242600000123", "ACDEF34679", "https://zhibu.example", "12月8日前"):
        assert told in page, told


def test_each_branch_begins_on_a_page_of_its_own(printer: SheetPrinter) -> None:
    many = [strip(code=f"ACDEF3467{number}") for number in range(STRIPS_PER_PAGE + 1)]
    shown = pages(
        printer, Section(branch_name="甲党支部", strips=many), Section(branch_name="乙党支部", strips=[strip("李娜")])
    )
    assert [("甲党支部" in page, "乙党支部" in page) for page in shown] == [(True, False), (True, False), (False, True)]
    assert ["ACDEF34670" in page for page in shown] == [True, False, False]
    assert [f"ACDEF3467{STRIPS_PER_PAGE}" in page for page in shown] == [False, True, False]


def test_a_rare_character_is_drawn_or_written_as_its_code_point(printer: SheetPrinter) -> None:
    (page,) = pages(printer, Section(branch_name="甲", strips=[strip("王𠮷"), strip("李\U00031350")]))
    assert "王𠮷" in page
    assert "李[31350]" in page


def test_a_very_long_name_is_printed_whole(printer: SheetPrinter) -> None:
    name = "阿卜杜热合曼·买买提吐尔逊江·" * 4
    (page,) = pages(printer, Section(branch_name="甲", strips=[strip(name)]))
    assert name in page


def test_whose_account_is_gone_has_a_strip_that_says_so(printer: SheetPrinter) -> None:
    (page,) = pages(printer, Section(branch_name="甲", strips=[strip(code="")]))
    assert "登录账号不存在" in page


def test_without_a_chinese_font_it_is_said_what_to_install() -> None:
    with pytest.raises(ServiceError) as refused:
        SheetPrinter("/nowhere.ttf", web_url="").check()
    assert refused.value.reason == "FONT_MISSING"
    assert "fonts-noto-cjk" in refused.value.kind.zh


class SlowPrinter(SheetPrinter):
    """Draws until it is told to end, and counts how many sheets are drawn at once."""

    def __init__(self) -> None:
        super().__init__("", web_url="https://zhibu.example")
        self.began = threading.Semaphore(0)
        self.end = threading.Event()
        self.at_once: list[int] = []
        self._drawing = 0

    def draw(self, sections: Sequence[Section], *, until: datetime, now: datetime) -> bytes:
        self._drawing += 1
        self.at_once.append(self._drawing)
        self.began.release()
        self.end.wait(60)
        self._drawing -= 1
        return b""


async def test_who_goes_away_while_a_sheet_is_drawn_does_not_have_the_next_one_drawn_beside_it() -> None:
    printer = SlowPrinter()

    def ask() -> asyncio.Task[bytes]:
        return asyncio.create_task(printer.print_sheet([], until=UNTIL, now=NOW))

    first = ask()
    await asyncio.to_thread(printer.began.acquire, timeout=60)
    first.cancel()
    second, third = ask(), ask()
    await asyncio.gather(first, return_exceptions=True)
    third.cancel()
    printer.end.set()
    assert await second == b""
    await asyncio.gather(third, return_exceptions=True)
    # The first was drawn to its end for nobody, the second after it, the third not at all.
    assert printer.at_once == [1, 1]

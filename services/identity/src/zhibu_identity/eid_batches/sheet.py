"""The sheet of activation codes (PDF): a strip for each person, to be cut and handed over.

A character that no font at hand can draw is written as its code point: nobody's name is left out or guessed.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import segno
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from zhibu_kit.clock import SHANGHAI

from zhibu_identity.cards.drawing import DEFAULT_FONTS
from zhibu_identity.errors import FONT_MISSING
from zhibu_identity.rules.real_name import is_variation_selector

# What it says of the glyphs that a sheet needs would tell something of the names on it.
logging.getLogger("fontTools").setLevel(logging.WARNING)

# A4 in millimetres.
WIDTH: Final = 210
MARGIN: Final = 12
TOP: Final = 12
HEADING: Final = 16
STRIP: Final = 51
STRIPS_PER_PAGE: Final = 5
QR_SIZE: Final = 26
# Sizes in points: whoever hands the strips over, and whoever gets one, need not look for glasses.
LARGEST_NAME: Final = 22
SMALLEST_LINE: Final = 9
# What does not fit on a line even so, a name of sixty characters, takes up to three smaller ones.
TINY: Final = 7.5
CODE_SIZE: Final = 26
NUMBER_SIZE: Final = 16
LINE_SIZE: Final = 11.5
SMALL: Final = 9.5
_POINT: Final = 25.4 / 72
_NO_ACCOUNT: Final = "登录账号不存在，请联系系统管理员"
_TITLE: Final = "党员电子身份证激活码"
_INSTRUCTIONS: Final = (
    "1. 用手机扫右边的码，或者打开 {login_url}，点“登录”。",
    "2. 输入电子身份证号和激活码，再输入发到您手机上的短信验证码。",
    "3. 按提示设置自己的密码。激活码 {until} 前有效，只用一次，不要给别人看。",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """What one person gets. Without a code: the account is gone."""

    real_name: str
    eid_number: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The people of one branch; it begins on a page of its own."""

    branch_name: str
    strips: Sequence[Strip]


class SheetPrinter:
    """Draws sheets with the fonts of the cards."""

    def __init__(self, fonts: str, *, web_url: str) -> None:
        """Use font files as `CardPrinter` does; `web_url` is where members log in."""
        self._fonts = [
            (path, int(number or "0"))
            for path, _, number in (entry.strip().partition("#") for entry in (fonts or DEFAULT_FONTS).split(","))
            if Path(path).is_file()
        ]
        self._login_url = web_url.rstrip("/")
        # The largest sheet takes 280 MB while it is drawn. Drawing cannot be broken off: when whoever waits for it goes away, the
        # next sheet begins after it even so.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="activation-sheet")

    def check(self) -> None:
        """Make sure that Chinese can be drawn.

        Raises:
            ServiceError: FONT_MISSING.
        """
        if not self._fonts:
            raise FONT_MISSING()

    async def print_sheet(self, sections: Sequence[Section], *, until: datetime, now: datetime) -> bytes:
        """Return the sheet as PDF, drawn beside the event loop, one sheet at a time.

        Raises:
            ServiceError: FONT_MISSING.
        """
        draw = partial(self.draw, sections, until=until, now=now)
        return await asyncio.get_running_loop().run_in_executor(self._thread, draw)

    def draw(self, sections: Sequence[Section], *, until: datetime, now: datetime) -> bytes:
        """Return the sheet as PDF. Takes seconds of computing for some hundred people.

        Raises:
            ServiceError: FONT_MISSING.
        """
        self.check()
        page = _Page(self._fonts, login_url=self._login_url, until=until, now=now)
        for section in sections:
            page.draw(section)
        return page.finish()


class _Page:
    """The document while it is drawn."""

    def __init__(self, fonts: Sequence[tuple[str, int]], *, login_url: str, until: datetime, now: datetime) -> None:
        pdf = FPDF(format="A4")
        pdf.set_title(_TITLE)
        pdf.set_creation_date(now)
        pdf.set_auto_page_break(auto=False)
        for number, (path, face) in enumerate(fonts):
            pdf.add_font(f"font{number}", fname=path, collection_font_number=face)
        pdf.set_font("font0", size=LINE_SIZE)
        if len(fonts) > 1:
            pdf.set_fallback_fonts([f"font{number}" for number in range(1, len(fonts))], exact_match=False)
        self._pdf = pdf
        self._characters = frozenset[int]().union(*(font.cmap.keys() for font in pdf.fonts.values()))  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType, reportUnknownVariableType]  # TTFFont has it
        self._now = now.astimezone(SHANGHAI)
        self._qr = _qr_code(login_url)
        self._lines = [
            line.format(login_url=login_url, until=f"{until.astimezone(SHANGHAI):%Y年%-m月%-d日}")
            for line in _INSTRUCTIONS
        ]

    def draw(self, section: Section) -> None:
        """Draw a branch, beginning with a new page."""
        pages = -(-len(section.strips) // STRIPS_PER_PAGE)
        for number in range(pages):
            self._pdf.add_page()
            self._heading(section, number=number + 1, pages=pages)
            shown = section.strips[number * STRIPS_PER_PAGE : (number + 1) * STRIPS_PER_PAGE]
            for place, strip in enumerate(shown):
                self._strip(strip, top=TOP + HEADING + place * STRIP)

    def finish(self) -> bytes:
        """Return the document."""
        return bytes(self._pdf.output())

    def _heading(self, section: Section, *, number: int, pages: int) -> None:
        self._text(section.branch_name, left=MARGIN, top=TOP - 2, size=14, right=WIDTH - MARGIN)
        told = (
            f"{_TITLE}　共 {len(section.strips)} 人　第 {number} / {pages} 页　{self._now:%Y-%m-%d %H:%M} 打印"
            "　沿虚线裁开，当面交给本人"
        )
        self._text(told, left=MARGIN, top=TOP + 6, size=SMALL, right=WIDTH - MARGIN)

    def _strip(self, strip: Strip, *, top: float) -> None:
        pdf = self._pdf
        pdf.set_draw_color(120)
        pdf.set_dash_pattern(dash=2, gap=1.5)
        for edge in (top, top + STRIP):
            pdf.line(MARGIN / 2, edge, WIDTH - MARGIN / 2, edge)
        pdf.set_dash_pattern()
        middle = 92
        self._text("姓名", left=MARGIN, top=top + 2.5, size=SMALL)
        self._text(strip.real_name, left=MARGIN, top=top + 6.5, size=LARGEST_NAME, right=middle - 4)
        self._text("电子身份证号", left=MARGIN, top=top + 17, size=SMALL)
        self._text(_in_groups(strip.eid_number, 4), left=MARGIN, top=top + 21, size=NUMBER_SIZE, right=middle - 4)
        self._text("激活码", left=middle, top=top + 2.5, size=SMALL)
        if strip.code:
            self._text(_in_groups(strip.code, 5), left=middle, top=top + 9, size=CODE_SIZE)
        else:
            self._text(_NO_ACCOUNT, left=middle, top=top + 10, size=LINE_SIZE)
        pdf.image(self._qr, x=WIDTH - MARGIN - QR_SIZE, y=top + 2.5, w=QR_SIZE, h=QR_SIZE)
        for number, line in enumerate(self._lines):
            self._text(line, left=MARGIN, top=top + 30.5 + number * 6.4, size=LINE_SIZE, right=WIDTH - MARGIN)

    def _text(self, text: str, *, left: float, top: float, size: float, right: float | None = None) -> None:
        """Write one line, smaller where the room asks for it, broken only when the smallest does not fit."""
        pdf, shown = self._pdf, self._drawn(text)
        pdf.set_font("font0", size=size)
        pdf.set_xy(left, top)
        room = None if right is None else right - left
        if room is not None and (width := pdf.get_string_width(shown)) > room:
            size = size * room / width * 0.99
            if size < SMALLEST_LINE:
                pdf.set_font("font0", size=TINY)
                pdf.multi_cell(room, TINY * _POINT * 1.15, shown, align="L", new_x=XPos.LEFT, new_y=YPos.NEXT)
                return
            pdf.set_font("font0", size=size)
        pdf.cell(h=size * _POINT * 1.2, text=shown)

    def _drawn(self, text: str) -> str:
        return "".join(
            character if ord(character) in self._characters else f"[{ord(character):04X}]"
            for character in text
            if not is_variation_selector(character)
        )


def _in_groups(text: str, size: int) -> str:
    return " ".join(text[start : start + size] for start in range(0, len(text), size))


def _qr_code(text: str) -> io.BytesIO:
    buffer = io.BytesIO()
    segno.make_qr(text, error="m").save(buffer, kind="png", scale=6, border=2)
    return buffer

"""The e-ID card with its signed code: as a picture, and as a page to print.

A character that no font at hand can draw is shown as a box with its code point: nobody's name is left out or guessed.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import segno
from fontTools.ttLib import TTCollection, TTFont, TTLibError
from PIL import Image, ImageDraw, ImageFont

from zhibu_identity.rules.real_name import is_variation_selector

log = logging.getLogger("zhibu.identity.card")

# ISO/IEC 7810 ID-1 (85.6 × 53.98 mm) at 300 dots per inch.
SIZE: Final = (1011, 638)
MARGIN: Final = 56
_RED: Final = (179, 27, 27)
_GOLD: Final = (212, 160, 23)
_INK: Final = (33, 33, 33)
_GREY: Final = (97, 97, 97)
_PAPER: Final = (255, 252, 245)
_WHITE: Final = (255, 255, 255)
# Debian's fonts-noto-cjk: the second face of the collection writes characters as in the mainland. The serif face
# covers some characters that the other does not.
DEFAULT_FONTS: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc#2,/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc#2"
)
LARGEST_NAME: Final = 88
SMALLEST_NAME: Final = 28
SMALLEST: Final = 18
DOTS_PER_INCH: Final = 300
# A4 at the same resolution, the card in its upper part.
SHEET_SIZE: Final = (2480, 3508)
SHEET_PLACE: Final = (300, 300)
SHEET_TITLE: Final = "党员电子身份证"
SHEET_LINES: Final = (
    "沿线剪下即为名片大小的电子身份证。打印时请选“实际大小”，不要缩放。",
    "查验：在网页端打开“查验身份卡”（/cards/check），用摄像头扫码或上传图片，不用联网也能查。",
    "卡上的码包含姓名、县（市、区）、编号末四位和有效期，不含公民身份号码和手机号码。",
    "遗失或信息有变时，请到所在党支部办理；旧卡注销后查验会提示“已注销”。",
)
# Dots of a module; printed, that is half a millimetre, which the camera of any telephone reads.
QR_DOTS: Final = 6
QR_LARGEST: Final = 440
# The standard asks for a margin of four modules.
QUIET_ZONE: Final = 4

Draw = ImageDraw.ImageDraw


@dataclass(frozen=True, slots=True, kw_only=True)
class CardText:
    """What stands on a card."""

    real_name: str
    eid_number: str
    county: str
    issued_on: str
    valid_until: str = ""
    # The signed code, drawn as a QR code; an empty one is left out.
    code: str = ""


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a font file, and the characters that it can draw."""

    path: str
    index: int
    characters: frozenset[int]

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """Return the face at a size in dots."""
        return _load(self.path, self.index, size)


class CardPrinter:
    """Draws cards; fonts are read once."""

    def __init__(self, fonts: str = "") -> None:
        """Use font files separated by commas; the number of a collection's face follows a `#`."""
        self._fonts = fonts or DEFAULT_FONTS

    @cached_property
    def _faces(self) -> tuple[Face, ...]:
        """The faces, read when the first card is drawn: it takes seconds, which the start does not have."""
        faces = _read_faces(self._fonts)
        if not faces:
            log.error("No font for cards was found: names are drawn as code points")
        return faces

    def print_card(self, text: CardText) -> bytes:
        """Return the card as PNG. Takes a few hundredths of a second of computing: call it in a thread."""
        buffer = io.BytesIO()
        self._card(text).save(buffer, format="PNG", optimize=False, compress_level=6)
        return buffer.getvalue()

    def print_sheet(self, text: CardText) -> bytes:
        """Return a page of A4 (PDF) with the card at its true size, to be cut out, and how it is checked."""
        sheet = Image.new("RGB", SHEET_SIZE, _WHITE)
        sheet.paste(self._card(text), SHEET_PLACE)
        draw = ImageDraw.Draw(sheet)
        left, top = SHEET_PLACE
        right, bottom = left + SIZE[0], top + SIZE[1]
        draw.rectangle((left - 2, top - 2, right + 1, bottom + 1), outline=_GREY, width=2)
        for number, line in enumerate(SHEET_LINES):
            place = (left, bottom + 90 + number * 70)
            self._line(draw, place, line, size=40, fill=_INK, right=SHEET_SIZE[0] - left)
        buffer = io.BytesIO()
        # The least loss that PDF's pictures can have: a QR code must stay sharp.
        sheet.save(buffer, format="PDF", resolution=DOTS_PER_INCH, quality=95, subsampling=0, title=SHEET_TITLE)
        return buffer.getvalue()

    def _card(self, text: CardText) -> Image.Image:
        image = Image.new("RGB", SIZE, _PAPER)
        draw = ImageDraw.Draw(image)
        width, height = SIZE
        right = width - MARGIN // 2
        if text.code:
            code = _qr_code(text.code)
            right = width - MARGIN // 2 - code.width
            image.paste(code, (right, 140 + (height - 140 - code.height) // 2))
            right -= MARGIN // 4
        draw.rectangle((0, 0, width, 132), fill=_RED)
        draw.rectangle((0, 132, width, 140), fill=_GOLD)
        self._line(draw, (MARGIN, 38), "党员电子身份证", size=58, fill=_PAPER)
        self._line(draw, (MARGIN, 190), "姓名", size=30, fill=_GREY)
        size = self._name_size(text.real_name, room=right - MARGIN)
        self._line(draw, (MARGIN, 236), text.real_name, size=size, fill=_INK, right=right)
        self._line(draw, (MARGIN, 376), "编号", size=30, fill=_GREY)
        number = _in_groups(text.eid_number)
        self._line(draw, (MARGIN, 420), number, size=self._size_for(number, 52, right - MARGIN), fill=_INK)
        county = f"发放单位  {text.county}"
        self._line(draw, (MARGIN, height - 138), county, size=self._size_for(county, 32, right - MARGIN), fill=_INK)
        dates = f"发放日期  {text.issued_on}" + (f"  有效期至  {text.valid_until}" if text.valid_until else "")
        self._line(draw, (MARGIN, height - 82), dates, size=self._size_for(dates, 28, right - MARGIN), fill=_GREY)
        return image

    def can_draw(self, character: str) -> bool:
        """Say whether a font at hand has the character."""
        return self._face_of(character) is not None

    def _name_size(self, name: str, *, room: int) -> int:
        return max(SMALLEST_NAME, self._size_for(name, LARGEST_NAME, room))

    def _size_for(self, text: str, largest: int, room: int) -> int:
        """Return the size at which a text fits on one line."""
        for size in range(largest, SMALLEST, -2):
            if sum(self._advance(character, size) for character in _drawn(text)) <= room:
                return size
        return SMALLEST

    def _line(
        self,
        draw: Draw,
        place: tuple[int, int],
        text: str,
        *,
        size: int,
        fill: tuple[int, int, int],
        right: int = SIZE[0] - MARGIN // 2,
    ) -> None:
        left, top = place
        x = float(left)
        for character in _drawn(text):
            advance = self._advance(character, size)
            if x + advance > right:
                # A name of sixty characters takes further lines.
                x, top = float(left), top + int(size * 1.25)
            face = self._face_of(character)
            if face is None:
                self._box(draw, (int(x), top), character, size=size, fill=fill)
            else:
                # Anchored at the baseline, so that faces of different heights stand on one line.
                draw.text((x, top + size), character, font=face.at(size), fill=fill, anchor="ls")
            x += advance

    def _box(
        self, draw: Draw, place: tuple[int, int], character: str, *, size: int, fill: tuple[int, int, int]
    ) -> None:
        """Draw the code point in a box, four digits a line."""
        left, top = place
        pad = max(2, size // 14)
        draw.rectangle((left + pad, top + pad, left + size - pad, top + size), outline=fill, width=max(1, size // 30))
        digits = f"{ord(character):05X}"
        font = ImageFont.load_default(size=max(8, size // 3))
        for line, part in enumerate((digits[:-3], digits[-3:])):
            draw.text((left + size / 2, top + size * (0.36 + 0.36 * line)), part, font=font, fill=fill, anchor="mm")

    def _advance(self, character: str, size: int) -> float:
        face = self._face_of(character)
        return float(size) if face is None else face.at(size).getlength(character)

    def _face_of(self, character: str) -> Face | None:
        return next((face for face in self._faces if ord(character) in face.characters), None)


def _drawn(text: str) -> Sequence[str]:
    """Return the characters that take room; a variation selector chooses a shape that fonts here do not have."""
    return [character for character in text if not is_variation_selector(character)]


def _qr_code(code: str) -> Image.Image:
    """Return the QR code with its quiet zone; 15 % of it may be scratched away (level M)."""
    made = segno.make_qr(code, error="m")
    size, _ = made.symbol_size(scale=1, border=QUIET_ZONE)
    dots = max(1, min(QR_DOTS, QR_LARGEST // size))
    buffer = io.BytesIO()
    made.save(buffer, kind="png", scale=dots, border=QUIET_ZONE)
    return Image.open(buffer).convert("RGB")


def _in_groups(eid_number: str) -> str:
    return " ".join(eid_number[start : start + 4] for start in range(0, len(eid_number), 4))


def _read_faces(fonts: str) -> tuple[Face, ...]:
    return tuple(face for entry in fonts.split(",") if (face := _read_face(entry.strip())) is not None)


def _read_face(entry: str) -> Face | None:
    path, _, number = entry.partition("#")
    index = int(number or "0")
    if not Path(path).is_file():
        log.warning("A font for cards is not there", extra={"fields": {"path": path}})
        return None
    try:
        with _open_font(path, index) as font:
            characters: frozenset[int] = frozenset(font.getBestCmap() or {})
    except (TTLibError, OSError, IndexError):
        log.exception("A font for cards cannot be read", extra={"fields": {"path": path}})
        return None
    return Face(path, index, characters)


def _open_font(path: str, index: int) -> TTFont:
    if path.endswith((".ttc", ".otc")):
        return TTCollection(path, lazy=True).fonts[index]
    return TTFont(path, lazy=True)


@lru_cache(maxsize=64)
def _load(path: str, index: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=index, layout_engine=ImageFont.Layout.BASIC)

"""The e-ID card as a picture; the signed code on it comes with a later issue.

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
# Debian's fonts-noto-cjk: the second face of the collection writes characters as in the mainland. The serif face
# covers some characters that the other does not.
DEFAULT_FONTS: Final = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc#2,/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc#2"
)
LARGEST_NAME: Final = 88
SMALLEST_NAME: Final = 28

Draw = ImageDraw.ImageDraw


@dataclass(frozen=True, slots=True, kw_only=True)
class CardText:
    """What stands on a card."""

    real_name: str
    eid_number: str
    county: str
    issued_on: str


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
        image = Image.new("RGB", SIZE, _PAPER)
        draw = ImageDraw.Draw(image)
        width, height = SIZE
        draw.rectangle((0, 0, width, 132), fill=_RED)
        draw.rectangle((0, 132, width, 140), fill=_GOLD)
        self._line(draw, (MARGIN, 38), "党员电子身份证", size=58, fill=_PAPER)
        self._line(draw, (MARGIN, 190), "姓名", size=30, fill=_GREY)
        self._line(draw, (MARGIN, 236), text.real_name, size=self._name_size(text.real_name), fill=_INK)
        self._line(draw, (MARGIN, 376), "编号", size=30, fill=_GREY)
        self._line(draw, (MARGIN, 420), _in_groups(text.eid_number), size=52, fill=_INK)
        self._line(draw, (MARGIN, height - 130), f"发放单位  {text.county}", size=32, fill=_INK)
        self._line(draw, (MARGIN, height - 82), f"发放日期  {text.issued_on}", size=28, fill=_GREY)
        buffer = io.BytesIO()
        image.save(buffer, format="PNG", optimize=False, compress_level=6)
        return buffer.getvalue()

    def can_draw(self, character: str) -> bool:
        """Say whether a font at hand has the character."""
        return self._face_of(character) is not None

    def _name_size(self, name: str) -> int:
        room = SIZE[0] - 2 * MARGIN
        for size in range(LARGEST_NAME, SMALLEST_NAME, -4):
            if sum(self._advance(character, size) for character in _drawn(name)) <= room:
                return size
        return SMALLEST_NAME

    def _line(self, draw: Draw, place: tuple[int, int], text: str, *, size: int, fill: tuple[int, int, int]) -> None:
        left, top = place
        x = float(left)
        for character in _drawn(text):
            advance = self._advance(character, size)
            if x + advance > SIZE[0] - MARGIN / 2:
                # A name of sixty characters takes a second line.
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

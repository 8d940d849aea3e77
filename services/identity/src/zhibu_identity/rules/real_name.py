"""Real names: Han characters of every plane, and the middle dot between the parts of a transcribed name.

A resident identity card shows a name in Han characters, also for minorities (阿卜杜拉·买买提), so Latin letters and digits
are refused: they are a slip, or a letter of another script that looks like a character. What stands on the card is kept
character by character: no compatibility folding, no loss of a variation selector.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import Enum
from typing import Final

LEAST_CHARACTERS: Final = 2
MOST_CHARACTERS: Final = 60
MIDDLE_DOT: Final = "·"

# Unicode 17. Given as ranges because the tables of Python's unicodedata are older than the newest extensions.
HAN_RANGES: Final = (
    (0x3007, 0x3007),  # 〇
    (0x3400, 0x4DBF),  # Extension A
    (0x4E00, 0x9FFF),  # Unified ideographs
    (0xF900, 0xFAFF),  # Compatibility ideographs, among them twelve that are unified
    (0x20000, 0x2A6DF),  # Extension B
    (0x2A700, 0x2B73F),  # Extension C
    (0x2B740, 0x2B81F),  # Extension D
    (0x2B820, 0x2CEAF),  # Extension E
    (0x2CEB0, 0x2EBEF),  # Extension F
    (0x2EBF0, 0x2EE5F),  # Extension I
    (0x2F800, 0x2FA1F),  # Compatibility supplement
    (0x30000, 0x3134F),  # Extension G
    (0x31350, 0x323AF),  # Extension H
    (0x323B0, 0x3347F),  # Extension J
)
_KANGXI_RADICALS: Final = (0x2F00, 0x2FD5)
_PRIVATE_RANGES: Final = ((0xE000, 0xF8FF), (0xF0000, 0xFFFFD), (0x100000, 0x10FFFD))
# Standardised and ideographic variation selectors: they choose the shape of the character before them.
_VARIATION_RANGES: Final = ((0xFE00, 0xFE0F), (0xE0100, 0xE01EF))

# What input methods and departments' files use for the dot between the parts of a name.
_DOTS: Final = frozenset("·‧•・･⋅∙᛫.．﹒●")
# Invisible characters which come along when a name is copied from a document.
_INVISIBLE: Final = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad")
# GB 18030-2005 kept these in the private area; GB 18030-2022 gave them their places in Unicode.
_FORMER_PRIVATE: Final = {
    0xE816: 0x20087,
    0xE817: 0x20089,
    0xE818: 0x200CC,
    0xE81E: 0x9FB4,
    0xE826: 0x9FB5,
    0xE82B: 0x9FB6,
    0xE82C: 0x9FB7,
    0xE831: 0x215D7,
    0xE832: 0x9FB8,
    0xE83B: 0x2298F,
    0xE843: 0x9FB9,
    0xE854: 0x9FBA,
    0xE855: 0x241FE,
    0xE864: 0x9FBB,
}


class RealNameFault(Enum):
    """What is wrong with a name."""

    LENGTH = "length"
    CHARACTER = "character"
    PRIVATE_CHARACTER = "private_character"
    DOT = "dot"


@dataclass(frozen=True, slots=True, kw_only=True)
class RealName:
    """A name that passed every check. `rare` says that it holds characters which many systems cannot show."""

    value: str
    rare: bool


def read_real_name(text: str) -> RealName | RealNameFault:
    """Check a name and return it as it is stored."""
    value = normalise_real_name(text)
    fault = _find_fault(value)
    return RealName(value=value, rare=is_rare(value)) if fault is None else fault


def normalise_real_name(text: str) -> str:
    """Return the name without blanks, with one kind of dot, and with every Han character left as it is."""
    return "".join(_normalise_character(character) for character in text)


def search_form(name: str) -> str:
    """Return what two spellings of one name share: canonical equivalents made equal, dots and variants left out."""
    folded = unicodedata.normalize("NFC", normalise_real_name(name))
    return "".join(
        character for character in folded if character != MIDDLE_DOT and not _in_ranges(character, _VARIATION_RANGES)
    )


def is_han(character: str) -> bool:
    """Say whether a character is a Han ideograph."""
    return _in_ranges(character, HAN_RANGES)


def is_variation_selector(character: str) -> bool:
    """Say whether a character chooses the shape of the one before it."""
    return _in_ranges(character, _VARIATION_RANGES)


def is_rare(name: str) -> bool:
    """Say whether a name has a character outside of GBK, the set which older systems stop at."""
    try:
        name.replace(MIDDLE_DOT, "").encode("gbk")
    except UnicodeEncodeError:
        return True
    return False


def _normalise_character(character: str) -> str:
    code = ord(character)
    if character.isspace() or character in _INVISIBLE:
        return ""
    if character in _DOTS:
        return MIDDLE_DOT
    if _KANGXI_RADICALS[0] <= code <= _KANGXI_RADICALS[1]:
        # Copied out of a PDF, 一 often arrives as the radical ⼀; no name is written with radicals.
        return unicodedata.normalize("NFKC", character)
    return chr(_FORMER_PRIVATE.get(code, code))


def _find_fault(value: str) -> RealNameFault | None:
    han_count = sum(is_han(character) for character in value)
    for position, character in enumerate(value):
        if _in_ranges(character, _PRIVATE_RANGES):
            return RealNameFault.PRIVATE_CHARACTER
        if is_variation_selector(character):
            if position == 0 or not is_han(value[position - 1]):
                return RealNameFault.CHARACTER
        elif character != MIDDLE_DOT and not is_han(character):
            return RealNameFault.CHARACTER
    if not han_count >= LEAST_CHARACTERS or len(value) > MOST_CHARACTERS:
        return RealNameFault.LENGTH
    if not all(value.split(MIDDLE_DOT)):
        return RealNameFault.DOT
    return None


def _in_ranges(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    code = ord(character)
    return any(first <= code <= last for first, last in ranges)

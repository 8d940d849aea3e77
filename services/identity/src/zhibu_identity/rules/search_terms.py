"""By which terms a person can be found, and which terms a search could mean.

A search compares keyed tokens of terms, so only whole terms are found: the full name, its pinyin, the initials, the last
four and the last six characters of a number. docs/personal-data.md says what that gives away.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import Enum
from itertools import islice, product
from typing import Final

from pypinyin import Style, pinyin

from zhibu_identity.rules.numbers import find_county_of_eid, normalise_eid_number
from zhibu_identity.rules.real_name import is_han, search_form
from zhibu_identity.rules.resident_number import normalise_resident_number

# A name of ten characters with two readings each has 1,024 pinyin forms; nobody types the unlikely ones.
MOST_READINGS: Final = 64
_LETTERS: Final = re.compile(r"^[a-z]+$", re.ASCII)
_NUMBER_PART: Final = re.compile(r"^[0-9]{3}[0-9X]$|^[0-9]{5}[0-9X]$", re.ASCII)


class TermKind(Enum):
    """What a term is a part of; two kinds never have the same token."""

    NAME = "name"
    PINYIN = "pinyin"
    INITIALS = "initials"
    NUMBER_END = "number_end"
    EID_NUMBER = "eid_number"


Term = tuple[TermKind, str]


def terms_of_person(name: str, *, resident_number: str, telephone: str) -> frozenset[Term]:
    """Return every term by which a person is found."""
    syllables = _readings(name)
    terms: set[Term] = {(TermKind.NAME, search_form(name))}
    for number in (resident_number, telephone):
        terms |= {(TermKind.NUMBER_END, number[-4:]), (TermKind.NUMBER_END, number[-6:])}
    for reading in islice(product(*syllables), MOST_READINGS):
        terms.add((TermKind.PINYIN, "".join(reading)))
        terms.add((TermKind.INITIALS, "".join(syllable[0] for syllable in reading)))
    return frozenset(term for term in terms if term[1])


def term_of_eid_number(eid_number: str) -> Term:
    """Return the term by which an e-ID is found."""
    return TermKind.EID_NUMBER, eid_number


def terms_of_query(query: str) -> frozenset[Term]:
    """Return the terms that a search could mean; none when it can find nobody."""
    text = query.strip()
    if any(is_han(character) for character in text):
        return frozenset({(TermKind.NAME, search_form(text))})
    number = normalise_resident_number(text)
    eid_number = normalise_eid_number(number)
    if find_county_of_eid(eid_number):
        return frozenset({(TermKind.EID_NUMBER, eid_number)})
    if _NUMBER_PART.match(number):
        return frozenset({(TermKind.NUMBER_END, number)})
    letters = _letters(text)
    if _LETTERS.match(letters):
        return frozenset({(TermKind.PINYIN, letters), (TermKind.INITIALS, letters)})
    return frozenset()


def _readings(name: str) -> list[list[str]]:
    """Return for each character its readings without tones; nothing at all when one of them has no known reading."""
    characters = search_form(name)
    # Character by character: in a name, a phrase of the dictionary means nothing.
    found = pinyin(list(characters), style=Style.NORMAL, heteronym=True, errors="ignore")
    readings = [_spellings(syllables) for syllables in found]
    return readings if len(readings) == len(characters) and all(readings) else []


def _spellings(syllables: Iterable[str]) -> list[str]:
    """Return how people type each syllable: ü as v, as u, and as yu, which passports print."""
    spellings: list[str] = []
    for syllable in syllables:
        plain = _letters(syllable)
        spellings += [plain, plain.replace("v", "u"), plain.replace("v", "yu")] if "v" in plain else [plain]
    return list(dict.fromkeys(spelling for spelling in spellings if _LETTERS.match(spelling)))


def _letters(text: str) -> str:
    """Return pinyin as typed: lower case, no tones, blanks or apostrophes, ü as v."""
    lowered = text.lower().replace("u:", "v")
    plain = unicodedata.normalize("NFD", lowered).replace("u\u0308", "v")
    return "".join(
        character for character in plain if not unicodedata.combining(character) and character not in " '’-·"
    )

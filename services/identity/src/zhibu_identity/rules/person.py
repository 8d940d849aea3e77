"""What a person's record holds beside name and numbers, and how a wish to correct it is read."""

from __future__ import annotations

from datetime import date
from enum import IntEnum
from typing import Final

# Position of the digit that tells the gender: odd for men, even for women (GB 11643-1999).
_GENDER_AT: Final = 16
HAN: Final = "汉族"


class Gender(IntEnum):
    """Gender as the resident number says; the numbers are the contract's."""

    UNKNOWN = 0
    MALE = 1
    FEMALE = 2


class Field(IntEnum):
    """What a member can ask to have corrected; the numbers are the contract's."""

    REAL_NAME = 1
    RESIDENT_NUMBER = 2
    ETHNICITY = 3
    EDUCATION = 4
    WORK_UNIT = 5
    ADDRESS = 6
    PARTY_STATUS = 7
    OCCUPATION = 8
    BRANCH = 9


# Fields of which branches keeps the truth: accepting a correction says that the branch has recorded it.
KEPT_BY_BRANCHES: Final = frozenset({Field.PARTY_STATUS, Field.OCCUPATION, Field.BRANCH})
_MOST_CHARACTERS: Final = {Field.ETHNICITY: 20, Field.WORK_UNIT: 120, Field.ADDRESS: 200}

# What departments write, longest first where one is the beginning of another; the numbers are the contract's.
EDUCATIONS: Final = {
    1: ("小学及以下", "小学", "文盲", "PRIMARY"),
    2: ("初中", "JUNIOR_MIDDLE"),
    3: ("高中、中专", "高中", "中专", "中技", "职高", "技校", "SENIOR_MIDDLE"),
    4: ("大专", "大学专科", "专科", "COLLEGE"),
    5: ("大学本科", "本科", "大学", "BACHELOR"),
    6: ("研究生", "硕士研究生", "博士研究生", "硕士", "博士", "POSTGRADUATE"),
}
_EDUCATION_OF: Final = {word: education for education, words in EDUCATIONS.items() for word in words}


def read_education(text: str) -> int | None:
    """Return the number of a level of schooling as departments, or the contract, write it."""
    return _EDUCATION_OF.get(text.strip().upper().removeprefix("EDUCATION_"))


def gender_of(resident_number: str) -> Gender:
    """Return the gender that a resident number tells; of a 15-digit one, its last digit."""
    digit = resident_number[_GENDER_AT : _GENDER_AT + 1] or resident_number[-1:]
    if not digit.isdecimal():
        return Gender.UNKNOWN
    return Gender.MALE if int(digit) % 2 else Gender.FEMALE


def birth_date_of(resident_number: str) -> date | None:
    """Return the date of birth that a resident number tells, None when it tells none."""
    try:
        return date(int(resident_number[6:10]), int(resident_number[10:12]), int(resident_number[12:14]))
    except ValueError:
        return None


def fits(field: Field, text: str) -> bool:
    """Say whether a value of a field without rules of its own can be stored."""
    return 0 < len(text.strip()) <= _MOST_CHARACTERS.get(field, 200)

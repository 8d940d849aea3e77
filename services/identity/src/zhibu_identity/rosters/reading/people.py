"""A row becomes a person, or problems with remedies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from typing import Final

from zhibu_identity.rosters.reading import fields
from zhibu_identity.rosters.reading.cells import Cell, folded, text_of
from zhibu_identity.rosters.reading.dates import DateFault, RosterDate, read_date
from zhibu_identity.rosters.reading.fields import Field
from zhibu_identity.rosters.reading.files import Row
from zhibu_identity.rosters.reading.layout import Layout
from zhibu_identity.rosters.reading.problems import Problem, Reason
from zhibu_identity.rules.check_digits import resident_check_character
from zhibu_identity.rules.real_name import RealName, RealNameFault, read_real_name
from zhibu_identity.rules.resident_number import ResidentNumber, ResidentNumberFault, read_resident_number
from zhibu_identity.rules.telephone import find_telephone_fault

MOST_TEXT: Final = 200
LEAST_NUMBER: Final = 8
_NAME_FAULTS: Final = {
    RealNameFault.LENGTH: Reason.REAL_NAME_LENGTH,
    RealNameFault.CHARACTER: Reason.REAL_NAME_CHARACTER,
    RealNameFault.PRIVATE_CHARACTER: Reason.REAL_NAME_PRIVATE_CHARACTER,
    RealNameFault.DOT: Reason.REAL_NAME_DOT,
}
_NUMBER_FAULTS: Final = {
    ResidentNumberFault.SHAPE: Reason.RESIDENT_NUMBER_SHAPE,
    ResidentNumberFault.CHECK_CHARACTER: Reason.RESIDENT_NUMBER_CHECK_CHARACTER,
    ResidentNumberFault.BIRTH_DATE: Reason.RESIDENT_NUMBER_BIRTH_DATE,
    ResidentNumberFault.AREA: Reason.RESIDENT_NUMBER_AREA,
    ResidentNumberFault.SYNTHETIC: Reason.SYNTHETIC_RESIDENT_NUMBER,
    ResidentNumberFault.UNDER_AGE: Reason.UNDER_AGE,
}
# Words that begin a row about the sheet, not about a person.
_ABOUT_SHEET: Final = (
    "合计",
    "总计",
    "小计",
    "共计",
    "总数",
    "填表",
    "制表",
    "审核",
    "负责人",
    "填报",
    "备注",
    "注:",
    "说明",
    "联系人",
    "单位(盖章",
    "党支部书记签",
    "以上共",
    "盖章",
    "经办",
)
_SCIENTIFIC: Final = re.compile(r"^\d(\.\d+)?E\+?\d+$", re.IGNORECASE)
_LANDLINE: Final = re.compile(r"^(0\d{2,3}-?)?[2-8]\d{6,7}$|^0\d{9,11}$")
_EMPTY_WORDS: Final = frozenset({"-", "--", "—", "/", "无", "暂无", "不详", "\\"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What a row says of a person. Empty and 0 where it says nothing; dates as YYYY-MM-DD."""

    real_name: str = ""
    resident_number: str = ""
    telephone: str = ""
    ethnicity: str = ""
    education: int = 0
    work_unit: str = ""
    address: str = ""
    status: int = 0
    applied_date: str = ""
    admitted_date: str = ""
    confirmed_date: str = ""
    occupation: int = 0
    branch: str = ""
    committee: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """A row with a person. `row_number` counts from 1, as the spreadsheet shows it."""

    row_number: int
    person: Person
    problems: tuple[Problem, ...]
    cells: tuple[Cell, ...] = field(repr=False)
    # Where each field stands in the row, for problems that are found later.
    columns: Mapping[Field, int] = field(default_factory=dict["Field", int], repr=False)

    def with_duplicate_of(self, first: int) -> PersonRow:
        """Return the row with the problem that an earlier one has the same number."""
        return self.with_problems([(Reason.DUPLICATE_IN_FILE, Field.RESIDENT_NUMBER, {"row": str(first)})])

    def with_problems(self, found: Iterable[tuple[Reason, Field, Mapping[str, str]]]) -> PersonRow:
        """Return the row with more problems."""
        more = tuple(self.problem(*each) for each in found)
        return replace(self, problems=self.problems + more) if more else self

    def problem(self, reason: Reason, field: Field, params: Mapping[str, str]) -> Problem:
        """Return a problem, or a notice, at the cell of a field."""
        return Problem(reason=reason, field=field, column=self.columns.get(field), params=params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What rows are judged by."""

    layout: Layout
    today: date
    synthetic_allowed: bool


def read_people(rows: Iterable[Row], judge: Judge) -> Iterator[PersonRow]:
    """Yield the people of a sheet; titles, headings, blank rows and rows of sums are left out."""
    layout = judge.layout
    used = [column.index for column in layout.columns if column.field is not Field.IGNORED]
    columns = {column.field: column.index for column in layout.columns if column.field is not Field.IGNORED}
    headings = {column.index: column.heading.rpartition("/")[2] for column in layout.columns if column.heading}
    for number, row in enumerate(rows, 1):
        if number <= layout.heading_row or _is_no_person(row, used, headings=headings, layout=layout):
            continue
        reading = _Reading(row, judge)
        person = reading.person()
        problems = tuple(reading.problems)
        yield PersonRow(row_number=number, person=person, problems=problems, cells=tuple(row), columns=columns)


def normalise_telephone(cell: Cell) -> str:
    """Return a mobile number without blanks, hyphens and the country's code."""
    text = re.sub(r"[\s\-—–()]", "", folded(cell))
    return re.sub(r"^(\+|00)?86(?=1\d{10}$)", "", text)


def remedy_of_15_digits(number: str) -> str:
    """Return the number of 18 characters that replaced one of 15 (GB 11643-1999: all of them were born in 19xx)."""
    first_17 = f"{number[:6]}19{number[6:]}"
    return first_17 + resident_check_character(first_17)


def _is_no_person(row: Row, used: list[int], *, headings: dict[int, str], layout: Layout) -> bool:
    filled = [index for index in used if index < len(row) and folded(row[index])]
    if not filled:
        return True
    number_at, name_at = layout.column_of(Field.RESIDENT_NUMBER), layout.column_of(Field.REAL_NAME)
    if all(folded(row[index]) == headings.get(index) for index in filled):
        # Headings repeated at the top of each printed page.
        return True
    # Where sums stand, the number's column may hold one; a number of a person, even a broken one, is longer.
    if number_at is not None and number_at in filled and len(folded(row[number_at])) >= LEAST_NUMBER:
        return False
    first = next(folded(cell) for cell in row if folded(cell))
    name = folded(row[name_at]) if name_at is not None and name_at in filled else ""
    if first.startswith(_ABOUT_SHEET) or name.startswith(_ABOUT_SHEET):
        return True
    # Where branch and committee are merged downwards, they stand in rows without anybody too.
    places = {layout.column_of(Field.BRANCH), layout.column_of(Field.COMMITTEE)}
    return all(index in places for index in filled)


class _Reading:
    """The reading of one row: values come out, problems are collected."""

    def __init__(self, row: Row, judge: Judge) -> None:
        self._row = row
        self._judge = judge
        self.problems: list[Problem] = []

    def person(self) -> Person:
        name = self._name()
        number = self._number()
        if number is not None:
            self._compare_gender(number)
            self._compare_birth(number)
        dates = [self._date(each) for each in (Field.APPLIED_DATE, Field.ADMITTED_DATE, Field.CONFIRMED_DATE)]
        self._compare_dates(dates, number)
        applied, admitted, confirmed = ("" if each is None else each.day.isoformat() for each in dates)
        return Person(
            real_name=name,
            resident_number=number.value if number else "",
            telephone=self._telephone(),
            ethnicity=self._ethnicity(),
            education=self._word(Field.EDUCATION, fields.EDUCATION_BY_WORD, Reason.EDUCATION_UNKNOWN),
            work_unit=self._text(Field.WORK_UNIT),
            address=self._text(Field.ADDRESS),
            status=self._word(Field.STATUS, fields.STATUS_BY_WORD, Reason.STATUS_UNKNOWN),
            applied_date=applied,
            admitted_date=admitted,
            confirmed_date=confirmed,
            occupation=self._word(Field.OCCUPATION, fields.OCCUPATION_BY_WORD, Reason.OCCUPATION_UNKNOWN),
            branch=self._text(Field.BRANCH),
            committee=self._text(Field.COMMITTEE),
        )

    def _cell(self, field: Field) -> Cell:
        index = self._judge.layout.column_of(field)
        return self._row[index] if index is not None and index < len(self._row) else None

    def _complain(self, reason: Reason, field: Field, **params: str) -> None:
        column = self._judge.layout.column_of(field)
        self.problems.append(Problem(reason=reason, field=field, column=column, params=params))

    def _name(self) -> str:
        text = text_of(self._cell(Field.REAL_NAME))
        if not text:
            self._complain(Reason.REAL_NAME_MISSING, Field.REAL_NAME)
            return ""
        # 张伟(女), 张 伟（预备）: what stands in brackets is a note; no name has brackets.
        read = read_real_name(re.sub(r"[(（〔\[【].*?[)）〕\]】]", "", text))
        if isinstance(read, RealName):
            return read.value
        self._complain(_NAME_FAULTS[read], Field.REAL_NAME, value=text[:20])
        return ""

    def _number(self) -> ResidentNumber | None:
        cell = self._cell(Field.RESIDENT_NUMBER)
        text = folded(cell).upper().lstrip("'`").replace("-", "")
        if not text:
            self._complain(Reason.RESIDENT_NUMBER_MISSING, Field.RESIDENT_NUMBER)
            return None
        # A number of more than 15 digits that is stored as a quantity has lost the others.
        lost = isinstance(cell, float) and abs(cell) >= 1e15
        if lost or _SCIENTIFIC.match(text):
            self._complain(Reason.RESIDENT_NUMBER_DIGITS_LOST, Field.RESIDENT_NUMBER)
            return None
        if len(text) == 15 and text.isascii() and text.isdigit():
            remedy = remedy_of_15_digits(text)
            if isinstance(self._judged(remedy), ResidentNumber):
                self._complain(Reason.RESIDENT_NUMBER_15_DIGITS, Field.RESIDENT_NUMBER, remedy=remedy)
                return None
        read = self._judged(text)
        if isinstance(read, ResidentNumber):
            return read
        reason = _NUMBER_FAULTS[read]
        if reason is Reason.RESIDENT_NUMBER_CHECK_CHARACTER and text.endswith("000"):
            # What a spreadsheet makes of a number when it saves it as CSV.
            reason = Reason.RESIDENT_NUMBER_DIGITS_LOST
        self._complain(reason, Field.RESIDENT_NUMBER, length=str(len(text)))
        return None

    def _judged(self, text: str) -> ResidentNumber | ResidentNumberFault:
        return read_resident_number(text, today=self._judge.today, synthetic_allowed=self._judge.synthetic_allowed)

    def _compare_gender(self, number: ResidentNumber) -> None:
        text = folded(self._cell(Field.GENDER)).upper()
        if not text or text in _EMPTY_WORDS:
            return
        given = fields.GENDER_WORDS.get(text)
        # The last figure of the order is odd for men (GB 11643-1999, 3.4).
        by_number = 1 if int(number.value[16]) % 2 else 2
        if given is None:
            self._complain(Reason.GENDER_UNKNOWN, Field.GENDER, value=text[:10])
        elif given != by_number:
            self._complain(Reason.GENDER_DIFFERS, Field.GENDER, remedy="男" if by_number == 1 else "女")

    def _compare_birth(self, number: ResidentNumber) -> None:
        read = self._read_date(Field.BIRTH_DATE)
        remedy = number.birth_date.isoformat()
        if isinstance(read, DateFault):
            year_fits = read.value.startswith(f"{number.birth_date:%Y}")
            if read.reason is Reason.DATE_YEAR_ONLY and year_fits:
                return
            # 1979.1 is January or October; the number knows which.
            if read.reason is Reason.DATE_AMBIGUOUS and year_fits and number.birth_date.month in (1, 10):
                return
            self._complain(read.reason, Field.BIRTH_DATE, value=read.value, remedy=read.remedy)
        elif read is not None:
            day = number.birth_date.replace(day=1) if read.month_only else number.birth_date
            if day != read.day:
                self._complain(Reason.BIRTH_DATE_DIFFERS, Field.BIRTH_DATE, remedy=remedy)

    def _read_date(self, field: Field) -> RosterDate | DateFault | None:
        return read_date(
            self._cell(field),
            today=self._judge.today,
            two_digit_months=self._judge.layout.column_of(field) in self._judge.layout.two_digit_months,
        )

    def _date(self, field: Field) -> RosterDate | None:
        read = self._read_date(field)
        if isinstance(read, DateFault):
            self._complain(read.reason, field, value=read.value, remedy=read.remedy)
            return None
        return read

    def _compare_dates(self, dates: list[RosterDate | None], number: ResidentNumber | None) -> None:
        named = list(
            zip(
                ("申请", "入党", "转正"),
                (Field.APPLIED_DATE, Field.ADMITTED_DATE, Field.CONFIRMED_DATE),
                dates,
                strict=True,
            )
        )
        there = [(name, field, each) for name, field, each in named if each is not None]
        for (name, _, earlier), (later_name, later_field, later) in pairwise(there):
            # Of two dates in one month, one of which names the month alone, nobody knows the order.
            rough = earlier.month_only or later.month_only
            reversed_ = (
                (later.day.year, later.day.month) < (earlier.day.year, earlier.day.month)
                if rough
                else later.day < earlier.day
            )
            if reversed_:
                value = f"{name} {earlier.day}，{later_name} {later.day}"
                self._complain(Reason.DATES_REVERSED, later_field, value=value)
        if number is not None and there and there[0][2].day < number.birth_date:
            value = f"出生 {number.birth_date}，{there[0][0]} {there[0][2].day}"
            self._complain(Reason.DATES_REVERSED, there[0][1], value=value)

    def _telephone(self) -> str:
        text = normalise_telephone(self._cell(Field.TELEPHONE))
        if not text or text in _EMPTY_WORDS:
            return ""
        # 13912345678/0536-3123456, 13912345678、13812345678: the first mobile number counts.
        candidates = [part for part in re.split(r"[/、,，;；]", text) if part]
        for part in candidates:
            if find_telephone_fault(normalise_telephone(part), synthetic_allowed=self._judge.synthetic_allowed) is None:
                return normalise_telephone(part)
        landline = any(_LANDLINE.match(part) for part in candidates)
        reason = Reason.TELEPHONE_LANDLINE if landline else Reason.TELEPHONE_UNREADABLE
        self._complain(reason, Field.TELEPHONE, value=text[:20])
        return ""

    def _ethnicity(self) -> str:
        text = folded(self._cell(Field.ETHNICITY))
        if not text or text in _EMPTY_WORDS:
            return ""
        if text in fields.OTHER_ETHNICITIES:
            return text
        # 土族 and 土家族, 水族: a name that ends in 族 has it once.
        name = text.removesuffix("族")
        if name not in fields.ETHNICITIES:
            self._complain(Reason.ETHNICITY_UNKNOWN, Field.ETHNICITY, value=text[:10])
            return ""
        return f"{name}族"

    def _word(self, field: Field, words: dict[str, int], unknown: Reason) -> int:
        text = folded(self._cell(field))
        if not text or text in _EMPTY_WORDS:
            return 0
        if text not in words:
            self._complain(unknown, field, value=text[:20])
            return 0
        return words[text]

    def _text(self, field: Field) -> str:
        text = " ".join(text_of(self._cell(field)).split())
        if text in _EMPTY_WORDS:
            return ""
        if len(text) > MOST_TEXT:
            self._complain(Reason.TEXT_TOO_LONG, field, length=str(len(text)))
            return ""
        return text

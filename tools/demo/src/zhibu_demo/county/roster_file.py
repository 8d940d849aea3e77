"""Writes the county's roster as a department keeps it: a title, headings of two lines with merged cells, a row a person."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from zhibu_demo.county.plan import CountyPerson

_TITLE: Final = "临朐县党员基本情况花名册"
# A heading over two lines where the second is given; one cell over both lines otherwise.
_HEADINGS: Final = (
    ("序号", ""),
    ("姓名", ""),
    ("性别", ""),
    ("民族", ""),
    ("出生日期", ""),
    ("学历", ""),
    ("公民身份号码", ""),
    ("手机号码", ""),
    ("人员类别", ""),
    ("党内时间", "入党日期"),
    ("党内时间", "转正日期"),
    ("工作岗位", ""),
    ("工作单位及职务", ""),
    ("家庭住址", ""),
    ("所在党组织", "所属党委"),
    ("所在党组织", "所在党支部"),
)


def write_roster(path: Path, people: Iterable[CountyPerson]) -> int:
    """Write the file row by row and return how many people it holds."""
    count = 0
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("党员花名册")
        centred = book.add_format({"align": "center", "valign": "vcenter", "border": 1})
        sheet.merge_range(0, 0, 0, len(_HEADINGS) - 1, _TITLE, centred)
        _write_headings(sheet, centred)
        for count, person in enumerate(people, start=1):
            sheet.write_row(count + 2, 0, _row(count, person))
        sheet.write_row(count + 3, 0, ["合计", "", "", "", "", "", f"{count}人"])
    return count


def _write_headings(sheet: Worksheet, centred: Format) -> None:
    column = 0
    while column < len(_HEADINGS):
        upper, lower = _HEADINGS[column]
        if not lower:
            sheet.merge_range(1, column, 2, column, upper, centred)
            column += 1
            continue
        last = max(index for index, (each, _) in enumerate(_HEADINGS) if each == upper)
        sheet.merge_range(1, column, 1, last, upper, centred)
        for index in range(column, last + 1):
            sheet.write(2, index, _HEADINGS[index][1], centred)
        column = last + 1


def _row(number: int, person: CountyPerson) -> list[object]:
    return [
        number,
        person.real_name,
        person.gender,
        person.ethnicity,
        f"{person.birth_date:%Y.%m.%d}",
        person.education,
        person.resident_number,
        person.telephone,
        person.status,
        person.admitted,
        person.confirmed,
        person.occupation,
        person.work_unit,
        person.address,
        person.branch.committee.name,
        person.branch.name,
    ]

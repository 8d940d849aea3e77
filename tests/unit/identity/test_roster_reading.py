"""Rosters as departments keep them: each oddity is read rightly, or told plainly with its remedy; nothing crashes."""

from __future__ import annotations

import io
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from support import roster_files
from support.roster_files import HEADINGS, csv, number_of, person_row, replaced, xlsx
from zhibu_identity.rosters.reading.cells import column_name
from zhibu_identity.rosters.reading.dates import DateFault, read_date
from zhibu_identity.rosters.reading.fields import Education, Field, Occupation, Status, find_field
from zhibu_identity.rosters.reading.files import FileFault, Sheet, UnreadableFileError, inspect, open_rows
from zhibu_identity.rosters.reading.layout import Basis, Layout, propose, propose_sheet
from zhibu_identity.rosters.reading.people import Judge, PersonRow, read_people
from zhibu_identity.rosters.reading.writing import HEADING, TEXT, xlsx_pieces

TODAY = date(2026, 11, 23)


def layout_of(data: bytes) -> Layout:
    return propose(inspect(io.BytesIO(data)))


def read(data: bytes, layout: Layout | None = None) -> list[PersonRow]:
    layout = layout or layout_of(data)
    filled = [at for field in (Field.BRANCH, Field.COMMITTEE) if (at := layout.column_of(field)) is not None]
    with open_rows(io.BytesIO(data), layout.sheet_name, filled=filled) as rows:
        return list(read_people(rows, Judge(layout=layout, today=TODAY, synthetic_allowed=True)))


def read_one(**columns: Any) -> PersonRow:
    """Read a row with these columns, by heading; a good name and number stand in it when none are given."""
    given = {"姓名": "张伟", "身份证号": number_of(), **columns}
    # As the reader of files gives them: numbers as floats.
    cells = [float(cell) if isinstance(cell, int) else cell for cell in given.values()]
    sheet = Sheet(name="花名册", first_rows=[list(given), cells])
    judge = Judge(layout=propose([sheet]), today=TODAY, synthetic_allowed=True)
    (row,) = read_people(sheet.first_rows, judge)
    return row


def reasons(row: PersonRow) -> list[str]:
    return [problem.reason.name for problem in row.problems]


def fault_of(data: bytes) -> FileFault:
    with pytest.raises(UnreadableFileError) as caught:
        read(data)
    return caught.value.fault


# Layout


def test_titles_blank_rows_and_sums_around_the_people_are_left_out() -> None:
    rows = [
        ["中共临朐县委党员花名册"],
        ["填报单位：临朐县", None, None, "2026年11月"],
        HEADINGS,
        person_row("张伟"),
        [],
        [None, " ", "\u3000"],
        HEADINGS,
        person_row("李娜"),
        ["小计", "2"],
        ["合计：2人"],
        [None, "填表人：王芳", None, "审核人：赵强"],
    ]
    found = read(xlsx(rows, merges=[(0, 0, 0, 8, "中共临朐县委党员花名册")]))
    assert [(row.row_number, row.person.real_name, reasons(row)) for row in found] == [(4, "张伟", []), (8, "李娜", [])]


def test_headings_over_two_lines_with_merged_cells_are_put_together() -> None:
    rows = [
        ["党员花名册"],
        ["序号", "基本情况", None, None, "入党", None, "联系电话"],
        [None, "姓 名", "身份证\n号码", "性别", "时间", "转正时间", None],
        [1, "张伟", number_of(), "男", 2001.07, 2002.07, "12000000001"],
    ]
    merges = [(1, 1, 1, 3, "基本情况"), (1, 4, 1, 5, "入党"), (1, 0, 2, 0, "序号"), (1, 6, 2, 6, "联系电话")]
    data = xlsx(rows, merges=merges)
    layout = layout_of(data)
    assert (layout.heading_row, layout.heading_lines) == (3, 2)
    assert {column.field: column.index for column in layout.columns if column.field is not Field.IGNORED} == {
        Field.REAL_NAME: 1,
        Field.RESIDENT_NUMBER: 2,
        Field.GENDER: 3,
        Field.ADMITTED_DATE: 4,
        Field.CONFIRMED_DATE: 5,
        Field.TELEPHONE: 6,
    }
    (row,) = read(data, layout)
    assert (row.person.admitted_date, row.person.confirmed_date) == ("2001-07-01", "2002-07-01")


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("公民身份证号码", Field.RESIDENT_NUMBER),
        ("身 份 证 号（18位）", Field.RESIDENT_NUMBER),
        ("*姓名", Field.REAL_NAME),
        ("姓\u3000名", Field.REAL_NAME),
        ("加入党组织时间", Field.ADMITTED_DATE),
        ("递交入党申请书时间", Field.APPLIED_DATE),
        ("工作单位及职务", Field.WORK_UNIT),
        ("党（工）委", Field.COMMITTEE),
        ("所在党支部:", Field.BRANCH),
        ("备注", None),
        ("序号", None),
    ],
)
def test_a_column_is_known_by_any_of_its_names(heading: str, field: Field | None) -> None:
    assert find_field(heading) is field


def test_columns_may_stand_in_any_order_and_say_why_they_are_taken_for_what_they_are() -> None:
    rows = [
        ["所在支部", "备 考", "联系电话", "手机", "姓名", "编码"],
        ["甲支部", "x", "12000000001", "", "张伟", number_of()],
    ]
    layout = layout_of(xlsx(rows))
    assert [(column.field, column.basis) for column in layout.columns] == [
        (Field.BRANCH, Basis.HEADING),
        (Field.IGNORED, Basis.UNKNOWN),
        (Field.TELEPHONE, Basis.HEADING),
        (Field.IGNORED, Basis.TAKEN),
        (Field.REAL_NAME, Basis.HEADING),
        (Field.RESIDENT_NUMBER, Basis.CONTENT),
    ]
    assert layout.columns[4].samples == ("张伟",)


def test_what_is_chosen_by_hand_stands() -> None:
    data = xlsx([["甲", "乙"], ["张伟", "x"], ["姓名", "号"], ["李娜", "y"]])
    (sheet,) = inspect(io.BytesIO(data))
    chosen = {0: Field.REAL_NAME, 1: Field.RESIDENT_NUMBER}
    layout = propose_sheet(sheet, heading_row=1, chosen=chosen)
    assert (layout.heading_row, layout.complete) == (1, True)
    assert [column.basis for column in layout.columns] == [Basis.CHOSEN, Basis.CHOSEN]


def test_hidden_and_empty_sheets_are_passed_over_and_the_one_with_the_roster_is_taken() -> None:
    people = [HEADINGS, person_row("张伟")]
    data = xlsx(
        [["说明"], ["本表由各支部填写"]],
        name="说明",
        sheets=[("旧", people, True), ("空", [], False), ("花名册", people, False), ("旧名册", people, False)],
    )
    assert [sheet.name for sheet in inspect(io.BytesIO(data))] == ["说明", "花名册", "旧名册"]
    assert layout_of(data).sheet_name == "花名册"


def test_a_branch_that_is_merged_downwards_stands_for_all_of_its_rows_and_a_name_does_not() -> None:
    rows = [
        ["支部", "姓名", "身份证号"],
        *([None, f"张{name}", number_of(order=at)] for at, name in enumerate("伟芳强", 1)),
    ]
    data = xlsx([*rows, [None, None, None]], merges=[(1, 0, 4, 0, "第一党支部")])
    assert [(row.person.real_name, row.person.branch) for row in read(data)] == [
        ("张伟", "第一党支部"),
        ("张芳", "第一党支部"),
        ("张强", "第一党支部"),
    ]


# Values


def test_a_good_row_is_read_whole() -> None:
    number = number_of(order=11)
    row = read_one(
        姓名="张　伟",
        身份证号=number,
        性别="男",
        出生年月=1980.05,
        民族="汉",
        学历="本科",
        手机="+86 120 0000 0001",
        人员类别="正式",
        申请入党时间="2000.3",
        入党时间="2001年7月1日",
        转正时间=20020701,
        岗位="务农",
        单位="临朐县农业局  科员",
        住址="临朐县１号",
        支部="第一党支部",
        党委="辛寨街道",
    )
    assert reasons(row) == []
    person = row.person
    assert (person.real_name, person.resident_number, person.telephone) == ("张伟", number, "12000000001")
    assert (person.ethnicity, person.education, person.status) == ("汉族", Education.BACHELOR, Status.FULL)
    assert (person.applied_date, person.admitted_date, person.confirmed_date) == (
        "2000-03-01",
        "2001-07-01",
        "2002-07-01",
    )
    assert (person.occupation, person.work_unit, person.address) == (
        Occupation.FARMER,
        "临朐县农业局 科员",
        "临朐县１号",
    )
    assert (person.branch, person.committee) == ("第一党支部", "辛寨街道")


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("1999.03", "1999-03-01"),
        ("1999.3", "1999-03-01"),
        ("1999.3.5", "1999-03-05"),
        ("1999年3月", "1999-03-01"),
        ("1999年03月05日", "1999-03-05"),
        ("19990305", "1999-03-05"),
        (19990305, "1999-03-05"),
        (199903, "1999-03-01"),
        ("1999-3-5", "1999-03-05"),
        ("1999/3/5 0:00", "1999-03-05"),
        ("１９９９．０３", "1999-03-01"),
        (36224, "1999-03-05"),
        ("36224", "1999-03-05"),
        (1999.03, "1999-03-01"),
        (1999.12, "1999-12-01"),
        (date(1999, 3, 5), "1999-03-05"),
        ("一九九九年三月五日", "1999-03-05"),
        ("二〇〇一年十二月", "2001-12-01"),
        ("", ""),
        ("无", ""),
    ],
)
def test_dates_are_read_in_every_form_that_departments_use(cell: Any, day: str) -> None:
    row = read_one(入党时间=cell)
    assert (row.person.admitted_date, reasons(row)) == (day, [])


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("1999", "DATE_YEAR_ONLY"),
        (1999.1, "DATE_AMBIGUOUS"),
        ("99.3", "DATE_UNREADABLE"),
        ("1999.13", "DATE_UNREADABLE"),
        ("1999-02-30", "DATE_UNREADABLE"),
        ("去年", "DATE_UNREADABLE"),
        ("2027.1", "DATE_IN_FUTURE"),
        ("1970.1", "DATES_REVERSED"),
    ],
)
def test_a_date_that_cannot_be_is_a_problem_with_its_remedy(cell: Any, reason: str) -> None:
    row = read_one(入党时间=cell)
    assert reasons(row) == [reason]
    assert all("{" not in problem.text(language) for problem in row.problems for language in ("zh-CN", "en"))


def test_the_number_1999_point_1_is_october_where_the_column_writes_two_digits() -> None:
    rows = [HEADINGS, person_row(admitted=1999.1), person_row(admitted=2001.07)]
    assert [row.person.admitted_date for row in read(xlsx(rows))] == ["1999-10-01", "2001-07-01"]


def test_of_application_admission_and_confirmation_each_comes_after_the_one_before() -> None:
    row = read_one(申请入党时间="2002-01-01", 入党时间="2001-07-01", 转正时间="2001.07")
    assert reasons(row) == ["DATES_REVERSED"]


@pytest.mark.parametrize(
    ("cell", "reason", "remedy"),
    [
        ("990724800517002", "RESIDENT_NUMBER_15_DIGITS", number_of(order=2)),
        (990724800517002, "RESIDENT_NUMBER_15_DIGITS", number_of(order=2)),
        (990724198005170020, "RESIDENT_NUMBER_DIGITS_LOST", ""),
        ("9.90724E+17", "RESIDENT_NUMBER_DIGITS_LOST", ""),
        ("990724198005171000", "RESIDENT_NUMBER_DIGITS_LOST", ""),
        ("990724198005170021", "RESIDENT_NUMBER_CHECK_CHARACTER", ""),
        ("99072419800517", "RESIDENT_NUMBER_SHAPE", ""),
        (None, "RESIDENT_NUMBER_MISSING", ""),
    ],
)
def test_a_broken_number_is_told_with_its_remedy(cell: Any, reason: str, remedy: str) -> None:
    row = read_one(身份证号=cell)
    assert (reasons(row), row.person.resident_number) == ([reason], "")
    assert remedy in row.problems[0].text("zh-CN")


@pytest.mark.parametrize("dress", ["'{}", "{} ", "\u3000{}", "{}\u200b"])
def test_a_number_in_quotes_blanks_or_full_width_is_read(dress: str) -> None:
    number = number_of(order=77)
    full_width = number.translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    for written in (number, full_width, f"{number[:6]} {number[6:14]} {number[14:]}", number.lower()):
        assert read_one(身份证号=dress.format(written)).person.resident_number == number


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"性别": "女", "身份证号": number_of(order=1)}, ["GENDER_DIFFERS"]),
        ({"性别": "?"}, ["GENDER_UNKNOWN"]),
        ({"出生年月": "1980.06"}, ["BIRTH_DATE_DIFFERS"]),
        ({"出生年月": "1980"}, []),
        ({"出生日期": "1980-05-18"}, ["BIRTH_DATE_DIFFERS"]),
        ({"出生年月": 1980.1, "身份证号": number_of(date(1980, 10, 3))}, []),
        ({"民族": "火星族"}, ["ETHNICITY_UNKNOWN"]),
        ({"民族": "土家"}, []),
        ({"学历": "大学本科"}, []),
        ({"学历": "博士后"}, ["EDUCATION_UNKNOWN"]),
        ({"人员类别": "群众"}, ["STATUS_UNKNOWN"]),
        ({"岗位": "宇航员"}, ["OCCUPATION_UNKNOWN"]),
        ({"姓名": "张伟(女)"}, []),
        ({"姓名": "Zhang"}, ["REAL_NAME_CHARACTER"]),
        ({"姓名": None}, ["REAL_NAME_MISSING"]),
        ({"住址": "甲" * 300}, ["TEXT_TOO_LONG"]),
    ],
)
def test_what_contradicts_the_number_or_is_unknown_is_a_problem(columns: dict[str, Any], expected: list[str]) -> None:
    assert reasons(read_one(**columns)) == expected


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("正式党员", Status.FULL),
        ("中共党员", Status.FULL),
        ("预备", Status.PROBATIONARY),
        ("发展对象", Status.DEVELOPMENT_TARGET),
        ("积极分子", Status.ACTIVIST),
        ("申请人", Status.APPLICANT),
        ("留党察看", Status.UNDER_PROBATION),
    ],
)
def test_a_status_is_known_by_the_words_that_departments_use(written: str, status: Status) -> None:
    assert read_one(人员类别=f" {written} ").person.status == status


@pytest.mark.parametrize(
    ("cell", "telephone", "reason"),
    [
        ("120 0000 0001", "12000000001", []),
        ("+8612000000001", "12000000001", []),
        ("86-12000000001", "12000000001", []),
        (12000000001, "12000000001", []),
        ("0536-3123456/12000000001", "12000000001", []),
        ("0536-3123456", "", ["TELEPHONE_LANDLINE"]),
        ("3123456", "", ["TELEPHONE_LANDLINE"]),
        ("1200000000", "", ["TELEPHONE_UNREADABLE"]),
        ("无", "", []),
    ],
)
def test_a_telephone_is_read_without_what_surrounds_it(cell: Any, telephone: str, reason: list[str]) -> None:
    row = read_one(手机=cell)
    assert (row.person.telephone, reasons(row)) == (telephone, reason)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("买买提．艾力", "买买提·艾力"),
        ("王𠮷", "王𠮷"),
        ("㛃䶮", "㛃䶮"),
        (" 欧 阳 娜 ", "欧阳娜"),
    ],
)
def test_names_with_middle_dots_and_rare_characters_stay_as_they_are(written: str, name: str) -> None:
    row = read_one(姓名=written)
    assert (row.person.real_name, reasons(row)) == (name, [])


# Files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_is_read_in_any_of_its_encodings_and_delimiters(encoding: str, delimiter: str) -> None:
    row = [str(cell) for cell in person_row("王𠮷", telephone="12000000001")]
    row[1] = f"'{row[1]}"
    (found,) = read(csv([HEADINGS, row], encoding=encoding, delimiter=delimiter))
    assert (found.person.real_name, found.person.telephone, reasons(found)) == ("王𠮷", "12000000001", [])


def test_an_old_xls_is_read_by_what_it_is_whatever_its_name() -> None:
    number = number_of(order=9)
    (row,) = read(roster_files.xls([["姓名", "身份证号", "入党时间"], ["买买提·艾力", number, 1999.03]]))
    assert (row.person.real_name, row.person.resident_number) == ("买买提·艾力", number)
    assert row.person.admitted_date == "1999-03-01"


def test_date_cells_of_a_spreadsheet_are_dates() -> None:
    (row,) = read(xlsx([HEADINGS, person_row(admitted=date(1999, 3, 5))]))
    assert (row.person.admitted_date, reasons(row)) == ("1999-03-05", [])


def test_a_formula_counts_with_its_last_result_and_an_error_counts_as_empty() -> None:
    def formulas(book: xlsxwriter.Workbook, sheet: Any) -> None:
        sheet.write_formula(1, 0, '="张"&"伟"', None, "张伟")
        sheet.write_formula(1, 6, "=1/0", None, "#DIV/0!")

    (row,) = read(xlsx([HEADINGS, person_row()], change=formulas))
    assert (row.person.real_name, row.person.admitted_date, reasons(row)) == ("张伟", "", [])


def test_a_file_without_headings_is_read_by_what_stands_in_it_and_asks_for_the_name() -> None:
    layout = layout_of(xlsx([["张伟", number_of(order=3), "12000000001"], ["李娜", number_of(order=4), "12000000002"]]))
    assert (layout.heading_row, layout.complete) == (0, False)
    assert layout.column_of(Field.RESIDENT_NUMBER) == 1


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", FileFault.EMPTY),
        (b" \r\n", FileFault.EMPTY),
        (roster_files.encrypted(), FileFault.PASSWORD),
        (roster_files.xls([["姓名"]], password=True), FileFault.PASSWORD),
        (b"<html><table><tr><td>\xe5\xa7\x93</td></tr></table></html>", FileFault.HTML),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Workbook/>", FileFault.HTML),
        (b"%PDF-1.7 ...", FileFault.NOT_A_SPREADSHEET),
        (bytes(range(256)) * 8, FileFault.NOT_A_SPREADSHEET),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), FileFault.DAMAGED),
        (xlsx([HEADINGS, person_row()])[:-400], FileFault.DAMAGED),
        (replaced(xlsx([HEADINGS]), "xl/worksheets/sheet1.xml", b"<worksheet><she"), FileFault.DAMAGED),
        (replaced(xlsx([HEADINGS]), "xl/workbook.xml", b"\x00\xff"), FileFault.DAMAGED),
        (csv([HEADINGS], encoding="gb18030") + b"\xff\xff", FileFault.ENCODING),
        (xlsx([]), FileFault.NO_ROWS),
        (roster_files.bomb(), FileFault.TOO_LARGE),
        (csv([["姓名", "身份证号"], ["x"] * 300]), FileFault.TOO_MANY_COLUMNS),
    ],
    ids=lambda value: value.name if isinstance(value, FileFault) else "",
)
def test_a_file_that_cannot_be_read_is_refused_in_plain_words(data: bytes, fault: FileFault) -> None:
    assert fault_of(data) is fault


@pytest.mark.parametrize("make", [roster_files.lying_bomb, roster_files.far_away_cell])
def test_a_file_that_lies_about_its_size_ends_its_reader_and_nothing_else(make: Any) -> None:
    assert fault_of(make()) in {FileFault.TOO_LARGE, FileFault.DAMAGED}


def test_the_process_that_parses_a_file_holds_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHIBU_MASTER_KEY", "a-secret-of-ours")
    data = xlsx([HEADINGS, *(person_row("张伟") for _ in range(5000))])
    with open_rows(io.BytesIO(data), layout_of(data).sheet_name) as rows:
        next(rows)
        # It waits in the middle, because nobody reads on.
        environments = [
            _text_of(path.parent / "environ") for path in Path("/proc").glob("[0-9]*/cmdline") if _is_ours(path)
        ]
    assert environments
    assert not any("a-secret-of-ours" in environment for environment in environments)


def _is_ours(cmdline: Path) -> bool:
    status = _text_of(cmdline.parent / "status")
    return "rosters.reading.jail" in _text_of(cmdline) and f"PPid:\t{os.getpid()}\n" in status


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        # A process that has ended.
        return ""


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    if data.startswith((b"PK", b"\xd0\xcf")):
        return
    try:
        layout_of(data)
    except UnreadableFileError:
        return


@given(st.one_of(st.none(), st.text(max_size=12), st.integers(-(10**9), 10**9), st.floats(), st.dates()), st.booleans())
def test_any_cell_is_a_date_or_a_fault(cell: Any, two_digit_months: bool) -> None:
    found = read_date(cell, today=TODAY, two_digit_months=two_digit_months)
    assert found is None or isinstance(found, DateFault) or found.day <= TODAY


# Writing


def test_columns_are_named_as_in_a_spreadsheet() -> None:
    assert [column_name(index) for index in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_a_written_file_is_read_back_and_no_cell_of_it_is_a_formula() -> None:
    number = number_of(order=5)
    rows = [
        (["姓名", "身份证号", "家庭住址"], HEADING),
        (["张伟", number, "=1+1"], TEXT),
        (["李<娜>", number, "\x00&"], TEXT),
    ]
    data = b"".join(xlsx_pieces(iter(rows), sheet_name="花[名]册", widths=[10, 20, 30]))
    (sheet,) = inspect(io.BytesIO(data))
    assert sheet.first_rows == [["姓名", "身份证号", "家庭住址"], ["张伟", number, "=1+1"], ["李<娜>", number, "&"]]

"""Rosters as files to download: the rows with problems, and the people of an organisation, as the import reads them.

Both are made piece by piece, so that a file of any length takes the memory of some rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final

from sqlalchemy import Row, func, select
from zhibu_kit.db import Transaction
from zhibu_kit.errors import EN
from zhibu_kit.paging import Page
from zhibu_kit.scope import Scope

from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.models import person
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import PersonDetails, open_details
from zhibu_identity.rosters.differences import education_word, occupation_word, status_word
from zhibu_identity.rosters.models import roster_fact
from zhibu_identity.rosters.payloads import Plan, RowPayload, open_row
from zhibu_identity.rosters.places import Places, load_places
from zhibu_identity.rosters.reading.cells import column_name
from zhibu_identity.rosters.reading.fields import HEADINGS, Field
from zhibu_identity.rosters.reading.problems import Reason
from zhibu_identity.rosters.reading.writing import HEADING, REMARK, TEXT, XlsxWriter
from zhibu_identity.rosters.records import Difference, Roster, list_rows
from zhibu_identity.rules.spreadsheet import BYTE_ORDER_MARK, row_of

ROWS_PER_PIECE: Final = 500
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv; charset=utf-8"
# A roster of more people would not be read again either.
MOST_ROWS: Final = 200_000
_OPEN_STANDINGS: Final = (0, 1)
_REMARK: Final = ("问题及处理办法", "Problems and remedies")
_EXPORTED: Final = (
    (Field.COMMITTEE, 24),
    (Field.BRANCH, 28),
    (Field.REAL_NAME, 14),
    (Field.RESIDENT_NUMBER, 22),
    (Field.GENDER, 6),
    (Field.BIRTH_DATE, 12),
    (Field.ETHNICITY, 10),
    (Field.EDUCATION, 12),
    (Field.TELEPHONE, 14),
    (Field.STATUS, 12),
    (Field.APPLIED_DATE, 14),
    (Field.ADMITTED_DATE, 12),
    (Field.CONFIRMED_DATE, 12),
    (Field.OCCUPATION, 14),
    (Field.WORK_UNIT, 30),
    (Field.ADDRESS, 30),
)
_COLUMN_WIDTH: Final = 16
_REMARK_WIDTH: Final = 80
# From here on a spreadsheet takes a number in a CSV file for a quantity and drops its last digits.
_LONG_NUMBER: Final = 11


async def problem_rows(
    parts: Parts, record: Roster, key: MemberKey, *, plan: Plan, language: str, noticed: bool = False
) -> AsyncGenerator[bytes]:
    """Yield an .xlsx with titles, headings and the rows with problems, and in a last column what to do about each.

    `noticed` gives the rows of which something is not taken over instead.
    """
    width = max([column.index + 1 for column in plan.layout.columns] + [len(row) for row in plan.head], default=1)
    writer = XlsxWriter(
        sheet_name=plan.layout.sheet_name,
        widths=[*([_COLUMN_WIDTH] * width), _REMARK_WIDTH],
        last_column_style=REMARK,
    )
    remark = _REMARK[1 if language == EN else 0]
    head = [_padded(row, width) for row in plan.head] or [_padded((), width)]
    head[-1][width] = remark
    yield writer.write([(row, HEADING) for row in head])
    after: tuple[str, ...] | None = None
    for _ in range(MOST_ROWS // ROWS_PER_PIECE + 1):
        async with parts.database.transaction(record.scope) as transaction:
            rows = await list_rows(
                transaction,
                record.roster_id,
                difference=None if noticed else Difference.PROBLEM,
                page=Page(size=ROWS_PER_PIECE, after=after),
                noticed=noticed,
            )
        shown = rows[:ROWS_PER_PIECE]
        lines = await asyncio.to_thread(_problem_lines, shown, key, width=width, language=language)
        yield writer.write([(line, TEXT) for line in lines])
        if len(rows) <= ROWS_PER_PIECE:
            break
        after = (str(shown[-1].position),)
    yield writer.finish()


def _padded(row: Sequence[str], width: int) -> list[str]:
    return [*row[:width], *([""] * (width + 1 - min(len(row), width)))]


def _problem_lines(rows: Sequence[Row[Any]], key: MemberKey, *, width: int, language: str) -> list[list[str]]:
    return [_problem_row(row, open_row(row.payload, key), width=width, language=language) for row in rows]


def _problem_row(row: Row[Any], payload: RowPayload, *, width: int, language: str) -> list[str]:
    cells = _padded(payload.cells, width)
    remarks: list[str] = []
    for problem in payload.problems + payload.notices:
        column = problem.column
        cell = f"{column_name(column)}{row.row_number}" if column is not None else str(row.row_number)
        remarks.append(f"{cell} {problem.text(language)}")
        if problem.reason is Reason.DATE_AMBIGUOUS and column is not None:
            # As text, 1979.1 would be read as January the next time, although nobody has said so.
            cells[column] = f"{cells[column]}?"
    cells[width] = "\n".join(remarks)
    return cells


async def export_people(parts: Parts, organisation_id: str, *, scope: Scope, as_csv: bool) -> AsyncGenerator[bytes]:
    """Yield the people of an organisation, branch by branch, as a file that the import reads."""
    county_code = next(iter(scope.counties))
    async with parts.database.transaction(scope) as transaction:
        places = await load_places(transaction, county_code, organisation_id=organisation_id)
    headings = [HEADINGS[field][0] for field, _ in _EXPORTED]
    writer = None
    if as_csv:
        yield (BYTE_ORDER_MARK + row_of(headings)).encode()
    else:
        writer = XlsxWriter(sheet_name="花名册", widths=[width for _, width in _EXPORTED])
        yield writer.write([(headings, HEADING)])
    after = ("", "")
    for _ in range(MOST_ROWS // ROWS_PER_PIECE):
        async with parts.database.transaction(scope) as transaction:
            rows = await _people_after(transaction, county_code, places.branch_ids, after=after)
        if not rows:
            break
        keys = await parts.vault.member_keys([row.member_id for row in rows], county_code)
        lines = await asyncio.to_thread(_lines, rows, keys, places)
        yield (
            "".join(row_of(map(_kept, line)) for line in lines).encode()
            if writer is None
            else writer.write([(line, TEXT) for line in lines])
        )
        after = (rows[-1].branch_id, rows[-1].member_id)
    if writer is not None:
        yield writer.finish()


async def list_exported_ids(transaction: Transaction, county_code: str, branch_ids: Sequence[str]) -> Sequence[str]:
    """Return whom an export shows, for the audit row that stands before the first byte leaves."""
    rows = await transaction.all(
        select(person.c.member_id)
        .where(
            person.c.county_code == county_code,
            person.c.branch_id.in_(branch_ids),
            person.c.standing.in_(_OPEN_STANDINGS),
        )
        .limit(MOST_ROWS)
    )
    return [row.member_id for row in rows]


async def _people_after(
    transaction: Transaction, county_code: str, branch_ids: Sequence[str], *, after: tuple[str, str]
) -> Sequence[Row[Any]]:
    fact = roster_fact.c
    return await transaction.all(
        select(
            person.c.member_id,
            person.c.branch_id,
            person.c.details,
            func.coalesce(func.nullif(person.c.party_status, 0), fact.status, 0).label("status"),
            func.coalesce(fact.applied_date, "").label("applied_date"),
            func.coalesce(fact.admitted_date, "").label("admitted_date"),
            func.coalesce(fact.confirmed_date, "").label("confirmed_date"),
            func.coalesce(fact.occupation, 0).label("occupation"),
        )
        .join(roster_fact, fact.member_id == person.c.member_id, isouter=True)
        .where(
            person.c.county_code == county_code,
            person.c.branch_id.in_(branch_ids),
            person.c.standing.in_(_OPEN_STANDINGS),
            # Rows compare from the left, as the order does.
            func.row(person.c.branch_id, person.c.member_id) > func.row(*after),
        )
        .order_by(person.c.branch_id, person.c.member_id)
        .limit(ROWS_PER_PIECE)
    )


def _lines(rows: Sequence[Row[Any]], keys: dict[str, MemberKey], places: Places) -> list[list[str]]:
    return [_line(row, keys, places) for row in rows]


def _line(row: Row[Any], keys: dict[str, MemberKey], places: Places) -> list[str]:
    details = open_details(row.details, keys.get(row.member_id))
    values = {
        Field.COMMITTEE: places.committee_name_of(row.branch_id),
        Field.BRANCH: places.name_of(row.branch_id),
        Field.REAL_NAME: details.real_name,
        Field.RESIDENT_NUMBER: details.resident_number,
        Field.GENDER: _gender(details),
        Field.BIRTH_DATE: details.birth_date.isoformat() if details.birth_date else "",
        Field.ETHNICITY: details.ethnicity,
        Field.EDUCATION: education_word(details.education),
        Field.TELEPHONE: details.telephone,
        Field.STATUS: status_word(row.status),
        Field.APPLIED_DATE: row.applied_date,
        Field.ADMITTED_DATE: row.admitted_date,
        Field.CONFIRMED_DATE: row.confirmed_date,
        Field.OCCUPATION: occupation_word(row.occupation),
        Field.WORK_UNIT: details.work_unit,
        Field.ADDRESS: details.address,
    }
    return [values[field] for field, _ in _EXPORTED]


def _gender(details: PersonDetails) -> str:
    number = details.resident_number
    if not number:
        return ""
    return "男" if int(number[16]) % 2 else "女"


def _kept(cell: str) -> str:
    """Return a cell so that a spreadsheet which opens a CSV file keeps all digits of a number."""
    return f"'{cell}" if len(cell) >= _LONG_NUMBER and cell[:-1].isdigit() else cell

"""The child process that parses spreadsheets: `python -m zhibu_identity.rosters.reading.jail inspect | rows SHEET COLUMNS`.

The file comes on its standard input; rows leave as lines of JSON, dates as lists. Memory and computing time are bounded by
the operating system, so that a file which unpacks to terabytes, or names a cell a million rows away, ends the child alone.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import IO, Any, Final

import python_calamine

from zhibu_identity.rosters.reading.files import FIRST_ROWS, MOST_SHEETS, FileFault

# A sheet of 100,000 rows and 17 columns takes 250 MB here, libraries included.
MOST_BYTES: Final = 1024 * 1024 * 1024
MOST_CPU_S: Final = 120
# Merged cells beyond this are left as they are: nobody merges so many by hand.
MOST_MERGES: Final = 20_000


def main(arguments: list[str]) -> int:
    """Answer one command."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
    # A core file would hold the roster.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = sys.stdout
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        answers = _inspect(book) if arguments[0] == "inspect" else _rows(book, *arguments[1:])
        for answer in answers:
            out.write(json.dumps(answer, ensure_ascii=False) + "\n")
        out.write('{"end": true}\n')
    except python_calamine.PasswordError:
        _fail(out, FileFault.PASSWORD)
    except python_calamine.WorksheetNotFound:
        _fail(out, FileFault.SHEET_UNKNOWN)
    except MemoryError:
        _fail(out, FileFault.TOO_LARGE)
    except Exception:  # noqa: BLE001 - a parser meets a hostile file: whatever it stumbles over is the file's damage
        _fail(out, FileFault.DAMAGED)
    except BaseException as error:
        # A panic of the library below, which is written in Rust, arrives as an exception of its own.
        if type(error).__name__ != "PanicException":
            raise
        _fail(out, FileFault.DAMAGED)
    return 0


def _fail(out: IO[str], fault: FileFault) -> None:
    out.write(json.dumps({"fault": fault.name}) + "\n")


def _inspect(book: python_calamine.CalamineWorkbook) -> Iterator[dict[str, Any]]:
    worksheet, visible = python_calamine.SheetTypeEnum.WorkSheet, python_calamine.SheetVisibleEnum.Visible
    shown = [each for each in book.sheets_metadata if each.visible is visible and each.typ is worksheet]
    for metadata in shown[:MOST_SHEETS]:
        sheet = book.get_sheet_by_name(metadata.name)
        first: list[list[Any]] = []
        for row in _cells(sheet):
            first.append(row)
            if len(first) == FIRST_ROWS:
                break
        for (top, left), (bottom, right) in (sheet.merged_cell_ranges or [])[:MOST_MERGES]:
            if top >= len(first):
                continue
            value = first[top][left] if left < len(first[top]) else None
            for row in first[top : bottom + 1]:
                for column in range(left, min(right + 1, len(row))):
                    row[column] = value
        yield {"name": metadata.name, "rows": first}


def _rows(book: python_calamine.CalamineWorkbook, name: str, filled: str) -> Iterator[list[Any]]:
    """Yield every row. Where a cell of the named columns is merged downwards, its value stands in each row of it."""
    sheet = book.get_sheet_by_name(name)
    columns = {int(column) for column in filled.split(",") if column}
    merged = {
        (top, left): bottom
        for (top, left), (bottom, _) in (sheet.merged_cell_ranges or [])[:MOST_MERGES]
        if bottom > top and left in columns
    }
    # By column: the last row that a merged cell reaches, and its value.
    reaching: dict[int, tuple[int, Any]] = {}
    for number, row in enumerate(_cells(sheet)):
        for column in columns:
            if column >= len(row):
                continue
            if (number, column) in merged:
                reaching[column] = (merged[number, column], row[column])
            elif column in reaching and number <= reaching[column][0]:
                row[column] = reaching[column][1]
        yield row


def _cells(sheet: python_calamine.CalamineSheet) -> Iterator[list[Any]]:
    start = sheet.start
    if start is None:
        return
    missing = [None] * start[1]
    for row in sheet.iter_rows():
        yield missing + [_value(cell) for cell in row]


def _value(cell: Any) -> Any:
    match cell:
        case "":
            return None
        case datetime():
            return [cell.date().isoformat()]
        case date():
            return [cell.isoformat()]
        case time() | timedelta():
            return str(cell)
        case _:
            return cell


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

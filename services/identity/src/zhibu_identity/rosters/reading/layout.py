"""Where in a sheet the roster stands: the row of its headings, and what each column means, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from zhibu_identity.rosters.reading.cells import Cell, folded, text_of
from zhibu_identity.rosters.reading.dates import shows_two_digit_months
from zhibu_identity.rosters.reading.fields import NEEDED, Field, find_field
from zhibu_identity.rosters.reading.files import Row, Sheet
from zhibu_identity.rules.check_digits import resident_check_character

# Headings of up to three lines, within the first rows of a sheet.
MOST_HEADING_LINES: Final = 3
MOST_TITLE_ROWS: Final = 40
MOST_SAMPLES: Final = 3
# A row with fewer known headings is a title or data.
LEAST_KNOWN: Final = 2
# Share of the first cells that must look like a number before a column without a known heading is taken for it.
_LOOKS_SHARE: Final = 0.6
_MOST_HEADING: Final = 200


class Basis(Enum):
    """Why a column is taken for what it is: what to tell in Chinese and in English."""

    HEADING = ("表头", "by its heading")
    CONTENT = ("按内容判断", "by what stands in it")
    TAKEN = ("另一列已是这一项", "another column is this already")
    UNKNOWN = ("表头不认识", "the heading is not known")
    CHOSEN = ("人工指定", "chosen by hand")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the file and what it is taken for."""

    index: int
    heading: str
    field: Field
    basis: Basis
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a sheet is read. `heading_row` counts from 1, the last line of the headings."""

    sheet_name: str
    heading_row: int
    heading_lines: int
    columns: tuple[Column, ...]
    two_digit_months: frozenset[int] = frozenset()

    def column_of(self, field: Field) -> int | None:
        """Return the position of the column that holds a field."""
        return next((column.index for column in self.columns if column.field is field), None)

    @property
    def complete(self) -> bool:
        """Whether people can be told from each other: a name and a number."""
        return all(self.column_of(field) is not None for field in NEEDED)


def propose(sheets: Sequence[Sheet]) -> Layout:
    """Return how the sheet that looks most like a roster is probably to be read."""
    layouts = [propose_sheet(sheet) for sheet in sheets]
    # The first of the best: departments put old versions behind.
    return max(layouts, key=lambda layout: (layout.complete, _known(layout)))


def propose_sheet(sheet: Sheet, *, heading_row: int = 0, chosen: Mapping[int, Field] | None = None) -> Layout:
    """Return how a sheet is probably to be read; what was chosen by hand stands.

    `heading_row` fixes the last line of the headings, 0 leaves it to us.
    """
    rows = sheet.first_rows
    candidates = [heading_row - 1] if heading_row else range(min(len(rows), MOST_TITLE_ROWS))
    best = (0, 0, 0)
    for row in candidates:
        for lines in range(1, min(MOST_HEADING_LINES, row + 1) + 1):
            known = len({field for field in _fields_of(rows, row, lines) if field is not None})
            # More known headings first; then as few lines as possible, then as far up as possible.
            best = max(best, (known, -lines, -row))
    known, lines, row = best[0], -best[1], -best[2]
    if not known and heading_row:
        lines, row = 1, heading_row - 1
    elif known < LEAST_KNOWN and not heading_row:
        # No headings at all: a file of data alone. What stands in the columns decides.
        lines, row = 0, -1
    return _layout(sheet, row, lines, chosen=chosen or {})


def _layout(sheet: Sheet, row: int, lines: int, *, chosen: Mapping[int, Field]) -> Layout:
    rows = sheet.first_rows
    width = max((len(each) for each in rows), default=0)
    fields = _fields_of(rows, row, lines) if 0 <= row < len(rows) else []
    taken = Counter(chosen.values())
    columns: list[Column] = []
    for index in range(width):
        below = [each[index] for each in rows[row + 1 :] if index < len(each) and each[index] is not None]
        field = fields[index] if index < len(fields) else None
        basis = Basis.HEADING
        if index in chosen:
            field, basis = chosen[index], Basis.CHOSEN
        elif field is not None and taken[field]:
            field, basis = Field.IGNORED, Basis.TAKEN
        elif field is None:
            looks = _looks_like(below)
            found = looks is not None and looks not in fields and not taken[looks]
            field, basis = (looks, Basis.CONTENT) if found else (None, Basis.UNKNOWN)
        field = field or Field.IGNORED
        if field is not Field.IGNORED and basis is not Basis.CHOSEN:
            taken[field] += 1
        heading = _heading(rows, row, lines, index)
        if heading or below:
            samples = tuple(text_of(cell)[:40] for cell in below[:MOST_SAMPLES])
            columns.append(Column(index=index, heading=heading, field=field, basis=basis, samples=samples))
    months = frozenset(
        index
        for index in range(width)
        if any(shows_two_digit_months(each[index]) for each in rows[row + 1 :] if index < len(each))
    )
    return Layout(
        sheet_name=sheet.name,
        heading_row=row + 1,
        heading_lines=lines,
        columns=tuple(columns),
        two_digit_months=months,
    )


def _fields_of(rows: Sequence[Row], row: int, lines: int) -> list[Field | None]:
    """Return what each column's heading names, when the headings end in a row and have so many lines."""
    if row >= len(rows):
        return []
    found: list[Field | None] = []
    for index in range(max(len(each) for each in rows[row - lines + 1 : row + 1])):
        parts = _parts(rows, row, lines, index)
        # A heading over two lines means both together (入党 / 时间), or its last line alone (基本情况 / 姓名).
        candidates = ["".join(parts), parts[-1] if parts else ""]
        found.append(next((field for text in candidates if (field := find_field(text)) is not None), None))
    return found


def _parts(rows: Sequence[Row], row: int, lines: int, index: int) -> list[str]:
    parts: list[str] = []
    for each in rows[row - lines + 1 : row + 1]:
        text = folded(each[index]) if index < len(each) else ""
        # A cell merged over several lines stands in each of them.
        if text and (not parts or parts[-1] != text):
            parts.append(text)
    return parts


def _heading(rows: Sequence[Row], row: int, lines: int, index: int) -> str:
    return "/".join(_parts(rows, row, lines, index))[:_MOST_HEADING] if lines else ""


def _looks_like(cells: Sequence[Cell]) -> Field | None:
    texts = [folded(cell).upper() for cell in cells if folded(cell)]
    if len(texts) < 1:
        return None
    for field, looks in ((Field.RESIDENT_NUMBER, _is_resident_number), (Field.TELEPHONE, _is_mobile)):
        if sum(map(looks, texts)) >= _LOOKS_SHARE * len(texts):
            return field
    return None


def _is_resident_number(text: str) -> bool:
    return (
        len(text) == 18 and text[:17].isdigit() and text.isascii() and resident_check_character(text[:17]) == text[17]
    )


def _is_mobile(text: str) -> bool:
    return len(text) == 11 and text.isascii() and text.isdigit() and text.startswith("1")


def _known(layout: Layout) -> int:
    return sum(column.field is not Field.IGNORED for column in layout.columns)

"""What a cell can hold, and what stands in it as text."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Final

# A date cell is a date; empty cells and cells with an error (#REF!) are None. A formula is its last result.
Cell = str | int | float | bool | date | None

# Longer texts are no field of a roster; spreadsheets allow 32,767.
MOST_CHARACTERS: Final = 2_000
# Spreadsheets and copied web pages bring these along; nobody sees them.
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f"))
_QUOTES: Final = ("'", "‘", "’", "`")


def text_of(cell: Cell) -> str:
    """Return what stands in a cell, without blanks around it; a whole number without a decimal point."""
    match cell:
        case None:
            return ""
        case bool():
            return "是" if cell else "否"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case float():
            return repr(cell)
        case date():
            return cell.isoformat()
        case _:
            text = str(cell).translate(_INVISIBLE).strip()
            # A leading apostrophe means "this is text" to a spreadsheet, and is left over in a CSV file.
            return text[1:].strip() if text.startswith(_QUOTES) else text


def folded(cell: Cell) -> str:
    """Return the text with full-width letters, digits and signs made half-width, and without any blanks."""
    return "".join(unicodedata.normalize("NFKC", text_of(cell)).split())


def column_name(index: int) -> str:
    """Return how a spreadsheet names a column: 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name

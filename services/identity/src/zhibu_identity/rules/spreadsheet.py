"""Cells of a CSV file that a spreadsheet opens: they show text and never run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

# Spreadsheets take it that the file is UTF-8 only when it begins so.
BYTE_ORDER_MARK: Final = "\ufeff"
# A cell that begins with one of these is a formula to some spreadsheet (OWASP, CSV Injection); full-width forms too.
_FORMULA_STARTS: Final = frozenset("=+-@\t\r\n＝＋－＠|%")


def row_of(cells: Iterable[str]) -> str:
    """Return one line (RFC 4180), every cell quoted and none of them a formula."""
    return ",".join(_cell(cell) for cell in cells) + "\r\n"


def _cell(text: str) -> str:
    harmless = f"'{text}" if text and (text[0] in _FORMULA_STARTS or text.lstrip()[:1] in _FORMULA_STARTS) else text
    escaped = harmless.replace('"', '""')
    return f'"{escaped}"'

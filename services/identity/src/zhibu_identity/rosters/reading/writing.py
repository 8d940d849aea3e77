"""Writing spreadsheets piece by piece: a file of any length takes the memory of some rows.

Every cell is text (`inlineStr`), which no spreadsheet takes for a formula or a quantity, so numbers keep all their digits.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from zhibu_identity.rosters.reading.cells import column_name

ROWS_PER_PIECE: Final = 500
# Characters that XML 1.0 does not have, and what is left over of broken surrogates.
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMESPACE: Final = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SHEET_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Style 1: text ("@", number format 49). Style 2: the same in bold. Style 3: the same in red.
_STYLES: Final = (
    f"{_XML}<styleSheet {_NAMESPACE}>"
    '<fonts count="3"><font><sz val="11"/><name val="宋体"/></font><font><b/><sz val="11"/><name val="宋体"/></font>'
    '<font><color rgb="FFC00000"/><sz val="11"/><name val="宋体"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="4"><xf/><xf numFmtId="49" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" applyNumberFormat="1"'
    ' applyFont="1"/><xf numFmtId="49" fontId="2" applyNumberFormat="1" applyFont="1"/></cellXfs></styleSheet>'
)
TEXT: Final = 1
HEADING: Final = 2
REMARK: Final = 3


def xlsx_pieces(
    rows: Iterable[tuple[list[str], int]], *, sheet_name: str, widths: list[int], last_column_style: int = TEXT
) -> Iterator[bytes]:
    """Yield an .xlsx file in pieces. `rows` are texts with the style of the row."""
    writer = XlsxWriter(sheet_name=sheet_name, widths=widths, last_column_style=last_column_style)
    batch: list[tuple[list[str], int]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == ROWS_PER_PIECE:
            yield writer.write(batch)
            batch = []
    yield writer.write(batch) + writer.finish()


class XlsxWriter:
    """Writes one sheet; each call returns the bytes that are ready."""

    def __init__(self, *, sheet_name: str, widths: list[int], last_column_style: int = TEXT) -> None:
        """Begin a file with one sheet."""
        self._out = _Pieces()
        self._archive = _Archive(self._out, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._last_column = len(widths) - 1
        self._last_column_style = last_column_style
        self._row = 0
        self._put_frame(sheet_name)
        self._sheet = self._archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True)
        columns = "".join(
            f'<col min="{at}" max="{at}" width="{width}" style="1" customWidth="1"/>'
            for at, width in enumerate(widths, 1)
        )
        self._sheet.write(f"{_XML}<worksheet {_NAMESPACE}><cols>{columns}</cols><sheetData>".encode())

    def write(self, rows: Iterable[tuple[list[str], int]]) -> bytes:
        """Add rows; return what is ready to be sent."""
        for cells, style in rows:
            self._row += 1
            self._sheet.write(self._xml_of(cells, style).encode())
        return self._out.take()

    def finish(self) -> bytes:
        """End the file; return the rest of it."""
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()
        self._archive.close()
        return self._out.take()

    def _xml_of(self, cells: list[str], style: int) -> str:
        parts = [f'<row r="{self._row}">']
        for index, text in enumerate(cells):
            if text:
                own = self._last_column_style if index == self._last_column and style == TEXT else style
                clean = escape(_FORBIDDEN.sub("", text))
                parts.append(
                    f'<c r="{column_name(index)}{self._row}" s="{own}" t="inlineStr">'
                    f'<is><t xml:space="preserve">{clean}</t></is></c>'
                )
        parts.append("</row>")
        return "".join(parts)

    def _put_frame(self, sheet_name: str) -> None:
        name = quoteattr(_FORBIDDEN.sub("", re.sub(r"[\\/*?:\[\]]", " ", sheet_name))[:31] or "Sheet1")
        frame = {
            "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET_TYPE}.worksheet+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET_TYPE}.styles+xml"/></Types>',
            "_rels/.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'{_XML}<workbook {_NAMESPACE} xmlns:r="{_RELATIONS}"><sheets>'
            f'<sheet name={name} sheetId="1" r:id="rId1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="rId2" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>',
            "xl/styles.xml": _STYLES,
        }
        for path, text in frame.items():
            self._archive.writestr(path, text)


class _Archive(zipfile.ZipFile):
    """An archive that is not finished when it is thrown away: a download may be broken off in the middle of the sheet."""

    def __del__(self) -> None:
        pass


class _Pieces(io.RawIOBase):
    """Where the archive is written to: nothing can be sought in it, and what is there is taken away."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        piece = bytes(data)
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken

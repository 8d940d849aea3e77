"""Files as departments keep their rosters, each with its own oddity; nobody in them exists."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter
from support.synthetic_people import new_resident_number, new_telephone
from zhibu_identity.rules.check_digits import resident_check_character

HEADINGS = ("姓名", "身份证号", "性别", "民族", "学历", "人员类别", "入党时间", "手机号码", "所在党支部")


def number_of(birth: date = date(1980, 5, 17), *, order: int = 1, area: str = "990724") -> str:
    """Return the number of somebody with a birth date and an order: odd for men."""
    first_17 = f"{area}{birth:%Y%m%d}{order:03d}"
    return first_17 + resident_check_character(first_17)


def person_row(
    name: str = "张伟",
    number: str | None = None,
    *,
    branch: str = "临朐县第一党支部",
    status: str = "正式党员",
    admitted: Any = "2001-07-01",
    telephone: str | None = None,
) -> list[Any]:
    """Return a row under HEADINGS."""
    number = number or new_resident_number()
    gender = "男" if int(number.ljust(17, "0")[16]) % 2 else "女"
    telephone = new_telephone() if telephone is None else telephone
    return [name, number, gender, "汉族", "大专", status, admitted, telephone, branch]


def xlsx(
    rows: Sequence[Sequence[Any]],
    *,
    merges: Sequence[tuple[int, int, int, int, Any]] = (),
    sheets: Sequence[tuple[str, Sequence[Sequence[Any]], bool]] = (),
    name: str = "党员花名册",
    change: Callable[[xlsxwriter.Workbook, Any], None] | None = None,
) -> bytes:
    """Return an .xlsx with these rows; further `sheets` are (name, rows, hidden)."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False})
    day = book.add_format({"num_format": 'yyyy"年"m"月"'})
    for sheet_name, content, hidden in ((name, rows, False), *sheets):
        sheet = book.add_worksheet(sheet_name)
        for at, row in enumerate(content):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(at, column, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001 - a cell has no zone
                elif isinstance(value, (int, float)):
                    sheet.write_number(at, column, value)
                elif value is not None:
                    sheet.write_string(at, column, value)
        if hidden:
            sheet.hide()
        if sheet_name == name:
            for merge in merges:
                sheet.merge_range(*merge)
            if change is not None:
                change(book, sheet)
    book.close()
    return out.getvalue()


def csv(rows: Sequence[Sequence[str]], *, encoding: str = "utf-8-sig", delimiter: str = ",") -> bytes:
    """Return the rows as text."""
    return "".join(delimiter.join(row) + "\r\n" for row in rows).encode(encoding)


def bomb() -> bytes:
    """Return an .xlsx whose directory says that a sheet unpacks to four gigabytes."""
    data = bytearray(xlsx([["姓名"]]))
    entry = data.rindex(b"xl/sharedStrings.xml") - 46
    data[entry + 24 : entry + 28] = (0xF0000000).to_bytes(4, "little")
    return bytes(data)


def lying_bomb() -> bytes:
    """Return an .xlsx whose directory hides that a sheet unpacks to two gigabytes."""
    packer = zlib.compressobj(9, wbits=-15)
    head = packer.compress(b"<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><si><t>")
    head += packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush a piece refers to nothing before it, so that it can be repeated as it is.
    piece = packer.compress(b"A" * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = head + piece * 2048 + packer.flush()
    data = replaced(xlsx([["姓名"]]), "xl/sharedStrings.xml", packed, compression=zipfile.ZIP_STORED)
    for signature, method_at, size_at in ((b"PK\x03\x04", 8, 22), (b"PK\x01\x02", 10, 24)):
        header = 30 if signature == b"PK\x03\x04" else 46
        find = data.index if signature == b"PK\x03\x04" else data.rindex
        entry = find(b"xl/sharedStrings.xml") - header
        changed = bytearray(data)
        changed[entry + method_at : entry + method_at + 2] = (8).to_bytes(2, "little")
        changed[entry + size_at : entry + size_at + 4] = (1000).to_bytes(4, "little")
        data = bytes(changed)
    return data


def far_away_cell() -> bytes:
    """Return an .xlsx of two cells, the last possible one among them: as a table it has 17 thousand million cells."""
    sheet = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>姓名</t></is></c></row>'
        '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>'
    )
    return replaced(xlsx([["姓名"]]), "xl/worksheets/sheet1.xml", sheet.encode())


def replaced(archive: bytes, path: str, content: bytes, *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive with other content in one of its files."""
    source, out = zipfile.ZipFile(io.BytesIO(archive)), io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, content if entry.filename == path else source.read(entry.filename))
    return out.getvalue()


def encrypted() -> bytes:
    """Return the beginning of what Office makes of an .xlsx with a password: a container with a stream of this name."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(512)


def xls(rows: Sequence[Sequence[Any]], *, password: bool = False) -> bytes:
    """Return an .xls ([MS-XLS], BIFF8) with these rows of texts and numbers."""
    cells = b"".join(
        _cell_record(at, column, value) for at, row in enumerate(rows) for column, value in enumerate(row) if value
    )
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0x0600)) + cells + _record(0x000A, b"")
    name = "花名册".encode("utf-16-le")
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0x0600))
    begin += _record(0x002F, b"\x01" + bytes(53)) if password else b""
    begin += _record(0x0042, struct.pack("<H", 1200))
    after = len(begin) + 4 + 8 + len(name) + 4
    bound = _record(0x0085, struct.pack("<IBBBB", after, 0, 0, len(name) // 2, 1) + name)
    return _container(begin + bound + _record(0x000A, b"") + sheet)


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _cell_record(row: int, column: int, value: Any) -> bytes:
    if isinstance(value, str):
        return _record(0x0204, struct.pack("<HHHHB", row, column, 0, len(value), 1) + value.encode("utf-16-le"))
    return _record(0x0203, struct.pack("<HHHd", row, column, 0, float(value)))


def _container(stream: bytes) -> bytes:
    """Return a compound file ([MS-CFB]) with one stream, Workbook: sector 0 the table, 1 the directory, then it."""
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    sectors = len(stream) // 512
    assert sectors <= 125, "one sector of the table is enough for these files"
    free, end, table_sector = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    chain = [table_sector, end, *(at + 3 for at in range(sectors - 1)), end]
    table = struct.pack("<128I", *chain, *([free] * (128 - len(chain))))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096, end, 0, end, 0, 0)
    header += struct.pack("<108I", *([free] * 108))

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = f"{name}\0".encode("utf-16-le")
        head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, free, free, child)
        return head + bytes(36) + struct.pack("<IQ", start, size)

    directory = entry("Root Entry", 5, 1, end, 0) + entry("Workbook", 2, free, 2, len(stream)) + bytes(256)
    return header + table + directory + stream

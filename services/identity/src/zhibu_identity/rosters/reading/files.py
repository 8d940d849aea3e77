"""A file becomes rows of cells: .xlsx and .xls in a child process with bounds (`jail`), .csv here."""

from __future__ import annotations

import codecs
import csv
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import IO, Any, Final, cast

from zhibu_identity.rosters.reading.cells import MOST_CHARACTERS, Cell

MOST_FILE_BYTES: Final = 64 * 1024 * 1024
# A roster of 100,000 rows is about 100 MB of XML inside its .xlsx.
MOST_EXPANDED_BYTES: Final = 400 * 1024 * 1024
MOST_ROWS: Final = 200_000
MOST_COLUMNS: Final = 200
MOST_SHEETS: Final = 100
# Rows that are looked at to find the headings.
FIRST_ROWS: Final = 60
CSV_SHEET: Final = "CSV"
_HEAD_BYTES: Final = 4096
_DELIMITERS: Final = ",\t;"

# [MS-XLS] 2.4.21 BOF of the workbook; only WRITEPROT may stand between it and FILEPASS.
_BEGINNING_OF_XLS: Final = b"\x09\x08\x10\x00\x00\x06\x05\x00"
_BEFORE_PASSWORD: Final = frozenset({b"\x09\x08", b"\x86\x00"})
_FILE_PASS: Final = b"\x2f\x00"

Row = list[Cell]


class FileFault(Enum):
    """Why a file cannot be read: what to tell in Chinese and in English."""

    EMPTY = ("文件是空的。", "The file is empty.")
    PASSWORD = (
        "文件有打开密码。请在表格软件中去掉密码，另存后再上传。",
        "The file has a password. Remove it in the spreadsheet program, save, and upload again.",
    )
    HTML = (
        "这不是真正的表格文件，而是网页另存的。请用表格软件打开，另存为 .xlsx 后再上传。",
        "This is a web page saved under the name of a spreadsheet. Open it, save it as .xlsx, and upload that.",
    )
    NOT_A_SPREADSHEET = (
        "这不是 .xlsx、.xls 或 .csv 文件。请另存为 .xlsx 后再上传。",
        "This is no .xlsx, .xls or .csv file. Save it as .xlsx and upload that.",
    )
    DAMAGED = (
        "文件不完整或已损坏。请用表格软件打开，另存后再上传。",
        "The file is incomplete or damaged. Open it in the spreadsheet program, save it anew, and upload that.",
    )
    TOO_LARGE = (
        "文件展开后过大。请只保留花名册所在的工作表，另存后再上传。",
        "The file is too large when unpacked. Keep only the roster's sheet, save, and upload again.",
    )
    TOO_MANY_ROWS = ("行数超过 20 万，请分成几个文件上传。", "There are more than 200,000 rows; split the file.")
    TOO_MANY_COLUMNS = ("列数超过 200，请删去不用的列。", "There are more than 200 columns; delete those not needed.")
    ENCODING = (
        "看不懂文件的编码。请用表格软件打开，另存为 .xlsx 后再上传。",
        "The encoding is neither UTF-8 nor GB18030. Open the file, save it as .xlsx, and upload that.",
    )
    NO_ROWS = ("文件里没有可见的、有内容的工作表。", "The file has no visible sheet with content.")
    SHEET_UNKNOWN = ("没有这个工作表。", "There is no such sheet.")
    HEADINGS_NOT_FOUND = (
        "找不到“姓名”和“公民身份号码”两列。请指定工作表、表头所在行和各列的含义。",
        "No columns with name and resident number were found. Name the sheet, the row of the headings, and the columns.",
    )


class UnreadableFileError(Exception):
    """The file cannot be read; `fault` says why."""

    def __init__(self, fault: FileFault) -> None:
        """Carry the fault."""
        super().__init__(fault.name)
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A sheet as it begins: merged cells are filled with what stands in them."""

    name: str
    first_rows: list[Row]


class Format(Enum):
    """What a file is, whatever its name says."""

    SPREADSHEET = "spreadsheet"
    CSV = "csv"


def inspect(file: IO[bytes]) -> list[Sheet]:
    """Return the visible sheets that hold something, with their first rows.

    Raises:
        UnreadableFileError: with the fault.
    """
    if _format_of(file) is Format.CSV:
        rows = [row for row, _ in zip(_csv_rows(file), range(FIRST_ROWS), strict=False)]
        sheets = [Sheet(name=CSV_SHEET, first_rows=rows)]
    else:
        with _jailed(file, "inspect") as answers:
            sheets = [
                Sheet(name=str(given["name"]), first_rows=[_row(row) for row in given["rows"]]) for given in answers
            ]
    sheets = [sheet for sheet in sheets if any(any(cell is not None for cell in row) for row in sheet.first_rows)]
    if not sheets:
        raise UnreadableFileError(FileFault.NO_ROWS)
    return sheets


@contextmanager
def open_rows(file: IO[bytes], sheet_name: str, *, filled: Iterable[int] = ()) -> Generator[Iterator[Row]]:
    """Give every row of a sheet from the first one on.

    In the columns `filled`, cells merged downwards are filled: one name of a branch stands for many people, but never
    one name or number.

    Raises:
        UnreadableFileError: with the fault.
    """
    if _format_of(file) is Format.CSV:
        yield _bounded(_csv_rows(file))
        return
    with _jailed(file, "rows", sheet_name, ",".join(map(str, filled))) as answers:
        yield _bounded(_row(row) for row in answers)


def _format_of(file: IO[bytes]) -> Format:
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if not head.strip(b"\x00 \t\r\n"):
        raise UnreadableFileError(FileFault.EMPTY)
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > MOST_FILE_BYTES:
        raise UnreadableFileError(FileFault.TOO_LARGE)
    if head.startswith(b"PK\x03\x04"):
        _check_archive(file)
        return Format.SPREADSHEET
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        if _has_password(file.read()):
            raise UnreadableFileError(FileFault.PASSWORD)
        return Format.SPREADSHEET
    plain = head.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if plain.startswith(b"<") or b"<html" in plain or b"<table" in plain:
        raise UnreadableFileError(FileFault.HTML)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Format.CSV
    if b"\x00" in head or plain.startswith((b"%pdf", b"\x89png", b"\xff\xd8", b"gif8", b"rar!", b"7z\xbc", b"{\\rtf")):
        raise UnreadableFileError(FileFault.NOT_A_SPREADSHEET)
    return Format.CSV


def _has_password(container: bytes) -> bool:
    """Say whether a compound file is encrypted: an .xlsx lies in it as a whole, an .xls says so in its first records."""
    if "EncryptedPackage".encode("utf-16-le") in container:
        return True
    at = container.find(_BEGINNING_OF_XLS)
    while 0 <= at <= len(container) - 4 and container[at : at + 2] in _BEFORE_PASSWORD:
        at += 4 + int.from_bytes(container[at + 2 : at + 4], "little")
    return at >= 0 and container[at : at + 2] == _FILE_PASS


def _check_archive(file: IO[bytes]) -> None:
    """Look at the directory of an .xlsx before anything is unpacked. What lies about its size is stopped by the jail."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError):
        raise UnreadableFileError(FileFault.DAMAGED) from None
    if sum(entry.file_size for entry in entries) > MOST_EXPANDED_BYTES:
        raise UnreadableFileError(FileFault.TOO_LARGE)
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableFileError(FileFault.PASSWORD)
    if not any(entry.filename.startswith("xl/workbook.") for entry in entries):
        raise UnreadableFileError(FileFault.NOT_A_SPREADSHEET)
    file.seek(0)


@contextmanager
def _jailed(file: IO[bytes], *command: str) -> Generator[Iterator[Any]]:
    """Read a spreadsheet in a child process: whatever is done to it, only the child can die of it."""
    # The arguments are our own words and the name of a sheet, which the child looks up in the file.
    child = subprocess.Popen(
        [sys.executable, "-m", "zhibu_identity.rosters.reading.jail", *command],
        # Nothing of ours is in its hands: neither the master key nor the databases' addresses.
        env={"PYTHONUTF8": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        file.seek(0)
        try:
            while piece := file.read(1 << 20):
                child.stdin.write(piece)
            child.stdin.close()
        except BrokenPipeError:
            # It died of the file; what it said before, or that it said nothing, is judged below.
            pass
        yield _answers(child.stdout)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        with _ignoring_broken_pipe():
            child.stdin.close()


@contextmanager
def _ignoring_broken_pipe() -> Generator[None]:
    try:
        yield
    except BrokenPipeError:
        return


def _answers(stdout: IO[bytes]) -> Iterator[Any]:
    for line in stdout:
        answer = json.loads(line)
        if isinstance(answer, dict) and "end" in answer:
            return
        if isinstance(answer, dict) and "fault" in answer:
            raise UnreadableFileError(FileFault[str(cast("dict[str, Any]", answer)["fault"])])
        yield answer
    # It ended without a word: the bounds on its memory or time have ended it.
    raise UnreadableFileError(FileFault.TOO_LARGE)


def _row(cells: list[Any]) -> Row:
    return [_cell(cell) for cell in cells]


def _cell(given: Any) -> Cell:
    match given:
        case list():
            return date.fromisoformat(str(cast("list[Any]", given)[0]))
        case str():
            return given[:MOST_CHARACTERS] if given.strip() else None
        case _:
            return cast("Cell", given)


def _bounded(rows: Iterator[Row]) -> Iterator[Row]:
    blank = 0
    for count, row in enumerate(rows, 1):
        # Programs leave formatted, empty rows below the last one; they do not count.
        blank = 0 if any(cell is not None for cell in row) else blank + 1
        if count - blank >= MOST_ROWS:
            raise UnreadableFileError(FileFault.TOO_MANY_ROWS)
        if len(row) > MOST_COLUMNS and any(cell is not None for cell in row[MOST_COLUMNS:]):
            raise UnreadableFileError(FileFault.TOO_MANY_COLUMNS)
        yield row[:MOST_COLUMNS]


def _csv_rows(file: IO[bytes]) -> Iterator[Row]:
    encoding = _encoding_of(file)
    file.seek(0)
    text = io.TextIOWrapper(cast("IO[bytes]", _Unclosed(file)), encoding=encoding, newline="", errors="strict")
    head = text.read(_HEAD_BYTES)
    text.seek(0)
    delimiter = max(_DELIMITERS, key=head.count)
    csv.field_size_limit(1 << 20)
    try:
        for row in csv.reader(text, delimiter=delimiter):
            yield [_cell(cell.replace("\x00", "")) for cell in row]
    except csv.Error:
        raise UnreadableFileError(FileFault.DAMAGED) from None
    finally:
        text.detach()


class _Unclosed(io.BufferedReader):
    """A view of a file that a text wrapper may close without closing the file."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(_Raw(file), buffer_size=1 << 16)


class _Raw(io.RawIOBase):
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any, /) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _encoding_of(file: IO[bytes]) -> str:
    """Return the encoding: what a mark at the beginning says, else UTF-8 when all of it is, else GB18030."""
    file.seek(0)
    head = file.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        if _decodes(file, encoding):
            return encoding
    raise UnreadableFileError(FileFault.ENCODING)


def _decodes(file: IO[bytes], encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while piece := file.read(1 << 20):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True

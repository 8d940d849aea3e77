"""A form with one file in it: the fields come first and are believed first, the file is passed on as it arrives.

Frameworks keep a file until it is complete. A roster has up to 64 MB, and many clerks may send one at the same time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import Depends, Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from zhibu_web.visit import ForgedFormError, SignInNeededError, Visit, services_of

# All fields before the file together; ours are a token and an identifier.
MAX_FIELDS_BYTES: Final = 32 * 1024
MAX_PARTS: Final = 50
MAX_FILE_NAME: Final = 200
_DEFAULT_TYPE: Final = "application/octet-stream"


@dataclass(slots=True)
class _Part:
    name: str = ""
    file_name: str | None = None
    content_type: str = _DEFAULT_TYPE
    value: bytearray = field(default_factory=bytearray)


class FileForm:
    """Reads a multipart body piece by piece."""

    def __init__(self, content_type: str, body: AsyncIterator[bytes]) -> None:
        """Read nothing yet.

        Raises:
            ForgedFormError: the body is not of this kind.
        """
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not boundary:
            raise ForgedFormError
        self._body = body
        self._parts = 0
        self._fields_bytes = 0
        self._part = _Part()
        self._header = (bytearray(), bytearray())
        self._pieces: deque[bytes] = deque()
        self._file_ended = False
        self._file: _Part | None = None
        self.fields: list[tuple[str, str]] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_part_data": self._data,
                "on_part_end": self._end_part,
                "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._headers_finished,
            },
        )

    @property
    def file_name(self) -> str:
        """Name of the file without any folder; empty when none was chosen."""
        name = (self._file.file_name or "") if self._file is not None else ""
        return name.replace("\\", "/").rpartition("/")[2].strip()[-MAX_FILE_NAME:]

    @property
    def content_type(self) -> str:
        """Media type as the browser says."""
        return self._file.content_type if self._file is not None else _DEFAULT_TYPE

    async def read_fields(self) -> None:
        """Read up to the file, or to the end when there is none."""
        while self._file is None and await self._advance():
            pass

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Give the file as it arrives."""
        while True:
            while self._pieces:
                yield self._pieces.popleft()
            if self._file_ended:
                return
            if not await self._advance():
                # The browser went away in the middle: what arrived must not pass for a whole file.
                raise ForgedFormError

    async def _advance(self) -> bool:
        try:
            chunk = await anext(self._body, None)
        except ClientDisconnect:
            raise ForgedFormError from None
        if chunk is None:
            return False
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise ForgedFormError from None
        return True

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise ForgedFormError
        self._part = _Part()

    def _end_header(self) -> None:
        name, value = (bytes(one) for one in self._header)
        self._header = (bytearray(), bytearray())
        if name.lower() == b"content-disposition":
            _, options = parse_options_header(value)
            self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
            if b"filename" in options:
                self._part.file_name = options[b"filename"].decode("utf-8", "replace")
        elif name.lower() == b"content-type":
            self._part.content_type = value.decode("latin-1")[:100]

    def _headers_finished(self) -> None:
        if self._part.file_name is not None:
            if self._file is not None:
                raise ForgedFormError
            self._file = self._part

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._part is self._file:
            self._pieces.append(data[start:end])
            return
        self._fields_bytes += end - start
        if self._fields_bytes > MAX_FIELDS_BYTES:
            raise ForgedFormError
        self._part.value.extend(data[start:end])

    def _end_part(self) -> None:
        if self._part is self._file:
            self._file_ended = True
        else:
            self.fields.append((self._part.name, self._part.value.decode("utf-8", "replace")))


@dataclass(frozen=True, slots=True)
class Upload:
    """A visit that brings a file."""

    visit: Visit
    file: FileForm


async def open_upload_visit(request: Request) -> Upload:
    """Open the visit of a member who sends a file; its body is read only for somebody who is logged in."""
    visit = Visit(request, services_of(request))
    request.state.visit = visit
    await visit.open(read_form=False)
    if not visit.signed_in:
        raise SignInNeededError
    file = FileForm(request.headers.get("content-type", ""), request.stream())
    await file.read_fields()
    visit.admit_form(file.fields)
    return Upload(visit, file)


UploadVisit = Annotated[Upload, Depends(open_upload_visit)]

"""What the platform keeps about the member, to be seen and to be taken along."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from zhibu_kit.clock import today_in_shanghai

from zhibu_web.contract import Message
from zhibu_web.contract_inbox import InboxPage, NoticePreferences
from zhibu_web.contract_people import Person
from zhibu_web.gateway_client import Gateway
from zhibu_web.pages.member_acts import found
from zhibu_web.visit import MemberVisit

router = APIRouter(prefix="/me/data")

# Each service gives what it keeps; the file holds one part per service.
PARTS: Final = (
    ("/v1/me/person:download", "identity.json"),
    ("/v1/me/record:download", "branches.json"),
)
# notify keeps references and makes the words when they are read, so its part is read as the inbox is.
NOTICES: Final = "notify.json"
_NOTICES_PER_CALL: Final = 200
# More than an inbox ever holds in the 400 days for which it is kept.
_MAX_CALLS: Final = 200
_CHUNK_BYTES: Final = 16_384


class _Person(Message):
    person: Person = Person()


@router.get("")
async def show_data(visit: MemberVisit) -> HTMLResponse:
    """Show the personal data; numbers are shown whole only when asked for."""
    gateway = await visit.gateway()
    person = (await found(gateway.get("/v1/me/person", _Person), _Person())).person
    return await visit.page("account/data.html", person=person)


@router.post("/download")
async def download(visit: MemberVisit) -> Response:
    """Put what every service keeps into one file and pass it on as it arrives."""
    gateway = await visit.gateway()
    async with AsyncExitStack() as stack:
        # All are opened before the first byte leaves, so that a refusal is still a page.
        files = [(name, await stack.enter_async_context(gateway.download(path))) for path, name in PARTS]
        preferences = await found(gateway.get("/v1/me/notice-preferences", NoticePreferences), NoticePreferences())
        first = await found(_notices_page(gateway, ""), InboxPage())
        held = stack.pop_all()
    parts = [(name, response.aiter_bytes(_CHUNK_BYTES)) for name, response in files]
    parts.append((NOTICES, _notices(gateway, preferences, first)))
    readme = visit.t("my_data.readme", parts=", ".join(name for name, _ in parts))

    async def chunks() -> AsyncGenerator[bytes]:
        async with held:
            async for chunk in zipped(parts, readme=readme):
                yield chunk

    day = today_in_shanghai(visit.services.clock).isoformat()
    headers = {"Content-Disposition": f'attachment; filename="my-data-{day}.zip"'}
    return visit.with_cookies(StreamingResponse(chunks(), media_type="application/zip", headers=headers))


async def _notices_page(gateway: Gateway, token: str) -> InboxPage:
    return await gateway.get("/v1/me/inbox", InboxPage, params={"pageSize": _NOTICES_PER_CALL, "pageToken": token})


async def _notices(gateway: Gateway, preferences: NoticePreferences, page: InboxPage) -> AsyncGenerator[bytes]:
    """Write wishes and notices, the newest first, page after page."""
    wishes = [one.model_dump(mode="json") for one in preferences.preferences]
    yield f'{{"notice_preferences": {json.dumps(wishes, ensure_ascii=False)}, "notices": ['.encode()
    between = ""
    for _ in range(_MAX_CALLS):
        for one in page.items:
            yield f"{between}{json.dumps(one.model_dump(mode='json'), ensure_ascii=False)}".encode()
            between = ","
        if not page.next_page_token:
            break
        page = await _notices_page(gateway, page.next_page_token)
    yield b"]}"


async def zipped(parts: Sequence[tuple[str, AsyncIterator[bytes]]], *, readme: str) -> AsyncGenerator[bytes]:
    """Make a ZIP archive of files while they arrive; never more than a chunk of it is kept."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", readme)
        for name, content in parts:
            with archive.open(name, "w") as file:
                async for chunk in content:
                    file.write(chunk)
                    for piece in sink.taken():
                        yield piece
    for piece in sink.taken():
        yield piece


class _Sink(io.RawIOBase):
    """A file that is written once from front to back, and handed on."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """Say that it can be written; it cannot be searched."""
        return True

    def write(self, data: object, /) -> int:
        """Take a piece."""
        piece = bytes(memoryview(data))  # pyright: ignore[reportArgumentType]
        self._pieces.append(piece)
        return len(piece)

    def taken(self) -> Iterator[bytes]:
        """Hand the pieces on."""
        pieces, self._pieces = self._pieces, []
        yield from (piece for piece in pieces if piece)

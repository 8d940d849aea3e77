"""An export as a stream of pieces: entries are read page by page, proofs are made in threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import closing
from datetime import datetime
from typing import Final

from google.api import httpbody_pb2
from google.protobuf import struct_pb2
from zhibu_kit.call import Call
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Database

from zhibu_audit.api.entry_messages import organisations_of
from zhibu_audit.entries import list_period, names_of
from zhibu_audit.errors import ENTRY_NOT_PROVABLE, LOG_NOT_WHOLE
from zhibu_audit.export_file import ExportAbout, ExportFile
from zhibu_audit.origins import Origin
from zhibu_audit.reach import Reach
from zhibu_audit.shelf import DAMAGED, Shelf

# Entries read at once: a few megabytes at most.
PAGE: Final = 400
_ZIP: Final = "application/zip"


async def export_pieces(
    database: Database,
    shelf: Shelf,
    log: Origin,
    reach: Reach,
    *,
    period: tuple[datetime, datetime],
    call: Call,
    now: datetime,
) -> AsyncGenerator[httpbody_pb2.HttpBody]:
    """Yield the file of what happened in a period within reach, as far as it is under a signed checkpoint.

    Raises:
        ServiceError: ENTRY_NOT_PROVABLE while there is no checkpoint; LOG_NOT_WHOLE when the log does not prove an entry.
    """
    signed = await asyncio.to_thread(shelf.covering, log, log.first_index)
    if signed is None:
        raise ENTRY_NOT_PROVABLE()
    organisation_id = call.organisation_id or ""
    async with database.transaction(call.scope, role=reach.role) as transaction:
        name = (await names_of(transaction, [organisation_id])).get(organisation_id, "")
    about = ExportAbout(organisation_id=organisation_id, organisation_name=name, period=period, made_at=now)
    places = (log.first_index, log.first_index + signed.checkpoint.size)
    yield _first_piece(organisation_id, period)
    with closing(await asyncio.to_thread(ExportFile, shelf, log, signed, about)) as file:
        after: tuple[datetime, int] | None = None
        while True:
            async with database.transaction(call.scope, role=reach.role) as transaction:
                rows = await list_period(transaction, reach, period=period, places=places, after=after, count_max=PAGE)
                names = await names_of(transaction, organisations_of(rows))
            try:
                pieces = await asyncio.to_thread(file.write, rows, names)
            except DAMAGED as error:
                raise LOG_NOT_WHOLE() from error
            for piece in pieces:
                yield httpbody_pb2.HttpBody(content_type=_ZIP, data=piece)
            if len(rows) < PAGE:
                break
            after = (rows[-1].occurred_at, rows[-1].entry_index)
        for piece in await asyncio.to_thread(file.finish):
            yield httpbody_pb2.HttpBody(content_type=_ZIP, data=piece)


def _first_piece(organisation_id: str, period: tuple[datetime, datetime]) -> httpbody_pb2.HttpBody:
    """Return the piece that names the file."""
    start, end = (f"{instant.astimezone(SHANGHAI):%Y%m%d}" for instant in period)
    described = struct_pb2.Struct()
    described.update({"file_name": f"zhibu-log-{organisation_id}-{start}-{end}.zip"})
    first = httpbody_pb2.HttpBody(content_type=_ZIP)
    first.extensions.add().Pack(described)
    return first

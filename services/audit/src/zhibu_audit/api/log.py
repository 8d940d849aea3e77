"""Handlers of zhibu.audit.v1.LogService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, Final

from google.api import httpbody_pb2
from sqlalchemy import Row
from zhibu.audit.v1 import entry_pb2
from zhibu.audit.v1 import log_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.errors import NOT_FOUND, PERMISSION_DENIED
from zhibu_kit.paging import encode_page_token, page_of
from zhibu_kit.ports import OrganisationTree

from zhibu_audit.api.entry_messages import (
    NAMES_OF_OUTCOMES,
    Wording,
    entry_message,
    my_entry_message,
    organisations_of,
)
from zhibu_audit.api.exports import export_pieces
from zhibu_audit.api.requests import before_of, member_of, period_of, token_keys, wanted_of
from zhibu_audit.api.state_messages import state_message
from zhibu_audit.entries import (
    find_entry,
    find_entry_about,
    find_opening,
    list_entries_about,
    names_of,
    search_entries,
)
from zhibu_audit.origins import Origin, list_origins
from zhibu_audit.proving import provable_of, prove
from zhibu_audit.reach import reach_of
from zhibu_audit.shelf import Shelf
from zhibu_audit.standing import standing_of

READ_LOG: Final = "audit.log.read"
_TEXT: Final = "text/plain; charset=utf-8"
_BINARY: Final = "application/octet-stream"


class LogApi:
    """Handlers of zhibu.audit.v1.LogService."""

    def __init__(self, database: Database, clock: Clock, *, organisations: OrganisationTree, shelf: Shelf) -> None:
        """Take the database, the clock, the tree of organisations, and the logs on the disk."""
        self._database = database
        self._clock = clock
        self._organisations = organisations
        self._shelf = shelf

    async def GetCheckpoint(self, request: pb.GetCheckpointRequest, call: Call) -> httpbody_pb2.HttpBody:
        async with self._database.read(call, request) as read:
            log = await _newest_log(read)
            data = await asyncio.to_thread(self._shelf.find_checkpoint, log)
            if data is None:
                raise NOT_FOUND(noun="log_file")
            return read.reply(httpbody_pb2.HttpBody(content_type=_TEXT, data=data))

    async def GetTile(self, request: pb.GetTileRequest, call: Call) -> httpbody_pb2.HttpBody:
        async with self._database.read(call, request) as read:
            return read.reply(await self._file(read, f"tile/{request.level}/{request.path}"))

    async def GetEntryBundle(self, request: pb.GetEntryBundleRequest, call: Call) -> httpbody_pb2.HttpBody:
        held = [grant.organisation_id for grant in call.caller.grants if READ_LOG in grant.permissions]
        # The whole log: held for a county it is not enough.
        if not any([await self._is_province(organisation_id) for organisation_id in held]):
            raise PERMISSION_DENIED()
        async with self._database.read(call, request) as read:
            return read.reply(await self._file(read, f"tile/entries/{request.path}"))

    async def GetLogState(self, request: pb.GetLogStateRequest, call: Call) -> pb.GetLogStateResponse:
        async with self._database.read(call, request) as read:
            log = await _newest_log(read)
            signed = await asyncio.to_thread(self._shelf.signed, log)
            signed_at = await asyncio.to_thread(self._shelf.signed_at, log)
            standing = await standing_of(read)
            return read.reply(state_message(log, standing, self._shelf, signed=signed, signed_at=signed_at))

    async def SearchEntries(self, request: pb.SearchEntriesRequest, call: Call) -> pb.SearchEntriesResponse:
        wanted = wanted_of(request)
        query = f"{request.organisation_id}\n{wanted}"
        page = page_of(request.page_size, request.page_token, query=query, keys=2)
        before = before_of(page.after)
        reach = await reach_of(self._organisations, request.organisation_id)
        async with self._database.read(call, request, role=reach.role) as read:
            found = await search_entries(read, reach, wanted, before=before, count_max=page.size + 1)
            shown = found[: page.size]
            wording = await self._wording(read, shown, call)
            response = pb.SearchEntriesResponse(entries=[entry_message(row, wording) for row in shown])
            if len(found) > page.size:
                response.next_page_token = encode_page_token(token_keys(shown[-1]), query=query)
            # Whose doings or record were looked for; what else a page shows are references.
            asked = sorted({wanted.member_id, wanted.subject_id} - {""})
            return read.reply(response, subjects=asked)

    async def ProveEntry(self, request: pb.ProveEntryRequest, call: Call) -> pb.ProveEntryResponse:
        reach = await reach_of(self._organisations, request.organisation_id)
        async with self._database.read(call, request, role=reach.role) as read:
            row = await find_entry(read, reach, request.index)
            if row is None:
                raise NOT_FOUND(noun="entry")
            proof = await prove(read, self._shelf, request.index)
            return read.reply(
                pb.ProveEntryResponse(
                    entry=entry_message(row, await self._wording(read, [row], call)),
                    leaf=bytes(row.leaf),
                    proof=proof.text,
                    verifier_key=proof.verifier_key,
                    witness_keys=proof.witness_keys,
                    quorum=proof.quorum,
                )
            )

    async def ExportEntries(
        self, request: pb.ExportEntriesRequest, call: Call
    ) -> AsyncGenerator[httpbody_pb2.HttpBody]:
        period = period_of(request)
        reach = await reach_of(self._organisations, request.organisation_id)
        async with self._database.read(call, request, role=reach.role) as read:
            log = await _newest_log(read)
            # The audit row stands before the first byte leaves.
            read.reply(httpbody_pb2.HttpBody())
        pieces = export_pieces(self._database, self._shelf, log, reach, period=period, call=call, now=self._clock.now())
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece

    async def ListMyEntries(self, request: pb.ListMyEntriesRequest, call: Call) -> pb.ListMyEntriesResponse:
        member_id = member_of(call)
        query = f"{member_id}\n{request.outcome}"
        page = page_of(request.page_size, request.page_token, query=query, keys=2)
        outcome = NAMES_OF_OUTCOMES.get(request.outcome, "")
        before = before_of(page.after)
        # As the province's role: others may have acted in any county. The query names the caller.
        async with self._database.read(call, request, role=Role.PROVINCE) as read:
            found = await list_entries_about(read, member_id, outcome=outcome, before=before, count_max=page.size + 1)
            shown = found[: page.size]
            wording = await self._wording(read, shown, call)
            response = pb.ListMyEntriesResponse(
                entries=[my_entry_message(row, wording, member_id=member_id) for row in shown]
            )
            if len(found) > page.size:
                response.next_page_token = encode_page_token(token_keys(shown[-1]), query=query)
            return read.reply(response)

    async def ProveMyEntry(self, request: pb.ProveMyEntryRequest, call: Call) -> pb.ProveMyEntryResponse:
        member_id = member_of(call)
        async with self._database.read(call, request, role=Role.PROVINCE) as read:
            row = await find_entry_about(read, member_id, request.index)
            if row is None:
                raise NOT_FOUND(noun="entry")
            proof = await prove(read, self._shelf, request.index)
            wording = await self._wording(read, [row], call)
            response = pb.ProveMyEntryResponse(
                entry=my_entry_message(row, wording, member_id=member_id),
                leaf=bytes(row.leaf),
                proof=proof.text,
                verifier_key=proof.verifier_key,
                witness_keys=proof.witness_keys,
                quorum=proof.quorum,
            )
            opened = await find_opening(read, member_id, request.index)
            if opened is not None:
                response.opening.CopyFrom(
                    entry_pb2.SubjectOpening(
                        subject_id=member_id,
                        salt=opened.salt.hex(),
                        commitments=[commitment.hex() for commitment in opened.commitments],
                    )
                )
            return read.reply(response)

    async def _file(self, transaction: Transaction, path: str) -> httpbody_pb2.HttpBody:
        log = await _newest_log(transaction)
        data = await asyncio.to_thread(self._shelf.find_file, log, path)
        if data is None:
            raise NOT_FOUND(noun="log_file")
        return httpbody_pb2.HttpBody(content_type=_BINARY, data=data)

    async def _wording(self, transaction: Transaction, rows: Sequence[Row[Any]], call: Call) -> Wording:
        return Wording(
            language=call.language,
            names=await names_of(transaction, organisations_of(rows)),
            provable=await provable_of(transaction, self._shelf, [row.entry_index for row in rows]),
        )

    async def _is_province(self, organisation_id: str) -> bool:
        ancestry = await self._organisations.ancestry(organisation_id)
        return ancestry is not None and len(ancestry.organisation_ids) == 1


async def _newest_log(transaction: Transaction) -> Origin:
    logs = await list_origins(transaction)
    if not logs:
        raise NOT_FOUND(noun="log_file")
    return logs[-1]

"""EidBatchService: e-IDs for everybody of an organisation, and the sheets with which they are put to use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from google.api import httpbody_pb2
from zhibu.identity.v1 import eid_batch_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.notifications import Notifications
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_identity.api.clerks import county_of, member_of
from zhibu_identity.api.eid_batch_messages import batch_message, failure_message, preview_message, sheet_message
from zhibu_identity.eid_batches import records as eid_batches
from zhibu_identity.eid_batches import sheets as activation_sheets
from zhibu_identity.eid_batches.candidates import preview_batch
from zhibu_identity.eid_batches.items import list_failures
from zhibu_identity.eid_batches.records import EidBatch
from zhibu_identity.eid_batches.sheet import SheetPrinter
from zhibu_identity.eids.activation import CODE_HOLDS
from zhibu_identity.organisations import find_organisation
from zhibu_identity.parts import Parts
from zhibu_identity.people.reach import reach_of

# A notification that was lost with its connection is made up for after this.
LOOK_AGAIN_S: Final = 10.0
# Nobody looks more often than a page can show.
LEAST_PAUSE_S: Final = 0.2
# Sheets that are made at once; the others wait, so that Keycloak has time for those who log in.
MOST_SHEETS: Final = 1
PIECE_BYTES: Final = 64 * 1024


class EidBatchApi:
    """The RPCs of EidBatchService."""

    def __init__(self, parts: Parts, notifications: Notifications, printer: SheetPrinter) -> None:
        """Work with these parts; `notifications` tell when a batch has advanced."""
        self._parts = parts
        self._notifications = notifications
        self._printer = printer
        self._sheets = asyncio.Semaphore(MOST_SHEETS)

    async def PreviewEidBatch(self, request: pb.PreviewEidBatchRequest, call: Call) -> pb.PreviewEidBatchResponse:
        """Count whom a batch would be about."""
        async with self._parts.database.transaction(call.scope) as transaction:
            reach = await reach_of(transaction, request.organisation_id)
            preview = await preview_batch(transaction, reach, organisation_id=request.organisation_id)
        return pb.PreviewEidBatchResponse(preview=preview_message(preview))

    async def CreateEidBatch(self, request: pb.CreateEidBatchRequest, call: Call) -> pb.CreateEidBatchResponse:
        """Begin; the worker goes on."""
        async with self._parts.database.write(call, request, pb.CreateEidBatchResponse) as write:
            if write.replayed is not None:
                return write.replayed
            reach = await reach_of(write, request.organisation_id)
            batch, member_ids = await eid_batches.create_batch(
                write, self._parts, reach, organisation_id=request.organisation_id, member_id=member_of(call)
            )
            return write.reply(pb.CreateEidBatchResponse(eid_batch=batch_message(batch)), subjects=member_ids)

    async def GetEidBatch(self, request: pb.GetEidBatchRequest, call: Call) -> pb.GetEidBatchResponse:
        """Show how far a batch is."""
        batch = await self._get(request.eid_batch_id, request.organisation_id, call)
        return pb.GetEidBatchResponse(eid_batch=batch_message(batch))

    async def ListEidBatches(self, request: pb.ListEidBatchesRequest, call: Call) -> pb.ListEidBatchesResponse:
        """Page through the batches."""
        query = request.organisation_id
        page = page_of(request.page_size, request.page_token, query=query)
        async with self._parts.database.transaction(call.scope) as transaction:
            found = await eid_batches.list_batches(transaction, request.organisation_id, page=page)
        shown = found[: page.size]
        token = encode_page_token([shown[-1].eid_batch_id], query=query) if len(found) > page.size else ""
        return pb.ListEidBatchesResponse(eid_batches=[batch_message(one) for one in shown], next_page_token=token)

    async def ListEidBatchFailures(
        self, request: pb.ListEidBatchFailuresRequest, call: Call
    ) -> pb.ListEidBatchFailuresResponse:
        """Page through those who got none."""
        query = f"{request.organisation_id}/{request.eid_batch_id}"
        page = page_of(request.page_size, request.page_token, query=query)
        async with self._parts.database.transaction(call.scope) as transaction:
            batch = await eid_batches.get_batch(
                transaction, request.eid_batch_id, organisation_id=request.organisation_id
            )
            found = await list_failures(transaction, batch.eid_batch_id, page=page)
        shown = found[: page.size]
        token = encode_page_token([str(shown[-1].position)], query=query) if len(found) > page.size else ""
        return pb.ListEidBatchFailuresResponse(
            failures=[failure_message(one, language=call.language) for one in shown], next_page_token=token
        )

    async def WatchEidBatch(
        self, request: pb.WatchEidBatchRequest, call: Call
    ) -> AsyncGenerator[pb.WatchEidBatchResponse]:
        """Send the batch each time it advances, until it is done."""
        with self._notifications.woken(eid_batches.CHANNEL) as woken:
            sent: pb.EidBatch | None = None
            while sent is None or not sent.done:
                woken.clear()
                message = batch_message(await self._get(request.eid_batch_id, request.organisation_id, call))
                if message != sent:
                    sent = message
                    yield pb.WatchEidBatchResponse(eid_batch=message)
                else:
                    await _wait(woken)

    async def ListActivationSheets(
        self, request: pb.ListActivationSheetsRequest, call: Call
    ) -> pb.ListActivationSheetsResponse:
        """Page through the branches in which somebody waits."""
        query = request.organisation_id
        page = page_of(request.page_size, request.page_token, query=query)
        async with self._parts.database.transaction(call.scope) as transaction:
            reach = await reach_of(transaction, request.organisation_id)
            found = await activation_sheets.list_sheets(transaction, reach, now=self._parts.clock.now(), page=page)
        shown = found[: page.size]
        token = encode_page_token([shown[-1].branch_id], query=query) if len(found) > page.size else ""
        return pb.ListActivationSheetsResponse(
            activation_sheets=[sheet_message(one) for one in shown], next_page_token=token
        )

    async def PrintActivationSheet(
        self, request: pb.PrintActivationSheetRequest, call: Call
    ) -> AsyncGenerator[httpbody_pb2.HttpBody]:
        """Make codes and the sheet with them."""
        parts = self._parts
        # Before anybody's code ends: without a font there would be no sheet.
        self._printer.check()
        async with self._sheets:
            now = parts.clock.now()
            async with parts.database.write(call, request, httpbody_pb2.HttpBody) as write:
                organisation = await find_organisation(write, request.organisation_id)
                if organisation is None:
                    raise NOT_FOUND(noun="organisation")
                reach = await reach_of(write, request.organisation_id)
                waiting = await activation_sheets.begin_sheet(write, reach, organisation, now=now)
                # The audit row is committed before the first name leaves.
                write.reply(httpbody_pb2.HttpBody(), subjects=[one.eid.member_id for one in waiting])
            parts.reached("expiry stored")
            sections = await activation_sheets.make_sections(parts, waiting, county_code=county_of(call))
            document = await self._printer.print_sheet(sections, until=now + CODE_HOLDS, now=now)
        for start in range(0, len(document), PIECE_BYTES):
            yield httpbody_pb2.HttpBody(content_type="application/pdf", data=document[start : start + PIECE_BYTES])

    async def _get(self, eid_batch_id: str, organisation_id: str, call: Call) -> EidBatch:
        async with self._parts.database.transaction(call.scope) as transaction:
            return await eid_batches.get_batch(transaction, eid_batch_id, organisation_id=organisation_id)


async def _wait(woken: asyncio.Event) -> None:
    await asyncio.sleep(LEAST_PAUSE_S)
    try:
        async with asyncio.timeout(LOOK_AGAIN_S):
            await woken.wait()
    except TimeoutError:
        return

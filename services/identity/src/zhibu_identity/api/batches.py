"""Many applications at once: batches of approvals, and the export."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from google.api import httpbody_pb2
from zhibu.identity.v1 import application_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.notifications import Notifications

from zhibu_identity.api.clerks import county_of, member_of, states_of
from zhibu_identity.api.messages import batch_message
from zhibu_identity.applications import batches
from zhibu_identity.applications.batches import Batch, Entry
from zhibu_identity.applications.export import export_rows, list_member_ids
from zhibu_identity.parts import Parts

# A notification that was lost with its connection is made up for after this.
LOOK_AGAIN_S: Final = 10.0


class BatchesApi:
    """The RPCs of ApplicationService about many applications."""

    def __init__(self, parts: Parts, notifications: Notifications) -> None:
        """Work with these parts; `notifications` tell when a batch has advanced."""
        self._parts = parts
        self._notifications = notifications

    async def CreateApprovalBatch(
        self, request: pb.CreateApprovalBatchRequest, call: Call
    ) -> pb.CreateApprovalBatchResponse:
        """Start a batch."""
        async with self._parts.database.write(call, request, pb.CreateApprovalBatchResponse) as write:
            if write.replayed is not None:
                return write.replayed
            batch = await batches.create_batch(
                write,
                self._parts,
                [Entry(application_id=entry.application_id, etag=entry.etag) for entry in request.entries],
                organisation_id=request.organisation_id,
                county_code=county_of(call),
                member_id=member_of(call),
            )
            return write.reply(
                pb.CreateApprovalBatchResponse(approval_batch=batch_message(batch)),
                subjects=[entry.application_id for entry in request.entries],
            )

    async def GetApprovalBatch(self, request: pb.GetApprovalBatchRequest, call: Call) -> pb.GetApprovalBatchResponse:
        """Show how far a batch is."""
        batch = await self._get(request.approval_batch_id, request.organisation_id, call)
        return pb.GetApprovalBatchResponse(approval_batch=batch_message(batch))

    async def WatchApprovalBatch(
        self, request: pb.WatchApprovalBatchRequest, call: Call
    ) -> AsyncGenerator[pb.WatchApprovalBatchResponse]:
        """Send the batch each time it advances, until it is done."""
        with self._notifications.woken(batches.CHANNEL) as woken:
            sent: Batch | None = None
            while sent is None or not sent.done:
                woken.clear()
                batch = await self._get(request.approval_batch_id, request.organisation_id, call)
                if batch != sent:
                    sent = batch
                    yield pb.WatchApprovalBatchResponse(approval_batch=batch_message(batch))
                else:
                    await _wait(woken)

    async def ExportApplications(
        self, request: pb.ExportApplicationsRequest, call: Call
    ) -> AsyncGenerator[httpbody_pb2.HttpBody]:
        """Download the queue as CSV."""
        states = states_of(request.states)
        async with self._parts.database.read(call, request) as read:
            # The audit row is committed before the first name leaves.
            shown = await list_member_ids(read, request.organisation_id, states=states)
            read.reply(httpbody_pb2.HttpBody(), subjects=shown)
        async for piece in export_rows(
            self._parts, request.organisation_id, scope=call.scope, states=states, language=call.language
        ):
            yield httpbody_pb2.HttpBody(content_type="text/csv; charset=utf-8", data=piece)

    async def _get(self, approval_batch_id: str, organisation_id: str, call: Call) -> Batch:
        async with self._parts.database.transaction(call.scope) as transaction:
            return await batches.get_batch(transaction, approval_batch_id, organisation_id=organisation_id)


async def _wait(woken: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(LOOK_AGAIN_S):
            await woken.wait()
    except TimeoutError:
        return

"""ErasureService: erasures that wait for a second officer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from zhibu.identity.v1 import erasure_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.db import Transaction
from zhibu_kit.errors import INVALID_PAGE_TOKEN, field_error
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_identity.api.clerks import member_of
from zhibu_identity.api.person_messages import erasure_message
from zhibu_identity.erasures.erasing import confirm_erasure, refuse_erasure
from zhibu_identity.erasures.records import Erasure, count_waiting, get_erasure, list_waiting
from zhibu_identity.parts import Parts
from zhibu_identity.people.reach import get_person_within, reach_of
from zhibu_identity.people.records import find_people, open_details


class ErasureApi:
    """The RPCs of ErasureService."""

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts

    async def ListErasures(self, request: pb.ListErasuresRequest, call: Call) -> pb.ListErasuresResponse:
        """Page through what waits for a second officer."""
        query = f"{request.organisation_id}/{request.member_id}"
        page = page_of(request.page_size, request.page_token, query=query, keys=2)
        if page.after is not None and not _is_instant(page.after[0]):
            raise field_error("page_token", INVALID_PAGE_TOKEN)
        async with self._parts.database.read(call, request) as read:
            reach = await reach_of(read, request.organisation_id)
            found = await list_waiting(read, reach, now=self._parts.clock.now(), page=page, member_id=request.member_id)
            shown = found[: page.size]
            last = shown[-1] if len(found) > page.size else None
            token = encode_page_token([last.made_at.isoformat(), last.member_id], query=query) if last else ""
            return read.reply(
                pb.ListErasuresResponse(erasures=await self._messages(read, shown), next_page_token=token),
                subjects=[one.member_id for one in shown],
            )

    async def CountErasures(self, request: pb.CountErasuresRequest, call: Call) -> pb.CountErasuresResponse:
        """Say how many wait."""
        async with self._parts.database.transaction(call.scope) as transaction:
            reach = await reach_of(transaction, request.organisation_id)
            count = await count_waiting(transaction, reach, now=self._parts.clock.now())
        return pb.CountErasuresResponse(waiting_count=count)

    async def ConfirmErasure(self, request: pb.ConfirmErasureRequest, call: Call) -> pb.ConfirmErasureResponse:
        """Erase, as another officer."""
        parts = self._parts
        async with parts.database.write(call, request, pb.ConfirmErasureResponse) as write:
            if write.replayed is not None:
                return write.replayed
            # The person first, then the erasure: the same order wherever both are locked.
            record = await get_person_within(write, request.organisation_id, request.member_id, lock=True)
            waiting = await get_erasure(write, request.member_id)
            done = await confirm_erasure(
                write, parts, record, waiting, officer_member_id=member_of(call), etag=request.etag
            )
            message = erasure_message(done, real_name="")
            # No subject: whoever is erased with this is in no opening any more.
            response = write.reply(pb.ConfirmErasureResponse(erasure=message, etag=message.etag))
        parts.reached("erasure listed")
        await parts.vault.erase(request.member_id)
        return response

    async def RefuseErasure(self, request: pb.RefuseErasureRequest, call: Call) -> pb.RefuseErasureResponse:
        """End it without doing anything."""
        parts = self._parts
        async with parts.database.write(call, request, pb.RefuseErasureResponse) as write:
            if write.replayed is not None:
                return write.replayed
            await get_person_within(write, request.organisation_id, request.member_id, lock=True)
            waiting = await get_erasure(write, request.member_id)
            ended = await refuse_erasure(write, parts, waiting, officer_member_id=member_of(call), etag=request.etag)
            (message,) = await self._messages(write, [ended])
            return write.reply(pb.RefuseErasureResponse(erasure=message, etag=message.etag), subjects=[ended.member_id])

    async def _messages(self, transaction: Transaction, records: Sequence[Erasure]) -> list[pb.Erasure]:
        people = await find_people(transaction, [one.member_id for one in records])
        keys = await self._parts.vault.keys_in({one.member_id: one.county_code for one in records})
        names = {
            member_id: open_details(record.details, keys.get(member_id)).real_name
            for member_id, record in people.items()
        }
        return [erasure_message(one, real_name=names.get(one.member_id, "")) for one in records]


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False

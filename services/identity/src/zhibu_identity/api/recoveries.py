"""RecoveryService: a lost e-ID is given back before two officers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from zhibu.identity.v1 import recovery_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.db import Transaction
from zhibu_kit.etag import etag_of
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_identity.api.clerks import member_of
from zhibu_identity.api.person_messages import recovery_message
from zhibu_identity.eids.records import get_eid
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import find_people, open_details
from zhibu_identity.recoveries import recovering
from zhibu_identity.recoveries.records import Recovery, get_recovery, list_waiting
from zhibu_identity.rules.recovery import RecoveryKind

# Calls that keep a database connection while Keycloak works; the others need connections too.
MOST_AT_KEYCLOAK: Final = 2


class RecoveryApi:
    """The RPCs of RecoveryService."""

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts
        self._at_keycloak = asyncio.Semaphore(MOST_AT_KEYCLOAK)

    async def ReplaceEid(self, request: pb.ReplaceEidRequest, call: Call) -> pb.ReplaceEidResponse:
        """Begin the replacement of an e-ID."""
        async with self._parts.database.write(call, request, pb.ReplaceEidResponse) as write:
            if write.replayed is not None:
                return write.replayed
            eid = await get_eid(write, request.eid_id, organisation_id=request.organisation_id, lock=True)
            record = await recovering.start_recovery(
                write,
                self._parts,
                eid,
                kind=RecoveryKind.REPLACE,
                reason=request.reason,
                officer_member_id=member_of(call),
            )
            (message,) = await self._messages(write, [record])
            return write.reply(pb.ReplaceEidResponse(recovery=message, etag=message.etag), subjects=[record.member_id])

    async def StartRecovery(self, request: pb.StartRecoveryRequest, call: Call) -> pb.StartRecoveryResponse:
        """Begin the recovery of an e-ID."""
        async with self._parts.database.write(call, request, pb.StartRecoveryResponse) as write:
            if write.replayed is not None:
                return write.replayed
            eid = await get_eid(write, request.eid_id, organisation_id=request.organisation_id, lock=True)
            record = await recovering.start_recovery(
                write,
                self._parts,
                eid,
                kind=RecoveryKind.RECOVER,
                reason=request.reason,
                officer_member_id=member_of(call),
            )
            (message,) = await self._messages(write, [record])
            return write.reply(
                pb.StartRecoveryResponse(recovery=message, etag=message.etag), subjects=[record.member_id]
            )

    async def ListRecoveries(self, request: pb.ListRecoveriesRequest, call: Call) -> pb.ListRecoveriesResponse:
        """Page through what waits for a second officer."""
        query = request.organisation_id
        page = page_of(request.page_size, request.page_token, query=query)
        async with self._parts.database.read(call, request) as read:
            found = await list_waiting(read, request.organisation_id, now=self._parts.clock.now(), page=page)
            shown = found[: page.size]
            token = encode_page_token([shown[-1].recovery_id], query=query) if len(found) > page.size else ""
            return read.reply(
                pb.ListRecoveriesResponse(recoveries=await self._messages(read, shown), next_page_token=token),
                subjects=[one.member_id for one in shown],
            )

    async def ConfirmRecovery(self, request: pb.ConfirmRecoveryRequest, call: Call) -> pb.ConfirmRecoveryResponse:
        """Do it, as another officer; the code is shown this once."""
        parts = self._parts
        # The request id stays taken while Keycloak works, so that one request never makes two codes.
        async with self._at_keycloak, parts.database.write(call, request, pb.ConfirmRecoveryResponse) as write:
            if write.replayed is not None:
                return write.replayed
            await recovering.reserve(
                parts,
                request.recovery_id,
                organisation_id=request.organisation_id,
                scope=call.scope,
                officer_member_id=member_of(call),
                etag=request.etag,
            )
            record = await get_recovery(write, request.recovery_id, organisation_id=request.organisation_id, lock=True)
            done = await recovering.confirm(write, parts, record, officer_member_id=member_of(call), etag=request.etag)
            (message,) = await self._messages(write, [done.recovery])
            return write.reply(
                pb.ConfirmRecoveryResponse(
                    recovery=message,
                    activation_code=done.activation_code,
                    eid_number=done.eid_number,
                    etag=message.etag,
                ),
                subjects=[record.member_id],
            )

    async def RefuseRecovery(self, request: pb.RefuseRecoveryRequest, call: Call) -> pb.RefuseRecoveryResponse:
        """End it without doing anything."""
        parts = self._parts
        async with parts.database.write(call, request, pb.RefuseRecoveryResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await get_recovery(write, request.recovery_id, organisation_id=request.organisation_id, lock=True)
            refused = await recovering.refuse_recovery(write, parts, record, etag=request.etag)
            (message,) = await self._messages(write, [refused])
            return write.reply(
                pb.RefuseRecoveryResponse(recovery=message, etag=etag_of(refused.version)),
                subjects=[refused.member_id],
            )

    async def _messages(self, transaction: Transaction, records: Sequence[Recovery]) -> list[pb.Recovery]:
        people = await find_people(transaction, [one.member_id for one in records])
        keys = await self._parts.vault.keys_in({one.member_id: one.county_code for one in records})
        names = {
            member_id: open_details(record.details, keys.get(member_id)).real_name
            for member_id, record in people.items()
        }
        return [recovery_message(one, real_name=names.get(one.member_id, "")) for one in records]

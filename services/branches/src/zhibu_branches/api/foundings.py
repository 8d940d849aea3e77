"""FoundingService, as far as members use it."""

from __future__ import annotations

from zhibu.branches.v1 import founding_pb2
from zhibu.branches.v1 import founding_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role, Scope, Transaction
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.etag import etag_of
from zhibu_kit.ids import new_ulid
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_branches.api.founding_messages import cosigner_messages, founding_message
from zhibu_branches.foundings import signing
from zhibu_branches.foundings.queries import (
    Founding,
    find_founding,
    list_collecting,
    list_of_member,
    signed_by,
)
from zhibu_branches.foundings.standing import as_it_stands


class FoundingApi:
    """What members do: propose, read, sign, hand in, withdraw."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._database = database
        self._clock = clock

    async def ProposeFounding(self, request: pb.ProposeFoundingRequest, call: Call) -> pb.ProposeFoundingResponse:
        async with self._database.write(call, request, pb.ProposeFoundingResponse) as write:
            if write.replayed is not None:
                return write.replayed
            found = await signing.propose(
                write,
                signing.Proposal(
                    organisation_id=request.organisation_id,
                    name=request.name,
                    kind=request.kind,
                    purpose=request.purpose,
                ),
                member_id=call.caller.member_id,
                new_id=new_ulid(self._clock),
                now=self._clock.now(),
            )
            message = founding_message(found, member_id=call.caller.member_id, signed=True)
            return write.reply(
                pb.ProposeFoundingResponse(founding=message, etag=message.etag), subjects=[found.founding_id]
            )

    async def ListFoundings(self, request: pb.ListFoundingsRequest, call: Call) -> pb.ListFoundingsResponse:
        county_code = request.county_code or call.caller.county_code or ""
        same = f"{county_code}\n{request.mine}"
        page = page_of(request.page_size, request.page_token, query=same)
        before = page.after[0] if page.after else None
        member_id = call.caller.member_id or ""
        if request.mine:
            # A member's own signatures, which lie in every county where the member signed.
            async with self._database.read(call, request, role=Role.PROVINCE) as read:
                rows = await list_of_member(read, member_id=member_id, before=before, count_max=page.size + 1)
                signed = frozenset(row.founding_id for row in rows)
                return read.reply(_list_response(rows, page.size, same, member_id=member_id, signed=signed))
        async with self._database.read(call.within(Scope.of(county_code)), request) as read:
            rows = await list_collecting(
                read, county_code=county_code, now=self._clock.now(), before=before, count_max=page.size + 1
            )
            signed = await signed_by(read, member_id, [row.founding_id for row in rows])
            return read.reply(_list_response(rows, page.size, same, member_id=member_id, signed=signed))

    async def GetFounding(self, request: pb.GetFoundingRequest, call: Call) -> pb.GetFoundingResponse:
        async with self._database.read(call, request) as read:
            found = await find_founding(read, request.founding_id)
            if found is None:
                raise NOT_FOUND(noun="founding")
            await read.widen(Scope.of(found.county_code))
            found, cosigners = await as_it_stands(read, found)
            signed = call.caller.member_id in {cosigner.member_id for cosigner in cosigners}
            message = founding_message(found, member_id=call.caller.member_id, signed=signed)
            return read.reply(
                pb.GetFoundingResponse(
                    founding=message, cosigners=cosigner_messages(cosigners) if signed else [], etag=message.etag
                )
            )

    async def CosignFounding(self, request: pb.CosignFoundingRequest, call: Call) -> pb.CosignFoundingResponse:
        async with self._database.write(call, request, pb.CosignFoundingResponse) as write:
            if write.replayed is not None:
                return write.replayed
            found = await signing.cosign(
                write, request.founding_id, member_id=call.caller.member_id, now=self._clock.now()
            )
            message = founding_message(found, member_id=call.caller.member_id, signed=True)
            return write.reply(pb.CosignFoundingResponse(founding=message, etag=message.etag))

    async def WithdrawSignature(self, request: pb.WithdrawSignatureRequest, call: Call) -> pb.WithdrawSignatureResponse:
        async with self._database.write(call, request, pb.WithdrawSignatureResponse) as write:
            if write.replayed is not None:
                return write.replayed
            found = await signing.withdraw_signature(
                write, request.founding_id, member_id=call.caller.member_id, now=self._clock.now()
            )
            message = founding_message(found, member_id=call.caller.member_id, signed=False)
            return write.reply(pb.WithdrawSignatureResponse(founding=message, etag=message.etag))

    async def SubmitFounding(self, request: pb.SubmitFoundingRequest, call: Call) -> pb.SubmitFoundingResponse:
        async with self._database.write(call, request, pb.SubmitFoundingResponse) as write:
            if write.replayed is not None:
                return write.replayed
            found = await signing.submit(
                write,
                request.founding_id,
                member_id=call.caller.member_id,
                etag=request.etag,
                now=self._clock.now(),
            )
            return write.reply(
                pb.SubmitFoundingResponse(founding=await _to_initiator(write, found, call), etag=etag_of(found.version))
            )

    async def WithdrawFounding(self, request: pb.WithdrawFoundingRequest, call: Call) -> pb.WithdrawFoundingResponse:
        async with self._database.write(call, request, pb.WithdrawFoundingResponse) as write:
            if write.replayed is not None:
                return write.replayed
            found = await signing.withdraw(
                write,
                request.founding_id,
                member_id=call.caller.member_id,
                etag=request.etag,
                now=self._clock.now(),
            )
            return write.reply(
                pb.WithdrawFoundingResponse(
                    founding=await _to_initiator(write, found, call), etag=etag_of(found.version)
                )
            )


async def _to_initiator(transaction: Transaction, found: Founding, call: Call) -> founding_pb2.Founding:
    member_id = call.caller.member_id or ""
    # An initiator's signature lapses with the record; then it is not there any more.
    signed = await signed_by(transaction, member_id, [found.founding_id])
    return founding_message(found, member_id=member_id, signed=bool(signed))


def _list_response(
    rows: list[Founding], size: int, same: str, *, member_id: str, signed: frozenset[str]
) -> pb.ListFoundingsResponse:
    shown = rows[:size]
    response = pb.ListFoundingsResponse(
        foundings=[founding_message(row, member_id=member_id, signed=row.founding_id in signed) for row in shown]
    )
    if len(rows) > size:
        response.next_page_token = encode_page_token([shown[-1].founding_id], query=same)
    return response

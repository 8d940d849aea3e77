"""FoundingService, as far as counties use it: the kinds that they know, and what they decide."""

from __future__ import annotations

from zhibu.branches.v1 import founding_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Scope
from zhibu_kit.etag import etag_of
from zhibu_kit.ids import new_ulid
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_branches.api.founding_messages import cosigner_messages, founding_message, kind_messages, kinds_from
from zhibu_branches.api.places import check_county, get_organisation, reading_role
from zhibu_branches.foundings import deciding
from zhibu_branches.foundings.kinds import kinds_of, replace_kinds
from zhibu_branches.foundings.queries import count_below, list_below
from zhibu_branches.foundings.standing import as_it_stands
from zhibu_branches.rules.foundings import State


class FoundingDeskApi:
    """What the county's organisation department does."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._database = database
        self._clock = clock

    async def ListFoundingKinds(self, request: pb.ListFoundingKindsRequest, call: Call) -> pb.ListFoundingKindsResponse:
        async with self._database.read(call, request) as read:
            found = await get_organisation(read, request.organisation_id)
            await read.widen(Scope.of(found.place.county_code))
            known = await kinds_of(read, found.place.county_code)
            return read.reply(
                pb.ListFoundingKindsResponse(kinds=kind_messages(known.kinds), etag=etag_of(known.version))
            )

    async def UpdateFoundingKinds(
        self, request: pb.UpdateFoundingKindsRequest, call: Call
    ) -> pb.UpdateFoundingKindsResponse:
        async with self._database.write(call, request, pb.UpdateFoundingKindsResponse) as write:
            if write.replayed is not None:
                return write.replayed
            await check_county(write, request.organisation_id)
            known = await replace_kinds(
                write,
                request.organisation_id,
                kinds_from(request.kinds),
                etag=request.etag,
                now=self._clock.now(),
            )
            return write.reply(
                pb.UpdateFoundingKindsResponse(kinds=kind_messages(known.kinds), etag=etag_of(known.version))
            )

    async def ListFoundingsToDecide(
        self, request: pb.ListFoundingsToDecideRequest, call: Call
    ) -> pb.ListFoundingsToDecideResponse:
        states = sorted({State(state) for state in request.states}) or [State.SUBMITTED]
        same = f"{request.organisation_id}\n{','.join(map(str, states))}"
        page = page_of(request.page_size, request.page_token, query=same)
        async with self._database.read(call, request, role=reading_role(call)) as read:
            rows = await list_below(
                read,
                organisation_id=request.organisation_id,
                states=states,
                after=page.after[0] if page.after else None,
                count_max=page.size + 1,
            )
            shown = rows[: page.size]
            response = pb.ListFoundingsToDecideResponse(
                foundings=[founding_message(row, member_id=None, signed=False) for row in shown],
                total_count=await count_below(read, organisation_id=request.organisation_id, states=states),
            )
            if len(rows) > page.size:
                response.next_page_token = encode_page_token([shown[-1].founding_id], query=same)
            return read.reply(response)

    async def GetFoundingToDecide(
        self, request: pb.GetFoundingToDecideRequest, call: Call
    ) -> pb.GetFoundingToDecideResponse:
        async with self._database.read(call, request) as read:
            found = await deciding.find_to_decide(read, request.founding_id, organisation_id=request.organisation_id)
            found, cosigners = await as_it_stands(read, found)
            message = founding_message(found, member_id=None, signed=False)
            return read.reply(
                pb.GetFoundingToDecideResponse(
                    founding=message, cosigners=cosigner_messages(cosigners), etag=message.etag
                ),
                subjects=[found.founding_id],
            )

    async def ApproveFounding(self, request: pb.ApproveFoundingRequest, call: Call) -> pb.ApproveFoundingResponse:
        async with self._database.write(call, request, pb.ApproveFoundingResponse) as write:
            if write.replayed is not None:
                return write.replayed
            found = await deciding.approve(
                write,
                request.founding_id,
                organisation_id=request.organisation_id,
                officer_member_id=call.caller.member_id,
                etag=request.etag,
                new_id=new_ulid(self._clock),
                now=self._clock.now(),
            )
            message = founding_message(found, member_id=None, signed=False)
            return write.reply(pb.ApproveFoundingResponse(founding=message, etag=message.etag))

    async def RefuseFounding(self, request: pb.RefuseFoundingRequest, call: Call) -> pb.RefuseFoundingResponse:
        async with self._database.write(call, request, pb.RefuseFoundingResponse) as write:
            if write.replayed is not None:
                return write.replayed
            found = await deciding.refuse(
                write,
                request.founding_id,
                organisation_id=request.organisation_id,
                officer_member_id=call.caller.member_id,
                etag=request.etag,
                note=request.refusal_note,
                now=self._clock.now(),
            )
            message = founding_message(found, member_id=None, signed=False)
            return write.reply(pb.RefuseFoundingResponse(founding=message, etag=message.etag))

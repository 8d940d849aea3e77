"""GrantService: offices are given and ended; nobody grants what they do not hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from zhibu.identity.v1 import grant_pb2
from zhibu.identity.v1 import grant_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.db import Transaction
from zhibu_kit.paging import encode_page_token, page_of
from zhibu_kit.scope import Scope

from zhibu_identity import bootstrap
from zhibu_identity.api.messages import grant_message, office_messages
from zhibu_identity.applications.case_keys import OpenedCase
from zhibu_identity.bootstrap import Redeemed
from zhibu_identity.eids.records import find_living_eid, open_holder, open_number
from zhibu_identity.grants import records as grants
from zhibu_identity.grants.granting import Wish, end_office, make_grant
from zhibu_identity.grants.records import Grant
from zhibu_identity.parts import Parts


class GrantApi:
    """The RPCs of GrantService."""

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts

    async def ListOffices(self, request: pb.ListOfficesRequest, call: Call) -> pb.ListOfficesResponse:
        """Show every office."""
        return pb.ListOfficesResponse(offices=office_messages(call.language))

    async def ListGrants(self, request: pb.ListGrantsRequest, call: Call) -> pb.ListGrantsResponse:
        """Page through the grants made at an organisation."""
        query = f"{request.organisation_id}/{request.include_ended}"
        page = page_of(request.page_size, request.page_token, query=query)
        async with self._parts.database.read(call, request) as read:
            found = await grants.list_grants(
                read,
                request.organisation_id,
                now=self._parts.clock.now(),
                include_ended=request.include_ended,
                page=page,
            )
            shown = found[: page.size]
            token = encode_page_token([shown[-1].grant_id], query=query) if len(found) > page.size else ""
            return read.reply(
                pb.ListGrantsResponse(grants=await self._messages(shown), next_page_token=token),
                subjects=[grant.member_id for grant in shown],
            )

    async def MakeGrant(self, request: pb.MakeGrantRequest, call: Call) -> pb.MakeGrantResponse:
        """Give an office."""
        parts = self._parts
        async with parts.database.write(call, request, pb.MakeGrantResponse) as write:
            if write.replayed is not None:
                return write.replayed
            wish = Wish(
                organisation_id=request.organisation_id,
                eid_number=request.eid_number,
                office=request.office,
                start_date=request.start_date,
                end_date=request.end_date,
            )
            grant, eid = await make_grant(write, parts, wish, granter=call.caller)
            key = await parts.vault.find_member_key(eid.member_id, eid.county_code)
            return write.reply(
                pb.MakeGrantResponse(grant=grant_message(grant, real_name=open_holder(eid, key).real_name)),
                subjects=[grant.member_id],
            )

    async def EndGrant(self, request: pb.EndGrantRequest, call: Call) -> pb.EndGrantResponse:
        """End a grant at once."""
        async with self._parts.database.write(call, request, pb.EndGrantResponse) as write:
            if write.replayed is not None:
                return write.replayed
            grant = await end_office(
                write, self._parts, request.grant_id, organisation_id=request.organisation_id, ender=call.caller
            )
            (message,) = await self._messages([grant])
            return write.reply(pb.EndGrantResponse(grant=message), subjects=[grant.member_id])

    async def RedeemBootstrapCode(
        self, request: pb.RedeemBootstrapCodeRequest, call: Call
    ) -> pb.RedeemBootstrapCodeResponse:
        """Give the first office."""
        parts = self._parts

        async def finish(
            opened: OpenedCase, redeemed: Redeemed, use_up: Callable[[Transaction], Awaitable[None]]
        ) -> None:
            async with parts.database.write(
                call.within(opened.scope), request, pb.RedeemBootstrapCodeResponse
            ) as write:
                await use_up(write)
                write.reply(pb.RedeemBootstrapCodeResponse(), subjects=[redeemed.eid.member_id])

        redeemed = await bootstrap.redeem(
            parts,
            request.bootstrap_code,
            case_number=request.case_number,
            case_code=request.case_code,
            finish=finish,
        )
        key = await parts.vault.find_member_key(redeemed.eid.member_id, redeemed.eid.county_code)
        return pb.RedeemBootstrapCodeResponse(
            eid_number=open_number(redeemed.eid, key),
            activation_code=redeemed.activation.code if redeemed.activation else "",
            office=redeemed.office,
            organisation_id=redeemed.organisation_id,
        )

    async def _messages(self, records: Sequence[Grant]) -> list[grant_pb2.Grant]:
        return [grant_message(record, real_name=await self._name_of(record)) for record in records]

    async def _name_of(self, record: Grant) -> str:
        """Return the holder's name: a grant is made only within the granter's reach, so its readers may see it."""
        county_code = record.member_county_code
        async with self._parts.database.transaction(Scope.of(county_code)) as transaction:
            eid = await find_living_eid(transaction, record.member_id)
        key = await self._parts.vault.find_member_key(record.member_id, county_code)
        return open_holder(eid, key).real_name if eid else ""

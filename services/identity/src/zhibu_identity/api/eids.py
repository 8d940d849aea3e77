"""EidService: members see their own e-ID, the county looks after those that it issued."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from google.api import httpbody_pb2
from zhibu.identity.v1 import eid_pb2
from zhibu.identity.v1 import eid_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.etag import check_etag, etag_of
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_identity.api.clerks import county_of
from zhibu_identity.api.messages import eid_message, grant_message
from zhibu_identity.cards.mine import print_my_card
from zhibu_identity.county_settings import find_settings
from zhibu_identity.eids import activation
from zhibu_identity.eids import records as eids
from zhibu_identity.eids.login_codes import LoginCodeDesk
from zhibu_identity.eids.records import Eid, EidState, RevocationReason, find_living_eid, get_eid, open_holder
from zhibu_identity.eids.revoking import revoke_eid
from zhibu_identity.errors import ACTIVATION_BY_TELEPHONE_OFF
from zhibu_identity.events import timestamp
from zhibu_identity.grants.records import list_held_grants
from zhibu_identity.parts import Parts
from zhibu_identity.rules.search_terms import terms_of_query
from zhibu_identity.telephones.sending import Purpose

# Calls that keep a database connection while Keycloak works; the others need connections too.
MOST_AT_KEYCLOAK: Final = 4


class EidApi:
    """The RPCs of EidService."""

    def __init__(self, parts: Parts, login_codes: LoginCodeDesk, print_card: Callable[..., bytes]) -> None:
        """Work with these parts; `login_codes` takes wishes for codes, `print_card` draws a card."""
        self._parts = parts
        self._login_codes = login_codes
        self._print_card = print_card
        self._at_keycloak = asyncio.Semaphore(MOST_AT_KEYCLOAK)

    async def GetMyEid(self, request: pb.GetMyEidRequest, call: Call) -> pb.GetMyEidResponse:
        """Show the caller's own e-ID. The first look marks it as in use: the member has a password of their own."""
        record = await self._mine(call)
        if record.state is EidState.ISSUED:
            record = await activation.mark_active(self._parts, record)
        key = await self._parts.vault.find_member_key(record.member_id, record.county_code)
        holder = open_holder(record, key)
        async with self._parts.database.transaction(call.scope) as transaction:
            held = await list_held_grants(transaction, record.member_id, now=self._parts.clock.now())
        return pb.GetMyEidResponse(
            eid=eid_message(record, holder),
            grants=[grant_message(grant, real_name=holder.real_name) for grant in held],
        )

    async def GetMyCard(self, request: pb.GetMyCardRequest, call: Call) -> httpbody_pb2.HttpBody:
        """Draw the caller's own card."""
        picture = await print_my_card(self._parts, await self._mine(call), self._print_card)
        return httpbody_pb2.HttpBody(content_type="image/png", data=picture)

    async def ListEids(self, request: pb.ListEidsRequest, call: Call) -> pb.ListEidsResponse:
        """Page through the e-IDs of a county."""
        states = frozenset(EidState(state) for state in request.states if state)
        query = f"{request.organisation_id}/{sorted(states)}"
        page = page_of(request.page_size, request.page_token, query=query)
        async with self._parts.database.read(call, request) as read:
            found = await eids.list_eids(read, request.organisation_id, states=states, page=page)
            shown = found[: page.size]
            return read.reply(
                pb.ListEidsResponse(
                    eids=await self._messages(shown), next_page_token=_next_page(found, page.size, query=query)
                ),
                subjects=[record.member_id for record in shown],
            )

    async def SearchEids(self, request: pb.SearchEidsRequest, call: Call) -> pb.SearchEidsResponse:
        """Find e-IDs by whole terms."""
        digest = self._parts.province.digest("search", request.query).hex()
        query = f"{request.organisation_id}/{digest}"
        page = page_of(request.page_size, request.page_token, query=query)
        terms = terms_of_query(request.query)
        member_ids = await self._parts.vault.search.find_members(county_of(call), terms) if terms else []
        async with self._parts.database.read(call, request) as read:
            found = await eids.list_eids(
                read, request.organisation_id, states=frozenset(), page=page, member_ids=member_ids
            )
            shown = found[: page.size]
            return read.reply(
                pb.SearchEidsResponse(
                    eids=await self._messages(shown), next_page_token=_next_page(found, page.size, query=query)
                ),
                subjects=[record.member_id for record in shown],
            )

    async def GetEid(self, request: pb.GetEidRequest, call: Call) -> pb.GetEidResponse:
        """Show one e-ID."""
        async with self._parts.database.read(call, request) as read:
            record = await get_eid(read, request.eid_id, organisation_id=request.organisation_id)
            return read.reply(
                pb.GetEidResponse(eid=await self._message(record), etag=etag_of(record.version)),
                subjects=[record.member_id],
            )

    async def IssueActivationCode(
        self, request: pb.IssueActivationCodeRequest, call: Call
    ) -> pb.IssueActivationCodeResponse:
        """Make a new activation code, to be shown to the clerk or sent to the proven telephone."""
        parts = self._parts
        # The request id stays taken while Keycloak works, so that one request never makes two codes.
        async with self._at_keycloak, parts.database.write(call, request, pb.IssueActivationCodeResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await get_eid(write, request.eid_id, organisation_id=request.organisation_id)
            settings = await find_settings(write, record.county_code)
            if request.send_to_telephone and not settings.activation_by_telephone:
                raise ACTIVATION_BY_TELEPHONE_OFF()
            made = await activation.make_activation_code(parts, record)
            key = await parts.vault.find_member_key(record.member_id, record.county_code)
            holder = open_holder(record, key)
            if request.send_to_telephone:
                await parts.telephones.send_code(
                    holder.telephone,
                    made.code,
                    purpose=Purpose.ACTIVATION,
                    language=call.language,
                    request_id=call.request_id,
                    expires_in=activation.CODE_HOLDS,
                )
            return write.reply(
                pb.IssueActivationCodeResponse(
                    activation_code="" if request.send_to_telephone else made.code,
                    eid_number=holder.eid_number,
                    expire_time=timestamp(made.expires_at),
                ),
                subjects=[record.member_id],
            )

    async def RevokeEid(self, request: pb.RevokeEidRequest, call: Call) -> pb.RevokeEidResponse:
        """Revoke for good."""
        parts = self._parts
        async with parts.database.write(call, request, pb.RevokeEidResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await get_eid(write, request.eid_id, organisation_id=request.organisation_id, lock=True)
            if record.state is not EidState.REVOKED:
                check_etag(request.etag, record.version)
            key = await parts.vault.find_member_key(record.member_id, record.county_code)
            revoked = await revoke_eid(
                write,
                parts,
                record,
                reason=RevocationReason(request.reason),
                note=key.seal(request.note, place="eid.revocation_note") if key and request.note else None,
            )
            return write.reply(
                pb.RevokeEidResponse(eid=await self._message(revoked), etag=etag_of(revoked.version)),
                subjects=[record.member_id],
            )

    async def SendLoginCode(self, request: pb.SendLoginCodeRequest, call: Call) -> pb.SendLoginCodeResponse:
        """Have the log-in code of the moment sent."""
        resend_after_s = await self._login_codes.ask(request.eid_number)
        async with self._parts.database.read(call, request) as read:
            return read.reply(pb.SendLoginCodeResponse(resend_after_s=resend_after_s))

    async def _mine(self, call: Call) -> Eid:
        """Return the e-ID behind the caller's account.

        Raises:
            ServiceError: NOT_FOUND when the account belongs to no living e-ID.
        """
        member_id = call.caller.member_id
        async with self._parts.database.transaction(call.scope) as transaction:
            record = await find_living_eid(transaction, member_id) if member_id else None
        if record is None or record.account_id != call.caller.account_id:
            raise NOT_FOUND(noun=eids.NOUN)
        return record

    async def _message(self, record: Eid) -> eid_pb2.Eid:
        key = await self._parts.vault.find_member_key(record.member_id, record.county_code)
        return eid_message(record, open_holder(record, key))

    async def _messages(self, records: Sequence[Eid]) -> list[eid_pb2.Eid]:
        if not records:
            return []
        keys = await self._parts.vault.member_keys([record.member_id for record in records], records[0].county_code)
        return [eid_message(record, open_holder(record, keys.get(record.member_id))) for record in records]


def _next_page(found: Sequence[Eid], size: int, *, query: str) -> str:
    return encode_page_token([found[size - 1].eid_id], query=query) if len(found) > size else ""

"""What clerks of the deciding organisation call: the queue, one case, the decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from zhibu.identity.v1 import application_pb2
from zhibu.identity.v1 import application_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.db import Transaction
from zhibu_kit.errors import PERMISSION_DENIED
from zhibu_kit.etag import etag_of
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_identity.api.messages import application_message
from zhibu_identity.applications import decisions
from zhibu_identity.applications import records as applications
from zhibu_identity.applications.records import Application, get_application, open_details
from zhibu_identity.parts import Parts
from zhibu_identity.rules.application import State
from zhibu_identity.rules.numbers import find_county_of_case
from zhibu_identity.rules.search_terms import terms_of_query

Decided = TypeVar(
    "Decided",
    pb.ClaimApplicationResponse,
    pb.ApproveApplicationResponse,
    pb.RefuseApplicationResponse,
    pb.AskApplicantResponse,
    pb.UndoApprovalResponse,
)


class ClerksApi:
    """The clerks' RPCs of ApplicationService."""

    def __init__(self, parts: Parts) -> None:
        """Work with these parts."""
        self._parts = parts

    async def ListApplications(self, request: pb.ListApplicationsRequest, call: Call) -> pb.ListApplicationsResponse:
        """Page through the queue."""
        states = states_of(request.states)
        query = f"{request.organisation_id}/{sorted(states)}"
        page = page_of(request.page_size, request.page_token, query=query)
        async with self._parts.database.read(call, request) as read:
            found = await applications.list_applications(read, request.organisation_id, states=states, page=page)
            total = await applications.count_applications(read, request.organisation_id, states=states)
            shown = found[: page.size]
            return read.reply(
                pb.ListApplicationsResponse(
                    applications=await self._messages(shown, call),
                    next_page_token=_next_page(found, page.size, query=query),
                    total_count=total,
                ),
                subjects=[record.member_id for record in shown],
            )

    async def SearchApplications(
        self, request: pb.SearchApplicationsRequest, call: Call
    ) -> pb.SearchApplicationsResponse:
        """Find applications by whole terms."""
        states = states_of(request.states)
        # The token says to which query it belongs, and must not tell what was searched for.
        digest = self._parts.province.digest("search", request.query).hex()
        query = f"{request.organisation_id}/{sorted(states)}/{digest}"
        page = page_of(request.page_size, request.page_token, query=query)
        async with self._parts.database.read(call, request) as read:
            member_ids = await self._matching(read, request, call)
            found = await applications.list_applications(
                read, request.organisation_id, states=states, page=page, member_ids=member_ids
            )
            shown = found[: page.size]
            return read.reply(
                pb.SearchApplicationsResponse(
                    applications=await self._messages(shown, call),
                    next_page_token=_next_page(found, page.size, query=query),
                ),
                subjects=[record.member_id for record in shown],
            )

    async def GetApplication(self, request: pb.GetApplicationRequest, call: Call) -> pb.GetApplicationResponse:
        """Show one application whole."""
        async with self._parts.database.read(call, request) as read:
            record = await get_application(read, request.application_id, organisation_id=request.organisation_id)
            return read.reply(
                pb.GetApplicationResponse(application=await self._message(record), etag=etag_of(record.version)),
                subjects=[record.member_id],
            )

    async def ClaimApplication(self, request: pb.ClaimApplicationRequest, call: Call) -> pb.ClaimApplicationResponse:
        """Take a case, or give it back."""
        async with self._parts.database.write(call, request, pb.ClaimApplicationResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await decisions.claim(
                write,
                self._parts,
                await self._locked(write, request.application_id, request.organisation_id),
                member_id=member_of(call),
                release=request.release,
            )
            return write.reply(await self._decided(record, pb.ClaimApplicationResponse), subjects=[record.member_id])

    async def ApproveApplication(
        self, request: pb.ApproveApplicationRequest, call: Call
    ) -> pb.ApproveApplicationResponse:
        """Approve."""
        async with self._parts.database.write(call, request, pb.ApproveApplicationResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await decisions.approve(
                write,
                self._parts,
                await self._locked(write, request.application_id, request.organisation_id),
                member_id=member_of(call),
                etag=request.etag,
                findings_checked=request.findings_checked,
            )
            return write.reply(await self._decided(record, pb.ApproveApplicationResponse), subjects=[record.member_id])

    async def RefuseApplication(self, request: pb.RefuseApplicationRequest, call: Call) -> pb.RefuseApplicationResponse:
        """Refuse with a reason."""
        async with self._parts.database.write(call, request, pb.RefuseApplicationResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await decisions.refuse(
                write,
                self._parts,
                await self._locked(write, request.application_id, request.organisation_id),
                member_id=member_of(call),
                etag=request.etag,
                reason=request.reason,
                note=request.note,
            )
            return write.reply(await self._decided(record, pb.RefuseApplicationResponse), subjects=[record.member_id])

    async def AskApplicant(self, request: pb.AskApplicantRequest, call: Call) -> pb.AskApplicantResponse:
        """Ask for more."""
        async with self._parts.database.write(call, request, pb.AskApplicantResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await decisions.ask(
                write,
                self._parts,
                await self._locked(write, request.application_id, request.organisation_id),
                member_id=member_of(call),
                etag=request.etag,
                question=request.question,
            )
            return write.reply(await self._decided(record, pb.AskApplicantResponse), subjects=[record.member_id])

    async def UndoApproval(self, request: pb.UndoApprovalRequest, call: Call) -> pb.UndoApprovalResponse:
        """Take back a wrong approval."""
        async with self._parts.database.write(call, request, pb.UndoApprovalResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await decisions.undo(
                write,
                self._parts,
                await self._locked(write, request.application_id, request.organisation_id),
                member_id=member_of(call),
                etag=request.etag,
                reason=request.reason,
            )
            return write.reply(await self._decided(record, pb.UndoApprovalResponse), subjects=[record.member_id])

    async def _locked(self, write: Transaction, application_id: str, organisation_id: str) -> Application:
        return await decisions.lock_application(write, application_id, organisation_id=organisation_id)

    async def _decided(self, record: Application, response: type[Decided]) -> Decided:
        return response(application=await self._message(record), etag=etag_of(record.version))

    async def _message(self, record: Application) -> application_pb2.Application:
        key = await self._parts.vault.find_member_key(record.member_id, record.county_code)
        return application_message(record, open_details(record, key), now=self._parts.clock.now(), whole=True)

    async def _messages(self, records: Sequence[Application], call: Call) -> list[application_pb2.Application]:
        if not records:
            return []
        now = self._parts.clock.now()
        keys = await self._parts.vault.member_keys([record.member_id for record in records], records[0].county_code)
        return [
            application_message(record, open_details(record, keys.get(record.member_id)), now=now, whole=False)
            for record in records
        ]

    async def _matching(self, read: Transaction, request: pb.SearchApplicationsRequest, call: Call) -> list[str]:
        if find_county_of_case(request.query.strip()):
            found = await applications.find_by_case_number(read, request.query.strip())
            return [found.member_id] if found else []
        terms = terms_of_query(request.query)
        if not terms:
            return []
        return await self._parts.vault.search.find_members(county_of(call), terms)


def states_of(states: Sequence[int]) -> frozenset[State]:
    """Return the states of a filter; the unspecified one filters nothing."""
    return frozenset(State(state) for state in states if state)


def county_of(call: Call) -> str:
    """Return the code under which the rows of the organisation stand that the call is about."""
    return next(iter(call.scope.counties), call.organisation_id or "")


def member_of(call: Call) -> str:
    """Return the member who calls.

    Raises:
        ServiceError: PERMISSION_DENIED when the account belongs to no member.
    """
    member_id = call.caller.member_id
    if member_id is None:
        raise PERMISSION_DENIED()
    return member_id


def _next_page(found: Sequence[Application], size: int, *, query: str) -> str:
    return encode_page_token([found[size - 1].application_id], query=query) if len(found) > size else ""

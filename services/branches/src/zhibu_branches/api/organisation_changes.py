"""OrganisationService: renaming, moving, merging, splitting and dissolving, now or on a later day."""

from __future__ import annotations

from typing import TypeVar

from zhibu.branches.v1 import organisation_change_pb2
from zhibu.branches.v1 import organisation_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.errors import INVALID_PAGE_TOKEN, NOT_FOUND, PERMISSION_DENIED, field_error
from zhibu_kit.etag import etag_of
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_branches.api.change_messages import change_message
from zhibu_branches.api.days import day_or_none
from zhibu_branches.change_rows import OrganisationChange, find_change, list_changes
from zhibu_branches.changes import Wish
from zhibu_branches.history import versions_of
from zhibu_branches.member_events import day
from zhibu_branches.member_lists import stands_at_or_below
from zhibu_branches.messages import organisation_message
from zhibu_branches.organisations import stored_name_of
from zhibu_branches.planning import cancel_change, change_or_plan
from zhibu_branches.queries import find_organisation
from zhibu_branches.rules.changes import ChangeKind, ChangeState

_PERMISSION = "branches.organisations.change"
_COUNTY_DIGITS = 6


_Request = (
    pb.MoveOrganisationRequest
    | pb.MergeOrganisationsRequest
    | pb.SplitOrganisationRequest
    | pb.DissolveOrganisationRequest
)
R = TypeVar(
    "R",
    pb.MoveOrganisationResponse,
    pb.MergeOrganisationsResponse,
    pb.SplitOrganisationResponse,
    pb.DissolveOrganisationResponse,
)


class OrganisationChangeApi:
    """Handlers of zhibu.branches.v1.OrganisationService that change what is there."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._database = database
        self._clock = clock

    async def RenameOrganisation(
        self, request: pb.RenameOrganisationRequest, call: Call
    ) -> pb.RenameOrganisationResponse:
        async with self._database.write(
            call, request, pb.RenameOrganisationResponse, role=_role_for(request.organisation_id)
        ) as write:
            if write.replayed is not None:
                return write.replayed
            wish = Wish(
                kind=ChangeKind.RENAME,
                organisation_id=request.organisation_id,
                new_name=stored_name_of(request.name),
            )
            change = await self._change(
                write, call, wish, effective=request.effective_date, document="", etag=request.etag
            )
            present = await find_organisation(write, request.organisation_id)
            if present is None:
                raise NOT_FOUND(noun="organisation")
            response = pb.RenameOrganisationResponse(
                organisation=organisation_message(present), etag=etag_of(present.version)
            )
            if change.state == ChangeState.PLANNED:
                response.change.CopyFrom(change_message(change, call.language))
            return write.reply(response)

    async def MoveOrganisation(self, request: pb.MoveOrganisationRequest, call: Call) -> pb.MoveOrganisationResponse:
        wish = Wish(kind=ChangeKind.MOVE, organisation_id=request.organisation_id, target_id=request.target_id)
        return await self._do(request, call, pb.MoveOrganisationResponse, wish)

    async def MergeOrganisations(
        self, request: pb.MergeOrganisationsRequest, call: Call
    ) -> pb.MergeOrganisationsResponse:
        wish = Wish(kind=ChangeKind.MERGE, organisation_id=request.organisation_id, target_id=request.target_id)
        return await self._do(request, call, pb.MergeOrganisationsResponse, wish)

    async def SplitOrganisation(self, request: pb.SplitOrganisationRequest, call: Call) -> pb.SplitOrganisationResponse:
        wish = Wish(
            kind=ChangeKind.SPLIT,
            organisation_id=request.organisation_id,
            new_name=stored_name_of(request.new_name),
            member_ids=tuple(request.member_ids),
        )
        return await self._do(request, call, pb.SplitOrganisationResponse, wish)

    async def DissolveOrganisation(
        self, request: pb.DissolveOrganisationRequest, call: Call
    ) -> pb.DissolveOrganisationResponse:
        wish = Wish(kind=ChangeKind.DISSOLVE, organisation_id=request.organisation_id, target_id=request.target_id)
        return await self._do(request, call, pb.DissolveOrganisationResponse, wish)

    async def ListOrganisationChanges(
        self, request: pb.ListOrganisationChangesRequest, call: Call
    ) -> pb.ListOrganisationChangesResponse:
        same = f"{request.organisation_id}\n{sorted(request.states)}"
        page = page_of(request.page_size, request.page_token, query=same, keys=2)
        async with self._database.read(call, request, role=_role_for(request.organisation_id)) as read:
            rows = await list_changes(
                read,
                request.organisation_id,
                states=list(request.states),
                after=_change_key(page.after) if page.after else None,
                count_max=page.size + 1,
            )
            shown = rows[: page.size]
            response = pb.ListOrganisationChangesResponse(changes=[change_message(row, call.language) for row in shown])
            if len(rows) > page.size:
                last = shown[-1]
                key = ["1" if last.state == ChangeState.PLANNED else "0", last.organisation_change_id]
                response.next_page_token = encode_page_token(key, query=same)
            return read.reply(response)

    async def CancelOrganisationChange(
        self, request: pb.CancelOrganisationChangeRequest, call: Call
    ) -> pb.CancelOrganisationChangeResponse:
        async with self._database.write(
            call, request, pb.CancelOrganisationChangeResponse, role=_role_for(request.organisation_id)
        ) as write:
            if write.replayed is not None:
                return write.replayed
            found = await find_change(write, request.organisation_change_id)
            if found is None or not await stands_at_or_below(write, [found.organisation_id], request.organisation_id):
                raise NOT_FOUND(noun="organisation_change")
            change = await cancel_change(
                write, request.organisation_change_id, etag=request.etag, now=self._clock.now()
            )
            return write.reply(
                pb.CancelOrganisationChangeResponse(
                    change=change_message(change, call.language), etag=etag_of(change.version)
                )
            )

    async def ListOrganisationHistory(
        self, request: pb.ListOrganisationHistoryRequest, call: Call
    ) -> pb.ListOrganisationHistoryResponse:
        async with self._database.read(call, request) as read:
            rows = await versions_of(read, request.organisation_id)
            if not rows:
                raise NOT_FOUND(noun="organisation")
            return read.reply(
                pb.ListOrganisationHistoryResponse(
                    versions=[
                        organisation_change_pb2.OrganisationVersion(
                            organisation_id=row.organisation_id,
                            parent_id=row.parent_id or "",
                            name=row.name,
                            active=row.active,
                            start_date=day(row.start_date),
                            end_date=day(row.end_date),
                            successor_id=row.successor_id or "",
                        )
                        for row in rows
                    ]
                )
            )

    async def _do(self, request: _Request, call: Call, response_type: type[R], wish: Wish) -> R:
        """Do or plan what a request wishes; its answer is the change."""
        async with self._database.write(call, request, response_type, role=_role_for(request.organisation_id)) as write:
            if write.replayed is not None:
                return write.replayed
            change = await self._change(
                write, call, wish, effective=request.effective_date, document=request.document_number, etag=request.etag
            )
            return write.reply(
                response_type(change=change_message(change, call.language), etag=etag_of(change.version)),
                subjects=wish.member_ids,
            )

    async def _change(
        self, transaction: Transaction, call: Call, wish: Wish, *, effective: str, document: str, etag: str
    ) -> OrganisationChange:
        if wish.target_id:
            await _check_holds_at(transaction, call, wish.target_id)
        return await change_or_plan(
            transaction,
            wish,
            effective_date=day_or_none("effective_date", effective),
            document_number=document.strip(),
            made_by_member_id=call.caller.member_id or "",
            etag=etag,
            now=self._clock.now(),
        )


async def _check_holds_at(transaction: Transaction, call: Call, organisation_id: str) -> None:
    """The caller must hold the permission at the target too; one that is not there gets the same answer."""
    target = await find_organisation(transaction, organisation_id)
    way = () if target is None else (*target.place.ancestor_ids, target.place.organisation_id)
    if not any(_PERMISSION in grant.permissions and grant.organisation_id in way for grant in call.caller.grants):
        raise PERMISSION_DENIED()


def _role_for(organisation_id: str) -> Role:
    # A county stands below a city, and cities lie in no county: whoever passed the access check there writes both.
    above_townships = len(organisation_id) <= _COUNTY_DIGITS
    return Role.PROVINCE if above_townships else Role.APP


def _change_key(after: tuple[str, ...]) -> tuple[bool, str]:
    match after:
        case (planned, organisation_change_id) if planned in {"0", "1"}:
            return planned == "1", organisation_change_id
        case _:
            raise field_error("page_token", INVALID_PAGE_TOKEN)

"""OrganisationService as the contract names it."""

from datetime import date
from typing import Final

from zhibu.branches.v1 import organisation_pb2
from zhibu.branches.v1 import organisation_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock, today_in_shanghai
from zhibu_kit.db import Database, Role
from zhibu_kit.errors import INVALID_PAGE_TOKEN, NOT_FOUND, field_error
from zhibu_kit.etag import etag_of
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_branches import errors
from zhibu_branches.api.change_messages import change_message
from zhibu_branches.api.days import day_or_none
from zhibu_branches.changes import Wish
from zhibu_branches.history import children_as_of, organisation_as_of
from zhibu_branches.messages import organisation_message
from zhibu_branches.organisations import DEFAULT_TERM_YEARS, stored_name_of
from zhibu_branches.planning import change_or_plan
from zhibu_branches.queries import find_organisation, list_children, search_organisations
from zhibu_branches.rules.changes import ChangeKind, ChangeState, Creation
from zhibu_branches.rules.tree import Level

_ANY_LEVEL: Final = organisation_pb2.ORGANISATION_LEVEL_UNSPECIFIED

_COUNTY_DIGITS: Final = 6


class OrganisationApi:
    """Handlers of zhibu.branches.v1.OrganisationService."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._database = database
        self._clock = clock

    async def GetOrganisation(self, request: pb.GetOrganisationRequest, call: Call) -> pb.GetOrganisationResponse:
        async with self._database.read(call, request) as read:
            day = self._day_of(request.as_of_date)
            if day is None:
                found = await find_organisation(read, request.organisation_id)
            else:
                found = await organisation_as_of(read, request.organisation_id, day)
            if found is None:
                raise NOT_FOUND(noun="organisation")
            return read.reply(
                pb.GetOrganisationResponse(organisation=organisation_message(found), etag=etag_of(found.version))
            )

    async def ListOrganisations(self, request: pb.ListOrganisationsRequest, call: Call) -> pb.ListOrganisationsResponse:
        day = self._day_of(request.as_of_date)
        same = f"{request.parent_id}\n{request.as_of_date}" if day else request.parent_id
        page = page_of(request.page_size, request.page_token, query=same)
        async with self._database.read(call, request) as read:
            if request.parent_id and await find_organisation(read, request.parent_id) is None:
                raise NOT_FOUND(noun="organisation")
            parent_id, after = request.parent_id or None, page.after[0] if page.after else None
            if day is None:
                rows = await list_children(read, parent_id=parent_id, after=after, count_max=page.size + 1)
            else:
                rows = await children_as_of(read, parent_id=parent_id, day=day, after=after, count_max=page.size + 1)
            shown = rows[: page.size]
            response = pb.ListOrganisationsResponse(organisations=[organisation_message(row) for row in shown])
            if len(rows) > page.size:
                response.next_page_token = encode_page_token([shown[-1].place.organisation_id], query=same)
            return read.reply(response)

    async def SearchOrganisations(
        self, request: pb.SearchOrganisationsRequest, call: Call
    ) -> pb.SearchOrganisationsResponse:
        same = f"{request.county_code}\n{request.level}\n{request.query}"
        page = page_of(request.page_size, request.page_token, query=same, keys=2)
        async with self._database.read(call, request) as read:
            rows = await search_organisations(
                read,
                query=request.query,
                county_code=request.county_code,
                level=None if request.level == _ANY_LEVEL else Level(request.level),
                after=_search_key(page.after) if page.after else None,
                count_max=page.size + 1,
            )
            shown = rows[: page.size]
            response = pb.SearchOrganisationsResponse(organisations=[organisation_message(row) for row in shown])
            if len(rows) > page.size:
                last = shown[-1].place
                response.next_page_token = encode_page_token([str(int(last.level)), last.organisation_id], query=same)
            return read.reply(response)

    async def CreateOrganisation(
        self, request: pb.CreateOrganisationRequest, call: Call
    ) -> pb.CreateOrganisationResponse:
        async with self._database.write(call, request, pb.CreateOrganisationResponse, role=_role_of(call)) as write:
            if write.replayed is not None:
                return write.replayed
            change = await change_or_plan(
                write,
                _creation_of(request),
                effective_date=day_or_none("effective_date", request.effective_date),
                document_number="",
                made_by_member_id=call.caller.member_id or "",
                etag="",
                now=self._clock.now(),
            )
            if change.state == ChangeState.PLANNED:
                return write.reply(
                    pb.CreateOrganisationResponse(
                        change=change_message(change, call.language), etag=etag_of(change.version)
                    )
                )
            created = await find_organisation(write, change.target_id)
            if created is None:
                raise NOT_FOUND(noun="organisation")
            return write.reply(
                pb.CreateOrganisationResponse(
                    organisation=organisation_message(created), etag=etag_of(created.version)
                ),
                subjects=[created.place.organisation_id],
            )

    def _day_of(self, as_of_date: str) -> date | None:
        """The past day as of which the tree is wanted; None for today."""
        day, today = day_or_none("as_of_date", as_of_date), today_in_shanghai(self._clock)
        if day is not None and day > today:
            raise field_error("as_of_date", errors.DATE_IN_FUTURE)
        return None if day == today else day


def _creation_of(request: pb.CreateOrganisationRequest) -> Wish:
    return Wish(
        kind=ChangeKind.CREATE,
        organisation_id=request.parent_id,
        new_name=stored_name_of(request.name),
        creation=Creation(
            level=Level(request.level),
            code=request.organisation_id,
            term_years=request.term_years or DEFAULT_TERM_YEARS,
        ),
    )


def _role_of(call: Call) -> Role:
    # Cities and the province lie in no county, and what stands below them lies in others: whoever passed the access check
    # there works for the whole province.
    in_county = bool(call.scope.counties) and all(len(code) == _COUNTY_DIGITS for code in call.scope.counties)
    return Role.APP if in_county else Role.PROVINCE


def _search_key(after: tuple[str, ...]) -> tuple[int, str]:
    match after:
        case (level, organisation_id) if level in {"1", "2", "3", "4", "5"}:
            return int(level), organisation_id
        case _:
            raise field_error("page_token", INVALID_PAGE_TOKEN)

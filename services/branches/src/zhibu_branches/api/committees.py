"""CommitteeService: committees, posts and terms."""

from __future__ import annotations

from datetime import date

from zhibu.branches.v1 import committee_pb2
from zhibu.branches.v1 import committee_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock, today_in_shanghai
from zhibu_kit.db import Database, Scope
from zhibu_kit.errors import INVALID_PAGE_TOKEN, field_error
from zhibu_kit.etag import etag_of
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_branches.api.committee_messages import committee_message
from zhibu_branches.api.days import day_of, day_or_none
from zhibu_branches.api.places import get_branch, get_organisation, reading_role
from zhibu_branches.committees.establishing import NewCommittee, end_post, establish_committee, fill_post
from zhibu_branches.committees.queries import (
    Committee,
    find_committee,
    history_of,
    list_committees,
    list_without_committee,
)
from zhibu_branches.committees.terms import set_term_years
from zhibu_branches.rules.committees import Appointment, EndReason, Post, Source


class CommitteeApi:
    """Handlers of zhibu.branches.v1.CommitteeService."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._database = database
        self._clock = clock

    async def GetCommittee(self, request: pb.GetCommitteeRequest, call: Call) -> pb.GetCommitteeResponse:
        async with self._database.read(call, request) as read:
            branch = await get_branch(read, request.organisation_id)
            # Who leads a branch is no secret among members, of whatever county.
            await read.widen(Scope.of(branch.place.county_code))
            found = await find_committee(read, request.organisation_id)
            if found is None:
                return read.reply(pb.GetCommitteeResponse())
            return read.reply(pb.GetCommitteeResponse(committee=self._message(found), etag=etag_of(found.version)))

    async def ListCommittees(self, request: pb.ListCommitteesRequest, call: Call) -> pb.ListCommitteesResponse:
        if request.without_committee:
            return await self._list_without(request, call)
        same = f"{request.organisation_id}\n{request.ends_before_date}"
        page = page_of(request.page_size, request.page_token, query=same, keys=2)
        async with self._database.read(call, request, role=reading_role(call)) as read:
            rows = await list_committees(
                read,
                await get_organisation(read, request.organisation_id),
                ends_before=day_or_none("ends_before_date", request.ends_before_date),
                after=_term_key(page.after) if page.after else None,
                count_max=page.size + 1,
            )
            shown = rows[: page.size]
            response = pb.ListCommitteesResponse(committees=[self._message(row) for row in shown])
            if len(rows) > page.size:
                last = shown[-1]
                response.next_page_token = encode_page_token(
                    [last.term_end_date.isoformat(), last.committee_id], query=same
                )
            return read.reply(response)

    async def ListCommitteeHistory(
        self, request: pb.ListCommitteeHistoryRequest, call: Call
    ) -> pb.ListCommitteeHistoryResponse:
        async with self._database.read(call, request) as read:
            await get_branch(read, request.organisation_id)
            rows = await history_of(read, request.organisation_id)
            return read.reply(pb.ListCommitteeHistoryResponse(committees=[self._message(row) for row in rows]))

    async def AppointCommittee(self, request: pb.AppointCommitteeRequest, call: Call) -> pb.AppointCommitteeResponse:
        async with self._database.write(call, request, pb.AppointCommitteeResponse) as write:
            if write.replayed is not None:
                return write.replayed
            new = NewCommittee(
                appointments=tuple(_appointment(one) for one in request.appointments),
                start_date=day_of("start_date", request.start_date),
                document_number=request.document_number.strip(),
                source=Source.APPOINTMENT,
            )
            made = await establish_committee(
                write, request.organisation_id, new, etag=request.etag, now=self._clock.now()
            )
            return write.reply(
                pb.AppointCommitteeResponse(committee=self._message(made), etag=etag_of(made.version)),
                subjects=sorted({appointment.member_id for appointment in new.appointments}),
            )

    async def FillPost(self, request: pb.FillPostRequest, call: Call) -> pb.FillPostResponse:
        async with self._database.write(call, request, pb.FillPostResponse) as write:
            if write.replayed is not None:
                return write.replayed
            changed = await fill_post(
                write,
                request.organisation_id,
                _appointment(request.appointment),
                start_date=day_of("start_date", request.start_date),
                document_number=request.document_number.strip(),
                etag=request.etag,
                now=self._clock.now(),
            )
            return write.reply(
                pb.FillPostResponse(committee=self._message(changed), etag=etag_of(changed.version)),
                subjects=[request.appointment.member_id],
            )

    async def EndPost(self, request: pb.EndPostRequest, call: Call) -> pb.EndPostResponse:
        async with self._database.write(call, request, pb.EndPostResponse) as write:
            if write.replayed is not None:
                return write.replayed
            changed = await end_post(
                write,
                request.organisation_id,
                request.post_id,
                end_date=day_of("end_date", request.end_date),
                reason=EndReason(request.end_reason),
                document_number=request.document_number.strip(),
                etag=request.etag,
                now=self._clock.now(),
            )
            return write.reply(
                pb.EndPostResponse(committee=self._message(changed), etag=etag_of(changed.version)),
                subjects=[request.post_id],
            )

    async def SetTermYears(self, request: pb.SetTermYearsRequest, call: Call) -> pb.SetTermYearsResponse:
        async with self._database.write(call, request, pb.SetTermYearsResponse) as write:
            if write.replayed is not None:
                return write.replayed
            await set_term_years(write, request.organisation_id, request.term_years, now=self._clock.now())
            return write.reply(
                pb.SetTermYearsResponse(organisation_id=request.organisation_id, term_years=request.term_years)
            )

    async def _list_without(self, request: pb.ListCommitteesRequest, call: Call) -> pb.ListCommitteesResponse:
        same = f"{request.organisation_id}\nwithout"
        page = page_of(request.page_size, request.page_token, query=same)
        async with self._database.read(call, request, role=reading_role(call)) as read:
            rows = await list_without_committee(
                read,
                await get_organisation(read, request.organisation_id),
                after=page.after[0] if page.after else None,
                count_max=page.size + 1,
            )
            shown = rows[: page.size]
            response = pb.ListCommitteesResponse(
                committees=[committee_pb2.Committee(branch_id=branch_id, branch_name=name) for branch_id, name in shown]
            )
            if len(rows) > page.size:
                response.next_page_token = encode_page_token([shown[-1][0]], query=same)
            return read.reply(response)

    def _message(self, found: Committee) -> committee_pb2.Committee:
        return committee_message(found, today=today_in_shanghai(self._clock))


def _appointment(message: pb.PostAppointment) -> Appointment:
    return Appointment(member_id=message.member_id, post=Post(message.post))


def _term_key(after: tuple[str, ...]) -> tuple[date, str]:
    try:
        text, committee_id = after
        return date.fromisoformat(text), committee_id
    except ValueError:
        raise field_error("page_token", INVALID_PAGE_TOKEN) from None

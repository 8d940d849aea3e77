"""MembershipService as the contract names it: what officers do, and the other services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from zhibu.branches.v1 import membership_pb2
from zhibu.branches.v1 import membership_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock, today_in_shanghai
from zhibu_kit.db import Database, Scope, Transaction
from zhibu_kit.errors import INVALID_PAGE_TOKEN, NOT_FOUND, field_error
from zhibu_kit.etag import check_etag, etag_of
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_branches import errors
from zhibu_branches.acts import count_act
from zhibu_branches.api.days import day_of, day_or_none
from zhibu_branches.api.my_memberships import membership_messages, request_messages
from zhibu_branches.county_rights import right_message, right_of, rights_of, update_rights
from zhibu_branches.member_events import instant
from zhibu_branches.member_lists import branch_names, list_members, stands_at_or_below, those_at_or_below
from zhibu_branches.member_messages import decision_message, membership_message, record_message
from zhibu_branches.member_queries import show_counties_of
from zhibu_branches.memberships import (
    NewRecord,
    Record,
    lock_branches,
    memberships_of,
    open_membership,
    record_of,
    show_all_of,
)
from zhibu_branches.queries import Organisation, find_organisation
from zhibu_branches.records import Document, decisions_of, place_member, record_decision
from zhibu_branches.requests import ADMITTED, REFUSED, check_open, find_request, lock_request, open_requests_to, settle
from zhibu_branches.restoring import restore_member
from zhibu_branches.rules.decisions import Decision
from zhibu_branches.rules.members import MembershipKind, Occupation, PartyStatus, RestoreReason, Standing
from zhibu_branches.rules.tree import Level
from zhibu_branches.unplaced import list_unplaced


class MembershipApi:
    """Handlers of zhibu.branches.v1.MembershipService that are not about the caller."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._database = database
        self._clock = clock

    async def ListMembershipRequests(
        self, request: pb.ListMembershipRequestsRequest, call: Call
    ) -> pb.ListMembershipRequestsResponse:
        page = page_of(request.page_size, request.page_token, query=request.organisation_id)
        async with self._database.read(call, request) as read:
            rows = await open_requests_to(
                read, request.organisation_id, after=page.after[0] if page.after else None, count_max=page.size + 1
            )
            shown = rows[: page.size]
            response = pb.ListMembershipRequestsResponse(requests=await request_messages(read, shown))
            if len(rows) > page.size:
                last = shown[-1].membership_request_id
                response.next_page_token = encode_page_token([last], query=request.organisation_id)
            return read.reply(response)

    async def DecideMembershipRequest(
        self, request: pb.DecideMembershipRequestRequest, call: Call
    ) -> pb.DecideMembershipRequestResponse:
        async with self._database.write(call, request, pb.DecideMembershipRequestResponse) as write:
            if write.replayed is not None:
                return write.replayed
            now = self._clock.now()
            found = await find_request(write, request.membership_request_id)
            if found is None or not await stands_at_or_below(write, [found.branch_id], request.organisation_id):
                raise NOT_FOUND(noun="membership_request")
            _check_not_own(call, found.member_id)
            if request.admit:
                # Locks in the one order: branch, record, request.
                await lock_branches(write, [found.branch_id])
                await show_counties_of(write, found.member_id)
                await record_of(write, found.member_id, lock=True)
            locked = await lock_request(write, request.membership_request_id)
            check_open(locked, etag=request.etag)
            if request.admit:
                await open_membership(
                    write,
                    member_id=locked.member_id,
                    branch_id=locked.branch_id,
                    kind=MembershipKind.VIRTUAL,
                    start_date=today_in_shanghai(self._clock),
                    now=now,
                )
            done = await settle(
                write,
                locked,
                state=ADMITTED if request.admit else REFUSED,
                refusal_note="" if request.admit else request.refusal_note,
                now=now,
            )
            (message,) = await request_messages(write, [done])
            return write.reply(
                pb.DecideMembershipRequestResponse(request=message, etag=message.etag), subjects=[done.member_id]
            )

    async def ListMembers(self, request: pb.ListMembersRequest, call: Call) -> pb.ListMembersResponse:
        same = f"{request.organisation_id}\n{request.kind}\n{sorted(request.statuses)}"
        page = page_of(request.page_size, request.page_token, query=same)
        async with self._database.read(call, request) as read:
            place = await _organisation(read, request.organisation_id)
            kind = _kind_wanted(request.kind, place)
            found = await list_members(
                read,
                place,
                kind=kind,
                statuses=[PartyStatus(status) for status in request.statuses],
                after=page.after[0] if page.after else None,
                count_max=page.size + 1,
            )
            shown = found.rows[: page.size]
            names = await branch_names(read, [row.membership.branch_id for row in shown])
            rights = (await rights_of(read, [place.place.county_code]))[place.place.county_code].rights
            response = pb.ListMembersResponse(
                members=[
                    record_message(
                        row.record,
                        [
                            membership_message(
                                row.membership, branch_names=names, rights=rights, status=row.record.status
                            )
                        ],
                    )
                    for row in shown
                ],
                total_count=found.total_count,
            )
            if len(found.rows) > page.size:
                last = shown[-1].membership
                after = last.member_id if kind is MembershipKind.PHYSICAL else f"{last.member_id}/{last.membership_id}"
                response.next_page_token = encode_page_token([after], query=same)
            return read.reply(response, subjects=[row.record.member_id for row in shown])

    async def GetMemberRecord(self, request: pb.GetMemberRecordRequest, call: Call) -> pb.GetMemberRecordResponse:
        async with self._database.read(call, request) as read:
            await show_counties_of(read, request.member_id)
            record = await record_of(read, request.member_id)
            if record is None:
                raise NOT_FOUND(noun="member")
            held = await memberships_of(read, request.member_id)
            branch_ids = [record.branch_id, *(one.branch_id for one in held)]
            own = await those_at_or_below(read, branch_ids, request.organisation_id)
            if not own:
                raise NOT_FOUND(noun="member")
            at_home = record.branch_id in own
            if not at_home:
                # A virtual branch and its county know their own member; the rest is the physical branch's business.
                held = [one for one in held if one.branch_id in own]
            decisions = await decisions_of(read, request.member_id) if at_home else ()
            response = pb.GetMemberRecordResponse(
                record=record_message(record, await membership_messages(read, held, status=record.status)),
                decisions=[decision_message(entry) for entry in decisions],
                etag=etag_of(record.version),
            )
            return read.reply(response, subjects=[request.member_id])

    async def ListUnplacedMembers(
        self, request: pb.ListUnplacedMembersRequest, call: Call
    ) -> pb.ListUnplacedMembersResponse:
        page = page_of(request.page_size, request.page_token, query=request.organisation_id, keys=2)
        async with self._database.read(call, request) as read:
            place = await _organisation(read, request.organisation_id)
            rows = await list_unplaced(
                read,
                place.place,
                after=_time_and_member(page.after) if page.after else None,
                count_max=page.size + 1,
            )
            shown = rows[: page.size]
            response = pb.ListUnplacedMembersResponse(
                members=[
                    pb.UnplacedMember(
                        member_id=row.member_id,
                        wanted_branch_id=row.wanted_branch_id,
                        issue_time=instant(row.issue_time),
                    )
                    for row in shown
                ]
            )
            if len(rows) > page.size:
                last = shown[-1]
                response.next_page_token = encode_page_token(
                    [last.issue_time.isoformat(), last.member_id], query=request.organisation_id
                )
            return read.reply(response, subjects=[row.member_id for row in shown])

    async def PlaceMember(self, request: pb.PlaceMemberRequest, call: Call) -> pb.PlaceMemberResponse:
        new = NewRecord(
            member_id=request.member_id,
            branch_id=request.organisation_id,
            status=PartyStatus(request.status),
            status_date=day_of("status_date", request.status_date),
            occupation=Occupation(request.occupation),
            admitted_date=day_or_none("admitted_date", request.admitted_date),
            confirmed_date=day_or_none("confirmed_date", request.confirmed_date),
        )
        async with self._database.write(call, request, pb.PlaceMemberResponse) as write:
            if write.replayed is not None:
                return write.replayed
            place = await _organisation(write, request.organisation_id)
            if place.place.level is not Level.BRANCH:
                raise errors.ORGANISATION_IS_NO_BRANCH()
            record, _ = await place_member(
                write,
                new,
                document=Document(number=request.document_number, made_by_member_id=call.caller.member_id or ""),
                today=today_in_shanghai(self._clock),
                now=self._clock.now(),
            )
            return write.reply(
                pb.PlaceMemberResponse(record=await _record(write, record), etag=etag_of(record.version)),
                subjects=[record.member_id],
            )

    async def RecordDecision(self, request: pb.RecordDecisionRequest, call: Call) -> pb.RecordDecisionResponse:
        decision = Decision(
            decision_date=day_of("decision_date", request.decision_date),
            status=PartyStatus(request.status) if request.status else None,
            occupation=Occupation(request.occupation) if request.occupation else None,
            standing=Standing(request.standing) if request.standing else None,
            has_document=bool(request.document_number.strip()),
        )
        async with self._database.write(call, request, pb.RecordDecisionResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await show_all_of(write, request.member_id)
            if not await stands_at_or_below(write, [record.branch_id], request.organisation_id):
                raise NOT_FOUND(noun="member")
            _check_not_own(call, record.member_id)
            check_etag(request.etag, record.version)
            changed, entry = await record_decision(
                write,
                record,
                decision,
                document=Document(
                    number=request.document_number.strip(),
                    document_id=request.document_id,
                    made_by_member_id=call.caller.member_id or "",
                ),
                today=today_in_shanghai(self._clock),
                now=self._clock.now(),
            )
            return write.reply(
                pb.RecordDecisionResponse(
                    record=await _record(write, changed),
                    decision=decision_message(entry),
                    etag=etag_of(changed.version),
                ),
                subjects=[changed.member_id],
            )

    async def RestoreMember(self, request: pb.RestoreMemberRequest, call: Call) -> pb.RestoreMemberResponse:
        async with self._database.write(call, request, pb.RestoreMemberResponse) as write:
            if write.replayed is not None:
                return write.replayed
            # Locks in the one order: branch, record.
            branch = (await lock_branches(write, [request.organisation_id]))[request.organisation_id]
            record = await show_all_of(write, request.member_id)
            if record.county_code != branch.place.county_code:
                # Where it ended it is opened; to another county leads a transfer.
                raise NOT_FOUND(noun="member")
            _check_not_own(call, record.member_id)
            check_etag(request.etag, record.version)
            restored, entry = await restore_member(
                write,
                record,
                RestoreReason(request.reason),
                branch=branch,
                decision_date=day_of("decision_date", request.decision_date),
                document=Document(
                    number=request.document_number.strip(),
                    document_id=request.document_id,
                    made_by_member_id=call.caller.member_id or "",
                ),
                today=today_in_shanghai(self._clock),
                now=self._clock.now(),
            )
            return write.reply(
                pb.RestoreMemberResponse(
                    record=await _record(write, restored),
                    decision=decision_message(entry),
                    etag=etag_of(restored.version),
                ),
                subjects=[restored.member_id],
            )

    async def GetMembershipRights(
        self, request: pb.GetMembershipRightsRequest, call: Call
    ) -> pb.GetMembershipRightsResponse:
        async with self._database.read(call, request) as read:
            county = (await _organisation(read, request.organisation_id)).place.county_code
            await read.widen(Scope.of(county))
            found = (await rights_of(read, [county]))[county]
            return read.reply(
                pb.GetMembershipRightsResponse(
                    rights=[right_message(right, language=call.language) for right in found.rights],
                    etag=etag_of(found.version),
                )
            )

    async def UpdateMembershipRights(
        self, request: pb.UpdateMembershipRightsRequest, call: Call
    ) -> pb.UpdateMembershipRightsResponse:
        async with self._database.write(call, request, pb.UpdateMembershipRightsResponse) as write:
            if write.replayed is not None:
                return write.replayed
            place = await _organisation(write, request.organisation_id)
            if place.place.level is not Level.COUNTY:
                raise errors.ORGANISATION_IS_NO_COUNTY()
            changed = await update_rights(
                write,
                place.place.county_code,
                [right_of(right) for right in request.rights],
                etag=request.etag,
                now=self._clock.now(),
            )
            return write.reply(
                pb.UpdateMembershipRightsResponse(
                    rights=[right_message(right, language=call.language) for right in changed.rights],
                    etag=etag_of(changed.version),
                )
            )

    async def CountAct(self, request: pb.CountActRequest, call: Call) -> pb.CountActResponse:
        async with self._database.write(call, request, pb.CountActResponse) as write:
            if write.replayed is not None:
                return write.replayed
            await show_counties_of(write, request.member_id)
            record = await record_of(write, request.member_id)
            if record is None:
                raise NOT_FOUND(noun="member")
            if record.standing is not Standing.PRESENT:
                raise errors.MEMBER_NOT_PRESENT()
            held = await memberships_of(write, request.member_id)
            if request.branch_id not in {one.branch_id for one in held}:
                raise errors.NOT_A_MEMBER()
            counted, branch_id = await count_act(
                write,
                record,
                act=request.act,
                subject_id=request.subject_id,
                branch_id=request.branch_id,
                now=self._clock.now(),
            )
            return write.reply(pb.CountActResponse(counted=counted, counted_branch_id=branch_id))


def _check_not_own(call: Call, member_id: str) -> None:
    """Nobody confirms themselves or lets themselves in, whatever office they hold."""
    if call.caller.member_id == member_id:
        raise errors.OWN_MATTER()


async def _organisation(transaction: Transaction, organisation_id: str) -> Organisation:
    found = await find_organisation(transaction, organisation_id)
    if found is None:
        raise NOT_FOUND(noun="organisation")
    return found


async def _record(transaction: Transaction, record: Record) -> membership_pb2.MemberRecord:
    held = await memberships_of(transaction, record.member_id)
    return record_message(record, await membership_messages(transaction, held, status=record.status))


def _kind_wanted(kind: int, place: Organisation) -> MembershipKind:
    if kind:
        return MembershipKind(kind)
    return MembershipKind.VIRTUAL if place.virtual else MembershipKind.PHYSICAL


def _time_and_member(after: Sequence[str]) -> tuple[datetime, str]:
    try:
        time, member_id = after
        return datetime.fromisoformat(time), member_id
    except ValueError:
        raise field_error("page_token", INVALID_PAGE_TOKEN) from None

"""What members do about their own memberships and records."""

from __future__ import annotations

import json
from collections.abc import Sequence

from google.api import httpbody_pb2
from google.protobuf import json_format, struct_pb2
from google.protobuf.message import Message
from zhibu.branches.v1 import membership_pb2
from zhibu.branches.v1 import membership_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock, today_in_shanghai
from zhibu_kit.db import Database, Role, Scope, Transaction
from zhibu_kit.errors import NOT_FOUND, PERMISSION_DENIED
from zhibu_kit.etag import etag_of
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_branches import errors
from zhibu_branches.county_rights import rights_of
from zhibu_branches.member_lists import branch_names
from zhibu_branches.member_messages import decision_message, membership_message, record_message
from zhibu_branches.member_queries import show_counties_of
from zhibu_branches.memberships import (
    Membership,
    end_membership,
    lock_branches,
    members_of,
    memberships_of,
    open_membership_in,
    record_of,
)
from zhibu_branches.own_file import other_things_kept
from zhibu_branches.own_memberships import own_memberships
from zhibu_branches.queries import find_organisation
from zhibu_branches.records import decisions_of
from zhibu_branches.requests import (
    WITHDRAWN,
    MembershipRequest,
    check_open,
    find_request,
    lock_request,
    make_request,
    request_message,
    requests_of_member,
    settle,
)
from zhibu_branches.rules.members import EndReason, MembershipKind, PartyStatus


class MyMembershipsApi:
    """Handlers of MembershipService that are about the caller."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._database = database
        self._clock = clock

    async def ListMyMemberships(self, request: pb.ListMyMembershipsRequest, call: Call) -> pb.ListMyMembershipsResponse:
        async with self._database.read(call, request) as read:
            member_id = await _show_caller(read, call)
            record = await record_of(read, member_id) if member_id else None
            status = None if record is None else record.status
            messages = await own_memberships(read, member_id, status=status)
            return read.reply(pb.ListMyMembershipsResponse(memberships=messages))

    async def GetMyRecord(self, request: pb.GetMyRecordRequest, call: Call) -> pb.GetMyRecordResponse:
        async with self._database.read(call, request) as read:
            member_id = await _show_caller(read, call)
            record = await record_of(read, member_id) if member_id else None
            if record is None:
                raise NOT_FOUND(noun="member")
            held = await own_memberships(read, member_id, status=record.status)
            return read.reply(
                pb.GetMyRecordResponse(
                    record=record_message(record, held),
                    decisions=[decision_message(entry) for entry in await decisions_of(read, member_id)],
                )
            )

    async def ListMyFellowMembers(
        self, request: pb.ListMyFellowMembersRequest, call: Call
    ) -> pb.ListMyFellowMembersResponse:
        page = page_of(request.page_size, request.page_token, query=request.branch_id)
        async with self._database.read(call, request) as read:
            member_id = await _show_caller(read, call)
            if not member_id or await open_membership_in(read, member_id, request.branch_id) is None:
                # A branch that is not there and one that is not the caller's get the same answer.
                raise PERMISSION_DENIED()
            rows = await members_of(
                read, request.branch_id, after=page.after[0] if page.after else None, count_max=page.size + 1
            )
            shown = rows[: page.size]
            names = await branch_names(read, [request.branch_id])
            response = pb.ListMyFellowMembersResponse(
                memberships=[membership_message(row, branch_names=names) for row in shown]
            )
            if len(rows) > page.size:
                response.next_page_token = encode_page_token([shown[-1].member_id], query=request.branch_id)
            return read.reply(response, subjects=[row.member_id for row in shown])

    async def RequestMembership(self, request: pb.RequestMembershipRequest, call: Call) -> pb.RequestMembershipResponse:
        async with self._database.write(call, request, pb.RequestMembershipResponse) as write:
            if write.replayed is not None:
                return write.replayed
            place = await find_organisation(write, request.branch_id)
            if place is None:
                raise NOT_FOUND(noun="branch")
            await write.widen(Scope.of(place.place.county_code))
            branch = (await lock_branches(write, [request.branch_id]))[request.branch_id]
            member_id = await _show_caller(write, call)
            made = await make_request(
                write, member_id=member_id, branch=branch, reason=request.reason.strip(), now=self._clock.now()
            )
            etag = etag_of(made.version)
            message = request_message(made, branch_name=branch.name, etag=etag)
            return write.reply(pb.RequestMembershipResponse(request=message, etag=etag))

    async def ListMyMembershipRequests(
        self, request: pb.ListMyMembershipRequestsRequest, call: Call
    ) -> pb.ListMyMembershipRequestsResponse:
        async with self._database.read(call, request) as read:
            found = await requests_of_member(read, await _show_caller(read, call))
            return read.reply(pb.ListMyMembershipRequestsResponse(requests=await request_messages(read, found)))

    async def WithdrawMembershipRequest(
        self, request: pb.WithdrawMembershipRequestRequest, call: Call
    ) -> pb.WithdrawMembershipRequestResponse:
        async with self._database.write(call, request, pb.WithdrawMembershipRequestResponse) as write:
            if write.replayed is not None:
                return write.replayed
            member_id = await _show_caller(write, call)
            present = await find_request(write, request.membership_request_id)
            if present is None or present.member_id != member_id:
                raise NOT_FOUND(noun="membership_request")
            present = await lock_request(write, request.membership_request_id)
            check_open(present)
            done = await settle(write, present, state=WITHDRAWN, now=self._clock.now())
            (message,) = await request_messages(write, [done])
            return write.reply(pb.WithdrawMembershipRequestResponse(request=message, etag=message.etag))

    async def LeaveBranch(self, request: pb.LeaveBranchRequest, call: Call) -> pb.LeaveBranchResponse:
        async with self._database.write(call, request, pb.LeaveBranchResponse) as write:
            if write.replayed is not None:
                return write.replayed
            member_id = await _show_caller(write, call)
            await record_of(write, member_id, lock=True)
            held = await open_membership_in(write, member_id, request.branch_id) if member_id else None
            if held is None:
                raise errors.NOT_A_MEMBER()
            if held.kind is MembershipKind.PHYSICAL:
                raise errors.BRANCH_IS_PHYSICAL()
            ended = await end_membership(
                write,
                membership=held,
                end_date=today_in_shanghai(self._clock),
                reason=EndReason.WITHDREW,
                now=self._clock.now(),
            )
            names = await branch_names(write, [ended.branch_id])
            message = membership_message(ended, branch_names=names)
            return write.reply(pb.LeaveBranchResponse(membership=message, etag=message.etag))

    async def DownloadMyRecord(self, request: pb.DownloadMyRecordRequest, call: Call) -> httpbody_pb2.HttpBody:
        # As the province's role: signatures of a member lie in every county. Every query below names the caller.
        async with self._database.read(call, request, role=Role.PROVINCE) as read:
            member_id = call.caller.member_id or ""
            record = await record_of(read, member_id) if member_id else None
            held = await memberships_of(read, member_id, open_only=False)
            status = None if record is None else record.status
            kept = {
                "member_id": member_id,
                "record": None if record is None else _plain(record_message(record, ())),
                "memberships": [_plain(one) for one in await membership_messages(read, held, status=status)],
                "decisions": [_plain(decision_message(entry)) for entry in await decisions_of(read, member_id)],
                "membership_requests": [
                    _plain(one) for one in await request_messages(read, await requests_of_member(read, member_id))
                ],
                **await other_things_kept(read, member_id),
            }
            name = struct_pb2.Struct()
            name.update({"file_name": "党员档案.json"})
            body = httpbody_pb2.HttpBody(
                content_type="application/json", data=json.dumps(kept, ensure_ascii=False, indent=2).encode()
            )
            body.extensions.add().Pack(name)
            return read.reply(body, subjects=[member_id])


async def membership_messages(
    transaction: Transaction, held: Sequence[Membership], *, status: PartyStatus | None
) -> list[membership_pb2.Membership]:
    """Memberships of one member with what each entitles to by the rights of the branch's county."""
    names = await branch_names(transaction, [one.branch_id for one in held])
    rights = await rights_of(transaction, sorted({one.county_code for one in held}))
    return [
        membership_message(one, branch_names=names, rights=rights[one.county_code].rights, status=status)
        for one in held
    ]


async def request_messages(transaction: Transaction, found: Sequence[MembershipRequest]) -> list[pb.MembershipRequest]:
    """Requests with the names of their branches."""
    names = await branch_names(transaction, [one.branch_id for one in found])
    return [request_message(one, branch_name=names.get(one.branch_id, ""), etag=etag_of(one.version)) for one in found]


async def _show_caller(transaction: Transaction, call: Call) -> str:
    """Let the scope show every county in which the caller has something; the caller's member id, empty for none."""
    member_id = call.caller.member_id or ""
    if member_id:
        await show_counties_of(transaction, member_id)
    return member_id


def _plain(message: Message) -> object:
    return json_format.MessageToDict(message, preserving_proto_field_name=True)

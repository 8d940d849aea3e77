"""RosterApplicationService as the contract names it."""

from __future__ import annotations

from sqlalchemy import select, tuple_
from zhibu.branches.v1 import roster_application_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.db import Database, Transaction
from zhibu_kit.errors import INVALID_PAGE_TOKEN, NOT_FOUND, field_error, find_kind
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_branches.member_events import instant
from zhibu_branches.member_lists import stands_at_or_below
from zhibu_branches.models import roster_application, roster_conflict


class RosterApi:
    """Handlers of zhibu.branches.v1.RosterApplicationService."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    async def GetRosterApplication(
        self, request: pb.GetRosterApplicationRequest, call: Call
    ) -> pb.GetRosterApplicationResponse:
        async with self._database.read(call, request) as read:
            return read.reply(
                pb.GetRosterApplicationResponse(
                    application=await _application(read, request.roster_id, request.organisation_id)
                )
            )

    async def ListRosterConflicts(
        self, request: pb.ListRosterConflictsRequest, call: Call
    ) -> pb.ListRosterConflictsResponse:
        page = page_of(request.page_size, request.page_token, query=request.roster_id, keys=2)
        table = roster_conflict.c
        statement = select(roster_conflict).where(table.roster_id == request.roster_id)
        if page.after:
            statement = statement.where(tuple_(table.row_number, table.member_id) > _after(page.after))
        async with self._database.read(call, request) as read:
            await _application(read, request.roster_id, request.organisation_id)
            rows = await read.all(statement.order_by(table.row_number, table.member_id).limit(page.size + 1))
            shown = rows[: page.size]
            response = pb.ListRosterConflictsResponse(
                conflicts=[
                    pb.RosterConflict(
                        member_id=row.member_id,
                        row_number=row.row_number,
                        reason=row.reason,
                        message=_message(row.reason, call.language),
                        branch_id=row.branch_id,
                        current_branch_id=row.current_branch_id,
                    )
                    for row in shown
                ]
            )
            if len(rows) > page.size:
                last = shown[-1]
                response.next_page_token = encode_page_token(
                    [str(last.row_number), last.member_id], query=request.roster_id
                )
            return read.reply(response, subjects=[row.member_id for row in shown])


async def _application(transaction: Transaction, roster_id: str, organisation_id: str) -> pb.RosterApplication:
    row = await transaction.one_or_none(select(roster_application).where(roster_application.c.roster_id == roster_id))
    if row is None or not await stands_at_or_below(transaction, [row.organisation_id], organisation_id):
        raise NOT_FOUND(noun="roster")
    return pb.RosterApplication(
        roster_id=row.roster_id,
        organisation_id=row.organisation_id,
        total_count=row.total_count,
        applied_count=row.applied_count,
        unchanged_count=row.unchanged_count,
        conflict_count=row.conflict_count,
        done=row.done,
        update_time=instant(row.update_time),
    )


def _message(reason: str, language: str) -> str:
    kind = find_kind(reason)
    return "" if kind is None else kind.text(language, {})


def _after(after: tuple[str, ...]) -> tuple[int, str]:
    match after:
        case (number, member_id) if number.isdigit():
            return int(number), member_id
        case _:
            raise field_error("page_token", INVALID_PAGE_TOKEN)

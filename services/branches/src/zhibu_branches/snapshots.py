"""Members as the events that would tell of them, for reconciling: records before memberships, every county."""

from collections.abc import AsyncGenerator
from typing import Final

from google.protobuf.message import Message
from sqlalchemy import select
from zhibu_kit.db import Transaction

from zhibu_branches.member_events import membership_changed, record_changed
from zhibu_branches.member_queries import membership_of, record_from
from zhibu_branches.models import member_record, membership, membership_request, roster_application
from zhibu_branches.requests import request_changed, request_of
from zhibu_branches.rosters.events import roster_applied

# Rows read at once.
_BATCH: Final = 1000


async def member_snapshot(transaction: Transaction) -> AsyncGenerator[tuple[Message, str]]:
    """Every record, membership, request and applied roster."""
    after = ""
    while rows := await transaction.all(
        select(member_record).where(member_record.c.member_id > after).order_by(member_record.c.member_id).limit(_BATCH)
    ):
        for row in rows:
            yield record_changed(record_from(row)), row.county_code
        after = rows[-1].member_id
    after = ""
    while rows := await transaction.all(
        select(membership).where(membership.c.membership_id > after).order_by(membership.c.membership_id).limit(_BATCH)
    ):
        for row in rows:
            yield membership_changed(membership_of(row)), row.county_code
        after = rows[-1].membership_id
    after = ""
    while rows := await transaction.all(
        select(membership_request)
        .where(membership_request.c.membership_request_id > after)
        .order_by(membership_request.c.membership_request_id)
        .limit(_BATCH)
    ):
        for row in rows:
            yield request_changed(request_of(row)), row.county_code
        after = rows[-1].membership_request_id
    for row in await transaction.all(select(roster_application).where(roster_application.c.done)):
        yield roster_applied(row), row.county_code

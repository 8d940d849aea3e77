"""What other services are told of committees."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import date
from typing import Any, Final

from google.protobuf.message import Message
from sqlalchemy import Row, select
from zhibu.branches.v1 import branches_events_pb2 as events
from zhibu.branches.v1 import committee_pb2 as pb
from zhibu_kit.db import Transaction

from zhibu_branches.committees.queries import Holder, holder_from
from zhibu_branches.committees.tables import committee, committee_post
from zhibu_branches.member_events import day, instant

# Rows read at once when all of them are wanted.
_BATCH: Final = 1000


def post_changed(holder: Holder, *, term_end_date: date) -> events.PostChanged:
    """A post as it stands."""
    return events.PostChanged(
        post_id=holder.post_id,
        member_id=holder.member_id,
        branch_id=holder.branch_id,
        county_code=holder.county_code,
        post=pb.Post.ValueType(holder.post),
        active=holder.end_date is None,
        start_date=day(holder.start_date),
        end_date=day(holder.end_date or term_end_date),
        version=holder.version,
        change_time=instant(holder.update_time),
    )


def term_warned(row: Row[Any]) -> events.CommitteeTermWarned:
    """The last warning of a committee."""
    return events.CommitteeTermWarned(
        committee_id=row.committee_id,
        branch_id=row.branch_id,
        county_code=row.county_code,
        months_left=row.warned_months,
        term_end_date=day(row.term_end_date),
        version=row.warning_count,
        change_time=instant(row.update_time),
    )


async def committee_snapshot(transaction: Transaction) -> AsyncGenerator[tuple[Message, str]]:
    """Every post, and the last warning of each committee that serves, as the events that would tell of them."""
    after = ""
    while True:
        rows = await transaction.all(
            select(committee_post, committee.c.term_end_date)
            .join(committee, committee.c.committee_id == committee_post.c.committee_id)
            .where(committee_post.c.post_id > after)
            .order_by(committee_post.c.post_id)
            .limit(_BATCH)
        )
        for row in rows:
            yield post_changed(holder_from(row), term_end_date=row.term_end_date), row.county_code
        if len(rows) < _BATCH:
            break
        after = rows[-1].post_id
    async for event, county_code in _warnings(transaction):
        yield event, county_code


async def _warnings(transaction: Transaction) -> AsyncGenerator[tuple[Message, str]]:
    after = ""
    while True:
        rows = await transaction.all(
            select(committee)
            .where(
                committee.c.committee_id > after,
                committee.c.end_date.is_(None),
                committee.c.warned_months.is_not(None),
            )
            .order_by(committee.c.committee_id)
            .limit(_BATCH)
        )
        for row in rows:
            yield term_warned(row), row.county_code
        if len(rows) < _BATCH:
            return
        after = rows[-1].committee_id

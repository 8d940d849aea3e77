"""Offices that follow posts: given when a post begins, ended with it, given back when the holder has an e-ID again.

The end of a term ends neither: a committee serves until the next one is there, or the post is recorded as ended. The grant that follows a post has the post's id: doing it twice makes one grant.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from sqlalchemy import ARRAY, Row, Text, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Transaction

from zhibu_identity.eids.records import Eid, EidState
from zhibu_identity.eids.records import record_of as eid_of
from zhibu_identity.grants.records import (
    Grant,
    as_province,
    change_grant,
    end_grant,
    find_grant,
    insert_grant,
    lock_offices,
)
from zhibu_identity.models import eid as eid_table
from zhibu_identity.models import member_post

# Posts of a committee that carry an office; the numbers are the contract's. The others do their work without one.
OFFICE_OF_POST: Final = {1: "branch_secretary", 2: "branch_deputy", 3: "branch_organiser"}
# Nobody holds more posts at once.
MOST_POSTS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPost:
    """A post in a committee, as branches tells; the end date of an active one is that of its term, and ends nothing."""

    post_id: str
    member_id: str
    branch_id: str
    county_code: str
    post: int
    active: bool
    start_date: date
    end_date: date
    version: int

    @property
    def starts_at(self) -> datetime:
        """The first instant of the first day, in Shanghai."""
        return datetime.combine(self.start_date, time(), tzinfo=SHANGHAI)


async def store_post(transaction: Transaction, post: MemberPost) -> None:
    """Keep a post; an older version changes nothing."""
    values = {name: getattr(post, name) for name in member_post.c.keys()}  # noqa: SIM118 - a ColumnCollection is no dict
    statement = insert(member_post).values(values)
    await transaction.execute(
        statement.on_conflict_do_update(
            index_elements=["post_id"], set_=values, where=member_post.c.version < statement.excluded.version
        )
    )


async def settle_office(transaction: Transaction, post: MemberPost, *, now: datetime) -> None:
    """Have the office that follows a post be as the post is."""
    office = OFFICE_OF_POST.get(post.post)
    if office is None:
        return
    await lock_offices(transaction, [post.member_id])
    eid = await _living_eid(transaction, post.member_id) if post.active else None
    grant = await find_grant(transaction, post.post_id)
    if eid is None:
        if grant is not None:
            await end_grant(transaction, grant, now=now)
    elif grant is None:
        await insert_grant(transaction, _grant(post, eid, office=office))
    elif (grant.ended_at, grant.ends_at, grant.account_id, grant.starts_at) != (
        None,
        None,
        eid.account_id,
        post.starts_at,
    ):
        await change_grant(
            transaction,
            grant,
            account_id=eid.account_id,
            member_county_code=eid.county_code,
            starts_at=post.starts_at,
            ends_at=None,
            ended_at=None,
        )


async def give_offices(transaction: Transaction, member_ids: Collection[str], *, now: datetime) -> None:
    """Give members who have just got an e-ID the offices of the posts that they hold."""
    await lock_offices(transaction, member_ids)
    wanted = cast(bindparam("member_ids", list(member_ids)), ARRAY(Text))
    statement = select(member_post).where(member_post.c.member_id == func.any(wanted), member_post.c.active)
    async with as_province(transaction):
        rows = await transaction.all(statement.order_by(member_post.c.post_id).limit(MOST_POSTS * len(member_ids)))
    for row in rows:
        await settle_office(transaction, record_of(row), now=now)


async def _living_eid(transaction: Transaction, member_id: str) -> Eid | None:
    # A member of a virtual branch may live in another county than it stands in.
    async with as_province(transaction):
        row = await transaction.one_or_none(
            select(eid_table).where(eid_table.c.member_id == member_id, eid_table.c.state != int(EidState.REVOKED))
        )
    return None if row is None else eid_of(row)


def _grant(post: MemberPost, eid: Eid, *, office: str) -> Grant:
    return Grant(
        grant_id=post.post_id,
        county_code=post.county_code,
        organisation_id=post.branch_id,
        member_id=post.member_id,
        member_county_code=eid.county_code,
        account_id=eid.account_id,
        office=office,
        starts_at=post.starts_at,
        ends_at=None,
        ended_at=None,
        made_by_member_id=None,
        version=1,
    )


def record_of(row: Row[Any]) -> MemberPost:
    """Return a post as a row of its table holds it."""
    values: dict[str, Any] = dict(zip(member_post.c.keys(), row, strict=True))
    return MemberPost(**values)

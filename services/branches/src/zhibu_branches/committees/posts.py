"""Giving and ending posts, one by one or with all that they hang on. Posts of a committee change under its lock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select, tuple_, update
from zhibu_kit.db import Transaction
from zhibu_kit.ids import new_ulid

from zhibu_branches.committees.events import post_changed
from zhibu_branches.committees.queries import holder_from
from zhibu_branches.committees.tables import committee, committee_post
from zhibu_branches.rules.committees import Appointment, EndReason


async def give_posts(
    transaction: Transaction,
    committee_id: str,
    appointments: Sequence[Appointment],
    *,
    start_date: date,
    document_number: str,
    now: datetime,
) -> None:
    """Begins posts in a committee that the caller has locked, and tells of them."""
    row = await transaction.one(select(committee).where(committee.c.committee_id == committee_id))
    given = await transaction.all(
        committee_post.insert()
        .values(
            [
                {
                    "post_id": new_ulid(),
                    "committee_id": committee_id,
                    "branch_id": row.branch_id,
                    "county_code": row.county_code,
                    "member_id": appointment.member_id,
                    "post": appointment.post,
                    "start_date": start_date,
                    "document_number": document_number,
                    "end_document_number": "",
                    "version": 1,
                    "create_time": now,
                    "update_time": now,
                }
                for appointment in appointments
            ]
        )
        .returning(committee_post)
    )
    for post in given:
        event = post_changed(holder_from(post), term_end_date=row.term_end_date)
        transaction.emit(event, county_code=row.county_code)


async def end_posts(
    transaction: Transaction,
    which: ColumnElement[bool],
    *,
    end_date: date,
    reason: EndReason,
    now: datetime,
    document_number: str = "",
) -> int:
    """Ends the open posts of a condition and tells of them; none ends before it began. Returns how many there were.

    The committees' versions rise: whoever edits one of them sees what happened first.
    """
    found = await transaction.all(
        select(committee_post.c.committee_id).where(which, committee_post.c.end_date.is_(None)).distinct()
    )
    if not found:
        return 0
    locked = await transaction.all(
        select(committee)
        .where(committee.c.committee_id == func.any(sorted(row.committee_id for row in found)))
        .order_by(committee.c.committee_id)
        .with_for_update()
    )
    ended = await transaction.all(
        update(committee_post)
        .where(which, committee_post.c.end_date.is_(None))
        .values(
            end_date=func.greatest(committee_post.c.start_date, end_date),
            end_reason=reason,
            end_document_number=document_number,
            version=committee_post.c.version + 1,
            update_time=now,
        )
        .returning(committee_post)
    )
    term_ends = {row.committee_id: row.term_end_date for row in locked}
    for post in ended:
        event = post_changed(holder_from(post), term_end_date=term_ends[post.committee_id])
        transaction.emit(event, county_code=post.county_code)
    await touch(transaction, sorted({post.committee_id for post in ended}), now=now)
    return len(ended)


async def end_posts_in_branches(
    transaction: Transaction, left: Sequence[tuple[str, str]], *, end_date: date, reason: EndReason, now: datetime
) -> int:
    """Ends the posts of members who left branches, given as pairs of member and branch."""
    pairs = tuple_(committee_post.c.member_id, committee_post.c.branch_id).in_(list(left))
    return await end_posts(transaction, pairs, end_date=end_date, reason=reason, now=now)


async def end_posts_of(
    transaction: Transaction, member_id: str, *, end_date: date, reason: EndReason, now: datetime
) -> int:
    """Ends every post of a member, in whatever branch; the scope shows the counties of those branches."""
    of_member = committee_post.c.member_id == member_id
    return await end_posts(transaction, of_member, end_date=end_date, reason=reason, now=now)


async def touch(transaction: Transaction, committee_ids: Sequence[str], *, now: datetime) -> None:
    """Raises the versions of committees whose posts changed."""
    await transaction.execute(
        update(committee)
        .where(committee.c.committee_id == func.any(list(committee_ids)))
        .values(version=committee.c.version + 1, update_time=now)
    )

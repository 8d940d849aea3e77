"""Making a committee, by a recorded appointment now and by elections later; filling and ending its posts.

Locks are taken in the order of `locks`: the branch, the records, then the committee.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, update
from zhibu_kit.db import Scope, Transaction
from zhibu_kit.errors import NOT_FOUND, field_error
from zhibu_kit.ids import new_ulid

from zhibu_branches.committees import errors
from zhibu_branches.committees.checks import (
    check_committee_etag,
    check_date,
    check_holders,
    count_full_members,
    refused,
    too_small_for,
)
from zhibu_branches.committees.posts import end_posts, give_posts, touch
from zhibu_branches.committees.queries import Committee, Holder, find_committee
from zhibu_branches.committees.tables import committee, committee_post
from zhibu_branches.errors import ORGANISATION_DISSOLVED
from zhibu_branches.locks import to_change
from zhibu_branches.models import organisation
from zhibu_branches.queries import Organisation, find_organisation
from zhibu_branches.rules.committees import (
    Appointment,
    EndReason,
    Source,
    may_be_filled,
    may_hold_together,
    next_warning_date,
    refusal_of,
    term_end,
)
from zhibu_branches.rules.tree import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommittee:
    """Who gets which post, from when, and by which document."""

    appointments: tuple[Appointment, ...]
    start_date: date
    document_number: str
    source: Source


async def establish_committee(
    transaction: Transaction, branch_id: str, new: NewCommittee, *, etag: str | None, now: datetime
) -> Committee:
    """Makes the committee of a branch; the one before it ends the day before.

    `etag` is that of the committee before, empty when there is none; None does not ask (an election knows no etag).

    Raises:
        ServiceError: NOT_FOUND, ORGANISATION_DISSOLVED, ETAG_MISMATCH, or field errors on start_date and appointments.
    """
    branch = await lock_branch(transaction, branch_id)
    await check_holders(transaction, branch_id, new.appointments, field="appointments[{at}].member_id")
    before = await find_committee(transaction, branch_id, lock=True)
    if etag is not None:
        check_committee_etag(etag, before)
    check_date(new.start_date, not_before=before.start_date if before else None, now=now)
    refusal = refusal_of(new.appointments, full_members=await count_full_members(transaction, branch))
    if refusal is not None:
        raise refused(*refusal)
    if before is not None:
        await end_committee(transaction, before, new.start_date, reason=EndReason.TERM_ENDED, now=now)
    committee_id = new_ulid()
    term_end_date = term_end(new.start_date, branch.term_years)
    await transaction.execute(
        committee.insert().values(
            committee_id=committee_id,
            branch_id=branch_id,
            county_code=branch.place.county_code,
            source=new.source,
            document_number=new.document_number,
            start_date=new.start_date,
            term_end_date=term_end_date,
            seats=sorted(appointment.post for appointment in new.appointments),
            warning_count=0,
            next_warning_date=next_warning_date(term_end_date, None),
            version=await _next_version(transaction, branch_id),
            create_time=now,
            update_time=now,
        )
    )
    await give_posts(
        transaction,
        committee_id,
        new.appointments,
        start_date=new.start_date,
        document_number=new.document_number,
        now=now,
    )
    return await get_committee(transaction, branch_id)


async def fill_post(
    transaction: Transaction,
    branch_id: str,
    appointment: Appointment,
    *,
    start_date: date,
    document_number: str,
    etag: str,
    now: datetime,
) -> Committee:
    """Fills a vacancy until the end of the term.

    Raises:
        ServiceError: NOT_FOUND, BRANCH_HAS_NO_COMMITTEE, ETAG_MISMATCH, POST_NOT_VACANT, or field errors on start_date
            and appointment.
    """
    branch = await lock_branch(transaction, branch_id)
    await check_holders(transaction, branch_id, [appointment], field="appointment.member_id")
    present = await _lock_committee(transaction, branch_id, etag=etag)
    check_date(start_date, not_before=present.start_date, now=now)
    if appointment.post not in present.vacancies:
        raise errors.POST_NOT_VACANT()
    everybody = [holder.post for holder in present.holders]
    full_members = await count_full_members(transaction, branch)
    if not may_be_filled(appointment.post, held=everybody, full_members=full_members):
        raise too_small_for(field="appointment.post")
    held = [holder.post for holder in present.holders if holder.member_id == appointment.member_id]
    if not may_hold_together(held, appointment.post):
        raise field_error("appointment.post", errors.POSTS_CLASH)
    await give_posts(
        transaction,
        present.committee_id,
        [appointment],
        start_date=start_date,
        document_number=document_number,
        now=now,
    )
    await touch(transaction, [present.committee_id], now=now)
    return await get_committee(transaction, branch_id)


async def end_post(
    transaction: Transaction,
    branch_id: str,
    post_id: str,
    *,
    end_date: date,
    reason: EndReason,
    document_number: str,
    etag: str,
    now: datetime,
) -> Committee:
    """Ends one post before its term.

    Raises:
        ServiceError: NOT_FOUND, BRANCH_HAS_NO_COMMITTEE, ETAG_MISMATCH, POST_ENDED, or a field error on end_date.
    """
    await lock_branch(transaction, branch_id)
    present = await _lock_committee(transaction, branch_id, etag=etag)
    holder = await _find_holder(transaction, present, post_id)
    check_date(end_date, not_before=holder.start_date, field="end_date", now=now)
    await end_posts(
        transaction,
        committee_post.c.post_id == post_id,
        end_date=end_date,
        reason=reason,
        document_number=document_number,
        now=now,
    )
    return await get_committee(transaction, branch_id)


async def end_committee(
    transaction: Transaction, before: Committee, next_day: date, *, reason: EndReason, now: datetime
) -> None:
    """Ends a committee that is locked, and all its posts, the day before another day; no earlier than it began."""
    last_day = date.fromordinal(next_day.toordinal() - 1)
    await end_posts(
        transaction,
        committee_post.c.committee_id == before.committee_id,
        end_date=last_day,
        reason=reason,
        now=now,
    )
    await transaction.execute(
        update(committee)
        .where(committee.c.committee_id == before.committee_id)
        .values(
            end_date=func.greatest(committee.c.start_date, last_day),
            next_warning_date=None,
            version=committee.c.version + 1,
            update_time=now,
        )
    )


async def lock_branch(transaction: Transaction, branch_id: str) -> Organisation:
    """A branch whose committee nobody else changes until the transaction ends; the scope shows its county from now on.

    Raises:
        ServiceError: NOT_FOUND, ORGANISATION_DISSOLVED.
    """
    branch = await find_organisation(transaction, branch_id)
    if branch is None or branch.place.level is not Level.BRANCH:
        raise NOT_FOUND(noun="branch")
    await transaction.widen(Scope.of(branch.place.county_code))
    active = await transaction.scalar(
        to_change(select(organisation.c.active).where(organisation.c.organisation_id == branch_id))
    )
    if not active:
        raise ORGANISATION_DISSOLVED()
    # Read once more under the lock: somebody may have set other years in the meantime.
    return await find_organisation(transaction, branch_id) or branch


async def get_committee(transaction: Transaction, branch_id: str) -> Committee:
    """The committee that a branch has now.

    Raises:
        ServiceError: BRANCH_HAS_NO_COMMITTEE.
    """
    found = await find_committee(transaction, branch_id)
    if found is None:
        raise errors.BRANCH_HAS_NO_COMMITTEE()
    return found


async def _next_version(transaction: Transaction, branch_id: str) -> int:
    """Return a version that no committee of the branch has had: who still looks at an earlier one holds no valid etag."""
    highest = select(func.coalesce(func.max(committee.c.version), 0)).where(committee.c.branch_id == branch_id)
    return int(await transaction.scalar(highest)) + 1


async def _lock_committee(transaction: Transaction, branch_id: str, *, etag: str) -> Committee:
    present = await find_committee(transaction, branch_id, lock=True)
    if present is None:
        raise errors.BRANCH_HAS_NO_COMMITTEE()
    check_committee_etag(etag, present)
    return present


async def _find_holder(transaction: Transaction, present: Committee, post_id: str) -> Holder:
    for holder in present.holders:
        if holder.post_id == post_id:
            return holder
    ended = await transaction.scalar(
        select(committee_post.c.post_id).where(
            committee_post.c.post_id == post_id, committee_post.c.committee_id == present.committee_id
        )
    )
    raise errors.POST_ENDED() if ended else NOT_FOUND(noun="post")

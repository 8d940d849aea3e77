"""What is asked before somebody gets a post."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func, select
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Transaction
from zhibu_kit.errors import ETAG_MISMATCH, ServiceError, field_error, field_errors, field_violation
from zhibu_kit.etag import etag_of

from zhibu_branches.committees import errors
from zhibu_branches.committees.queries import Committee
from zhibu_branches.errors import DATE_IN_FUTURE
from zhibu_branches.member_places import show_records
from zhibu_branches.member_queries import members_of
from zhibu_branches.models import member_record
from zhibu_branches.queries import Organisation
from zhibu_branches.rules.committees import COMPOSITION, Appointment, Refusal
from zhibu_branches.rules.members import PartyStatus, Standing


async def count_full_members(transaction: Transaction, branch: Organisation) -> int:
    """How many full members a branch has: a virtual one has them in many counties."""
    branch_id = branch.place.organisation_id
    if branch.virtual:
        members = await members_of(transaction, branch_id)
        records = await show_records(transaction, [member.member_id for member in members])
        return sum(1 for record in records.values() if record.status is PartyStatus.FULL)
    return await transaction.scalar(
        select(func.count())
        .select_from(member_record)
        .where(
            member_record.c.branch_id == branch_id,
            member_record.c.standing == Standing.PRESENT,
            member_record.c.status == PartyStatus.FULL,
        )
    )


async def check_holders(
    transaction: Transaction, branch_id: str, appointments: Sequence[Appointment], *, field: str
) -> None:
    """Refuses holders who are no full members of the branch; those who are stay so until the transaction ends."""
    records = await show_records(
        transaction, sorted({appointment.member_id for appointment in appointments}), lock=True
    )
    members = {member.member_id for member in await members_of(transaction, branch_id)}
    wrong = [
        at
        for at, appointment in enumerate(appointments)
        if appointment.member_id not in members
        or appointment.member_id not in records
        or records[appointment.member_id].status is not PartyStatus.FULL
    ]
    if wrong:
        raise field_errors(field_violation(field.format(at=at), errors.HOLDER_NOT_ELIGIBLE) for at in wrong)


def check_committee_etag(given: str, present: Committee | None) -> None:
    """Unlike elsewhere an empty etag says something: that there is no committee."""
    expected = etag_of(present.version) if present else ""
    if given != expected:
        raise ETAG_MISMATCH(etag=expected)


def check_date(value: date, *, not_before: date | None, now: datetime, field: str = "start_date") -> None:
    """Refuses days in the future, and those before another day.

    Raises:
        ServiceError: a field error.
    """
    if value > now.astimezone(SHANGHAI).date():
        raise field_error(field, DATE_IN_FUTURE)
    if not_before is not None and value < not_before:
        raise field_error(field, errors.DATE_TOO_EARLY, date=not_before.isoformat())


def refused(refusal: Refusal, at: int) -> ServiceError:
    """The refusal of a rule as the caller sees it, at the field at fault."""
    rule = COMPOSITION
    match refusal:
        case Refusal.NO_SECRETARY:
            return field_error("appointments", errors.COMMITTEE_WITHOUT_SECRETARY)
        case Refusal.TOO_MANY_HOLDERS:
            return field_error(f"appointments[{at}].post", errors.POST_HELD_TWICE)
        case Refusal.POSTS_OF_ONE_CLASH:
            return field_error(f"appointments[{at}].post", errors.POSTS_CLASH)
        case Refusal.NO_COMMITTEE_YET:
            return too_small_for(field=f"appointments[{at}].post")
        case Refusal.SIZE:
            return field_error(
                "appointments",
                errors.COMMITTEE_SIZE,
                least=str(rule.size_min),
                most=str(rule.size_max),
                article=rule.article,
            )


def too_small_for(*, field: str) -> ServiceError:
    """The refusal of a post that only a committee has, in a branch with too few full members for one."""
    count, article = str(COMPOSITION.committee_from_full_members), COMPOSITION.article
    return field_error(field, errors.BRANCH_WITHOUT_COMMITTEE, count=count, article=article)

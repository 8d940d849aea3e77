"""Opening, moving and ending memberships. The database refuses a commit that breaks "exactly one physical" (0003).

Locks are taken in the one order of `locks`: organisations, then records by member; so no two writers wait for each other
for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import case, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Scope, Transaction
from zhibu_kit.errors import NOT_FOUND, UNAVAILABLE
from zhibu_kit.ids import new_ulid

from zhibu_branches import errors, leaving
from zhibu_branches.bulk import insert_many
from zhibu_branches.locks import to_keep
from zhibu_branches.member_events import membership_changed, record_changed
from zhibu_branches.member_queries import (
    Membership,
    Record,
    members_of,
    membership_of,
    memberships_of,
    open_membership_in,
    physical_of,
    record_from,
    record_of,
    records_of,
    show_counties_of,
)
from zhibu_branches.models import member_record, membership, organisation, unplaced_member
from zhibu_branches.queries import Organisation, organisation_from
from zhibu_branches.rules.members import EndReason, MembershipKind, Occupation, PartyStatus, Standing
from zhibu_branches.rules.tree import Level

__all__ = [
    "Membership",
    "NewRecord",
    "Record",
    "counties_of_members",
    "end_membership",
    "end_memberships",
    "lock_branches",
    "members_of",
    "memberships_of",
    "move_members",
    "open_membership",
    "open_membership_in",
    "open_record",
    "open_virtual",
    "physical_of",
    "record_of",
    "records_of",
    "reopen_record",
    "show_all_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """What is known of a member when a branch takes the record up."""

    member_id: str
    branch_id: str
    status: PartyStatus
    status_date: date | None
    occupation: Occupation
    applied_date: date | None = None
    admitted_date: date | None = None
    confirmed_date: date | None = None


async def open_record(transaction: Transaction, new: NewRecord, *, start_date: date, now: datetime) -> Record:
    """Takes a person up in a physical branch: the record and the membership. Ends being unplaced.

    Raises:
        ServiceError: NOT_FOUND for the branch, ORGANISATION_DISSOLVED, BRANCH_IS_VIRTUAL, MEMBER_HAS_RECORD.
    """
    branch = (await lock_branches(transaction, [new.branch_id]))[new.branch_id]
    _check_physical(branch)
    county_code = branch.place.county_code
    row = await transaction.one_or_none(
        insert(member_record)
        .values(
            member_id=new.member_id,
            county_code=county_code,
            branch_id=new.branch_id,
            status=new.status,
            status_date=new.status_date,
            applied_date=new.applied_date,
            admitted_date=new.admitted_date,
            confirmed_date=new.confirmed_date,
            occupation=new.occupation,
            standing=Standing.PRESENT,
            end_date=None,
            version=1,
            create_time=now,
            update_time=now,
        )
        .on_conflict_do_nothing()
        .returning(member_record)
    )
    if row is None:
        raise errors.MEMBER_HAS_RECORD()
    await transaction.execute(unplaced_member.delete().where(unplaced_member.c.member_id == new.member_id))
    record = record_from(row)
    await _insert(transaction, record.member_id, branch, MembershipKind.PHYSICAL, start_date=start_date, now=now)
    transaction.emit(record_changed(record), county_code=county_code)
    return record


async def reopen_record(
    transaction: Transaction, record: Record, *, branch: Organisation, start_date: date, now: datetime
) -> Record:
    """Opens a locked record again, with a physical membership in a locked branch of its county.

    Raises:
        ServiceError: ORGANISATION_DISSOLVED, BRANCH_IS_VIRTUAL.
    """
    _check_physical(branch)
    row = await transaction.one(
        update(member_record)
        .where(member_record.c.member_id == record.member_id)
        .values(
            branch_id=branch.place.organisation_id,
            standing=Standing.PRESENT,
            end_date=None,
            version=member_record.c.version + 1,
            update_time=now,
        )
        .returning(member_record)
    )
    await transaction.execute(unplaced_member.delete().where(unplaced_member.c.member_id == record.member_id))
    await _insert(transaction, record.member_id, branch, MembershipKind.PHYSICAL, start_date=start_date, now=now)
    return record_from(row)


async def open_membership(
    transaction: Transaction, *, member_id: str, branch_id: str, kind: MembershipKind, start_date: date, now: datetime
) -> Membership:
    """Begins a membership of a present member; the scope must show the branch's county and the member's.

    For PHYSICAL the one before must have been ended in this transaction; `move_members` does both.

    Raises:
        ServiceError: NOT_FOUND for the branch or the member, ORGANISATION_DISSOLVED, BRANCH_IS_VIRTUAL,
            BRANCH_IS_PHYSICAL, MEMBER_NOT_PRESENT, ALREADY_MEMBER.
    """
    branch = (await lock_branches(transaction, [branch_id]))[branch_id]
    if kind is MembershipKind.PHYSICAL:
        _check_physical(branch)
    else:
        _check_virtual(branch)
    record = await record_of(transaction, member_id, lock=True)
    if record is None:
        raise NOT_FOUND(noun="member")
    if record.standing is not Standing.PRESENT:
        raise errors.MEMBER_NOT_PRESENT()
    if await open_membership_in(transaction, member_id, branch_id) is not None:
        raise errors.ALREADY_MEMBER()
    opened = await _insert(transaction, member_id, branch, kind, start_date=start_date, now=now)
    if kind is MembershipKind.VIRTUAL:
        await _count_virtual(transaction, [member_id], difference=1)
    else:
        await _place_records(transaction, [member_id], branch, now=now)
    return opened


async def end_membership(
    transaction: Transaction, *, membership: Membership, end_date: date, reason: EndReason, now: datetime
) -> Membership:
    """Ends one membership with all that hangs on it; see `end_memberships`."""
    ended = await end_memberships(transaction, [membership], end_date=end_date, reason=reason, now=now)
    if not ended:
        raise errors.NOT_A_MEMBER()
    return ended[0]


async def end_memberships(
    transaction: Transaction, which: Sequence[Membership], *, end_date: date, reason: EndReason, now: datetime
) -> list[Membership]:
    """Ends memberships with all that hangs on them, those that still last, and returns them as they stand now.

    The records are locked. A physical one leaves its member without a branch: another must follow, or the record's end,
    before the commit. No membership ends before it began.
    """
    if not which:
        return []
    await records_of(transaction, [one.member_id for one in which], lock=True)
    rows = await transaction.all(
        update(membership)
        .where(
            membership.c.membership_id == func.any([one.membership_id for one in which]),
            membership.c.end_date.is_(None),
        )
        .values(
            end_date=func.greatest(membership.c.start_date, end_date),
            end_reason=reason,
            version=membership.c.version + 1,
            update_time=now,
        )
        .returning(membership)
    )
    ended = sorted((membership_of(row) for row in rows), key=lambda one: one.member_id)
    for one in ended:
        transaction.emit(membership_changed(one), county_code=one.county_code)
    await _count_virtual(
        transaction, [one.member_id for one in ended if one.kind is MembershipKind.VIRTUAL], difference=-1
    )
    physical = [one for one in ended if one.kind is MembershipKind.PHYSICAL]
    if physical:
        await leaving.on_physical_end(transaction, physical, end_date=end_date, reason=reason, now=now)
    if ended:
        await leaving.on_any_end(transaction, ended, end_date=end_date, reason=reason, now=now)
    return ended


async def move_members(
    transaction: Transaction,
    members: Sequence[Membership],
    *,
    target: Organisation,
    reason: EndReason,
    move_date: date,
    now: datetime,
) -> None:
    """Moves physical memberships into another branch, which the caller has locked.

    Raises:
        ServiceError: ORGANISATION_DISSOLVED, BRANCH_IS_VIRTUAL.
    """
    _check_physical(target)
    ended = await end_memberships(transaction, members, end_date=move_date, reason=reason, now=now)
    if not ended:
        return
    rows = [_new_row(one.member_id, target, MembershipKind.PHYSICAL, start_date=move_date, now=now) for one in ended]
    for row in await insert_many(transaction, membership, rows):
        transaction.emit(membership_changed(membership_of(row)), county_code=target.place.county_code)
    await _place_records(transaction, [one.member_id for one in ended], target, now=now)


async def open_virtual(
    transaction: Transaction, member_ids: Sequence[str], *, branch: Organisation, start_date: date, now: datetime
) -> None:
    """Begins virtual memberships of many members, whose records are locked; who belongs there already is left out."""
    present = await transaction.all(
        select(membership.c.member_id).where(
            membership.c.branch_id == branch.place.organisation_id, membership.c.end_date.is_(None)
        )
    )
    joining = sorted(set(member_ids) - {row.member_id for row in present})
    rows = [_new_row(one, branch, MembershipKind.VIRTUAL, start_date=start_date, now=now) for one in joining]
    for row in await insert_many(transaction, membership, rows):
        transaction.emit(membership_changed(membership_of(row)), county_code=branch.place.county_code)
    await _count_virtual(transaction, joining, difference=1)


async def counties_of_members(transaction: Transaction, member_ids: Sequence[str]) -> Scope:
    """The counties in which the open records of some members lie, whatever the scope shows."""
    places = func.physical_places(list(member_ids)).table_valued("member_id", "branch_id", "county_code")
    return Scope.of(*{row.county_code for row in await transaction.all(select(places))})


async def lock_branches(transaction: Transaction, branch_ids: Sequence[str]) -> dict[str, Organisation]:
    """Branches that stay as they are, active and in their place, until the transaction ends.

    The scope must show their counties: the policies let nobody lock what may not be written.

    Raises:
        ServiceError: NOT_FOUND for the branch, ORGANISATION_DISSOLVED.
    """
    rows = await transaction.all(
        to_keep(
            select(organisation, literal_column("0").label("child_count")).where(
                organisation.c.organisation_id == func.any(sorted(set(branch_ids)))
            )
        )
    )
    found = {row.organisation_id: organisation_from(row) for row in rows}
    for branch_id in branch_ids:
        if branch_id not in found or found[branch_id].place.level is not Level.BRANCH:
            raise NOT_FOUND(noun="branch")
        if not found[branch_id].active:
            raise errors.ORGANISATION_DISSOLVED()
    return found


async def show_all_of(transaction: Transaction, member_id: str) -> Record:
    """Locks a member's record and lets the scope show every county in which the member has anything.

    Raises:
        ServiceError: NOT_FOUND when nobody of that name is in a county that the scope shows already.
    """
    if await record_of(transaction, member_id, lock=True) is None:
        raise NOT_FOUND(noun="member")
    # Read after the lock: a membership in yet another county needs it too.
    await show_counties_of(transaction, member_id)
    record = await record_of(transaction, member_id)
    if record is None:
        raise UNAVAILABLE()
    return record


def _check_physical(branch: Organisation) -> None:
    if not branch.active:
        raise errors.ORGANISATION_DISSOLVED()
    if branch.virtual:
        raise errors.BRANCH_IS_VIRTUAL()


def _check_virtual(branch: Organisation) -> None:
    if not branch.virtual:
        raise errors.BRANCH_IS_PHYSICAL()


async def _insert(
    transaction: Transaction,
    member_id: str,
    branch: Organisation,
    kind: MembershipKind,
    *,
    start_date: date,
    now: datetime,
) -> Membership:
    row = await transaction.one(
        insert(membership)
        .values(_new_row(member_id, branch, kind, start_date=start_date, now=now))
        .returning(membership)
    )
    opened = membership_of(row)
    transaction.emit(membership_changed(opened), county_code=opened.county_code)
    return opened


def _new_row(
    member_id: str, branch: Organisation, kind: MembershipKind, *, start_date: date, now: datetime
) -> dict[str, object]:
    return {
        "membership_id": new_ulid(),
        "member_id": member_id,
        "branch_id": branch.place.organisation_id,
        "county_code": branch.place.county_code,
        "kind": kind,
        "start_date": start_date,
        "version": 1,
        "create_time": now,
        "update_time": now,
    }


async def _count_virtual(transaction: Transaction, member_ids: Sequence[str], *, difference: int) -> None:
    """Not a change that others are told of, so the version stays."""
    if member_ids:
        counts = {member_id: member_ids.count(member_id) * difference for member_id in set(member_ids)}
        await transaction.execute(
            update(member_record)
            .where(member_record.c.member_id == func.any(list(counts)))
            .values(
                virtual_count=member_record.c.virtual_count
                + case(*((member_record.c.member_id == member, count) for member, count in counts.items()))
            )
        )


async def _place_records(
    transaction: Transaction, member_ids: Sequence[str], branch: Organisation, *, now: datetime
) -> None:
    rows = await transaction.all(
        update(member_record)
        .where(member_record.c.member_id == func.any(list(member_ids)))
        .values(
            branch_id=branch.place.organisation_id,
            county_code=branch.place.county_code,
            version=member_record.c.version + 1,
            update_time=now,
        )
        .returning(member_record)
    )
    for row in rows:
        record = record_from(row)
        transaction.emit(record_changed(record), county_code=record.county_code)

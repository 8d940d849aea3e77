"""Reading memberships and records. Everybody sees the counties of the transaction's scope alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import Row, bindparam, func, select
from zhibu_kit.db import Transaction
from zhibu_kit.prepared import Prepared

from zhibu_branches.models import member_record, membership
from zhibu_branches.rules.members import EndReason, MembershipKind, Occupation, PartyStatus, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What ties a member to a branch for a time; end_date and end_reason are None while it lasts."""

    membership_id: str
    member_id: str
    branch_id: str
    county_code: str
    kind: MembershipKind
    start_date: date
    end_date: date | None
    end_reason: EndReason | None
    version: int
    update_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """How a member stands; county and branch are those of the physical membership, the last one when it ended."""

    member_id: str
    county_code: str
    branch_id: str
    status: PartyStatus
    status_date: date | None
    applied_date: date | None
    admitted_date: date | None
    confirmed_date: date | None
    occupation: Occupation
    standing: Standing
    end_date: date | None
    virtual_count: int
    version: int
    update_time: datetime


async def memberships_of(transaction: Transaction, member_id: str, *, open_only: bool = True) -> list[Membership]:
    """A member's memberships that the scope shows, the physical ones first, then the oldest."""
    statement = select(membership).where(membership.c.member_id == member_id)
    if open_only:
        statement = statement.where(membership.c.end_date.is_(None))
    rows = await transaction.all(statement.order_by(membership.c.kind, membership.c.membership_id))
    return [membership_of(row) for row in rows]


async def members_of(
    transaction: Transaction,
    branch_id: str,
    *,
    kind: MembershipKind | None = None,
    after: str | None = None,
    count_max: int | None = None,
) -> list[Membership]:
    """The open memberships of a branch by member, after the given one."""
    statement = select(membership).where(membership.c.branch_id == branch_id, membership.c.end_date.is_(None))
    if kind is not None:
        statement = statement.where(membership.c.kind == kind)
    if after is not None:
        statement = statement.where(membership.c.member_id > after)
    return [
        membership_of(row) for row in await transaction.all(statement.order_by(membership.c.member_id).limit(count_max))
    ]


async def physical_of(transaction: Transaction, member_ids: Sequence[str]) -> list[Membership]:
    """The physical memberships that members have now, where the scope shows them."""
    rows = await transaction.all(
        select(membership).where(
            membership.c.member_id == func.any(list(member_ids)),
            membership.c.kind == MembershipKind.PHYSICAL,
            membership.c.end_date.is_(None),
        )
    )
    return [membership_of(row) for row in rows]


async def open_membership_in(transaction: Transaction, member_id: str, branch_id: str) -> Membership | None:
    """The member's membership of a branch that lasts, or None."""
    row = await transaction.one_or_none(
        select(membership).where(
            membership.c.member_id == member_id, membership.c.branch_id == branch_id, membership.c.end_date.is_(None)
        )
    )
    return None if row is None else membership_of(row)


async def record_of(transaction: Transaction, member_id: str, *, lock: bool = False) -> Record | None:
    """A member's record; locked, nobody else changes the record or the memberships until the transaction ends."""
    row = await (_LOCKED_RECORD if lock else _RECORD).one_or_none(transaction, member_id=member_id)
    return None if row is None else record_from(row)


_OWN = select(member_record).where(member_record.c.member_id == bindparam("member_id"))
_RECORD: Final = Prepared(_OWN)
_LOCKED_RECORD: Final = Prepared(_OWN.with_for_update())


async def records_of(transaction: Transaction, member_ids: Sequence[str], *, lock: bool = False) -> dict[str, Record]:
    """Records by member; locked, they are taken in the order of the members, as everybody takes them."""
    statement = select(member_record).where(member_record.c.member_id == func.any(list(member_ids)))
    if lock:
        statement = statement.order_by(member_record.c.member_id).with_for_update()
    return {row.member_id: record_from(row) for row in await transaction.all(statement)}


async def show_counties_of(transaction: Transaction, member_id: str) -> None:
    """Let the scope show every county in which anything about a member lies."""
    await transaction.widen_to("member_counties($1)", member_id)


def membership_of(row: Row[Any] | SimpleNamespace) -> Membership:
    """The membership of a row."""
    return Membership(
        membership_id=row.membership_id,
        member_id=row.member_id,
        branch_id=row.branch_id,
        county_code=row.county_code,
        kind=MembershipKind(row.kind),
        start_date=row.start_date,
        end_date=row.end_date,
        end_reason=None if row.end_reason is None else EndReason(row.end_reason),
        version=row.version,
        update_time=row.update_time,
    )


def record_from(row: Row[Any] | SimpleNamespace) -> Record:
    """The record of a row."""
    return Record(
        member_id=row.member_id,
        county_code=row.county_code,
        branch_id=row.branch_id,
        status=PartyStatus(row.status),
        status_date=row.status_date,
        applied_date=row.applied_date,
        admitted_date=row.admitted_date,
        confirmed_date=row.confirmed_date,
        occupation=Occupation(row.occupation),
        standing=Standing(row.standing),
        end_date=row.end_date,
        virtual_count=row.virtual_count,
        version=row.version,
        update_time=row.update_time,
    )

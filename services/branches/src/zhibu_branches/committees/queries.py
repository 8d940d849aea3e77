"""Reading committees and their posts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, select, tuple_
from zhibu_kit.db import Transaction

from zhibu_branches.committees.tables import committee, committee_post
from zhibu_branches.models import organisation
from zhibu_branches.queries import Organisation
from zhibu_branches.rules.committees import EndReason, Post, Source, vacancies
from zhibu_branches.rules.tree import Level

# Committees of one branch that are shown; at one in three years this is three centuries.
HISTORY_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One post of a committee and who holds, or held, it."""

    post_id: str
    committee_id: str
    branch_id: str
    county_code: str
    member_id: str
    post: Post
    start_date: date
    end_date: date | None
    end_reason: EndReason | None
    version: int
    update_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Committee:
    """A committee, or a secretary with a deputy where there is none; `holders` are those that were asked for."""

    committee_id: str
    branch_id: str
    branch_name: str
    county_code: str
    source: Source
    document_number: str
    start_date: date
    term_end_date: date
    end_date: date | None
    seats: tuple[Post, ...]
    warned_months: int | None
    warning_count: int
    version: int
    update_time: datetime
    holders: tuple[Holder, ...] = ()

    @property
    def vacancies(self) -> list[Post]:
        """The posts that stand empty; none in a committee that ended."""
        if self.end_date is not None:
            return []
        return vacancies(self.seats, [holder.post for holder in self.holders if holder.end_date is None])


_with_name = select(committee, organisation.c.name.label("branch_name")).join(
    organisation, organisation.c.organisation_id == committee.c.branch_id
)


async def find_committee(transaction: Transaction, branch_id: str, *, lock: bool = False) -> Committee | None:
    """The committee that a branch has now, with its holders; locked, nobody else changes it or its posts."""
    statement = _with_name.where(committee.c.branch_id == branch_id, committee.c.end_date.is_(None))
    row = await transaction.one_or_none(statement.with_for_update(of=committee) if lock else statement)
    if row is None:
        return None
    return (await with_holders(transaction, [row], ended_too=False))[0]


async def history_of(transaction: Transaction, branch_id: str) -> list[Committee]:
    """The committees that a branch has had, newest first, with every post."""
    rows = await transaction.all(
        _with_name.where(committee.c.branch_id == branch_id)
        .order_by(committee.c.start_date.desc(), committee.c.committee_id.desc())
        .limit(HISTORY_MAX)
    )
    return await with_holders(transaction, rows, ended_too=True)


async def list_committees(
    transaction: Transaction,
    top: Organisation,
    *,
    ends_before: date | None,
    after: tuple[date, str] | None,
    count_max: int,
) -> list[Committee]:
    """The committees of the branches at and below an organisation, those whose term ends first at the front."""
    statement = _with_name.where(committee.c.end_date.is_(None), _below(top))
    if top.place.level is Level.COUNTY:
        # The index holds the county's committees in this very order.
        statement = statement.where(committee.c.county_code == top.place.county_code)
    if ends_before is not None:
        statement = statement.where(committee.c.term_end_date < ends_before)
    if after is not None:
        statement = statement.where(tuple_(committee.c.term_end_date, committee.c.committee_id) > after)
    rows = await transaction.all(
        statement.order_by(committee.c.term_end_date, committee.c.committee_id).limit(count_max)
    )
    return await with_holders(transaction, rows, ended_too=False)


async def list_without_committee(
    transaction: Transaction, top: Organisation, *, after: str | None, count_max: int
) -> list[tuple[str, str]]:
    """The branches at and below an organisation that have neither committee nor secretary, with their names."""
    statement = (
        select(organisation.c.organisation_id, organisation.c.name)
        .outerjoin(
            committee,
            (committee.c.branch_id == organisation.c.organisation_id) & committee.c.end_date.is_(None),
        )
        .where(
            organisation.c.level == Level.BRANCH,
            organisation.c.active,
            committee.c.committee_id.is_(None),
            _below(top),
        )
    )
    if after is not None:
        statement = statement.where(organisation.c.organisation_id > after)
    rows = await transaction.all(statement.order_by(organisation.c.organisation_id).limit(count_max))
    return [(row.organisation_id, row.name) for row in rows]


async def with_holders(transaction: Transaction, rows: Sequence[Row[Any]], *, ended_too: bool) -> list[Committee]:
    """The committees of rows, each with its holders by post."""
    if not rows:
        return []
    statement = select(committee_post).where(
        committee_post.c.committee_id == func.any([row.committee_id for row in rows])
    )
    if not ended_too:
        statement = statement.where(committee_post.c.end_date.is_(None))
    found = await transaction.all(statement.order_by(committee_post.c.post, committee_post.c.post_id))
    holders = [holder_from(row) for row in found]
    return [_committee(row, (holder for holder in holders if holder.committee_id == row.committee_id)) for row in rows]


def holder_from(row: Row[Any]) -> Holder:
    """The holder of a row."""
    return Holder(
        post_id=row.post_id,
        committee_id=row.committee_id,
        branch_id=row.branch_id,
        county_code=row.county_code,
        member_id=row.member_id,
        post=Post(row.post),
        start_date=row.start_date,
        end_date=row.end_date,
        end_reason=None if row.end_reason is None else EndReason(row.end_reason),
        version=row.version,
        update_time=row.update_time,
    )


def _committee(row: Row[Any], holders: Iterable[Holder]) -> Committee:
    return Committee(
        committee_id=row.committee_id,
        branch_id=row.branch_id,
        branch_name=row.branch_name,
        county_code=row.county_code,
        source=Source(row.source),
        document_number=row.document_number,
        start_date=row.start_date,
        term_end_date=row.term_end_date,
        end_date=row.end_date,
        seats=tuple(Post(seat) for seat in row.seats),
        warned_months=row.warned_months,
        warning_count=row.warning_count,
        version=row.version,
        update_time=row.update_time,
        holders=tuple(holders),
    )


def _below(top: Organisation) -> ColumnElement[bool]:
    place = top.place
    match place.level:
        case Level.PROVINCE | Level.CITY:
            return organisation.c.ancestor_ids.contains([place.organisation_id])
        case Level.COUNTY:
            return organisation.c.county_code == place.county_code
        case Level.TOWNSHIP:
            return organisation.c.parent_id == place.organisation_id
        case Level.BRANCH:
            return organisation.c.organisation_id == place.organisation_id

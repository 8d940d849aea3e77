"""Lists of members: of a branch, or of all branches below an organisation, a page at a time by member.

Every list is a keyset over an index (0003), so the last page of 24,000 members costs what the first does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select, true
from zhibu_kit.db import Scope, Transaction

from zhibu_branches import errors
from zhibu_branches.member_queries import Membership, Record, membership_of, record_from
from zhibu_branches.models import member_record, membership, organisation
from zhibu_branches.queries import Organisation
from zhibu_branches.rules.members import MembershipKind, PartyStatus, Standing
from zhibu_branches.rules.tree import Level

_NO_COUNTY: Final = frozenset({Level.PROVINCE, Level.CITY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A member in a list: the record, with the membership that put it there."""

    record: Record
    membership: Membership


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPage:
    """A page of members and how many there are in all."""

    rows: Sequence[Listed]
    total_count: int


async def list_members(
    transaction: Transaction,
    place: Organisation,
    *,
    kind: MembershipKind,
    statuses: Sequence[PartyStatus],
    after: str | None,
    count_max: int,
) -> MemberPage:
    """Members at and below an organisation of one county, by member, after the given one.

    Raises:
        ServiceError: COUNTY_WANTED above the level of counties, which have statistics instead.
    """
    if place.place.level in _NO_COUNTY:
        raise errors.COUNTY_WANTED()
    if kind is MembershipKind.PHYSICAL:
        return await _physical(transaction, place, statuses=statuses, after=after, count_max=count_max)
    # Members of a virtual branch come from other counties too; those alone are read whom a branch here holds.
    homes: Sequence[str] = await transaction.scalar(select(func.home_counties([place.place.county_code])))
    await transaction.widen(Scope.of(*homes))
    return await _virtual(transaction, place, statuses=statuses, after=after, count_max=count_max)


async def branch_names(transaction: Transaction, branch_ids: Sequence[str]) -> Mapping[str, str]:
    """Names of branches, dissolved ones too."""
    rows = await transaction.all(
        select(organisation.c.organisation_id, organisation.c.name).where(
            organisation.c.organisation_id == func.any(sorted(set(branch_ids)))
        )
    )
    return {row.organisation_id: row.name for row in rows}


async def stands_at_or_below(transaction: Transaction, branch_ids: Sequence[str], organisation_id: str) -> bool:
    """Whether one of some branches is the organisation or stands below it."""
    return bool(await those_at_or_below(transaction, branch_ids, organisation_id))


async def those_at_or_below(
    transaction: Transaction, branch_ids: Sequence[str], organisation_id: str
) -> frozenset[str]:
    """Those of some branches that are the organisation or stand below it."""
    rows = await transaction.all(
        select(organisation.c.organisation_id).where(
            organisation.c.organisation_id == func.any(list(branch_ids)),
            (organisation.c.organisation_id == organisation_id)
            | organisation.c.ancestor_ids.contains([organisation_id]),
        )
    )
    return frozenset(row.organisation_id for row in rows)


async def _physical(
    transaction: Transaction,
    place: Organisation,
    *,
    statuses: Sequence[PartyStatus],
    after: str | None,
    count_max: int,
) -> MemberPage:
    table = member_record.c
    wanted = [table.standing == Standing.PRESENT, *_within(place, county=table.county_code, branch=table.branch_id)]
    if statuses:
        wanted.append(table.status == func.any([int(status) for status in statuses]))
    total = await transaction.scalar(select(func.count()).select_from(member_record).where(*wanted))
    page = select(member_record).where(*wanted).order_by(table.member_id).limit(count_max)
    rows = await transaction.all(page if after is None else page.where(table.member_id > after))
    held = await transaction.all(
        select(membership).where(
            membership.c.member_id == func.any([row.member_id for row in rows]),
            membership.c.kind == MembershipKind.PHYSICAL,
            membership.c.end_date.is_(None),
        )
    )
    by_member = {row.member_id: membership_of(row) for row in held}
    return MemberPage(
        rows=[Listed(record=record_from(row), membership=by_member[row.member_id]) for row in rows],
        total_count=total,
    )


async def _virtual(
    transaction: Transaction,
    place: Organisation,
    *,
    statuses: Sequence[PartyStatus],
    after: str | None,
    count_max: int,
) -> MemberPage:
    table = membership.c
    wanted = [
        table.kind == MembershipKind.VIRTUAL,
        table.end_date.is_(None),
        *_within(place, county=table.county_code, branch=table.branch_id),
    ]
    page: Select[Any] = select(membership).where(*wanted)
    counted: Select[Any] = select(func.count()).select_from(membership).where(*wanted)
    if statuses:
        fitting = (
            select(true())
            .where(
                member_record.c.member_id == table.member_id,
                member_record.c.status == func.any([int(status) for status in statuses]),
            )
            .exists()
        )
        page, counted = page.where(fitting), counted.where(fitting)
    total = await transaction.scalar(counted)
    if after is not None:
        # A member may belong to several branches below one organisation.
        member_id, _, membership_id = after.partition("/")
        page = page.where(
            (table.member_id > member_id) | ((table.member_id == member_id) & (table.membership_id > membership_id)),
            table.member_id >= member_id,
        )
    rows = await transaction.all(page.order_by(table.member_id, table.membership_id).limit(count_max))
    records = await transaction.all(
        select(member_record).where(member_record.c.member_id == func.any([row.member_id for row in rows]))
    )
    by_member = {row.member_id: record_from(row) for row in records}
    return MemberPage(
        rows=[Listed(record=by_member[row.member_id], membership=membership_of(row)) for row in rows],
        total_count=total,
    )


def _within(
    place: Organisation, *, county: ColumnElement[str], branch: ColumnElement[str]
) -> list[ColumnElement[bool]]:
    organisation_id = place.place.organisation_id
    match place.place.level:
        case Level.BRANCH:
            return [branch == organisation_id]
        case Level.TOWNSHIP:
            below = select(organisation.c.organisation_id).where(
                organisation.c.ancestor_ids.contains([organisation_id])
            )
            return [county == place.place.county_code, branch.in_(below)]
        case _:
            return [county == place.place.county_code]

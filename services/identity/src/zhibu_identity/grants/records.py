"""Grants of office: the record, how it is found, made and ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Row, Text, and_, bindparam, cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Role, Transaction
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.paging import Page
from zhibu_kit.projections import apply_grant

from zhibu_identity import events
from zhibu_identity.models import office_grant

NOUN: Final = "grant"
# Nobody holds more offices at once.
MOST_PER_MEMBER: Final = 200
# Any number, the same in every process of identity.
_OFFICES_LOCK: Final = 0x5A47


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """An office held at an organisation, from an instant to another; without an end as long as the post that it follows."""

    grant_id: str
    county_code: str
    organisation_id: str
    member_id: str
    member_county_code: str
    account_id: str
    office: str
    starts_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None
    made_by_member_id: str | None
    version: int


@asynccontextmanager
async def as_province(transaction: Transaction) -> AsyncGenerator[None]:
    """Put on the role that sees the grants of every county: a member's offices may lie above and outside of it."""
    async with as_role(transaction, Role.PROVINCE):
        yield


@asynccontextmanager
async def as_role(transaction: Transaction, role: Role) -> AsyncGenerator[None]:
    """Put on a role for some statements of a transaction."""
    await transaction.execute(select(func.set_config("role", f"identity_{role}", True)))
    yield
    # Not in a `finally`: after an error the transaction is over, and so is the role.
    await transaction.execute(select(func.set_config("role", "none", True)))


async def lock_offices(transaction: Transaction, member_ids: Collection[str]) -> None:
    """Keep others from members' offices until the transaction ends; those of several in one order everywhere.

    A post and an e-ID can come into being at the same time, and neither sees the other before it is committed: whoever
    takes this lock second sees what the first has done.
    """
    wanted = cast(bindparam("member_ids", sorted(member_ids)), ARRAY(Text))
    member = func.unnest(wanted).column_valued("member")
    await transaction.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(member, _OFFICES_LOCK))))


async def insert_grant(transaction: Transaction, grant: Grant) -> None:
    """Store a grant; in this service it holds from the commit on, elsewhere when the event arrives."""
    values = {name: getattr(grant, name) for name in office_grant.c.keys()}  # noqa: SIM118 - a ColumnCollection is no dict
    async with as_province(transaction):
        await transaction.execute(insert(office_grant).values(values))
    await _tell(transaction, grant)


async def end_grant(transaction: Transaction, grant: Grant, *, now: datetime) -> Grant:
    """End a grant; one that has ended stays as it is."""
    if grant.ended_at is not None:
        return grant
    async with as_province(transaction):
        row = await transaction.one(
            update(office_grant)
            .where(office_grant.c.grant_id == grant.grant_id)
            .values(ended_at=now, version=grant.version + 1)
            .returning(office_grant)
        )
    ended = record_of(row)
    await _tell(transaction, ended)
    return ended


async def end_grants_of(transaction: Transaction, member_id: str, *, now: datetime) -> None:
    """End every grant that a member holds: the e-ID was revoked."""
    await lock_offices(transaction, [member_id])
    statement = select(office_grant).where(office_grant.c.member_id == member_id, lasts_at(now))
    async with as_province(transaction):
        rows = await transaction.all(statement.limit(MOST_PER_MEMBER).with_for_update())
    for row in rows:
        await end_grant(transaction, record_of(row), now=now)


async def move_grants(transaction: Transaction, member_id: str, *, account_id: str, now: datetime) -> None:
    """Have every grant that a member holds go over to another account: the e-ID was replaced."""
    await lock_offices(transaction, [member_id])
    statement = select(office_grant).where(office_grant.c.member_id == member_id, lasts_at(now))
    async with as_province(transaction):
        rows = await transaction.all(statement.limit(MOST_PER_MEMBER).with_for_update())
    for row in rows:
        await change_grant(transaction, record_of(row), account_id=account_id)


async def change_grant(transaction: Transaction, grant: Grant, **values: Any) -> Grant:
    """Change a locked grant; the version rises and an event tells of it."""
    async with as_province(transaction):
        row = await transaction.one(
            update(office_grant)
            .where(office_grant.c.grant_id == grant.grant_id)
            .values(version=grant.version + 1, **values)
            .returning(office_grant)
        )
    changed = record_of(row)
    await _tell(transaction, changed)
    return changed


async def find_grant(transaction: Transaction, grant_id: str) -> Grant | None:
    """Return a grant, and keep others from it until the transaction ends; None when there is none."""
    statement = select(office_grant).where(office_grant.c.grant_id == grant_id)
    async with as_province(transaction):
        row = await transaction.one_or_none(statement.with_for_update())
    return None if row is None else record_of(row)


async def get_grant(transaction: Transaction, grant_id: str, *, organisation_id: str) -> Grant:
    """Return a grant made at an organisation, and keep others from it until the transaction ends.

    Raises:
        ServiceError: NOT_FOUND when there is none, or another organisation's.
    """
    statement = select(office_grant).where(
        office_grant.c.grant_id == grant_id, office_grant.c.organisation_id == organisation_id
    )
    async with as_province(transaction):
        row = await transaction.one_or_none(statement.with_for_update())
    if row is None:
        raise NOT_FOUND(noun=NOUN)
    return record_of(row)


async def list_grants(
    transaction: Transaction, organisation_id: str, *, now: datetime, include_ended: bool, page: Page
) -> list[Grant]:
    """Return a page of the grants made at an organisation, and one more when there is a next page."""
    statement = select(office_grant).where(office_grant.c.organisation_id == organisation_id)
    if not include_ended:
        statement = statement.where(lasts_at(now))
    if page.after is not None:
        statement = statement.where(office_grant.c.grant_id > page.after[0])
    async with as_province(transaction):
        rows = await transaction.all(statement.order_by(office_grant.c.grant_id).limit(page.size + 1))
    return [record_of(row) for row in rows]


async def list_held_grants(transaction: Transaction, member_id: str, *, now: datetime) -> Sequence[Grant]:
    """Return the grants that a member holds now."""
    statement = select(office_grant).where(
        office_grant.c.member_id == member_id,
        office_grant.c.starts_at <= now,
        lasts_at(now),
    )
    async with as_province(transaction):
        rows = await transaction.all(statement.order_by(office_grant.c.grant_id).limit(MOST_PER_MEMBER))
    return [record_of(row) for row in rows]


def lasts_at(now: datetime) -> ColumnElement[bool]:
    """Return whether a grant has not ended yet; it may be one that only begins later."""
    return and_(office_grant.c.ended_at.is_(None), or_(office_grant.c.ends_at.is_(None), office_grant.c.ends_at > now))


async def _tell(transaction: Transaction, grant: Grant) -> None:
    event = events.grant_changed(grant)
    await apply_grant(transaction, event)
    transaction.emit(event, county_code=grant.county_code)


def record_of(row: Row[Any]) -> Grant:
    """Return a grant as a row of its table holds it."""
    values: dict[str, Any] = dict(zip(office_grant.c.keys(), row, strict=True))
    return Grant(**values)

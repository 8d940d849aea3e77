"""Entries as they are looked up: by what they are about, by who did it, by time; newest first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select, union
from zhibu_kit.db import Transaction

from zhibu_audit.models import entry, entry_subject
from zhibu_audit.reach import Reach, names_statement

_SHOWN: Final = (entry.c.entry_index, entry.c.lane, entry.c.action, entry.c.leaf, entry.c.kind, entry.c.occurred_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a search asks for; empty fields ask for nothing."""

    member_id: str = ""
    subject_id: str = ""
    action_prefix: str = ""
    outcome: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One subject's place in the commitment of an entry, and all the places of it."""

    salt: bytes
    commitments: tuple[bytes, ...]


async def search_entries(
    transaction: Transaction, reach: Reach, wanted: Wanted, *, before: int | None, count_max: int
) -> Sequence[Row[Any]]:
    """Return entries within reach, the newest first, those before a place."""
    conditions: list[ColumnElement[bool]] = [reach.within]
    if wanted.member_id:
        conditions.append(entry.c.member_id == wanted.member_id)
    if wanted.subject_id:
        conditions.append(_is_about(wanted.subject_id))
    if wanted.action_prefix:
        conditions.append(entry.c.action.startswith(wanted.action_prefix, autoescape=True))
    if wanted.outcome:
        conditions.append(entry.c.outcome == wanted.outcome)
    if wanted.start_time is not None:
        conditions.append(entry.c.occurred_at >= wanted.start_time)
    if wanted.end_time is not None:
        conditions.append(entry.c.occurred_at < wanted.end_time)
    return await transaction.all(_newest(and_(*conditions), before=before, count_max=count_max))


async def find_entry(transaction: Transaction, reach: Reach, index: int) -> Row[Any] | None:
    """Return an entry within reach."""
    return await transaction.one_or_none(select(*_SHOWN).where(entry.c.entry_index == index, reach.within))


async def list_entries_about(
    transaction: Transaction, member_id: str, *, outcome: str, before: int | None, count_max: int
) -> Sequence[Row[Any]]:
    """Return what is about a member, the newest first; the province's role sees it wherever it was done."""
    about = and_(entry.c.kind == "row", _is_about(member_id))
    if outcome:
        about = and_(about, entry.c.outcome == outcome)
    return await transaction.all(_newest(about, before=before, count_max=count_max))


async def find_entry_about(transaction: Transaction, member_id: str, index: int) -> Row[Any] | None:
    """Return an entry when it is about a member."""
    subject = select(entry_subject.c.entry_index).where(
        entry_subject.c.subject_id == member_id, entry_subject.c.entry_index == index
    )
    about = or_(entry.c.subject_id == member_id, entry.c.entry_index.in_(subject))
    return await transaction.one_or_none(
        select(*_SHOWN).where(entry.c.entry_index == index, entry.c.kind == "row", about)
    )


async def find_opening(transaction: Transaction, member_id: str, index: int) -> Opened | None:
    """Return what opens a member's place in the commitment of an entry; None when it has none, or it was destroyed."""
    rows = await transaction.all(select(entry_subject).where(entry_subject.c.entry_index == index))
    salt = next((bytes(row.salt) for row in rows if row.subject_id == member_id and row.salt), None)
    if salt is None:
        return None
    return Opened(salt=salt, commitments=tuple(sorted(bytes(row.commitment) for row in rows)))


async def list_period(
    transaction: Transaction,
    reach: Reach,
    *,
    period: tuple[datetime, datetime],
    places: tuple[int, int],
    after: tuple[datetime, int] | None,
    count_max: int,
) -> Sequence[Row[Any]]:
    """Return rows of a period that stand at places from the first to before the second, the oldest first."""
    statement = select(*_SHOWN).where(_in_period(reach, period, places))
    if after is not None:
        at, index = after
        statement = statement.where(
            or_(entry.c.occurred_at > at, and_(entry.c.occurred_at == at, entry.c.entry_index > index)),
            # The same once more, in a shape that the index understands.
            entry.c.occurred_at >= at,
        )
    return await transaction.all(statement.order_by(entry.c.occurred_at, entry.c.entry_index).limit(count_max))


async def names_of(transaction: Transaction, organisation_ids: Collection[str]) -> dict[str, str]:
    """Return the names of the organisations that are known."""
    if not organisation_ids:
        return {}
    rows = await transaction.all(names_statement(sorted(organisation_ids)))
    return {row.organisation_id: row.name for row in rows}


def _newest(condition: ColumnElement[bool], *, before: int | None, count_max: int) -> Select[*tuple[Any, ...]]:
    statement = select(*_SHOWN).where(condition)
    if before is not None:
        statement = statement.where(entry.c.entry_index < before)
    return statement.order_by(entry.c.entry_index.desc()).limit(count_max)


def _is_about(subject_id: str) -> ColumnElement[bool]:
    """Say whether an entry names a subject or commits to it; two looks into indexes, not one through the whole log."""
    return entry.c.entry_index.in_(
        union(
            select(entry.c.entry_index).where(entry.c.subject_id == subject_id),
            select(entry_subject.c.entry_index).where(entry_subject.c.subject_id == subject_id),
        )
    )


def _in_period(reach: Reach, period: tuple[datetime, datetime], places: tuple[int, int]) -> ColumnElement[bool]:
    start, end = period
    first, behind = places
    return and_(
        reach.within,
        entry.c.kind == "row",
        entry.c.occurred_at >= start,
        entry.c.occurred_at < end,
        entry.c.entry_index >= first,
        entry.c.entry_index < behind,
    )

"""Entries as they are looked up: by what they are about, by who did it, by time; newest first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, func, literal, literal_column, or_, select, true, tuple_, union
from zhibu_kit.db import Transaction

from zhibu_audit.models import entry, entry_subject
from zhibu_audit.reach import Reach, WaysIn, names_statement

_SHOWN: Final = (entry.c.entry_index, entry.c.lane, entry.c.action, entry.c.leaf, entry.c.kind, entry.c.occurred_at)


# When an entry was made, and its number: entries are shown in this order, the newest first.
Place = tuple[datetime, int]


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
    transaction: Transaction, reach: Reach, wanted: Wanted, *, before: Place | None, count_max: int
) -> Sequence[Row[Any]]:
    """Return entries within reach, the newest first, those before a place."""
    condition = _condition(wanted)
    if reach.ways_in is None or wanted.member_id or wanted.subject_id:
        # What somebody did, or what is about somebody, is little enough to be looked through.
        return await _read(transaction, _newest(and_(condition, reach.within), before=before, count_max=count_max))
    # Nearly every row that an index gives passes the second wall, which the planner cannot know: it would sort all of them.
    await transaction.execute(select(func.set_config("enable_bitmapscan", "off", true())))
    found = _newest_of_each(reach, reach.ways_in, condition, before=before, count_max=count_max)
    return await _read(transaction, found)


async def find_entry(transaction: Transaction, reach: Reach, index: int) -> Row[Any] | None:
    """Return an entry within reach."""
    return await transaction.one_or_none(select(*_SHOWN).where(entry.c.entry_index == index, reach.within))


async def list_entries_about(
    transaction: Transaction, member_id: str, *, outcome: str, before: Place | None, count_max: int
) -> Sequence[Row[Any]]:
    """Return what is about a member, the newest first; the province's role sees it wherever it was done."""
    about = and_(entry.c.kind == "row", _is_about(member_id))
    if outcome:
        about = and_(about, entry.c.outcome == outcome)
    return await _read(transaction, _newest(about, before=before, count_max=count_max))


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
    after: Place | None,
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


def _condition(wanted: Wanted) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [true()]
    if wanted.member_id:
        conditions.append(entry.c.member_id == wanted.member_id)
    if wanted.subject_id:
        conditions.append(_is_about(wanted.subject_id))
    if wanted.action_prefix:
        conditions.append(entry.c.action.startswith(wanted.action_prefix, autoescape=True))
    if wanted.outcome:
        # A constant, so that the index of refusals is found.
        conditions.append(entry.c.outcome == literal(wanted.outcome, literal_execute=True))
    if wanted.start_time is not None:
        conditions.append(entry.c.occurred_at >= wanted.start_time)
    if wanted.end_time is not None:
        conditions.append(entry.c.occurred_at < wanted.end_time)
    return and_(*conditions)


def _newest(condition: ColumnElement[bool], *, before: Place | None, count_max: int) -> Select[Any, Any]:
    """Return the statement that gives the places of the newest entries of a kind."""
    statement = select(entry.c.occurred_at, entry.c.entry_index).where(condition)
    if before is not None:
        statement = statement.where(tuple_(entry.c.occurred_at, entry.c.entry_index) < tuple_(*before))
    return statement.order_by(entry.c.occurred_at.desc(), entry.c.entry_index.desc()).limit(count_max)


def _newest_of_each(
    reach: Reach, ways_in: WaysIn, condition: ColumnElement[bool], *, before: Place | None, count_max: int
) -> Select[Any, Any]:
    """Return the same by one short look for each value: what nobody's index gives in order is never sorted."""
    values = ways_in.values.subquery("ways_in")
    each = _newest(and_(ways_in.column == values.c.value, condition), before=before, count_max=count_max).lateral()
    of_one = select(each.c.occurred_at, each.c.entry_index).select_from(values.join(each, true()))
    several = _newest(
        and_(func.array_length(entry.c.county_codes, 1) > literal_column("1"), reach.within, condition),
        before=before,
        count_max=count_max,
    )
    # An entry of several counties may be found both ways.
    found = union(of_one, several).subquery()
    newest = select(found.c.occurred_at, found.c.entry_index)
    return newest.order_by(found.c.occurred_at.desc(), found.c.entry_index.desc()).limit(count_max)


async def _read(transaction: Transaction, places: Select[Any, Any]) -> Sequence[Row[Any]]:
    """Return what is shown of the entries at these places; by two statements, the second of which knows how few they are."""
    found = [row.entry_index for row in await transaction.all(places)]
    if not found:
        return []
    statement = select(*_SHOWN).where(entry.c.entry_index.in_(found))
    return await transaction.all(statement.order_by(entry.c.occurred_at.desc(), entry.c.entry_index.desc()))


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

"""The queue of messages: claimed by one worker, marked before anything leaves, closed with what became of it.

Every transaction here runs as the relay, which sees all counties. Nothing is ever submitted from `submitting`: a process
that dies leaves it behind, and then nobody knows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, case, exists, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction

from zhibu_notify.inbox_models import notice_preference, notice_settings, notice_sms, notice_sms_part, silent_member
from zhibu_notify.notice_rules import (
    DEFAULT_QUIET_HOURS,
    ORDINARY_PER_DAY,
    SHANGHAI,
    SMS_AGE,
    URGENT_PER_DAY,
    retry_after,
    start_of_day,
)
from zhibu_notify.notice_settings import charge


class State(StrEnum):
    """How far a message got."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message in hand."""

    notice_sms_id: str
    county_code: str
    member_id: str
    template: str
    parameters: Mapping[str, str]
    urgent: bool
    attempt_count: int
    # Version of the record that replaced the telephone to which it goes; 0: to the member's own.
    former_version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one submission. WAITING means that nothing left and it shall be tried again."""

    message: Message
    state: State
    reason: str | None = None
    message_ids: Sequence[str] = ()


async def claim_messages(transaction: Transaction, *, urgent: bool, now: datetime, count_max: int) -> list[Message]:
    """Takes messages that may go out now, the oldest first; other workers take others."""
    table = notice_sms.c
    hour = now.astimezone(SHANGHAI).hour
    first = func.coalesce(notice_settings.c.quiet_from_hour, DEFAULT_QUIET_HOURS.from_hour)
    last = func.coalesce(notice_settings.c.quiet_until_hour, DEFAULT_QUIET_HOURS.until_hour)
    # As QuietHours.hold says.
    quiet = case(
        (first <= last, (literal(hour) >= first) & (literal(hour) < last)),
        else_=or_(literal(hour) >= first, literal(hour) < last),
    )
    due = (
        select(table.notice_sms_id)
        .select_from(notice_sms.outerjoin(notice_settings, notice_settings.c.county_code == table.county_code))
        .where(table.state == State.WAITING, table.urgent.is_(urgent), table.not_before <= now)
        .order_by(table.notice_sms_id)
        .limit(count_max)
        .with_for_update(skip_locked=True, of=notice_sms)
    )
    if not urgent:
        due = due.where(~quiet)
    rows = await transaction.all(
        update(notice_sms)
        .where(table.notice_sms_id.in_(due.scalar_subquery()))
        .values(state=State.CLAIMED, state_time=now)
        .returning(*notice_sms.c)
    )
    return sorted((_message(row) for row in rows), key=lambda message: message.notice_sms_id)


async def drop_unwanted(
    transaction: Transaction, messages: Sequence[Message], *, now: datetime
) -> tuple[list[Message], int]:
    """Closes the messages in hand that shall not go out after all; returns the others and how many were closed.

    They are too old to be news, for somebody who gets none any more, of a kind that member or county has switched off while
    they waited, or more than a member gets in a day.
    """
    ids = [message.notice_sms_id for message in messages]
    table = notice_sms.c
    silent = exists().where(
        silent_member.c.member_id == table.member_id, or_(silent_member.c.urgent_too, table.urgent.is_(False))
    )
    wishes, settings = notice_preference.c, notice_settings.c
    unwanted = exists().where(wishes.member_id == table.member_id, table.kind == func.any(wishes.not_by_sms))
    wanted = exists().where(settings.county_code == table.county_code, table.kind == func.any(settings.sms_kinds))
    today = notice_sms.alias("today")
    sent_today = (
        select(func.count())
        .select_from(today)
        .where(
            today.c.member_id == table.member_id,
            today.c.urgent == table.urgent,
            today.c.state_time >= start_of_day(now),
            or_(
                today.c.state.in_([State.SUBMITTING, State.ACCEPTED, State.UNKNOWN]),
                # Of several in hand at once the older ones go first.
                (today.c.state == State.CLAIMED) & (today.c.notice_sms_id < table.notice_sms_id),
            ),
        )
        .scalar_subquery()
    )
    reason = case(
        (silent, "MEMBER_SILENT"),
        (table.urgent.is_(False) & (unwanted | ~wanted), "SWITCHED_OFF"),
        (table.urgent.is_(False) & (table.create_time < now - SMS_AGE), "TOO_OLD"),
        (sent_today >= case((table.urgent, URGENT_PER_DAY), else_=ORDINARY_PER_DAY), "DAILY_LIMIT"),
    )
    found = await transaction.all(
        select(table.notice_sms_id, reason.label("reason")).where(table.notice_sms_id.in_(ids))
    )
    reasons = {row.notice_sms_id: row.reason for row in found if row.reason is not None}
    await close_unsent(transaction, reasons, now=now)
    return [message for message in messages if message.notice_sms_id not in reasons], len(reasons)


async def close_unsent(transaction: Transaction, reasons: Mapping[str, str], *, now: datetime) -> None:
    """Closes messages that were never handed over, each with its reason."""
    for reason in sorted(set(reasons.values())):
        ids = [notice_sms_id for notice_sms_id, why in reasons.items() if why == reason]
        await transaction.execute(
            update(notice_sms)
            .where(notice_sms.c.notice_sms_id.in_(ids))
            .values(state=State.NOT_SENT, reason=reason, state_time=now)
        )


async def give_back(transaction: Transaction, messages: Collection[Message], *, not_before: datetime) -> None:
    """Lets messages in hand, of which nothing has left, wait again."""
    ids = [message.notice_sms_id for message in messages]
    await transaction.execute(
        update(notice_sms)
        .where(notice_sms.c.notice_sms_id.in_(ids), notice_sms.c.state == State.CLAIMED)
        .values(state=State.WAITING, not_before=not_before)
    )


async def begin_submitting(
    transaction: Transaction, messages: Collection[Message], *, segment_counts: Mapping[str, int], now: datetime
) -> frozenset[str]:
    """Marks messages before they leave; returns those that are still in our hand, and may be handed over."""
    began: set[str] = set()
    for count in sorted(set(segment_counts.values())):
        ids = [one.notice_sms_id for one in messages if segment_counts[one.notice_sms_id] == count]
        rows = await transaction.all(
            update(notice_sms)
            .where(notice_sms.c.notice_sms_id.in_(ids), notice_sms.c.state == State.CLAIMED)
            .values(
                state=State.SUBMITTING,
                segment_count=count,
                attempt_count=notice_sms.c.attempt_count + 1,
                state_time=now,
            )
            .returning(notice_sms.c.notice_sms_id)
        )
        began.update(row.notice_sms_id for row in rows)
    return frozenset(began)


async def record_results(
    transaction: Transaction, results: Sequence[Result], *, segment_counts: Mapping[str, int], now: datetime
) -> None:
    """Notes what became of submissions, and adds what was taken to the counties' bills."""
    parts: list[dict[str, object]] = []
    taken: dict[str, tuple[int, int]] = {}
    for result in results:
        message = result.message
        await transaction.execute(
            update(notice_sms)
            .where(notice_sms.c.notice_sms_id == message.notice_sms_id, notice_sms.c.state == State.SUBMITTING)
            .values(
                state=result.state,
                reason=result.reason,
                state_time=now,
                not_before=now + retry_after(message.attempt_count),
            )
        )
        parts.extend(
            {"notice_sms_id": message.notice_sms_id, "part": part, "smsc_message_id": smsc_message_id}
            for part, smsc_message_id in enumerate(result.message_ids, start=1)
        )
        if result.state is State.ACCEPTED:
            count, segments = taken.get(message.county_code, (0, 0))
            taken[message.county_code] = (count + 1, segments + segment_counts[message.notice_sms_id])
    if parts:
        await transaction.execute(insert(notice_sms_part).values(parts))
    for county_code, (count, segments) in sorted(taken.items()):
        await charge(transaction, county_code, message_count=count, segment_count=segments, now=now)


async def take_over(transaction: Transaction, *, before: datetime, now: datetime) -> int:
    """Clears up after workers that died: what had not left waits again, what may have left stays unknown for ever."""
    stale = notice_sms.c.state_time < before
    given_back = await transaction.execute(
        update(notice_sms)
        .where(notice_sms.c.state == State.CLAIMED, stale)
        .values(state=State.WAITING, not_before=now, state_time=now)
    )
    unknown = await transaction.execute(
        update(notice_sms)
        .where(notice_sms.c.state == State.SUBMITTING, stale)
        .values(state=State.UNKNOWN, reason="SMS_OUTCOME_UNKNOWN", state_time=now)
    )
    return given_back.rowcount + unknown.rowcount


async def purge_messages(transaction: Transaction, *, before: datetime, count_max: int) -> int:
    """Deletes messages older than an instant, so many at most; returns how many. Bills stay."""
    old = select(notice_sms.c.notice_sms_id).where(notice_sms.c.create_time < before).limit(count_max)
    return (await transaction.execute(notice_sms.delete().where(notice_sms.c.notice_sms_id.in_(old)))).rowcount


def _message(row: Row[Any]) -> Message:
    return Message(
        notice_sms_id=row.notice_sms_id,
        county_code=row.county_code,
        member_id=row.member_id,
        template=row.template,
        parameters=row.parameters,
        urgent=row.urgent,
        attempt_count=row.attempt_count,
        former_version=row.former_version,
    )

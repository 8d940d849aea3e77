"""Making notices: into the inbox, and into the queue of messages where member and county want it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, func, select, text
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.clock import Clock
from zhibu_kit.db import Transaction
from zhibu_kit.ids import new_ulid

from zhibu_notify.inbox_models import inbox_item, inbox_unread, notice_preference, notice_sms, silent_member
from zhibu_notify.member_rows import act_for
from zhibu_notify.notice_rules import start_of_day
from zhibu_notify.notice_settings import find_settings
from zhibu_notify.texts import TEMPLATES, Template

# The sender is woken by this: an urgent message waits for no round.
URGENT_CHANNEL: Final = "notify_urgent"
# A founding has at most this many co-signers in its event; nothing else tells so many at once.
RECIPIENTS_MAX: Final = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told: the name of a template with its parameters, references only.

    Of one `topic` a member has one unread item at most.
    """

    template: str
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a member does not want."""

    not_in_inbox: frozenset[int] = frozenset()
    not_by_sms: frozenset[int] = frozenset()


_EVERYTHING: Final = Wishes()


class Announcer:
    """Tells members, in the transaction of the event that it comes from."""

    def __init__(self, clock: Clock) -> None:
        """Takes the clock, from which identifiers and times come."""
        self._clock = clock

    async def tell(self, transaction: Transaction, notices: Mapping[str, Notice], *, county_code: str) -> None:
        """Tells each member (the key) one notice; all of them are of one template. The county's settings decide on SMS."""
        if not notices:
            return
        if len(notices) > RECIPIENTS_MAX:
            raise ValueError(f"a notice for {len(notices)} members at once")
        template = TEMPLATES[next(iter(notices.values())).template]
        await act_for(transaction, notices)
        told = await _not_silent(transaction, list(notices), urgent=template.urgent)
        if not told:
            return
        wishes = await _wishes_of(transaction, told)
        now = self._clock.now()
        in_inbox = [member_id for member_id in told if template.urgent or _wants_inbox(wishes.get(member_id), template)]
        new = await self._put_in_inbox(transaction, template, {one: notices[one] for one in in_inbox}, now=now)
        wanting = [member_id for member_id in told if template.urgent or _wants_sms(wishes.get(member_id), template)]
        without_item = {one: notices[one] for one in wanting if one not in in_inbox}
        said = await _said_today(transaction, template, without_item, now=now)
        # What an unread item says already is not sent again; who wants no items gets the same once a day.
        by_sms = [one for one in wanting if one in new or (one in without_item and one not in said)]
        await self._put_in_queue(
            transaction, template, {one: notices[one] for one in by_sms}, county_code=county_code, now=now
        )

    async def tell_former_telephone(
        self, transaction: Transaction, member_id: str, notice: Notice, *, version: int, county_code: str
    ) -> None:
        """Tells the telephone that a version of the member's record replaced; nothing goes into the inbox."""
        template = TEMPLATES[notice.template]
        await act_for(transaction, [member_id])
        if not await _not_silent(transaction, [member_id], urgent=template.urgent):
            return
        await self._put_in_queue(
            transaction,
            template,
            {member_id: notice},
            county_code=county_code,
            now=self._clock.now(),
            former_version=version,
        )

    async def _put_in_inbox(
        self, transaction: Transaction, template: Template, notices: Mapping[str, Notice], *, now: datetime
    ) -> frozenset[str]:
        """Returns the members who have a new item."""
        if not notices:
            return frozenset()
        rows = [
            {
                "inbox_item_id": new_ulid(self._clock),
                "member_id": member_id,
                "kind": int(template.kind),
                "template": template.name,
                "parameters": dict(notice.parameters),
                "urgent": template.urgent,
                "topic": notice.topic,
                "create_time": now,
            }
            # One order for all, so that two transactions do not wait for each other.
            for member_id, notice in sorted(notices.items())
        ]
        statement = insert(inbox_item).on_conflict_do_nothing(
            index_elements=["member_id", "topic"], index_where=text("read_time is null and topic <> ''")
        )
        made = await transaction.all(statement.values(rows).returning(inbox_item.c.member_id))
        new = frozenset(row.member_id for row in made)
        if new:
            count = insert(inbox_unread).values([{"member_id": one, "unread_count": 1} for one in sorted(new)])
            await transaction.execute(
                count.on_conflict_do_update(
                    index_elements=["member_id"], set_={"unread_count": inbox_unread.c.unread_count + 1}
                )
            )
        return new

    async def _put_in_queue(
        self,
        transaction: Transaction,
        template: Template,
        notices: Mapping[str, Notice],
        *,
        county_code: str,
        now: datetime,
        former_version: int = 0,
    ) -> None:
        if not notices or not template.sms:
            return
        if not template.urgent and template.kind not in (await find_settings(transaction, county_code)).sms_kinds:
            return
        rows = [
            {
                "notice_sms_id": new_ulid(self._clock),
                "county_code": county_code,
                "member_id": member_id,
                "kind": int(template.kind),
                "template": template.name,
                "parameters": dict(notice.parameters),
                "urgent": template.urgent,
                "former_version": former_version,
                "state": "waiting",
                "not_before": now,
                "create_time": now,
                "state_time": now,
            }
            for member_id, notice in notices.items()
        ]
        await transaction.execute(insert(notice_sms).values(rows))
        if template.urgent:
            await transaction.execute(select(func.pg_notify(URGENT_CHANNEL, "")))


def same_for_all(notice: Notice, member_ids: Iterable[str]) -> dict[str, Notice]:
    """The same notice for several members."""
    return dict.fromkeys(member_ids, notice)


async def _not_silent(transaction: Transaction, member_ids: Sequence[str], *, urgent: bool) -> list[str]:
    statement = select(silent_member.c.member_id).where(silent_member.c.member_id.in_(member_ids))
    if urgent:
        statement = statement.where(silent_member.c.urgent_too)
    silent = {row.member_id for row in await transaction.all(statement)}
    return [member_id for member_id in member_ids if member_id and member_id not in silent]


async def _wishes_of(transaction: Transaction, member_ids: Sequence[str]) -> dict[str, Wishes]:
    rows: Sequence[Row[Any]] = await transaction.all(
        select(notice_preference).where(notice_preference.c.member_id.in_(member_ids))
    )
    return {
        row.member_id: Wishes(not_in_inbox=frozenset(row.not_in_inbox), not_by_sms=frozenset(row.not_by_sms))
        for row in rows
    }


async def _said_today(
    transaction: Transaction, template: Template, notices: Mapping[str, Notice], *, now: datetime
) -> frozenset[str]:
    """The members of these notices of a topic for whom the same was put into the queue today."""
    of_topic = [member_id for member_id, notice in notices.items() if notice.topic]
    if not of_topic:
        return frozenset()
    rows = await transaction.all(
        select(notice_sms.c.member_id, notice_sms.c.parameters).where(
            notice_sms.c.member_id.in_(of_topic),
            notice_sms.c.template == template.name,
            notice_sms.c.create_time >= start_of_day(now),
        )
    )
    return frozenset(row.member_id for row in rows if row.parameters == dict(notices[row.member_id].parameters))


def _wants_inbox(wishes: Wishes | None, template: Template) -> bool:
    return template.kind not in (wishes or _EVERYTHING).not_in_inbox


def _wants_sms(wishes: Wishes | None, template: Template) -> bool:
    return template.kind not in (wishes or _EVERYTHING).not_by_sms

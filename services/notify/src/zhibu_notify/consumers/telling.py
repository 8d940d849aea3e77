"""To whom a notice goes: to members, or to those who hold a permission."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from zhibu_kit.clock import Clock
from zhibu_kit.db import Transaction

from zhibu_notify.notice_rules import is_news
from zhibu_notify.notices import Announcer, Notice, same_for_all
from zhibu_notify.recipients import holders_at, holders_of

# Whoever leads a branch may read who is in it.
_LEADS_BRANCH: Final = "branches.members.read"


class Teller:
    """Finds the recipients and tells them."""

    def __init__(self, announcer: Announcer, clock: Clock) -> None:
        """Take what tells, and the clock by which news grow old."""
        self._announcer = announcer
        self._clock = clock

    def is_news(self, happened: Timestamp) -> bool:
        """Whether it happened lately."""
        return is_news(happened.ToDatetime(tzinfo=UTC), self._clock.now())

    async def tell(
        self, transaction: Transaction, member_ids: Iterable[str], notice: Notice, *, county_code: str
    ) -> None:
        """Tells members the same."""
        told = sorted({member_id for member_id in member_ids if member_id})
        await self._announcer.tell(transaction, same_for_all(notice, told), county_code=county_code)

    async def tell_former_telephone(
        self, transaction: Transaction, member_id: str, notice: Notice, *, version: int, county_code: str
    ) -> None:
        """Tells the telephone that a version of the member's record replaced."""
        await self._announcer.tell_former_telephone(
            transaction, member_id, notice, version=version, county_code=county_code
        )

    async def tell_holders(
        self, transaction: Transaction, permission: str, notice: Notice, *, organisation_id: str, county_code: str
    ) -> None:
        """Tells those who may do the work that waits; of one kind of work each has one unread item at most."""
        holders = await holders_of(
            transaction, permission, organisation_id=organisation_id, county_code=county_code, now=self._clock.now()
        )
        topic = notice.topic or notice.template
        notices = {
            holder.member_id: replace(notice, topic=topic, parameters={**notice.parameters, "desk_id": holder.desk_id})
            for holder in holders
        }
        await self._announcer.tell(transaction, notices, county_code=county_code)

    async def tell_branch(self, transaction: Transaction, notice: Notice, *, branch_id: str, county_code: str) -> None:
        """Tells those who lead a branch."""
        leaders = await holders_at(transaction, _LEADS_BRANCH, organisation_id=branch_id, now=self._clock.now())
        await self.tell(transaction, leaders, notice, county_code=county_code)

    async def tell_branch_and_holders(
        self, transaction: Transaction, permission: str, notice: Notice, *, branch_id: str, county_code: str
    ) -> None:
        """Tells those who lead a branch, and those above it who hold a permission."""
        now = self._clock.now()
        leaders = await holders_at(transaction, _LEADS_BRANCH, organisation_id=branch_id, now=now)
        holders = await holders_of(transaction, permission, organisation_id=branch_id, county_code=county_code, now=now)
        every = {*leaders, *(holder.member_id for holder in holders)}
        await self.tell(transaction, every, notice, county_code=county_code)

"""From identity's events to applied rosters: each part once, in any order, RosterApplied at the end."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu.identity.v1 import roster_events_pb2, roster_pb2
from zhibu_kit.clock import SHANGHAI, Clock
from zhibu_kit.consumers import Consumer
from zhibu_kit.db import Transaction
from zhibu_kit.events import EventContext

from zhibu_branches.models import roster_application, roster_part
from zhibu_branches.rosters.applying import PartResult, apply_rows
from zhibu_branches.rosters.events import roster_applied
from zhibu_branches.rules.members import Occupation, PartyStatus
from zhibu_branches.rules.rosters import Row

_STATUSES: Final = {status.name: status for status in PartyStatus}
_OCCUPATIONS: Final = {occupation.name: occupation for occupation in Occupation if occupation}


class RosterConsumers:
    """What happens when identity commits a roster."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock."""
        self._clock = clock

    def consumers(self) -> list[Consumer]:
        """Both consumers; whichever event comes first begins the application."""
        return [
            Consumer(name="rosters", event=roster_events_pb2.RosterCommitted, handle=self._begin),
            Consumer(name="roster_entries", event=roster_events_pb2.RosterEntriesCommitted, handle=self._apply),
        ]

    async def _begin(
        self, transaction: Transaction, event: roster_events_pb2.RosterCommitted, context: EventContext
    ) -> None:
        await self._ensure(
            transaction,
            roster_id=event.roster_id,
            organisation_id=event.organisation_id,
            county_code=event.county_code,
            total_count=event.entry_count,
            part_count=event.part_count,
        )
        if event.part_count == 0:
            await self._add(transaction, event.roster_id, PartResult(applied=0, unchanged=0, conflicts=0), parts=0)

    async def _apply(
        self, transaction: Transaction, event: roster_events_pb2.RosterEntriesCommitted, context: EventContext
    ) -> None:
        now = self._clock.now()
        first = await transaction.scalar(
            insert(roster_part)
            .values(roster_id=event.roster_id, part=event.part, county_code=event.county_code, create_time=now)
            .on_conflict_do_nothing()
            .returning(roster_part.c.part)
        )
        if first is None:
            return
        await self._ensure(
            transaction,
            roster_id=event.roster_id,
            organisation_id=event.organisation_id,
            county_code=event.county_code,
            total_count=event.entry_count,
            part_count=event.part_count,
        )
        committed = event.change_time.ToDatetime(tzinfo=UTC) if event.HasField("change_time") else now
        result = await apply_rows(
            transaction,
            [_row_of(entry) for entry in event.entries],
            roster_id=event.roster_id,
            county_code=event.county_code,
            today=_day(min(committed, now)),
            now=now,
        )
        await self._add(transaction, event.roster_id, result, parts=1)

    async def _ensure(
        self,
        transaction: Transaction,
        *,
        roster_id: str,
        organisation_id: str,
        county_code: str,
        total_count: int,
        part_count: int,
    ) -> None:
        now = self._clock.now()
        await transaction.execute(
            insert(roster_application)
            .values(
                roster_id=roster_id,
                organisation_id=organisation_id,
                county_code=county_code,
                total_count=total_count,
                part_count=part_count,
                applied_count=0,
                unchanged_count=0,
                conflict_count=0,
                parts_done=0,
                done=False,
                create_time=now,
                update_time=now,
            )
            .on_conflict_do_nothing()
        )

    async def _add(self, transaction: Transaction, roster_id: str, result: PartResult, *, parts: int) -> None:
        """Count a part in. The last thing of the transaction: parts side by side wait for each other only here."""
        table = roster_application.c
        await transaction.execute(
            update(roster_application)
            .where(table.roster_id == roster_id)
            .values(
                applied_count=table.applied_count + result.applied,
                unchanged_count=table.unchanged_count + result.unchanged,
                conflict_count=table.conflict_count + result.conflicts,
                parts_done=table.parts_done + parts,
                done=table.parts_done + parts >= table.part_count,
                update_time=self._clock.now(),
            )
        )
        row = await transaction.one(select(roster_application).where(table.roster_id == roster_id))
        if row.done:
            transaction.emit(roster_applied(row), county_code=row.county_code)


def _row_of(entry: roster_pb2.RosterEntry) -> Row:
    """The row of an entry; a status or occupation that this version does not know says nothing."""
    return Row(
        member_id=entry.member_id,
        row_number=entry.row_number,
        branch_id=entry.branch_id,
        status=_STATUSES.get(entry.status),
        applied_date=_date(entry.applied_date),
        admitted_date=_date(entry.admitted_date),
        confirmed_date=_date(entry.confirmed_date),
        occupation=_OCCUPATIONS.get(entry.occupation),
    )


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _day(instant: datetime) -> date:
    return instant.astimezone(SHANGHAI).date()

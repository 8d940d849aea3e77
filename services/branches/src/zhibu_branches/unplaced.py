"""People with an e-ID whom no branch holds yet: known from identity's events, gone when a branch takes them up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from zhibu.identity.v1 import eid_pb2, identity_events_pb2
from zhibu_kit.consumers import Consumer
from zhibu_kit.db import Transaction
from zhibu_kit.events import EventContext

from zhibu_branches.models import organisation
from zhibu_branches.models import unplaced_member as table
from zhibu_branches.rules.tree import Level, Place

_VALID: Final = frozenset({eid_pb2.EID_STATE_ISSUED, eid_pb2.EID_STATE_ACTIVE})


def unplaced_consumer() -> Consumer:
    """What keeps the list."""
    return Consumer(name="unplaced_members", event=identity_events_pb2.EidChanged, handle=_apply)


async def list_unplaced(
    transaction: Transaction, place: Place, *, after: tuple[datetime, str] | None, count_max: int
) -> Sequence[Row[Any]]:
    """Those of a county, the oldest first, after the given time and member.

    Below the county only those who asked for a branch there: nobody else is that officer's business.
    """
    statement = select(table).where(table.c.county_code == place.county_code)
    if place.level > Level.COUNTY:
        here = organisation.c.organisation_id == place.organisation_id
        below = organisation.c.ancestor_ids.contains([place.organisation_id])
        statement = statement.where(
            table.c.wanted_branch_id.in_(select(organisation.c.organisation_id).where(here | below))
        )
    if after is not None:
        statement = statement.where(tuple_(table.c.issue_time, table.c.member_id) > after)
    return await transaction.all(statement.order_by(table.c.issue_time, table.c.member_id).limit(count_max))


async def find_unplaced(transaction: Transaction, member_id: str) -> Row[Any] | None:
    """The person, when the scope shows the county. The record comes before this row: whoever opens it removes the row."""
    return await transaction.one_or_none(select(table).where(table.c.member_id == member_id))


async def forget_unplaced(transaction: Transaction, member_ids: Sequence[str]) -> None:
    """These people have a branch now."""
    found = await _lock(transaction, table.c.member_id == func.any(list(member_ids)))
    await transaction.execute(table.delete().where(table.c.member_id == func.any(found)))


async def want_successor(transaction: Transaction, branch_id: str, successor_id: str | None) -> None:
    """Whoever wanted into a branch that ended wants into the one that took it over, or into none."""
    found = await _lock(transaction, table.c.wanted_branch_id == branch_id)
    await transaction.execute(
        update(table).where(table.c.member_id == func.any(found)).values(wanted_branch_id=successor_id or "")
    )


async def _lock(transaction: Transaction, which: ColumnElement[bool]) -> list[str]:
    rows = await transaction.all(select(table.c.member_id).where(which).order_by(table.c.member_id).with_for_update())
    return [row.member_id for row in rows]


async def _apply(transaction: Transaction, event: identity_events_pb2.EidChanged, context: EventContext) -> None:
    if event.state not in _VALID:
        # Another e-ID may have taken its place already; its own row stays.
        await transaction.execute(
            table.delete().where(table.c.member_id == event.member_id, table.c.eid_id == event.eid_id)
        )
        return
    placed = await transaction.all(select(func.physical_places([event.member_id])))
    if placed:
        return
    values = {
        "county_code": event.county_code,
        "eid_id": event.eid_id,
        "wanted_branch_id": event.branch_id,
        "issue_time": event.change_time.ToDatetime(tzinfo=UTC),
    }
    await transaction.execute(
        insert(table)
        .values(member_id=event.member_id, **values)
        .on_conflict_do_update(
            index_elements=["member_id"], set_={"eid_id": event.eid_id, "wanted_branch_id": event.branch_id}
        )
    )

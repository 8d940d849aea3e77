"""What every service keeps of others to decide who may do what: the organisation tree and the grants of office."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import ColumnElement, and_, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from zhibu.branches.v1 import branches_events_pb2
from zhibu.identity.v1 import identity_events_pb2

from zhibu_kit import tables
from zhibu_kit.clock import Clock
from zhibu_kit.consumers import Consumer
from zhibu_kit.db import Database, Transaction
from zhibu_kit.events import EventContext
from zhibu_kit.offices import permissions_of
from zhibu_kit.ports import Ancestry
from zhibu_kit.principal import Grant

# The tree has five levels; moves and sector committees may add a few.
MAX_DEPTH: Final = 12
# Organisations move rarely; a process may decide by where one stood this long ago.
CACHE_S: Final = 10.0
MAX_CACHED: Final = 50_000
# Nobody holds more offices at once; the rest would be a fault.
MAX_GRANTS: Final = 200


@dataclass(frozen=True, slots=True)
class _Cached:
    ancestry: Ancestry
    until_s: float


class OrganisationProjection:
    """The organisation tree as this service knows it."""

    def __init__(self, database: Database, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Read the tree from the service's own database."""
        self._database = database
        self._monotonic = monotonic
        self._cache: OrderedDict[str, _Cached] = OrderedDict()

    async def ancestry(self, organisation_id: str) -> Ancestry | None:
        """Return where an active organisation stands, or None when it is not known."""
        cached = self._cache.get(organisation_id)
        if cached is not None and cached.until_s > self._monotonic():
            return cached.ancestry
        ancestry = await self._load(organisation_id)
        if ancestry is None:
            self._cache.pop(organisation_id, None)
            return None
        self._cache[organisation_id] = _Cached(ancestry, self._monotonic() + CACHE_S)
        if len(self._cache) > MAX_CACHED:
            self._cache.popitem(last=False)
        return ancestry

    async def _load(self, organisation_id: str) -> Ancestry | None:
        table = tables.organisation
        start = select(
            table.c.organisation_id, table.c.parent_id, table.c.county_code, literal(1).label("depth")
        ).where(table.c.organisation_id == organisation_id, table.c.active)
        chain = start.cte("chain", recursive=True)
        above = select(table.c.organisation_id, table.c.parent_id, table.c.county_code, chain.c.depth + 1).where(
            table.c.organisation_id == chain.c.parent_id, chain.c.depth < MAX_DEPTH
        )
        chain = chain.union_all(above)
        rows = await self._database.look_up(select(chain).order_by(chain.c.depth))
        if not rows:
            return None
        return Ancestry(
            organisation_ids=tuple(row.organisation_id for row in rows), county_code=rows[0].county_code or None
        )

    def consumer(self) -> Consumer:
        """Return the consumer that keeps the projection."""
        return Consumer(
            name="organisation_projection",
            event=branches_events_pb2.OrganisationChanged,
            handle=self._apply,
            together=True,
        )

    async def _apply(
        self, transaction: Transaction, event: branches_events_pb2.OrganisationChanged, context: EventContext
    ) -> None:
        values = {
            "parent_id": event.parent_id,
            "level": event.level,
            "name": event.name,
            "county_code": event.county_code,
            "active": event.active,
            "virtual": event.virtual,
            "version": event.version,
        }
        await transaction.execute(
            insert(tables.organisation)
            .values(organisation_id=event.organisation_id, **values)
            .on_conflict_do_update(
                index_elements=["organisation_id"], set_=values, where=tables.organisation.c.version < event.version
            )
        )
        if event.version > 1:
            # It may have moved, and all that stands below with it. Other processes notice within CACHE_S.
            self._cache.clear()


class GrantProjection:
    """The grants of office as this service knows them."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        """Read the grants from the service's own database."""
        self._database = database
        self._clock = clock

    async def grants_of(self, account_id: str) -> tuple[Grant, ...]:
        """Return the grants that the account holds now."""
        table = tables.grant
        statement = (
            select(table.c.office, table.c.organisation_id)
            .where(table.c.account_id == account_id, grant_holds(self._clock.now()))
            .limit(MAX_GRANTS)
        )
        rows = await self._database.look_up(statement)
        return tuple(
            Grant(office=row.office, organisation_id=row.organisation_id, permissions=permissions_of(row.office))
            for row in rows
        )

    def consumer(self) -> Consumer:
        """Return the consumer that keeps the projection."""
        return Consumer(
            name="grant_projection", event=identity_events_pb2.GrantChanged, handle=self._apply, together=True
        )

    async def _apply(
        self, transaction: Transaction, event: identity_events_pb2.GrantChanged, context: EventContext
    ) -> None:
        await apply_grant(transaction, event)


def grant_holds(now: datetime) -> ColumnElement[bool]:
    """Return whether a row of the grants holds now; without an end it lasts until it is revoked."""
    grant = tables.grant.c
    return and_(grant.revoked.is_(False), grant.starts_at <= now, or_(grant.ends_at.is_(None), grant.ends_at > now))


async def apply_grant(transaction: Transaction, event: identity_events_pb2.GrantChanged) -> None:
    """Write a grant into the projection; identity does this in the very transaction that makes the grant."""
    values = {
        "account_id": event.account_id,
        "member_id": event.member_id,
        "office": event.office,
        "organisation_id": event.organisation_id,
        "county_code": event.county_code,
        "starts_at": _utc(event.starts_at),
        "ends_at": _utc(event.ends_at) if event.HasField("ends_at") else None,
        "revoked": event.revoked,
        "version": event.version,
    }
    await transaction.execute(
        insert(tables.grant)
        .values(grant_id=event.grant_id, **values)
        .on_conflict_do_update(index_elements=["grant_id"], set_=values, where=tables.grant.c.version < event.version)
    )


def _utc(instant: Timestamp) -> object:
    return instant.ToDatetime(tzinfo=UTC)

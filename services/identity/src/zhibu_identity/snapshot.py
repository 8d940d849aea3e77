"""How everything of identity stands now, told again as events: `python -m zhibu_identity reconcile`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from google.protobuf.message import Message
from sqlalchemy import Column, Row, Table, select
from zhibu_kit.db import Transaction

from zhibu_identity import applications, eids, events, grants
from zhibu_identity.models import application, eid, office_grant, revocation

_BATCH: Final = 500


async def snapshot(transaction: Transaction) -> AsyncIterator[tuple[Message, str]]:
    """Yield the present state of each aggregate as the event that tells of it."""
    async for row in _rows(transaction, application, application.c.application_id):
        record = applications.record_of(row)
        yield events.application_changed(record), record.county_code
    async for row in _rows(transaction, eid, eid.c.eid_id):
        holder = eids.record_of(row)
        at = holder.revoked_at or holder.activated_at or holder.issued_at
        yield events.eid_changed(holder, at=at), holder.county_code
    async for row in _rows(transaction, office_grant, office_grant.c.grant_id):
        grant = grants.record_of(row)
        yield events.grant_changed(grant), grant.county_code
    async for row in _rows(transaction, revocation, revocation.c.account_id):
        revoked_at: datetime = row.revoked_at.astimezone(UTC)
        yield events.access_revoked(row.account_id, revoked_at=revoked_at), ""


async def _rows(transaction: Transaction, table: Table, key: Column[Any]) -> AsyncIterator[Row[Any]]:
    """Yield every row of a table in the order of its key, some at a time."""
    after = ""

    while True:
        rows = await transaction.all(select(table).where(key > after).order_by(key).limit(_BATCH))
        for row in rows:
            yield row
        if len(rows) < _BATCH:
            return
        after = str(getattr(rows[-1], key.name))

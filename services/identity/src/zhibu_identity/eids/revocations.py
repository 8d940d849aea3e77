"""Revocations: from their commit on, tokens of an account are refused; services hear of it within seconds.

A revocation reaches a little into the future, so that a token which Keycloak hands out before it has closed the account is
refused as well. While closing fails, the revocation is made anew (`closing.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit import deny_list
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.scope import Scope
from zhibu_kit.tables import outbox

from zhibu_identity import events
from zhibu_identity.models import revocation
from zhibu_identity.parts import Parts

# Keycloak closes an account within seconds; until then it may hand out tokens.
REACH: Final = timedelta(minutes=10)
# Any number, the same in every process of identity.
_LOCK: Final = 0x5A52_4556
_SUBJECT: Final = "zhibu.identity.v1.access_revoked"


async def revoke_access(
    transaction: Transaction, parts: Parts, account_id: str, *, county_code: str, reach: timedelta = REACH
) -> None:
    """Refuse every token of an account that was made up to now, and a little further."""
    revoked_at = parts.clock.now() + reach
    # Shared: many revocations at once; the heartbeat waits until those under way are committed.
    await transaction.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))
    statement = insert(revocation).values(account_id=account_id, revoked_at=revoked_at)
    await transaction.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id"],
            set_={"revoked_at": func.greatest(revocation.c.revoked_at, statement.excluded.revoked_at)},
        )
    )
    transaction.emit(events.access_revoked(account_id, revoked_at=revoked_at), county_code=county_code)


async def list_revocations(database: Database, since: datetime) -> list[deny_list.Revocation]:
    """Return the accounts whose tokens of this instant and later are refused, newest last."""
    statement = select(revocation).where(revocation.c.revoked_at >= since).order_by(revocation.c.revoked_at)
    async with database.transaction(Scope.none()) as transaction:
        rows = await transaction.all(statement)
    return [deny_list.Revocation(account_id=row.account_id, revoked_at=row.revoked_at) for row in rows]


async def all_published_before(parts: Parts) -> datetime | None:
    """Return an instant before which every revocation has been published, None when some still wait in the outbox."""
    async with parts.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        now = parts.clock.now()
        waiting = await transaction.scalar(
            select(func.count())
            .select_from(outbox)
            .where(outbox.c.subject == _SUBJECT, outbox.c.published_at.is_(None))
        )
    return None if waiting else now

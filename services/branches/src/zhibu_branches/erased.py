"""People whose data identity has destroyed: their records are never opened again, and no audit row tells of them."""

from __future__ import annotations

from datetime import UTC

from sqlalchemy.dialects.postgresql import insert
from zhibu.identity.v1 import roster_events_pb2
from zhibu_kit.audit_subjects import forget_subject
from zhibu_kit.consumers import Consumer
from zhibu_kit.db import Transaction
from zhibu_kit.events import EventContext

from zhibu_branches.models import erased_member


def erased_consumer() -> Consumer:
    """What keeps the list."""
    return Consumer(name="erased_members", event=roster_events_pb2.PersonErased, handle=_apply)


async def _apply(transaction: Transaction, event: roster_events_pb2.PersonErased, context: EventContext) -> None:
    erase_time = event.change_time.ToDatetime(tzinfo=UTC)
    await transaction.execute(
        insert(erased_member).values(member_id=event.member_id, erase_time=erase_time).on_conflict_do_nothing()
    )
    await forget_subject(transaction, event.member_id)

"""What a destroyed key takes along: whom entries are about can no longer be told, and nobody can try it out."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu.identity.v1.roster_events_pb2 import PersonErased
from zhibu_kit.audit_subjects import forget_subject
from zhibu_kit.background import Job
from zhibu_kit.clock import Clock
from zhibu_kit.consumers import Consumer
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.events import EventContext
from zhibu_kit.scope import Scope

from zhibu_audit import models

# Rows that were being taken while a key was destroyed are found by this look.
SWEEP_EVERY_S: Final = 600.0


class Erasure:
    """Follows identity's erasures."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock."""
        self._clock = clock

    def consumers(self) -> Sequence[Consumer]:
        """Return what follows them."""
        return [Consumer(name="person_erased", event=PersonErased, handle=self._erase)]

    async def _erase(self, transaction: Transaction, event: PersonErased, context: EventContext) -> None:
        now = self._clock.now()
        # First, so that rows which are on their way bring nothing back.
        erased = insert(models.erased_subject).values(subject_id=event.member_id, erased_at=now)
        await transaction.execute(erased.on_conflict_do_nothing())
        # Entries about a member stand in whatever county somebody acted, or in none.
        await transaction.execute(select(func.set_config("role", "audit_relay", True)))
        await _forget(transaction, event.member_id)
        await forget_subject(transaction, event.member_id)


def sweep_job(database: Database) -> Job:
    """Forgets what came in at the moment of an erasure. Running twice at once does no harm."""

    async def sweep() -> None:
        async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            subjects, erased = models.entry_subject.c, models.erased_subject.c
            left = select(subjects.subject_id).where(subjects.subject_id == erased.subject_id).exists()
            for row in await transaction.all(select(erased.subject_id).where(left)):
                await _forget(transaction, row.subject_id)

    return Job(name="erased subjects", run=sweep, every_s=SWEEP_EVERY_S)


async def _forget(transaction: Transaction, subject_id: str) -> None:
    subjects = models.entry_subject
    await transaction.execute(
        update(subjects).where(subjects.c.subject_id == subject_id).values(subject_id=None, salt=None)
    )

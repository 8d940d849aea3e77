"""The whole log standing still: nothing is appended, an incident says why, and it ends when the log is whole again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from zhibu_kit.db import Transaction

from zhibu_audit import models
from zhibu_audit.chains import Link
from zhibu_audit.incidents import RESTORE, WHOLE_LOG, fed, find_open_incident, open_incident, save_incident
from zhibu_audit.rules import GoingOn


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """What a witness, or the rows, say against the log: why it must stand still, which entries are in doubt, and who says so."""

    because: str
    size: int
    wanted_size: int
    checkpoint: str


async def stop_log(transaction: Transaction, contradiction: Contradiction, *, now: datetime) -> None:
    """Let nothing be appended any more, and open the incident."""
    await transaction.execute(update(models.log_head).values(stopped_because=contradiction.because))
    going_on = GoingOn(
        from_sequence=contradiction.size, link=Link(sequence=contradiction.wanted_size, chain=b"", anchored=False)
    )
    await open_incident(
        transaction,
        kind=RESTORE,
        lane=WHOLE_LOG,
        going_on=going_on,
        now=now,
        checkpoint=contradiction.checkpoint,
    )


async def let_log_go_on(transaction: Transaction, *, now: datetime) -> None:
    """End the standing still of a log that is whole again; nothing changes where it runs."""
    stopped = await transaction.scalar(select(models.log_head.c.stopped_because).with_for_update())
    if not stopped:
        return
    await transaction.execute(update(models.log_head).values(stopped_because=""))
    incident = await find_open_incident(transaction, WHOLE_LOG)
    if incident is not None:
        await save_incident(transaction, fed(incident, now=now), now=now)

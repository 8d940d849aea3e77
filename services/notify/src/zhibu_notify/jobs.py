"""Work that repeats."""

from datetime import timedelta
from typing import Final

from zhibu_kit.background import Job
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database
from zhibu_kit.scope import Scope

from zhibu_notify.deliveries import purge_deliveries

# What the privacy notice promises.
RETENTION: Final = timedelta(days=30)
_PURGE_EVERY_S: Final = 3600.0
# One transaction deletes this many; the rest waits for the next.
_PURGE_COUNT_MAX: Final = 1000


def purge_job(database: Database, clock: Clock) -> Job:
    """Deletes records older than the retention. Running twice at once does no harm."""

    async def purge() -> None:
        count = _PURGE_COUNT_MAX
        while count == _PURGE_COUNT_MAX:
            async with database.transaction(Scope.none()) as transaction:
                count = await purge_deliveries(transaction, before=clock.now() - RETENTION, count_max=_PURGE_COUNT_MAX)

    return Job(name="purge deliveries", run=purge, every_s=_PURGE_EVERY_S)

"""Looks at the log for those who watch over it: how long it is, what waits, who stands still."""

import asyncio
import time
from pathlib import Path
from typing import Final

from opentelemetry.metrics import Observation
from sqlalchemy import select
from zhibu_kit.background import Job
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role
from zhibu_kit.scope import Scope
from zhibu_kit.telemetry import Telemetry
from zhibu_tlog.checkpoints import read_checkpoint
from zhibu_tlog.notes import read_note
from zhibu_tlog.reader import DirectoryReader, LogFileMissingError
from zhibu_tlog.spelling import MalformedError

from zhibu_audit import figures, models
from zhibu_audit.origins import list_origins
from zhibu_audit.places import get_head

EVERY_S: Final = 5.0


class Watch:
    """Remembers the figures of the log between two looks."""

    def __init__(self, database: Database, clock: Clock, telemetry: Telemetry, *, root: Path) -> None:
        """Look at a database and at the logs below `root`."""
        self._database = database
        self._clock = clock
        self._root = root
        self._size = 0
        self._stopped = False
        self._waiting = _Waiting()
        self._lanes: dict[str, tuple[float, bool]] = {}
        self._witnesses: dict[str, _Waiting] = {}
        telemetry.observe(figures.SIZE, lambda: [Observation(self._size)])
        telemetry.observe(figures.WAITING_AGE, lambda: [Observation(self._waiting.age_s)])
        telemetry.observe(figures.LOG_STOPPED, lambda: [Observation(int(self._stopped))])
        telemetry.observe(
            figures.LANE_STOPPED,
            lambda: [Observation(int(stopped), {"lane": lane}) for lane, (_, stopped) in self._lanes.items()],
        )
        telemetry.observe(
            figures.LANE_WAITING_AGE,
            lambda: [Observation(age_s, {"lane": lane}) for lane, (age_s, _) in self._lanes.items()],
        )
        telemetry.observe(
            figures.WITNESS_BEHIND_AGE,
            lambda: [Observation(one.age_s, {"witness": name}) for name, one in self._witnesses.items()],
        )

    def job(self) -> Job:
        """Return the look as a job."""
        return Job(name="log figures", run=self.look, every_s=EVERY_S)

    async def look(self) -> None:
        """Look once."""
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            head, origins = await get_head(transaction), await list_origins(transaction)
            lanes = await transaction.all(select(models.lane))
            witnesses = await transaction.all(select(models.witness))
        now = self._clock.now()
        self._size, self._stopped = head.size, bool(head.stopped_because)
        self._lanes = {
            row.lane: ((now - row.stopped_at).total_seconds() if row.stopped_at else 0.0, row.incident_id is not None)
            for row in lanes
        }
        if not origins:
            return
        origin = origins[-1]
        tree_size = await asyncio.to_thread(_published_size, origin.directory(self._root))
        self._waiting.look(moved_to=tree_size, until=head.size - origin.first_index)
        for row in witnesses:
            if row.serial == origin.serial:
                waiting = self._witnesses.setdefault(row.name, _Waiting())
                waiting.look(moved_to=row.size, until=tree_size)


class _Waiting:
    """Since when something that should move on has not."""

    def __init__(self) -> None:
        self._at = -1
        self._since_s = time.monotonic()
        self._waits = False

    @property
    def age_s(self) -> float:
        return time.monotonic() - self._since_s if self._waits else 0.0

    def look(self, *, moved_to: int, until: int) -> None:
        if moved_to >= until or moved_to != self._at:
            self._since_s = time.monotonic()
        self._at, self._waits = moved_to, moved_to < until


def _published_size(directory: Path) -> int:
    """Return the size of the log as it is published, 0 while there is none."""
    try:
        return read_checkpoint(read_note(DirectoryReader(directory).read_checkpoint()).text).size
    except (LogFileMissingError, MalformedError, OSError):
        return 0

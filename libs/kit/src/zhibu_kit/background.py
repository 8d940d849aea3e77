"""Background work: tasks that run beside the calls, and whose death ends the process."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Final

from opentelemetry.metrics import Observation

from zhibu_kit.metrics import counter, gauge
from zhibu_kit.telemetry import Telemetry

log = logging.getLogger("zhibu.background")

# A job that takes longer than this hangs; it is cut off and tried again at its next time.
JOB_TIMEOUT_S: Final = 300.0
# Tasks that are cancelled have this long to put things in order.
STOP_TIMEOUT_S: Final = 10.0
STOP_AGAIN_S: Final = 2.0

_NAME: Final = {"name": "name of the job"}
RUNS: Final = counter(
    "zhibu.job.runs", "Runs of background jobs.", labels={**_NAME, "outcome": "`done`, `failed` (time-outs too)"}
)
FAILURES_IN_A_ROW: Final = gauge(
    "zhibu.job.failures_in_a_row", "Failed runs of a job since its last good one.", labels=_NAME
)
LAST_SUCCESS: Final = gauge(
    "zhibu.job.last_success",
    "Time since the last good run of a job ended; since the start while there was none.",
    unit="s",
    labels=_NAME,
)


class BackgroundError(Exception):
    """A background task died, so the process cannot do its work and ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work done every `every_s` seconds, and at once whenever `woken` is set.

    Each replica of a service runs its jobs: one that must not run twice at once takes a lock in the database. A run that
    fails is logged and tried again at the next time.
    """

    name: str
    run: Callable[[], Awaitable[None]]
    every_s: float
    woken: asyncio.Event | None = None
    timeout_s: float = JOB_TIMEOUT_S


class _Record:
    """How a job has fared; its labels are made once."""

    __slots__ = ("done", "failed", "failures_in_a_row", "good_at_s", "labels")

    def __init__(self, name: str) -> None:
        self.labels = {"name": name}
        self.done = {"name": name, "outcome": "done"}
        self.failed = {"name": name, "outcome": "failed"}
        self.failures_in_a_row = 0
        self.good_at_s = time.monotonic()


class Background:
    """The background tasks of one process."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Begin with none."""
        self._telemetry = telemetry
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._died: asyncio.Future[None] | None = None
        self._jobs: list[_Record] = []
        self._runs = telemetry.counter(RUNS)
        telemetry.observe(
            FAILURES_IN_A_ROW, lambda: [Observation(one.failures_in_a_row, one.labels) for one in self._jobs]
        )
        telemetry.observe(
            LAST_SUCCESS, lambda: [Observation(time.monotonic() - one.good_at_s, one.labels) for one in self._jobs]
        )

    def start(self, name: str, work: Coroutine[None, None, None]) -> None:
        """Run work that never ends by itself; when it ends or fails, the process ends."""
        task = asyncio.create_task(work, name=name)
        self._tasks[task] = name
        task.add_done_callback(self._ended)

    def start_job(self, job: Job) -> None:
        """Run a job at its times."""
        self.start(f"job {job.name}", self._repeat(job))

    async def wait_for_death(self) -> None:
        """Wait until a task dies.

        Raises:
            BackgroundError: naming the task; its own error is the cause.
        """
        if self._died is None:
            self._died = asyncio.get_running_loop().create_future()
            for task in list(self._tasks):
                if task.done():
                    self._ended(task)
        await asyncio.shield(self._died)

    async def stop(self) -> None:
        """Cancel every task and wait for them, for a bounded while."""
        running, self._tasks = set(self._tasks), {}
        for _ in range(round(STOP_TIMEOUT_S / STOP_AGAIN_S)):
            # More than once: asyncio.wait_for loses a cancellation that comes together with a result (Python < 3.12).
            for task in running:
                task.cancel()
            if running:
                _, running = await asyncio.wait(running, timeout=STOP_AGAIN_S)
        for task in running:
            log.error("A background task does not stop", extra={"fields": {"task": task.get_name()}})
        if self._died is not None:
            self._died.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task not in self._tasks:
            # Stopped on purpose; its error, if any, is no longer of interest.
            if not task.cancelled():
                task.exception()
            return
        death = BackgroundError(f"the background task {self._tasks[task]!r} ended")
        death.__cause__ = None if task.cancelled() else task.exception()
        if self._died is not None and not self._died.done():
            self._died.set_exception(death)

    async def _repeat(self, job: Job) -> None:
        record = _Record(job.name)
        self._jobs.append(record)
        while True:
            try:
                with self._telemetry.operation(f"job {job.name}"):
                    async with asyncio.timeout(job.timeout_s):
                        await job.run()
            except Exception as error:
                # One failed run must not end the process: the next one may find things in order again.
                log.error("A job failed", exc_info=error, extra={"fields": {"job": job.name}})  # noqa: TRY400
                record.failures_in_a_row += 1
                self._runs.add(1, record.failed)
            else:
                record.failures_in_a_row, record.good_at_s = 0, time.monotonic()
                self._runs.add(1, record.done)
            await _pause(job)


async def _pause(job: Job) -> None:
    if job.woken is None:
        await asyncio.sleep(job.every_s)
        return
    try:
        async with asyncio.timeout(job.every_s):
            await job.woken.wait()
    except TimeoutError:
        return
    job.woken.clear()

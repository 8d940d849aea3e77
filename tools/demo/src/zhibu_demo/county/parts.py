"""The parts of a long load: how far each is, how long it took over all runs, and which are done already."""

import sys
import time
from collections.abc import Awaitable, Callable
from typing import Final, TextIO

from zhibu_demo.progress import Progress

_BAR_CHARACTERS: Final = 24
# A terminal is drawn often, a file gets a line now and then; as often the time is kept against a kill.
_DRAW_EVERY_S: Final = 0.5
_LINE_EVERY_S: Final = 10.0
_MINUTE_S: Final = 60


class Part:
    """One part while it runs: `add` and `to` move its bar."""

    def __init__(self, name: str, total: int, *, spent_s: float, keep: Callable[[float], None], out: TextIO) -> None:
        self._name = name
        self._total = total
        self._spent_s = spent_s
        self._keep = keep
        self._out = out
        self._done = 0
        self._began_at = 0
        self._looked_at: int | None = None
        self._started_s = self._drawn_s = self._kept_s = time.monotonic()
        self._note = ""

    def begin(self) -> None:
        """Draw the beginning."""
        self._draw(end="")

    def add(self, count: int = 1) -> None:
        """Tell of more that is done."""
        self.to(self._done + count)

    def skip(self, count: int = 1) -> None:
        """Tell of what a former load has done; it says nothing about the speed of this one."""
        self._began_at += count
        self.to(self._done + count)

    def look(self, done: int) -> None:
        """Tell how much the platform says is done; what it says first was done before this run."""
        if self._looked_at is None:
            self._looked_at = self._began_at = done
        self.to(done)

    def to(self, done: int) -> None:
        """Tell how much is done."""
        self._done = done
        now_s = time.monotonic()
        if now_s - self._drawn_s > (_DRAW_EVERY_S if self._out.isatty() else _LINE_EVERY_S):
            self._drawn_s = now_s
            self._draw(end="")
        if now_s - self._kept_s > _LINE_EVERY_S:
            self._kept_s = now_s
            self._keep(self.seconds())

    def note(self, text: str) -> None:
        """Say something with the end of the part."""
        self._note = text

    def seconds(self) -> float:
        """Return the seconds spent, former runs included."""
        return self._spent_s + time.monotonic() - self._started_s

    def finish(self) -> None:
        """Draw the end of the part."""
        self._done = self._total
        self._draw(end="✓")
        if self._note:
            print(f"    {self._note}", file=self._out, flush=True)

    def _draw(self, *, end: str) -> None:
        share = min(self._done / self._total, 1.0) if self._total else 1.0
        full = round(share * _BAR_CHARACTERS)
        line = (
            f"{end or '…'} {self._name}  [{'█' * full}{'·' * (_BAR_CHARACTERS - full)}] {self._done:,}/{self._total:,}"
        )
        line += f"  {in_words(self.seconds())}"
        left = self._seconds_left()
        if not end and left is not None:
            line += f"，还需约 / about {in_words(left)} left"
        if self._out.isatty():
            print(f"\r\x1b[K  {line}", end="\n" if end else "", file=self._out, flush=True)
        else:
            print(f"  {line}", file=self._out, flush=True)

    def _seconds_left(self) -> float | None:
        own = self._done - self._began_at
        if own <= 0:
            return None
        return (time.monotonic() - self._started_s) / own * (self._total - self._done)


class Parts:
    """All parts of a load; what a former load has finished is not begun again."""

    def __init__(self, progress: Progress, out: TextIO = sys.stdout) -> None:
        self._progress = progress
        self._out = out
        self.changed = False
        self._seconds: dict[str, float] = {}

    async def run(self, key: str, name: str, total: int, work: Callable[[Part], Awaitable[None]]) -> None:
        """Run a part, tell how far it is and how long it took; one that a former load has finished is only told."""
        notes = self._progress.of(f"part.{key}")
        spent_s = float(notes.get("seconds") or 0)
        self._seconds[key] = spent_s
        if notes.get("done"):
            print(f"  ✓ {name}：已完成 / done already ({in_words(spent_s)})", file=self._out, flush=True)
            return

        def keep(seconds: float) -> None:
            self._seconds[key] = seconds
            notes.put("seconds", round(seconds, 1))

        part = Part(name, total, spent_s=spent_s, keep=keep, out=self._out)
        self.changed = True
        part.begin()
        try:
            await work(part)
        finally:
            keep(part.seconds())
        notes.put("done", True)
        part.finish()

    def total_seconds(self) -> float:
        """Return the seconds of all parts, former runs included."""
        return sum(self._seconds.values())


def in_words(seconds: float) -> str:
    """Return a time as people read it."""
    if seconds < _MINUTE_S:
        return f"{seconds:.1f} s"
    return f"{int(seconds // _MINUTE_S)} min {int(seconds % _MINUTE_S):02d} s"

"""How much memory a process and its children took at most, and how much computing time, as the kernel counted it."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Self

LOOK_EVERY_S = 0.01
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


class PeakMemory:
    """`with PeakMemory(pid) as peak: …`, then `peak.own_mb`, `peak.child_mb` (the most of any one child) and `peak.cpu_s` (of all).

    The kernel's own high-water mark is read (VmHWM): a process's once, at the end; a child's every 10 ms while it lives, so
    that what a child takes in the last of these is not seen.
    """

    def __init__(self, pid: int) -> None:
        """Look at a process."""
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name=f"memory of {pid}", daemon=True)
        self.own_mb = 0.0
        self.child_mb = 0.0
        self.cpu_s = 0.0

    def __enter__(self) -> Self:
        """Forget what the process took before."""
        Path(f"/proc/{self._pid}/clear_refs").write_text("5")
        self.cpu_s = -_cpu_s(self._pid)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Read the process's own mark."""
        self._ended.set()
        self._thread.join()
        self.own_mb = _peak_mb(self._pid)
        self.cpu_s += _cpu_s(self._pid)

    def _look(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            for child in _children(self._pid):
                self.child_mb = max(self.child_mb, _peak_mb(child))


def _children(pid: int) -> list[int]:
    """Return the children of every thread: a child belongs to the thread that started it."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in children.read_text().split()]
        except OSError:
            continue
    return found


def _cpu_s(pid: int) -> float:
    """Return the computing time of a process and of its children that have ended, in seconds."""
    # After the name in brackets, which may hold anything: user, system, and both of the children.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    try:
        marks = _PEAK.findall(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(marks[0]) / 1000 * 1.024 if marks else 0.0

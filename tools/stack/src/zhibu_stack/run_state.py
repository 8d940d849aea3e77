"""The state directory of a run: who holds it, and what runs in it."""

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

from zhibu_stack.errors import StackError


class RunState:
    """`.run/`: a lock that only one run holds, and `state.json` for `status`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock: int | None = None

    def acquire(self) -> None:
        """Take the directory for this process; the kernel gives it back whenever and however the process ends.

        Raises: StackError when another run holds it.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StackError(
                f"已有一个 make run 正在使用 {self.directory}，请先用 Ctrl-C 停止它。",
                f"Another make run is using {self.directory}; stop it with Ctrl-C first.",
            ) from None
        self._lock = descriptor

    def release(self) -> None:
        """Give the directory back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def is_held(self) -> bool:
        """Say whether some run holds the directory now."""
        if not self.directory.exists():
            return False
        try:
            self.acquire()
        except StackError:
            return True
        self.release()
        return False

    def write(self, processes: dict[str, Any]) -> None:
        """Replace what is known about the processes."""
        draft = self.directory / ".state.json"
        draft.write_text(json.dumps({"pid": os.getpid(), "processes": processes}, indent=2), encoding="utf-8")
        draft.replace(self.directory / "state.json")

    def read(self) -> dict[str, Any]:
        """Return the processes as last written."""
        try:
            return json.loads((self.directory / "state.json").read_text(encoding="utf-8"))["processes"]
        except FileNotFoundError:
            return {}

    def wipe(self) -> None:
        """Remove everything in the directory.

        Raises: StackError while a run uses it.
        """
        if not self.directory.exists():
            return
        self.acquire()
        try:
            shutil.rmtree(self.directory)
        finally:
            self.release()

"""Durable files that stop at a chosen operation, and a disk that forgets what was not synced."""

import shutil
from enum import Enum, auto
from pathlib import Path
from threading import Lock

from zhibu_tlog.durable_files import DurableFiles


class Crash(BaseException):
    """The process ends here: nothing of it catches this."""


class Survival(Enum):
    """What is on the disk after the crash."""

    EVERYTHING = auto()
    """The process was killed, the machine goes on."""
    ONLY_WHAT_WAS_SYNCED = auto()
    """The machine lost its power, and the disk kept nothing that it did not have to keep."""


class FailingFiles(DurableFiles):
    """Does as many operations as it is given, then crashes; keeps books on what a power failure would leave."""

    def __init__(self, root: Path, operations: int | None = None) -> None:
        """Work below `root`, which is on the disk as it is now."""
        self._root = root
        self._left = operations
        self._counting = Lock()
        self.done = 0
        # For each directory the names in it which are synced: a file with its content, or a directory.
        self._kept: dict[Path, dict[str, bytes | None]] = {}
        for directory in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            self._kept[directory] = self._look(directory)

    def write(self, path: Path, data: bytes) -> None:
        """Write; a crash leaves half of it."""
        try:
            self._count()
        except Crash:
            path.write_bytes(data[: len(data) // 2])
            raise
        super().write(path, data)

    def move(self, source: Path, target: Path) -> None:
        """Move."""
        self._count()
        super().move(source, target)

    def make_directory(self, path: Path) -> None:
        """Make a directory."""
        self._count()
        super().make_directory(path)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        self._count()
        super().remove(path)

    def remove_directory(self, path: Path) -> None:
        """Remove a directory."""
        self._count()
        super().remove_directory(path)

    def sync(self, directory: Path) -> None:
        """Sync the names in a directory: from now on a power failure leaves them."""
        self._count()
        super().sync(directory)
        self._kept[directory] = self._look(directory)

    def leave(self, survival: Survival) -> None:
        """Make the disk look as it does after the crash."""
        if survival is Survival.EVERYTHING:
            return
        for child in self._root.iterdir():
            if child.is_dir():
                shutil.rmtree(child)
            else:
                child.unlink()
        self._restore(self._root)

    def _restore(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        for name, content in self._kept.get(directory, {}).items():
            if content is None:
                self._restore(directory / name)
            else:
                (directory / name).write_bytes(content)

    def _look(self, directory: Path) -> dict[str, bytes | None]:
        return {path.name: None if path.is_dir() else path.read_bytes() for path in directory.iterdir()}

    def _count(self) -> None:
        # Files are written side by side; once crashed, no thread does anything any more.
        with self._counting:
            if self._left is not None and self.done == self._left:
                raise Crash
            self.done += 1

"""Files that are whole or not there, also after a power failure: written aside, synced, moved into place, the folder synced."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Final

_OWNER_ONLY: Final = 0o600
_FOR_ALL_TO_READ: Final = 0o644
# Files that are synced side by side share what a file system does to sync one; threads begin when they are first needed.
_SIDE_BY_SIDE: Final = ThreadPoolExecutor(8, thread_name_prefix="durable-files")


class DurableFiles:
    """The few operations on files that everything durable here is made of; tests let them fail one by one."""

    def write(self, path: Path, data: bytes) -> None:
        """Write a file and wait until its content is on the disk; its name is there for good only after `sync`."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _FOR_ALL_TO_READ)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def move(self, source: Path, target: Path) -> None:
        """Move a file to where another may be: whoever looks sees the one or the other."""
        source.replace(target)

    def make_directory(self, path: Path) -> None:
        """Make a directory unless it is there."""
        path.mkdir(exist_ok=True)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink(missing_ok=True)

    def remove_directory(self, path: Path) -> None:
        """Remove an empty directory."""
        path.rmdir()

    def sync(self, directory: Path) -> None:
        """Wait until the names in a directory are on the disk."""
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_all(files: DurableFiles, contents: Mapping[Path, bytes], *, root: Path, aside: Path) -> None:
    """Write files below `root`, through the directory `aside`; when this returns, all of them are there for good.

    What a crash leaves is some of them, each whole.
    """
    put_in_place(files, write_aside(files, contents, aside=aside), root=root)


def write_aside(files: DurableFiles, contents: Mapping[Path, bytes], *, aside: Path) -> dict[Path, Path]:
    """Write files into the directory `aside`, where nobody looks for them; return where the draft of each lies."""
    drafts = {path: aside / f"{number}.new" for number, path in enumerate(contents)}
    writing = [_SIDE_BY_SIDE.submit(files.write, drafts[path], data) for path, data in contents.items()]
    # When one fails the others end first: whoever begins anew uses the same names.
    wait(writing)
    for written in writing:
        written.result()
    return drafts


def put_in_place(files: DurableFiles, drafts: Mapping[Path, Path], *, root: Path) -> None:
    """Move drafts to where they belong below `root`; when this returns, all of them are there for good."""
    to_sync: dict[Path, None] = {}
    for path in drafts:
        for directory in _missing(path.parent, root):
            files.make_directory(directory)
            to_sync[directory.parent] = None
        to_sync[path.parent] = None
    for path, draft in drafts.items():
        files.move(draft, path)
    for directory in to_sync:
        files.sync(directory)


def write_secret(path: Path, data: bytes) -> None:
    """Write a file that is not there yet and that only its owner may read.

    Raises:
        FileExistsError: when it is there.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    DurableFiles().sync(path.parent)


def _missing(directory: Path, root: Path) -> list[Path]:
    """Give the directories that are not there, the outermost first."""
    missing: list[Path] = []
    while directory != root and not directory.is_dir():
        missing.append(directory)
        directory = directory.parent
    return missing[::-1]

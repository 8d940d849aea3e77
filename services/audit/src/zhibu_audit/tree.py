"""A log on the disk, open for writing by this process; the disk is waited for in a thread, one operation after another."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from zhibu_tlog.checkpoints import SignedCheckpoint
from zhibu_tlog.keys import SignerKey
from zhibu_tlog.notes import Note, Signature
from zhibu_tlog.reader import CHECKPOINT_PATH, DirectoryReader
from zhibu_tlog.tree_writer import TreeWriter, create_log, opened_log

T = TypeVar("T")


class Tree:
    """One log; made by `opened_tree`."""

    def __init__(self, directory: Path, writer: TreeWriter, disk: ThreadPoolExecutor) -> None:
        """Write through an open writer."""
        self.directory = directory
        self._writer = writer
        self._disk = disk
        self.grown = asyncio.Event()

    @property
    def signed(self) -> SignedCheckpoint:
        """The checkpoint that is published now."""
        return self._writer.signed

    @property
    def size(self) -> int:
        """The number of entries under it."""
        return self._writer.size

    @property
    def reader(self) -> DirectoryReader:
        """Whatever reads the log."""
        return DirectoryReader(self.directory)

    async def append(self, entries: Sequence[bytes], *, first_index: int) -> SignedCheckpoint:
        """Append entries, as `TreeWriter.append`."""
        signed = await self.run(lambda: self._writer.append(entries, first_index=first_index))
        self.grown.set()
        return signed

    async def publish_cosignatures(self, note: Note, signatures: Sequence[Signature]) -> None:
        """Add cosignatures on a note to the published checkpoint, unless the log has grown since."""

        def publish() -> None:
            if self._writer.signed.note.text == note.text:
                self._writer.publish_cosignatures(signatures)

        await self.run(publish)

    async def run(self, work: Callable[[], T]) -> T:
        """Do something that waits for the disk, after what was begun before it."""
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)


@asynccontextmanager
async def opened_tree(directory: Path, key: SignerKey) -> AsyncGenerator[Tree]:
    """Open a log, which is begun empty where there is none, for as long as the block runs.

    Raises:
        LogInUseError: when another process has it open.
        LogDamagedError, LogFileMissingError, MalformedError, NoteRefusedError, OSError: when it cannot be written on.
    """
    stack = ExitStack()
    # One thread: closing waits for what a cancelled task left running, so that nobody else opens the log under it.
    disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log")

    def open_it() -> TreeWriter:
        if not (directory / CHECKPOINT_PATH).exists():
            directory.parent.mkdir(parents=True, exist_ok=True)
            create_log(directory, key)
        return stack.enter_context(opened_log(directory, key))

    loop = asyncio.get_running_loop()
    try:
        yield Tree(directory, await loop.run_in_executor(disk, open_it), disk)
    finally:
        closing = disk.submit(stack.close)
        disk.shutdown(wait=False)
        await asyncio.wrap_future(closing)

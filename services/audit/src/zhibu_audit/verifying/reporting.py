"""What a check says on a terminal or in a file, in Chinese and English."""

from __future__ import annotations

import sys
import time
from typing import Final, TextIO

from zhibu_audit.verifying.faults import TEXTS
from zhibu_audit.verifying.logs import CannotCheckError, Checked

# More lines than these help nobody.
MOST_SHOWN: Final = 30
_BAR_WIDTH: Final = 30
_BAR_EVERY_S: Final = 0.1


class Bar:
    """A bar of progress, on a terminal only."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        """Draw on this stream."""
        self._stream = stream
        self._shown = stream.isatty()
        self._next_s = 0.0

    def __call__(self, read: int, size: int) -> None:
        """Show how many entries were read."""
        if not self._shown or (time.monotonic() < self._next_s and read != size):
            return
        self._next_s = time.monotonic() + _BAR_EVERY_S
        filled = min(_BAR_WIDTH, read * _BAR_WIDTH // size) if size else 0
        self._stream.write(f"\r[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}] {read:,}/{size:,}")
        self._stream.flush()

    def clear(self) -> None:
        """Leave an empty line."""
        if self._shown:
            self._stream.write("\r\033[K")


def tell(checked: Checked, stream: TextIO) -> None:
    """Write verdict, findings and what the checker should know."""
    if checked.is_good:
        stream.write("完好：没有发现任何改动。 / Good: nothing was changed.\n")
    else:
        stream.write("有问题：见下列发现。 / Bad: see what was found.\n")
    for fault in checked.faults[:MOST_SHOWN]:
        zh, en = TEXTS[fault.kind]
        stream.write(f"✗ {fault.kind}  {zh} / {en}\n    {fault.where}: {fault.detail}\n")
    if len(checked.faults) > MOST_SHOWN:
        more = len(checked.faults) - MOST_SHOWN
        stream.write(f"… 另有 {more} 项 / and {more} more\n")
    if checked.signed:
        checkpoint = checked.signed.checkpoint
        stream.write(f"日志 / log: {checkpoint.origin}\n")
        stream.write(f"检查点 / checkpoint: {checkpoint.size:,} · {checkpoint.root.hex()}\n")
    stream.write(f"检查过的条目 / entries checked: {checked.entries_count:,}\n")
    stream.writelines(
        f"见证签名 / cosigned: {cosignature.witness.name} {cosignature.cosigned_at.isoformat()}\n"
        for cosignature in checked.cosignatures
    )
    if checked.lanes:
        stream.write(f"各服务 / lanes: {', '.join(f'{name} {last:,}' for name, last in checked.lanes.items())}\n")
    for zh, en in checked.notes:
        stream.write(f"! {zh} / {en}\n")


def tell_why_not(error: CannotCheckError, stream: TextIO) -> None:
    """Write why nothing could be checked."""
    stream.write(f"无法检查：{error.zh} / Cannot check: {error.en}\n")

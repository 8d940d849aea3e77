"""The directory of a witness: made together with its key, and used by one process at a time.

A witness that lost its memory would cosign a fork, so it never begins with an empty memory by itself: the directory names the key
that it was made for. After a loss, or a restore from a backup, the witness gets a new key.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from zhibu_tlog.durable_files import DurableFiles, write_all, write_secret
from zhibu_tlog.keys import SignerKey, read_signer_key

_VKEY_FILE: Final = "vkey"
_LOCK_FILE: Final = "lock"
CHECKPOINTS_DIRECTORY: Final = "checkpoints"


class StateRefusedError(Exception):
    """The witness cannot start with this directory."""


def make_state(directory: Path, key_file: Path, key: SignerKey) -> None:
    """Make the directory of a new witness, and write its key where it is not there yet.

    Raises:
        StateRefusedError: when there is a witness or a key already.
    """
    if (directory / _VKEY_FILE).exists():
        raise StateRefusedError(f"{directory} belongs to a witness already")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / CHECKPOINTS_DIRECTORY).mkdir(exist_ok=True)
    try:
        write_secret(key_file, f"{key.text}\n".encode())
    except FileExistsError:
        raise StateRefusedError(f"{key_file} exists already") from None
    files = DurableFiles()
    write_all(files, {directory / _VKEY_FILE: f"{key.verifier.text}\n".encode()}, root=directory, aside=directory)
    files.sync(directory.parent)


@contextmanager
def opened_state(directory: Path, key_file: Path) -> Generator[tuple[Path, SignerKey]]:
    """Give where the checkpoints lie and the key, as long as no other process uses the directory.

    Raises:
        StateRefusedError: when another process does, or it was made for another key.
        MalformedError: when the key is none.
    """
    try:
        key = read_signer_key(key_file.read_text(encoding="utf-8").strip())
        made_for = (directory / _VKEY_FILE).read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        raise StateRefusedError(
            f"{error.filename} is not there. `zhibu-witness generate-key` makes a key together with its directory; "
            "a witness that lost its directory needs a new key, or it would cosign forks."
        ) from None
    if made_for != key.verifier.text:
        raise StateRefusedError(f"{directory} was made for the key {made_for}, not for {key.verifier.text}")
    descriptor = os.open(directory / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateRefusedError(f"{directory} is used by another process") from None
        yield directory / CHECKPOINTS_DIRECTORY, key
    finally:
        os.close(descriptor)

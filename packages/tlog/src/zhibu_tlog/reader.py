"""A log read from a directory or over HTTP, through the same three methods. Nothing that is read is believed here.

Where a partial tile is gone because the full one is there, the beginning of the full one is read (c2sp.org/tlog-tiles, "Partial Tiles").
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

import httpx

from zhibu_tlog.entries import LONGEST_BUNDLE_BYTES, decode_entries
from zhibu_tlog.hashes import HASH_BYTES
from zhibu_tlog.notes import LONGEST_NOTE_BYTES
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.tiles import TILE_WIDTH, Bundle, Tile

CHECKPOINT_PATH: Final = "checkpoint"
# A log that does not answer within this time is not there.
HTTP_TIMEOUT_S: Final = 30.0


class LogFileMissingError(Exception):
    """A file that the log must have is not there."""


class LogReader(Protocol):
    """A log, wherever it is."""

    def read_checkpoint(self) -> bytes:
        """Give the checkpoint as it is, unchecked."""
        ...

    def read_tile(self, tile: Tile) -> list[bytes]:
        """Give the hashes of a tile."""
        ...

    def read_bundle(self, bundle: Bundle) -> list[bytes]:
        """Give the entries of a bundle."""
        ...


class _Files(Protocol):
    def read(self, path: str, limit_bytes: int) -> bytes: ...


class FileLogReader:
    """A log of which one knows how to read the files."""

    def __init__(self, files: _Files) -> None:
        """Read through `files`."""
        self._files = files

    def read_checkpoint(self) -> bytes:
        """Give the checkpoint as it is, unchecked."""
        return self._files.read(CHECKPOINT_PATH, LONGEST_NOTE_BYTES)

    def read_tile(self, tile: Tile) -> list[bytes]:
        """Give the hashes of a tile.

        Raises:
            LogFileMissingError: when there is none.
            MalformedError: when it has another length.
        """
        data, width = self._read(tile)
        if len(data) != width * HASH_BYTES:
            raise MalformedError(f"a tile of {width} hashes has {width * HASH_BYTES} bytes, not {len(data)}")
        return [data[at : at + HASH_BYTES] for at in range(0, tile.width * HASH_BYTES, HASH_BYTES)]

    def read_bundle(self, bundle: Bundle) -> list[bytes]:
        """Give the entries of a bundle.

        Raises:
            LogFileMissingError: when there is none.
            MalformedError: when it is cut off or has something behind.
        """
        data, width = self._read(bundle)
        return decode_entries(data, width)[: bundle.width]

    def _read(self, wanted: Tile | Bundle) -> tuple[bytes, int]:
        limit = TILE_WIDTH * HASH_BYTES if isinstance(wanted, Tile) else LONGEST_BUNDLE_BYTES
        try:
            return self._files.read(wanted.path, limit), wanted.width
        except LogFileMissingError:
            if wanted.width == TILE_WIDTH:
                raise
        try:
            return self._files.read(wanted.full.path, limit), TILE_WIDTH
        except LogFileMissingError:
            raise LogFileMissingError(wanted.path) from None


class DirectoryReader(FileLogReader):
    """A log in a directory."""

    def __init__(self, directory: Path) -> None:
        """Read from this directory."""
        super().__init__(_Directory(directory))


class UrlReader(FileLogReader):
    """A log behind a URL prefix; to be closed after use."""

    def __init__(self, prefix: str, client: httpx.Client | None = None) -> None:
        """Read from `prefix`, with or without a slash at its end."""
        self._client = client or httpx.Client(timeout=HTTP_TIMEOUT_S, headers={"Accept-Encoding": "gzip, identity"})
        super().__init__(_Prefix(prefix.rstrip("/"), self._client))

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close its connections."""
        self._client.close()


class _Directory:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, path: str, limit_bytes: int) -> bytes:
        try:
            with (self._directory / path).open("rb") as file:
                data = file.read(limit_bytes + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise LogFileMissingError(path) from None
        return _bounded(data, path, limit_bytes)


class _Prefix:
    def __init__(self, prefix: str, client: httpx.Client) -> None:
        self._prefix = prefix
        self._client = client

    def read(self, path: str, limit_bytes: int) -> bytes:
        data = bytearray()
        with self._client.stream("GET", f"{self._prefix}/{path}") as response:
            if response.status_code in {httpx.codes.NOT_FOUND, httpx.codes.GONE, httpx.codes.FORBIDDEN}:
                # Object stores that may not list their contents say 403 of what is not there.
                raise LogFileMissingError(path)
            response.raise_for_status()
            for part in response.iter_bytes():
                data += part
                if len(data) > limit_bytes:
                    break
        return _bounded(bytes(data), path, limit_bytes)


def _bounded(data: bytes, path: str, limit_bytes: int) -> bytes:
    if len(data) > limit_bytes:
        raise MalformedError(f"{path} has more than {limit_bytes} bytes")
    return data

"""A log read over HTTP is the same as in its directory, and nobody can make a reader take in more than a log has."""

import gzip
from functools import partial
from pathlib import Path

import httpx
import pytest
from support.tlog_logs import LOG_KEY, ORIGIN, entries, split, write_log
from zhibu_tlog.entries import LONGEST_BUNDLE_BYTES
from zhibu_tlog.notes import LONGEST_NOTE_BYTES
from zhibu_tlog.reader import DirectoryReader, LogFileMissingError, LogReader, UrlReader
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.tiles import Bundle, Tile
from zhibu_tlog.verifying import Trust, verify_log

TRUST = Trust(origin=ORIGIN, keys=(LOG_KEY.verifier,))


def serve(directory: Path, request: httpx.Request) -> httpx.Response:
    """Serve the files of a log as a static server does; bundles are always compressed."""
    path = directory / request.url.path.removeprefix("/logs/one/")
    if not path.is_file():
        return httpx.Response(404)
    if "entries" in path.parts:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=gzip.compress(path.read_bytes()))
    return httpx.Response(200, content=path.read_bytes())


def reader(directory: Path, prefix: str = "http://log.example/logs/one/") -> UrlReader:
    """Read a directory through HTTP."""
    return UrlReader(prefix, httpx.Client(transport=httpx.MockTransport(partial(serve, directory))))


def test_a_log_behind_a_url_is_checked_as_one_in_a_directory(tmp_path: Path) -> None:
    directory = write_log(tmp_path / "log", split(600, [250, 7, 90]))
    for prefix in ("http://log.example/logs/one", "http://log.example/logs/one/"):
        with reader(directory, prefix) as log:
            assert verify_log(log, TRUST) == verify_log(DirectoryReader(directory), TRUST)
            assert verify_log(log, TRUST).is_good
    (directory / "tile/entries/001").write_bytes(b"")
    with reader(directory) as log:
        assert verify_log(log, TRUST) == verify_log(DirectoryReader(directory), TRUST)
        assert not verify_log(log, TRUST).is_good


def test_a_partial_tile_that_is_gone_is_the_beginning_of_the_full_one(tmp_path: Path) -> None:
    directory = write_log(tmp_path / "log", split(600, [250]))
    logs: list[LogReader] = [DirectoryReader(directory), reader(directory)]
    for log in logs:
        assert log.read_bundle(Bundle(index=0, width=250)) == entries(250)
        assert log.read_tile(Tile(level=0, index=0, width=250)) == log.read_tile(Tile(level=0, index=0))[:250]
        for gone in (Tile(level=0, index=3), Tile(level=0, index=3, width=1), Tile(level=2, index=0, width=1)):
            with pytest.raises(LogFileMissingError, match=r".p/1$" if gone.width == 1 else gone.path):
                log.read_tile(gone)


def test_what_is_too_long_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "tile/0").mkdir(parents=True)
    (tmp_path / "tile/entries").mkdir(parents=True)
    (tmp_path / "checkpoint").write_bytes(b"x" * (LONGEST_NOTE_BYTES + 1))
    (tmp_path / "tile/0/000").write_bytes(bytes(8193))
    (tmp_path / "tile/entries/000").write_bytes(bytes(LONGEST_BUNDLE_BYTES + 1))
    logs: list[LogReader] = [DirectoryReader(tmp_path), reader(tmp_path)]
    for log in logs:
        with pytest.raises(MalformedError, match="more than"):
            log.read_checkpoint()
        with pytest.raises(MalformedError, match="more than"):
            log.read_tile(Tile(level=0, index=0))
        with pytest.raises(MalformedError, match="more than"):
            log.read_bundle(Bundle(index=0))


def test_a_tile_of_another_length_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tile/0/000.p").mkdir(parents=True)
    for length in (0, 31, 32, 65, 96):
        (tmp_path / "tile/0/000.p/2").write_bytes(bytes(length))
        with pytest.raises(MalformedError):
            DirectoryReader(tmp_path).read_tile(Tile(level=0, index=0, width=2))


def test_a_server_that_fails_is_not_a_log_without_files() -> None:
    with (
        UrlReader(
            "http://log.example", httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(503)))
        ) as log,
        pytest.raises(httpx.HTTPStatusError),
    ):
        log.read_checkpoint()

"""What is written is handed to the disk: content before its name, and names before anybody is told."""

import os
import stat
import threading
from pathlib import Path

import pytest
from support.failing_files import FailingFiles
from zhibu_tlog.durable_files import DurableFiles, write_all, write_aside, write_secret


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the names of what is synced, as it is synced."""
    names: list[str] = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    return names


def test_files_are_synced_before_their_directories(tmp_path: Path, synced: list[str]) -> None:
    root = tmp_path / "root"
    aside = root / "aside"
    aside.mkdir(parents=True)
    contents = {root / "a/b/one": b"1", root / "two": b"2"}
    write_all(DurableFiles(), contents, root=root, aside=aside)
    # Files side by side, directories after all of them.
    assert (sorted(synced[:2]), synced[2:]) == (["0.new", "1.new"], ["root", "a", "b"])
    assert {path: path.read_bytes() for path in contents} == contents
    assert list(aside.iterdir()) == []


def test_no_directory_is_synced_before_everything_is_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "aside").mkdir()
    files = FailingFiles(tmp_path)
    write_all(files, {tmp_path / "a/one": b"1", tmp_path / "two": b"2"}, root=tmp_path, aside=tmp_path / "aside")
    # Two files written, a directory made, two moved, the root and the new directory synced.
    assert files.done == 7


class OneFailsAtOnce(DurableFiles):
    """Refuses one file, and is slow with the others."""

    def __init__(self) -> None:
        self.refused = threading.Event()
        self.ended: list[str] = []

    def write(self, path: Path, data: bytes) -> None:
        if path.name == "0.new":
            self.refused.set()
            raise OSError("no room")
        assert self.refused.wait(5)
        super().write(path, data)
        self.ended.append(path.name)


def test_when_one_file_fails_the_others_are_not_still_being_written(tmp_path: Path) -> None:
    files = OneFailsAtOnce()
    with pytest.raises(OSError, match="no room"):
        write_aside(files, {tmp_path / name: b"x" * 1_000_000 for name in "abc"}, aside=tmp_path)
    assert sorted(files.ended) == ["1.new", "2.new"]


def test_a_secret_is_its_owners_and_never_written_over(tmp_path: Path, synced: list[str]) -> None:
    write_secret(tmp_path / "key", b"secret")
    assert synced == ["key", tmp_path.name]
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        write_secret(tmp_path / "key", b"another")
    assert (tmp_path / "key").read_bytes() == b"secret"

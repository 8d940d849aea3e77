"""Writing a log: the same files whatever the batches, and whatever crashes in between."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.failing_files import Crash, FailingFiles
from support.tlog_logs import (
    LOG_KEY,
    ORIGIN,
    OTHER_KEY,
    WITNESS_KEY,
    append_to,
    defined_root,
    entries,
    files_of,
    split,
    write_log,
)
from unit.tlog.test_notes import AT
from zhibu_tlog.checkpoints import open_checkpoint
from zhibu_tlog.cosignatures import list_cosignatures
from zhibu_tlog.hashes import hash_leaf
from zhibu_tlog.notes import MOST_SIGNATURES, NoteRefusedError, sign_text
from zhibu_tlog.reader import DirectoryReader, LogFileMissingError
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.tiles import find_bundle, find_tile, list_bundles, list_tiles, read_path
from zhibu_tlog.tree_writer import (
    MOST_ENTRIES_PER_BATCH,
    STATE_DIRECTORY,
    EntriesRefusedError,
    LogDamagedError,
    LogInUseError,
    create_log,
    opened_log,
)


def current_files(directory: Path, size: int) -> dict[str, bytes]:
    """Give the files that a log of this size must have: its checkpoint, tiles and bundles."""
    tiles = [tile.path for level in range(3) for tile in list_tiles(level, size)]
    wanted = {"checkpoint", *tiles, *(bundle.path for bundle in list_bundles(size))}
    found = files_of(directory)
    assert wanted <= found.keys()
    return {path: found[path] for path in wanted}


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 700, 70_000])
def test_a_log_is_what_the_specification_says(tmp_path: Path, size: int) -> None:
    written = write_log(tmp_path / "log", split(size, [MOST_ENTRIES_PER_BATCH]))
    log = DirectoryReader(written)
    signed = open_checkpoint(log.read_checkpoint(), origin=ORIGIN, keys=[LOG_KEY.verifier])
    leaf_hashes = [hash_leaf(entry) for entry in entries(size)]
    assert (signed.checkpoint.size, signed.checkpoint.root) == (size, defined_root(leaf_hashes))
    assert [entry for bundle in list_bundles(size) for entry in log.read_bundle(bundle)] == entries(size)
    assert [hashed for tile in list_tiles(0, size) for hashed in log.read_tile(tile)] == leaf_hashes
    for level in (1, 2):
        span = 256**level
        roots = [defined_root(leaf_hashes[at : at + span]) for at in range(0, size - span + 1, span)]
        assert [hashed for tile in list_tiles(level, size) for hashed in log.read_tile(tile)] == roots


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 400), min_size=1, max_size=12))
def test_batches_of_any_size_leave_the_files_of_one_batch(tmp_path: Path, sizes: list[int]) -> None:
    for name in ("one", "many"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    total = sum(sizes)
    one = write_log(tmp_path / "one", split(total, [MOST_ENTRIES_PER_BATCH]))
    many = write_log(tmp_path / "many", split(total, sizes))
    assert files_of(one) == current_files(one, total) == current_files(many, total)
    # What else is there are the partial tiles of sizes that were published, as long as the full tile is not there.
    published = [sum(sizes[: end + 1]) for end in range(len(sizes))]
    kept = {
        path
        for path in (
            *(tile.path for size in published for level in range(3) for tile in list_tiles(level, size)),
            *(bundle.path for size in published for bundle in list_bundles(size)),
        )
        if path in current_files(one, total) or not _is_full_now(path, total)
    }
    assert files_of(many).keys() == kept | {"checkpoint"}


def _is_full_now(path: str, size: int) -> bool:
    lies = read_path(path)
    assert lies
    return lies.full in {*(find_tile(level, lies.index, size) for level in range(3)), find_bundle(lies.index, size)}


def test_every_size_that_was_published_can_be_read_later(tmp_path: Path) -> None:
    directory = write_log(tmp_path / "log", [])
    log = DirectoryReader(directory)
    seen: list[tuple[int, bytes]] = []
    with opened_log(directory, LOG_KEY) as writer:
        for size in (3, 200, 300, 400, 520):
            checkpoint = writer.append(entries(size - writer.size, writer.size), first_index=writer.size).checkpoint
            seen.append((checkpoint.size, checkpoint.root))
    for size, root in seen:
        leaf_hashes = [hashed for tile in list_tiles(0, size) for hashed in log.read_tile(tile)]
        assert defined_root(leaf_hashes) == root
        assert [entry for bundle in list_bundles(size) for entry in log.read_bundle(bundle)] == entries(size)


def test_a_log_is_never_begun_over_another_one(tmp_path: Path) -> None:
    directory = write_log(tmp_path / "log", [entries(3)])
    (directory / "checkpoint").unlink()
    with pytest.raises(FileExistsError):
        create_log(directory, LOG_KEY)
    with pytest.raises(LogFileMissingError), opened_log(directory, LOG_KEY):
        pass


def test_entries_that_are_there_already_are_left_and_others_refused(tmp_path: Path) -> None:
    directory = write_log(tmp_path / "log", [entries(300)])
    before = files_of(directory)
    with opened_log(directory, LOG_KEY) as writer:
        assert writer.append(entries(300), first_index=0) == writer.signed
        assert writer.append(entries(10, 250), first_index=250) == writer.signed
        assert writer.append([], first_index=300) == writer.signed
        assert files_of(directory) == before
        for first_index, given_entries in ((301, [b"gap"]), (-1, [b"before"]), (299, [b"other"]), (0, entries(300, 1))):
            with pytest.raises(EntriesRefusedError):
                writer.append(given_entries, first_index=first_index)
        assert writer.append(entries(100, 250), first_index=250).checkpoint.size == 350
    assert current_files(directory, 350) == files_of(write_log(tmp_path / "one", [entries(350)]))


def test_what_is_too_much_is_refused_before_anything_is_decided(tmp_path: Path) -> None:
    directory = write_log(tmp_path / "log", [entries(3)])
    before = files_of(directory)
    with opened_log(directory, LOG_KEY) as writer:
        for batch in ([b"x" * 65_536], [b""] * (MOST_ENTRIES_PER_BATCH + 1), [b"x" * 65_535] * 1025):
            with pytest.raises(ValueError, match="at most"):
                writer.append(batch, first_index=3)
        assert files_of(directory) == before
        writer.append(entries(1, 3), first_index=3)


class FullDisk(FailingFiles):
    """A disk on which no other file has room from some operation on, not even under another name."""

    def write(self, path: Path, data: bytes) -> None:
        """Write as long as there is room."""
        with self._refusing():
            super().write(path, data)

    def move(self, source: Path, target: Path) -> None:
        """Move as long as there is room."""
        with self._refusing():
            super().move(source, target)

    @contextmanager
    def _refusing(self) -> Generator[None]:
        try:
            yield
        except Crash:
            raise OSError("no room") from None


def test_after_a_refusal_of_the_disk_the_log_must_be_opened_again(tmp_path: Path) -> None:
    directory = write_log(tmp_path / "log", [entries(3)])
    # Four drafts are written, and the journal is moved and synced: then there is no room for the rest.
    with opened_log(directory, LOG_KEY, FullDisk(directory, 6)) as writer:
        for _ in range(2):
            with pytest.raises(OSError, match=r"no room|open the log again"):
                writer.append(entries(5, 3), first_index=3)
        with pytest.raises(OSError, match="open the log again"):
            writer.publish_cosignatures([])
    append_to(directory, [])
    assert current_files(directory, 8) == files_of(write_log(tmp_path / "one", [entries(8)]))


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    directory = write_log(tmp_path / "log", [])
    with opened_log(directory, LOG_KEY), pytest.raises(LogInUseError), opened_log(directory, LOG_KEY):
        pass
    with opened_log(directory, LOG_KEY) as writer:
        assert writer.size == 0


def test_a_damaged_log_is_not_written_on(tmp_path: Path) -> None:
    good = write_log(tmp_path / "good", [entries(300)])
    for path in ("tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44", "checkpoint"):
        directory = shutil.copytree(good, tmp_path / path.replace("/", "-"))
        damaged = bytearray((directory / path).read_bytes())
        damaged[-5] ^= 1
        (directory / path).write_bytes(damaged)
        with pytest.raises((LogDamagedError, MalformedError, NoteRefusedError)), opened_log(directory, LOG_KEY):
            pass
    with pytest.raises(NoteRefusedError), opened_log(good, OTHER_KEY):
        pass


def test_a_damaged_or_foreign_journal_is_refused(tmp_path: Path) -> None:
    good = write_log(tmp_path / "good", [entries(3)])
    with pytest.raises(Crash), opened_log(good, LOG_KEY, FailingFiles(good, 6)) as writer:
        writer.append(entries(5, 3), first_index=3)
    journal = good / STATE_DIRECTORY / "journal"
    data = journal.read_bytes()
    for changed in (data[:-1], b"", data[:60] + b"x" + data[61:]):
        journal.write_bytes(changed)
        with pytest.raises(MalformedError), opened_log(good, LOG_KEY):
            pass
    other = write_log(tmp_path / "other", [entries(4)])
    (other / STATE_DIRECTORY / "journal").write_bytes(data)
    with pytest.raises(LogDamagedError), opened_log(other, LOG_KEY):
        pass


def test_cosignatures_are_published_once_and_go_with_the_next_batch(tmp_path: Path) -> None:
    directory = write_log(tmp_path / "log", [entries(3)])
    with opened_log(directory, LOG_KEY) as writer:
        line = sign_text(writer.signed.note.text, WITNESS_KEY, at=AT)
        for _ in range(2):
            assert writer.publish_cosignatures([line]).note.signatures[1:] == (line,)
    with opened_log(directory, LOG_KEY) as writer:
        assert len(list_cosignatures(writer.signed.note, [WITNESS_KEY.verifier])) == 1
        published = files_of(directory)
        with pytest.raises(MalformedError):
            writer.publish_cosignatures([replace(line, key_id=number) for number in range(MOST_SIGNATURES)])
        assert files_of(directory) == published
        assert len(writer.append(entries(1, 3), first_index=3).note.signatures) == 1


@pytest.mark.parametrize("size", [1_000, 60_000])
def test_the_work_of_an_append_does_not_grow_with_the_log(tmp_path: Path, size: int) -> None:
    directory = write_log(tmp_path / "log", split(size, [MOST_ENTRIES_PER_BATCH]))
    counting = FailingFiles(directory)
    with opened_log(directory, LOG_KEY, counting) as writer:
        writer.append(entries(10, size), first_index=size)
    # Journal, bundle, tile, checkpoint: each written, moved, its directory synced; the journal removed.
    assert counting.done <= 20

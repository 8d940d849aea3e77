"""A writer that is killed, or whose machine loses its power, at any operation: the log is as if nothing had happened."""

import shutil
from pathlib import Path

import pytest
from support.failing_files import Crash, FailingFiles, Survival
from support.tlog_logs import LOG_KEY, UnsyncedFiles, append_to, entries, files_of, write_log
from zhibu_tlog.tree_writer import STATE_DIRECTORY, create_log, opened_log

BEFORE, BATCH = 500, 300
# Operations until a batch is decided: journal, three bundles, four tiles and the checkpoint are written aside, the journal is
# moved and its directory synced.
DECIDED = 9 + 2


@pytest.mark.parametrize("survival", list(Survival))
def test_a_crash_at_any_operation_is_finished_when_the_log_is_opened_again(tmp_path: Path, survival: Survival) -> None:
    before = write_log(tmp_path / "before", [entries(BEFORE)])
    whole = shutil.copytree(before, tmp_path / "whole")
    counting = FailingFiles(whole)
    with opened_log(whole, LOG_KEY, counting) as writer:
        writer.append(entries(BATCH, BEFORE), first_index=BEFORE)
    operations = counting.done
    assert operations > 20
    sizes: set[int] = set()
    for stop in range(operations):
        directory = shutil.copytree(before, tmp_path / f"{stop}")
        failing = FailingFiles(directory, stop)
        with pytest.raises(Crash), opened_log(directory, LOG_KEY, failing) as writer:
            writer.append(entries(BATCH, BEFORE), first_index=BEFORE)
        failing.leave(survival)
        published = files_of(directory)["checkpoint"]
        assert published in {files_of(before)["checkpoint"], files_of(whole)["checkpoint"]}
        with opened_log(directory, LOG_KEY, UnsyncedFiles()) as writer:
            sizes.add(writer.size)
            writer.append(entries(BATCH, BEFORE), first_index=BEFORE)
        assert files_of(directory) == files_of(whole)
        assert {path.name for path in (directory / STATE_DIRECTORY).iterdir()} == {"lock"}
        shutil.rmtree(directory)
    assert sizes == {BEFORE, BEFORE + BATCH}


def test_a_second_crash_while_finishing_the_first_is_finished_too(tmp_path: Path) -> None:
    before = write_log(tmp_path / "before", [entries(BEFORE)])
    whole = shutil.copytree(before, tmp_path / "whole")
    append_to(whole, [entries(BATCH, BEFORE)])
    begun = shutil.copytree(before, tmp_path / "begun")
    # The batch is decided and nothing else is done.
    with pytest.raises(Crash), opened_log(begun, LOG_KEY, FailingFiles(begun, DECIDED)) as writer:
        writer.append(entries(BATCH, BEFORE), first_index=BEFORE)
    assert (begun / STATE_DIRECTORY / "journal").exists()
    assert files_of(begun) == files_of(before)
    stop = 0
    while True:
        directory = shutil.copytree(begun, tmp_path / f"{stop}")
        failing = FailingFiles(directory, stop)
        try:
            with opened_log(directory, LOG_KEY, failing):
                break
        except Crash:
            failing.leave(Survival.ONLY_WHAT_WAS_SYNCED)
        with opened_log(directory, LOG_KEY, UnsyncedFiles()) as writer:
            assert writer.size == BEFORE + BATCH
        assert files_of(directory) == files_of(whole)
        stop += 1
    assert stop > 20


def test_no_entry_that_may_still_change_is_ever_in_a_tile(tmp_path: Path) -> None:
    """Whoever crashed before the batch was decided may come back with other entries, and no tile has told of the first ones."""
    before = write_log(tmp_path / "before", [entries(BEFORE)])
    for stop in range(DECIDED):
        directory = shutil.copytree(before, tmp_path / f"{stop}")
        with pytest.raises(Crash), opened_log(directory, LOG_KEY, FailingFiles(directory, stop)) as writer:
            writer.append(entries(BATCH, BEFORE), first_index=BEFORE)
        assert files_of(directory) == files_of(before)


@pytest.mark.parametrize("survival", list(Survival))
def test_a_crash_while_a_log_begins_leaves_nothing_or_an_empty_log(tmp_path: Path, survival: Survival) -> None:
    counting = FailingFiles(tmp_path)
    create_log(tmp_path / "whole", LOG_KEY, counting)
    operations, whole = counting.done, files_of(tmp_path / "whole")
    shutil.rmtree(tmp_path / "whole")
    for stop in range(operations):
        failing = FailingFiles(tmp_path, stop)
        with pytest.raises(Crash):
            create_log(tmp_path / "log", LOG_KEY, failing)
        failing.leave(survival)
        if not (tmp_path / "log" / "checkpoint").exists():
            create_log(tmp_path / "log", LOG_KEY)
        assert files_of(tmp_path / "log") == whole
        shutil.rmtree(tmp_path / "log")

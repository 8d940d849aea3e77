"""`zhibu-audit verify` finds whatever is done to a log: to its files, by its own key, and to the lanes in it."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from support.audit_leaves import LeafWriter, leaves_of_three_lanes
from support.audit_tampering import REBUILT, rechain
from support.tampering import WAYS, open_for_tampering
from support.tlog_logs import (
    LOG_KEY,
    ORIGIN,
    SECOND_WITNESS_KEY,
    WITNESS_KEY,
    UnsyncedFiles,
    append_to,
    write_log,
)
from unit.tlog.test_notes import AT
from zhibu_audit.command import main
from zhibu_audit.verifying.faults import TEXTS, FaultKind, Kind
from zhibu_audit.verifying.lanes import MOST_FAULTS, LaneCheck
from zhibu_audit.verifying.logs import Checked, check_log_directory
from zhibu_tlog.checkpoints import Checkpoint, open_checkpoint
from zhibu_tlog.findings import FindingKind
from zhibu_tlog.notes import sign_text
from zhibu_tlog.tree_writer import opened_log
from zhibu_tlog.verifying import Trust

SIZE = 400
# How often each way is tried; at night together more than a thousand tampers.
FILE_TURNS = pytest.mark.parametrize("turns", [6, pytest.param(45, marks=pytest.mark.nightly)])
REBUILT_TURNS = pytest.mark.parametrize("turns", [5, pytest.param(45, marks=pytest.mark.nightly)])
KEYS = ["--key", LOG_KEY.verifier.text]
WITNESSES = ["--witness", WITNESS_KEY.verifier.text, "--witness", SECOND_WITNESS_KEY.verifier.text]


def quiet(read: int, size: int) -> None:
    """Show no bar."""


def cosign(directory: Path) -> None:
    """Have both witnesses cosign the log as it is."""
    with opened_log(directory, LOG_KEY, UnsyncedFiles()) as writer:
        text = writer.signed.note.text
        writer.publish_cosignatures([sign_text(text, key, at=AT) for key in (WITNESS_KEY, SECOND_WITNESS_KEY)])


def trust(*, quorum: int = 0, older: Checkpoint | None = None) -> Trust:
    """Trust the log's key, so many witnesses, and what was seen before."""
    witnesses = (WITNESS_KEY.verifier, SECOND_WITNESS_KEY.verifier)
    return Trust(origin=ORIGIN, keys=(LOG_KEY.verifier,), witnesses=witnesses, quorum=quorum, older=older)


def check(directory: Path, trusted: Trust | None = None) -> Checked:
    """Check a directory that nobody writes on."""
    return check_log_directory(directory, trusted or trust(), quiet)


def kinds(checked: Checked) -> set[Kind]:
    """Give what kinds of faults there are."""
    return {fault.kind for fault in checked.faults}


@pytest.fixture(scope="module")
def random() -> Random:
    """Give a seed that is printed, or the one asked for."""
    seed = int(os.environ.get("ZHIBU_TLOG_SEED", Random().randrange(2**32)))
    sys.stdout.write(f"ZHIBU_TLOG_SEED={seed}\n")
    return Random(seed)


@pytest.fixture(scope="module")
def leaves(random: Random) -> list[bytes]:
    """Give the entries of a log."""
    return leaves_of_three_lanes(SIZE, random)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory, leaves: list[bytes]) -> Path:
    """Give a cosigned log."""
    written = write_log(tmp_path_factory.mktemp("log") / "log", [leaves[:250], leaves[250:257], leaves[257:]])
    cosign(written)
    return written


@pytest.fixture
def fork(tmp_path: Path) -> Iterator[Path]:
    """Give a place for a log that is built anew."""
    yield tmp_path / "fork"
    shutil.rmtree(tmp_path, ignore_errors=True)


def rebuild(place: Path, leaves: list[bytes]) -> Path:
    """Build a log and sign it with the key of the real one."""
    shutil.rmtree(place, ignore_errors=True)
    return write_log(place, [leaves])


def test_a_log_that_nobody_touched_is_good(directory: Path) -> None:
    checked = check(directory, trust(quorum=2))
    assert (checked.is_good, checked.entries_count, len(checked.cosignatures), checked.notes) == (True, SIZE, 2, ())
    assert list(checked.lanes) == ["branches", "identity", "notify"]
    assert sum(checked.lanes.values()) == SIZE - 1 + 3


@FILE_TURNS
def test_whatever_is_done_to_the_files_of_a_log_is_found(directory: Path, random: Random, turns: int) -> None:
    log = open_for_tampering(directory, SIZE, random)
    unseen: list[str] = []
    changed = 0
    for way in WAYS:
        for turn in range(turns):
            way(log)
            checked = check(directory, trust(quorum=2))
            if not log.put_right():
                continue
            changed += 1
            # Files that were touched are found by what they are, whatever follows for the lanes.
            if not kinds(checked) & set(FindingKind):
                unseen.append(f"{way.__name__}, turn {turn}")
    # A shuffle or a random byte may by chance have changed nothing, but rarely.
    assert (unseen, changed > len(WAYS) * turns * 0.9) == ([], True)


@REBUILT_TURNS
def test_entries_changed_under_the_logs_own_signature_are_found_in_the_lanes(
    fork: Path, leaves: list[bytes], random: Random, turns: int
) -> None:
    wrong: list[str] = []
    for way, wanted in REBUILT.items():
        for turn in range(turns):
            changed = list(leaves)
            way(changed, random)
            found = kinds(check(rebuild(fork, changed)))
            if not found or not found <= wanted:
                wrong.append(f"{way.__name__}, turn {turn}: {sorted(found)}")
    assert wrong == []


def test_a_log_numbered_chained_and_signed_anew_is_found_by_an_older_checkpoint_and_by_the_witnesses(
    directory: Path, fork: Path, leaves: list[bytes], random: Random
) -> None:
    data = (directory / "checkpoint").read_bytes()
    seen = open_checkpoint(data, origin=ORIGIN, keys=[LOG_KEY.verifier]).checkpoint
    cosignatures = data.split("—".encode())[2:]
    for turn in range(12):
        changed = list(leaves)
        if turn % 3:
            del changed[random.randrange(SIZE)]
            changed = rechain(changed)
            changed += leaves[: turn % 2]
            changed = rechain(changed)
        else:
            del changed[random.randrange(1, SIZE) :]
        built = rebuild(fork, changed)
        assert check(built).is_good
        expected = FindingKind.TRUNCATED if len(changed) < SIZE else FindingKind.FORKED
        assert kinds(check(built, trust(older=seen))) == {expected}
        # Whoever rebuilds the log also copies the cosignatures that there are.
        (built / "checkpoint").write_bytes(
            (built / "checkpoint").read_bytes() + b"".join("—".encode() + line for line in cosignatures)
        )
        assert kinds(check(built, trust(quorum=1))) == {FindingKind.COSIGNATURES_MISSING}


def test_a_lane_goes_on_behind_what_could_not_be_read(directory: Path, tmp_path: Path) -> None:
    log = shutil.copytree(directory, tmp_path / "log")
    (log / "tile/entries/000").unlink()
    # Rows that cannot be seen are no gap of their lane: the finding says what is wrong and where.
    assert [(fault.kind, fault.where) for fault in check(log).faults] == [
        (FindingKind.FILE_MISSING, "tile/entries/000"),
    ]


def test_an_incident_lets_a_restored_service_go_on_with_its_numbers_again(tmp_path: Path) -> None:
    writer = LeafWriter()
    for _ in range(5):
        writer.row("identity")
    writer.conflict("identity", from_sequence=3)
    writer.incident("", kind="restore")
    writer.row("identity", account_id="after the restore")
    writer.row("identity")
    assert check(write_log(tmp_path / "log", [writer.leaves])).is_good
    # A row that is chained to another than the one from which the incident lets the lane go on.
    del writer.leaves[-2]
    assert kinds(check(rebuild(tmp_path / "other", writer.leaves))) == {FaultKind.LANE_GAP}


def test_faults_and_lanes_are_bounded() -> None:
    lanes = LaneCheck()
    for index in range(3 * MOST_FAULTS):
        lanes.take(index, b"nothing")
    assert len(lanes.faults) == MOST_FAULTS


def test_every_kind_has_words_in_both_languages() -> None:
    assert set(TEXTS) == {*FaultKind, *FindingKind}
    assert all(zh and en and zh != en for zh, en in TEXTS.values())


def test_the_command_says_good_bad_or_cannot_check(
    directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    assert main(["verify", str(directory), *KEYS, *WITNESSES, "--keep", str(kept)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("完好：没有发现任何改动。 / Good: nothing was changed.\n")
    assert f"日志 / log: {ORIGIN}" in said
    assert main(["verify", str(directory), *KEYS, "--older", str(kept)]) == 0
    log = shutil.copytree(directory, tmp_path / "log")
    bundle = log / "tile/entries/000"
    bundle.write_bytes(bundle.read_bytes().replace(b"county_approver", b"county_approvex", 1))
    capsys.readouterr()
    assert main(["verify", str(log), *KEYS]) == 1
    said = capsys.readouterr().out
    assert "有问题：见下列发现。 / Bad: see what was found.\n✗ ENTRIES_CHANGED" in said
    assert "tile/entries/000" in said


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--key", "not a key"],
        ["--key", WITNESS_KEY.verifier.text],
        [*KEYS, "--witness", LOG_KEY.verifier.text],
        [*KEYS, "--quorum", "1"],
        [*KEYS, "--older", "/nowhere"],
        WITNESSES,
    ],
)
def test_without_what_it_needs_the_command_says_that_it_cannot_check(
    directory: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(directory), *arguments]) == 2
    assert capsys.readouterr().err.startswith("无法检查：")
    assert main(["verify", "/nowhere", *KEYS]) == 2
    assert main(["verify", "http://127.0.0.1:1", *KEYS]) == 2


def test_a_log_that_is_written_on_is_checked_without_looking_for_stray_files(tmp_path: Path) -> None:
    leaves = leaves_of_three_lanes(20, Random(1))
    log = write_log(tmp_path / "log", [leaves[:10]])
    (log / "stray").write_bytes(b"")
    with opened_log(log, LOG_KEY, UnsyncedFiles()):
        checked = check(log)
        assert (checked.faults, len(checked.notes)) == ((), 1)
    assert kinds(check(log)) == {FindingKind.UNEXPECTED_FILE}
    append_to(log, [leaves[10:]])

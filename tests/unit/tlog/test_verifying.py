"""Nothing that is done to a log goes unseen: more than a thousand tampers from a seed, and logs rebuilt with the log's own key."""

import os
import shutil
import sys
from pathlib import Path
from random import Random

import pytest
from support.tampering import WAYS, open_for_tampering
from support.tlog_logs import (
    LOG_KEY,
    ORIGIN,
    OTHER_KEY,
    SECOND_WITNESS_KEY,
    WITNESS_KEY,
    UnsyncedFiles,
    append_to,
    entries,
    files_of,
    split,
    write_log,
)
from unit.tlog.test_notes import AT
from zhibu_tlog.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from zhibu_tlog.directory_checking import check_directory
from zhibu_tlog.findings import Finding, FindingKind
from zhibu_tlog.keys import SignerKey
from zhibu_tlog.notes import sign_text
from zhibu_tlog.reader import DirectoryReader
from zhibu_tlog.tree_writer import opened_log
from zhibu_tlog.verifying import MOST_FINDINGS, Trust, verify_log

SIZE = 600
BATCHES = split(SIZE, [250, 7, 90])
WITNESSES = (WITNESS_KEY.verifier, SECOND_WITNESS_KEY.verifier)
# How often each way of tampering is tried; there are more than a dozen ways.
TAMPERS_PER_WAY = 75
REBUILT = 60


def cosign(directory: Path, key: SignerKey = LOG_KEY) -> None:
    """Have both witnesses cosign the log as it is."""
    with opened_log(directory, key, UnsyncedFiles()) as writer:
        text = writer.signed.note.text
        writer.publish_cosignatures([sign_text(text, witness, at=AT) for witness in (WITNESS_KEY, SECOND_WITNESS_KEY)])


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a cosigned log."""
    written = write_log(tmp_path_factory.mktemp("log") / "log", BATCHES)
    cosign(written)
    return written


def checkpoint_of(directory: Path, key: SignerKey = LOG_KEY) -> Checkpoint:
    """Give what a log says of itself."""
    return open_checkpoint((directory / "checkpoint").read_bytes(), origin=ORIGIN, keys=[key.verifier]).checkpoint


def trust(*, quorum: int = 2, older: Checkpoint | None = None) -> Trust:
    """Trust the log's key, so many witnesses, and what was seen before."""
    return Trust(origin=ORIGIN, keys=(LOG_KEY.verifier,), witnesses=WITNESSES, quorum=quorum, older=older)


def find_all(directory: Path, trust: Trust, size: int = SIZE) -> list[Finding]:
    """Check a directory in every way."""
    return [*verify_log(DirectoryReader(directory), trust).findings, *check_directory(directory, size)]


def kinds(findings: list[Finding]) -> set[FindingKind]:
    """Give what kinds of findings there are."""
    return {finding.kind for finding in findings}


@pytest.mark.parametrize("size", [0, 1, 256, 700])
def test_a_log_that_nobody_touched_is_good(tmp_path: Path, size: int) -> None:
    older = write_log(tmp_path / "log", split(size // 2, [99]))
    seen = checkpoint_of(older)
    append_to(older, [entries(size - size // 2, size // 2)])
    cosign(older)
    verification = verify_log(DirectoryReader(older), trust(older=seen))
    assert verification.is_good
    assert verification.signed
    assert (verification.signed.checkpoint.size, len(verification.cosignatures)) == (size, 2)
    assert find_all(older, trust(), size) == []


def test_every_tamper_of_more_than_a_thousand_is_found(directory: Path) -> None:
    seed = int(os.environ.get("ZHIBU_TLOG_SEED", Random().randrange(2**32)))
    sys.stdout.write(f"ZHIBU_TLOG_SEED={seed}\n")
    log = open_for_tampering(directory, SIZE, Random(seed))
    assert len(WAYS) * TAMPERS_PER_WAY > 1_000
    unseen: list[str] = []
    changed = 0
    for way in WAYS:
        for turn in range(TAMPERS_PER_WAY):
            way(log)
            found = find_all(directory, trust())
            if not log.put_right():
                # A shuffle or a random byte may by chance have changed nothing.
                assert found == []
                continue
            changed += 1
            if not found:
                unseen.append(f"{way.__name__}, turn {turn}")
    assert (unseen, changed > 1_000) == ([], True), f"seed {seed}"
    assert find_all(directory, trust()) == []


def test_a_log_rebuilt_and_signed_with_its_own_key_is_found_by_an_older_checkpoint_and_by_the_witnesses(
    directory: Path, tmp_path: Path
) -> None:
    seed = int(os.environ.get("ZHIBU_TLOG_SEED", Random().randrange(2**32)))
    sys.stdout.write(f"ZHIBU_TLOG_SEED={seed}\n")
    random, seen = Random(seed), checkpoint_of(directory)
    cosignatures = (directory / "checkpoint").read_bytes().split("—".encode())[2:]
    for _ in range(REBUILT):
        rebuilt = entries(SIZE + random.randint(0, 20))
        match random.randrange(5):
            case 0:
                rebuilt[random.randrange(SIZE)] += b"!"
            case 1:
                del rebuilt[random.randrange(SIZE)]
                rebuilt += entries(SIZE - len(rebuilt), SIZE) if len(rebuilt) < SIZE else []
            case 2:
                rebuilt.insert(random.randrange(SIZE), b"inserted")
            case 3:
                one, other = random.sample(range(SIZE), 2)
                rebuilt[one], rebuilt[other] = rebuilt[other], rebuilt[one]
            case _:
                rebuilt = rebuilt[: random.randrange(SIZE)]
        shutil.rmtree(tmp_path / "fork", ignore_errors=True)
        fork = write_log(tmp_path / "fork", [rebuilt])
        # Whoever rebuilds the log also copies the cosignatures that there are.
        checkpoint = (fork / "checkpoint").read_bytes() + b"".join("—".encode() + line for line in cosignatures)
        assert verify_log(DirectoryReader(fork), trust(quorum=0)).is_good, f"seed {seed}"
        wanted = FindingKind.TRUNCATED if len(rebuilt) < SIZE else FindingKind.FORKED
        assert kinds(find_all(fork, trust(quorum=0, older=seen), len(rebuilt))) == {wanted}, f"seed {seed}"
        for data in (checkpoint, (fork / "checkpoint").read_bytes()):
            (fork / "checkpoint").write_bytes(data)
            found = kinds(find_all(fork, trust(quorum=1), len(rebuilt)))
            assert found == {FindingKind.COSIGNATURES_MISSING}, f"seed {seed}"


def test_a_log_that_went_back_to_an_earlier_state_is_found_though_all_its_signatures_are_right(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [entries(300)])
    cosign(log)
    earlier = shutil.copytree(log, tmp_path / "earlier")
    append_to(log, [entries(300, 300)])
    cosign(log)
    seen = checkpoint_of(log)
    assert verify_log(DirectoryReader(earlier), trust()).is_good
    assert kinds(find_all(earlier, trust(older=seen), 300)) == {FindingKind.TRUNCATED}
    # The old checkpoint over the new tiles.
    shutil.copy(earlier / "checkpoint", log / "checkpoint")
    assert FindingKind.TRUNCATED in kinds(find_all(log, trust(older=seen), 300))


def test_a_checkpoint_of_another_log_or_key_is_refused(directory: Path, tmp_path: Path) -> None:
    log = shutil.copytree(directory, tmp_path / "log")
    checkpoint = checkpoint_of(log)
    named = SignerKey(name="log.example/other", type=LOG_KEY.type, seed=LOG_KEY.seed)
    posing = Checkpoint(origin=named.name, size=checkpoint.size, root=checkpoint.root)
    for data in (
        sign_checkpoint(posing, named).note.data,
        sign_checkpoint(checkpoint, OTHER_KEY).note.data,
        sign_checkpoint(checkpoint, WITNESS_KEY_AS_LOG).note.data,
        b"",
    ):
        (log / "checkpoint").write_bytes(data)
        assert kinds(find_all(log, trust(quorum=0))) == {FindingKind.CHECKPOINT_REFUSED}


WITNESS_KEY_AS_LOG = SignerKey(name=ORIGIN, type=LOG_KEY.type, seed=WITNESS_KEY.seed)


def test_findings_say_where_to_look(directory: Path, tmp_path: Path) -> None:
    log = shutil.copytree(directory, tmp_path / "log")
    bundle = log / "tile/entries/001"
    data = bytearray(bundle.read_bytes())
    data[3] ^= 1
    bundle.write_bytes(data)
    (log / "tile/1/000.p/2").write_bytes(bytes(64))
    (log / "tile/0/002.p/88").unlink()
    found = verify_log(DirectoryReader(log), trust(quorum=0)).findings
    assert [(finding.kind, finding.path) for finding in found] == [
        (FindingKind.ENTRIES_CHANGED, "tile/entries/001"),
        (FindingKind.FILE_MISSING, "tile/0/002.p/88"),
        (FindingKind.TILE_CHANGED, "tile/1/000.p/2"),
    ]
    assert "entry 256 " in found[0].message


def test_what_lies_above_the_tiles_of_leaves_is_compared_too(tmp_path: Path) -> None:
    size = 66_000
    log = write_log(tmp_path / "log", split(size, [16_384]))
    assert find_all(log, trust(quorum=0), size) == []
    tampered = open_for_tampering(log, size, Random(1))
    for path, kind in (
        ("tile/1/000", FindingKind.TILE_CHANGED),
        ("tile/1/001.p/1", FindingKind.TILE_CHANGED),
        ("tile/2/000.p/1", FindingKind.TILE_CHANGED),
        ("tile/entries/257.p/208", FindingKind.ENTRIES_CHANGED),
    ):
        data = bytearray(tampered.files[path])
        data[-1] ^= 1
        tampered.write(path, bytes(data))
        assert kinds(find_all(log, trust(quorum=0), size)) == {kind}
        assert tampered.put_right()


def test_a_log_full_of_faults_is_not_read_to_its_end(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", split(256 * 120, [16_384]))
    for path in (log / "tile/entries").iterdir():
        path.write_bytes(b"")
    assert len(verify_log(DirectoryReader(log), trust(quorum=0)).findings) == MOST_FINDINGS


def test_partial_tiles_of_the_past_may_be_gone(directory: Path, tmp_path: Path) -> None:
    log = shutil.copytree(directory, tmp_path / "log")
    past = [path for path in files_of(log) if ".p/" in path and not path.endswith((".p/88", "1/000.p/2"))]
    assert past
    for path in past:
        (log / path).unlink()
    assert find_all(log, trust()) == []

"""Logs of zhibu_tlog before Go's tools, and a log of Tessera before zhibu_tlog: packages/tlog/interop. Needs `go` and its modules."""

import base64
import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.tlog_logs import (
    LOG_KEY,
    ORIGIN,
    WITNESS_KEY,
    TreeInMemory,
    UnsyncedFiles,
    entries,
    files_of,
    split,
    write_log,
)
from unit.tlog.test_witness_process import generate_key, serving
from zhibu_docs.contract import REPOSITORY
from zhibu_tlog.checkpoints import open_checkpoint
from zhibu_tlog.directory_checking import check_directory
from zhibu_tlog.findings import FindingKind
from zhibu_tlog.keys import VerifierKey
from zhibu_tlog.proof_files import make_proof_file
from zhibu_tlog.proofs import make_consistency_proof, read_root
from zhibu_tlog.reader import DirectoryReader
from zhibu_tlog.tiles import find_bundle, list_bundles, list_tiles
from zhibu_tlog.tree_writer import opened_log
from zhibu_tlog.verifying import Trust, verify_log
from zhibu_tlog.witness.ledger import Ledger
from zhibu_tlog.witness.requests import read_request, write_request

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]

_PROGRAM = REPOSITORY / "packages/tlog/interop"
LOG, WITNESS = LOG_KEY.verifier, WITNESS_KEY.verifier


class Go:
    """The program of packages/tlog/interop."""

    def __init__(self, program: Path) -> None:
        """Run this program."""
        self._program = program

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        command = (self._program, *arguments)
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Go | str:
    """Build the program, or say why it cannot be built here."""
    if shutil.which("go") is None:
        return "`go` is not installed"
    program = tmp_path_factory.mktemp("go") / "interop"
    had = subprocess.run(("go", "mod", "download"), cwd=_PROGRAM, capture_output=True, text=True, check=False)
    if had.returncode:
        return f"its Go modules cannot be had: {had.stderr.strip()[-300:]}"
    subprocess.run(("go", "build", "-o", program, "."), cwd=_PROGRAM, check=True, capture_output=True)
    return Go(program)


@pytest.fixture
def go(built: Go | str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Go | None:
    """Give the program; where there is none, say aloud that nothing was proved."""
    if isinstance(built, Go):
        return built
    with capsys.disabled():
        sys.stdout.write(f"\n{request.node.nodeid} DID NOT RUN: {built}\n")
    return None


def cosign(directory: Path, ledger: Ledger, old_size: int) -> None:
    """Have the log cosigned by our witness, which has seen it at `old_size`."""
    with opened_log(directory, LOG_KEY, UnsyncedFiles()) as writer:
        tree = TreeInMemory(entries(writer.size))
        proof = tuple(make_consistency_proof(old_size, writer.size, tree))
        request = read_request(write_request(old_size, proof, writer.signed.note.data))
        writer.publish_cosignatures([ledger.cosign(request, at=datetime.now(UTC))])


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700, 66_000])
def test_a_log_of_ours_cosigned_by_our_witness_is_good_for_go(tmp_path: Path, go: Go | None, size: int) -> None:
    if go is None:
        return
    directory = write_log(tmp_path / "log", split(size, [16_000] if size > 1000 else [90, 7]))
    (tmp_path / "witness").mkdir()
    cosign(directory, Ledger(tmp_path / "witness", WITNESS_KEY, {ORIGIN: (LOG,)}), 0)
    checked = go.run("check", directory, LOG.text, WITNESS.text)
    assert (checked.returncode, checked.stdout) == (0, f"good: {size} entries, 1 witnesses\n"), checked.stderr
    if size > 1000:
        # Tessera's fsck waits for ever when it finds something in a log of more tiles than it has room for.
        return
    for path in files_of(directory):
        tampered = shutil.copytree(directory, tmp_path / "tampered")
        data = bytearray((tampered / path).read_bytes())
        data[-40 % len(data)] ^= 1
        (tampered / path).write_bytes(data)
        assert go.run("check", tampered, LOG.text, WITNESS.text).returncode == int(path in _needed(size)), path
        shutil.rmtree(tampered)


def _needed(size: int) -> set[str]:
    """Give the files that a log of this size needs; partial tiles of the past are there for those who know the past."""
    tiles = (tile.path for level in range(2) for tile in list_tiles(level, size))
    return {"checkpoint", *tiles, *(bundle.path for bundle in list_bundles(size))}


def test_proofs_of_ours_are_good_for_go(tmp_path: Path, go: Go | None) -> None:
    if go is None:
        return
    log = DirectoryReader(write_log(tmp_path / "log", [entries(600)]))
    signed = open_checkpoint(log.read_checkpoint(), origin=ORIGIN, keys=[LOG])
    (tmp_path / "proofs").mkdir()
    for index in range(0, 600, 7):
        proof = make_proof_file(log, index, signed, extra=b"extra" if index % 2 else None)
        (tmp_path / f"proofs/{index}.tlog-proof").write_bytes(proof.data)
        (tmp_path / f"proofs/{index}.entry").write_bytes(entries(1, index)[0])
    tree = TreeInMemory(entries(600))
    consistency = [
        {
            "old_size": old_size,
            "size": 600,
            "old_root": base64.b64encode(read_root(old_size, tree)).decode(),
            "root": base64.b64encode(signed.checkpoint.root).decode(),
            "proof": [base64.b64encode(hashed).decode() for hashed in make_consistency_proof(old_size, 600, tree)],
        }
        for old_size in range(1, 601)
    ]
    (tmp_path / "proofs/consistency.json").write_text(json.dumps(consistency), encoding="utf-8")
    checked = go.run("proofs", tmp_path / "proofs", LOG.text)
    assert (checked.returncode, checked.stdout) == (0, "good: 86 inclusion proofs, 600 consistency proofs\n"), checked
    (tmp_path / "proofs/7.entry").write_bytes(b"another entry")
    assert go.run("proofs", tmp_path / "proofs", LOG.text).returncode == 1


@pytest.mark.parametrize("size", [1, 256, 700])
def test_a_log_of_tessera_is_good_for_ours(tmp_path: Path, go: Go | None, size: int) -> None:
    if go is None:
        return
    made = go.run("make", tmp_path / "log", LOG_KEY.text, str(size))
    assert made.returncode == 0, made.stderr
    log = DirectoryReader(tmp_path / "log")
    trust = Trust(origin=ORIGIN, keys=(LOG,))
    verification = verify_log(log, trust)
    assert verification.is_good
    assert verification.signed
    assert verification.signed.checkpoint.size == size
    assert list(check_directory(tmp_path / "log", size)) == []
    last = find_bundle((size - 1) // 256, size)
    assert last
    bundle = tmp_path / "log" / last.path
    data = bytearray(bundle.read_bytes())
    data[-1] ^= 1
    bundle.write_bytes(data)
    assert {finding.kind for finding in verify_log(log, trust).findings} == {FindingKind.ENTRIES_CHANGED}


def test_tessera_has_its_log_cosigned_by_our_witness_again_and_again(tmp_path: Path, go: Go | None) -> None:
    if go is None:
        return
    assert generate_key(tmp_path).returncode == 0
    with serving(tmp_path) as (_, address, key):
        policy = tmp_path / "policy"
        policy.write_text(f"witness w1 {key.text} {address}\nquorum w1\n", encoding="utf-8")
        for size in (300, 500):
            made = go.run("make", tmp_path / "log", LOG_KEY.text, str(size), policy)
            assert made.returncode == 0, made.stderr
    _verify_cosigned(tmp_path / "log", key, 800)


def _verify_cosigned(directory: Path, key: VerifierKey, size: int) -> None:
    trust = Trust(origin=ORIGIN, keys=(LOG,), witnesses=(key,), quorum=1)
    verification = verify_log(DirectoryReader(directory), trust)
    assert verification.is_good
    assert verification.signed
    assert (verification.signed.checkpoint.size, len(verification.cosignatures)) == (size, 1)


def test_the_examples_of_go_are_those_that_go_writes(go: Go | None) -> None:
    if go is None:
        return
    written = json.loads(go.run("examples", LOG_KEY.text, WITNESS_KEY.text).stdout)
    kept = json.loads((Path(__file__).parent / "go_examples.json").read_text(encoding="utf-8"))
    # Signed with the time of the day.
    signed = {"checkpoint", "proof_file"}
    assert written.keys() == kept.keys()
    assert {name: written[name] for name in written.keys() - signed} == {
        name: kept[name] for name in kept.keys() - signed
    }

"""Entries a second that the log takes, each with its proof, beside Tessera's log in files on the same disk.

    .venv/bin/python bench/log_appends.py [--smoke] [--rounds 5] [--share 1]

Ours is the writer of packages/tlog, which the service of the log uses; the peer is Tessera's POSIX driver (a Go module, built here
from packages/tlog/interop). Both are a process of their own, take the same entries (rows as the log's leaves are) in the same
batches, and begin a batch when the one before is on the disk; each entry's inclusion is proved out of the log's files, and checked,
under a published checkpoint that covers it, beside the appending. Time runs until the last proof is checked. In each round both do
it, in turns first.

What both promise when a batch is done: entries, tiles and the size of the tree are on the disk (content synced, then the names in
their directories), and a later crash leaves them. Ours has then also published a checkpoint, signed and synced, of exactly this
batch, so that no two roots are ever signed for one size; Tessera publishes one every 100 ms, the shortest that it allows.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

import orjson
from report import REPOSITORY, Report, Size, read_sizes, spread
from zhibu_tlog.checkpoints import open_checkpoint
from zhibu_tlog.hashes import hash_leaf
from zhibu_tlog.keys import SignatureType, SignerKey
from zhibu_tlog.proofs import check_inclusion, make_inclusion_proof
from zhibu_tlog.reader import DirectoryReader
from zhibu_tlog.tile_hashes import TileHashes
from zhibu_tlog.tree_writer import create_log, opened_log

TARGET: Final = 0.4
KEY: Final = SignerKey(name="log.example.org/bench", type=SignatureType.ED25519, seed=sha256(b"bench").digest())
# Entries of a round by the size of its batches: some seconds each.
ENTRIES: Final = {1: 400, 16: 4_000, 256: 20_480, 4096: 40_960}
INTEROP: Final = REPOSITORY / "packages" / "tlog" / "interop"
PROGRAM: Final = REPOSITORY / ".run" / "tlog-interop"
LOOK_AGAIN_S: Final = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One log of one side."""

    appended_per_s: float
    proved_per_s: float
    cpu_s: float


def main(given: argparse.Namespace) -> int:
    if shutil.which("go") is None:
        print("go is missing: the peer is a Go program", file=sys.stderr)
        return 2
    build_peer()
    report = Report(
        "log_appends",
        "日志追加与证明 / Entries appended to the log, each with its proof",
        target=f"≥ {TARGET:.0%} of Tessera's entries a second with proof, in batches of every size",
        smoke=given.smoke,
    )
    ours: dict[int, list[Measured]] = {batch: [] for batch in ENTRIES}
    peer: dict[int, list[Measured]] = {batch: [] for batch in ENTRIES}
    with tempfile.TemporaryDirectory(dir=REPOSITORY / ".run") as made:
        for batch, count in ENTRIES.items():
            file = Path(made) / f"{batch}.jsonl"
            file.write_bytes(b"\n".join(leaves(max(batch, int(count * given.share)))) + b"\n")
            for number in range(given.rounds):
                sides = [(ours, measure_ours), (peer, measure_peer)]
                for measured, measure in sides if number % 2 else sides[::-1]:
                    measured[batch].append(measure(Path(made) / "log", file, batch))
                    shutil.rmtree(Path(made) / "log")
    return report.write(missed=not tell(report, ours, peer, given))


def build_peer() -> None:
    PROGRAM.parent.mkdir(exist_ok=True)
    subprocess.run(("go", "build", "-o", PROGRAM, "."), cwd=INTEROP, check=True)


def leaves(count: int) -> Iterator[bytes]:
    """Make entries as the log has them: audit rows of one service, about 700 bytes of canonical JSON each."""
    chance = random.Random(count)
    at = datetime(2026, 11, 30, 8, tzinfo=UTC)
    chain = bytes(32)
    for sequence in range(1, count + 1):
        at += timedelta(milliseconds=chance.randrange(400))
        row = {
            "account_id": chance.randbytes(16).hex(),
            "action": chance.choice(("member.read", "founding.cosign", "application.file", "roster.import")),
            "audit_id": chance.randbytes(13).hex(),
            "county_code": "370724",
            "member_id": chance.randbytes(13).hex(),
            "method": "zhibu.branches.v1.FoundingService/CosignFounding",
            "occurred_at": at.isoformat(),
            "offices": ["branch_secretary@" + chance.randbytes(13).hex()],
            "organisation_id": chance.randbytes(13).hex(),
            "outcome": "done",
            "reason": "",
            "request_id": chance.randbytes(13).hex(),
            "sequence": sequence,
            "service": "",
            "subject_id": chance.randbytes(13).hex(),
            "subjects_commitment": chance.randbytes(32).hex(),
            "subjects_count": 1,
            "trace_id": chance.randbytes(16).hex(),
        }
        chain = sha256(chain + orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).digest()
        leaf = {"chain": chain.hex(), "kind": "row", "lane": "branches", "row": row, "v": 1}
        yield orjson.dumps(leaf, option=orjson.OPT_SORT_KEYS)


def measure_ours(directory: Path, file: Path, batch: int) -> Measured:
    return run(sys.executable, __file__, "--append", directory, file, str(batch))


def measure_peer(directory: Path, file: Path, batch: int) -> Measured:
    return run(PROGRAM, "measure", directory, KEY.text, KEY.verifier.text, file, str(batch))


def run(*command: str | Path) -> Measured:
    """Run one side, which says how long it took and what it computed."""
    child = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found = json.loads(child.stdout)
    return Measured(
        appended_per_s=found["entries"] / found["appended_s"],
        proved_per_s=found["entries"] / found["proved_s"],
        cpu_s=found["cpu_s"] / found["entries"],
    )


def append(directory: Path, file: Path, batch: int) -> None:
    """Our side, as a process of its own."""
    entries = file.read_bytes().removesuffix(b"\n").split(b"\n")
    create_log(directory, KEY)
    with opened_log(directory, KEY) as writer:
        began, computed = time.monotonic(), time.process_time()
        proving = threading.Thread(target=prove, args=(directory, entries))
        proving.start()
        for at in range(0, len(entries), batch):
            writer.append(entries[at : at + batch], first_index=at)
        appended_s = time.monotonic() - began
        proving.join()
        proved_s = time.monotonic() - began
        cpu_s = time.process_time() - computed
    print(json.dumps({"entries": len(entries), "appended_s": appended_s, "proved_s": proved_s, "cpu_s": cpu_s}))


def prove(directory: Path, entries: Sequence[bytes]) -> None:
    """Prove each entry out of the files of the log as soon as a checkpoint covers it."""
    log = DirectoryReader(directory)
    verifier = KEY.verifier
    proved = 0
    seen = b""
    while proved < len(entries):
        data = log.read_checkpoint()
        if data == seen:
            time.sleep(LOOK_AGAIN_S)
            continue
        seen = data
        checkpoint = open_checkpoint(data, origin=KEY.name, keys=[verifier]).checkpoint
        hashes = TileHashes(log, checkpoint.size)
        for index in range(proved, checkpoint.size):
            check_inclusion(
                index=index,
                size=checkpoint.size,
                leaf_hash=hash_leaf(entries[index]),
                proof=make_inclusion_proof(index, checkpoint.size, hashes),
                root=checkpoint.root,
            )
        proved = checkpoint.size


def tell(
    report: Report, ours: dict[int, list[Measured]], peer: dict[int, list[Measured]], given: argparse.Namespace
) -> bool:
    """Write the tables; True when the target is met in batches of every size."""
    report.line(
        f"{given.rounds} paired rounds, minimum / median / maximum; entries a second until the last was proved:"
    )
    met = True
    rows: list[list[str]] = []
    for batch in ENTRIES:
        pairs = list(zip(ours[batch], peer[batch], strict=True))
        ratios = [one.proved_per_s / other.proved_per_s for one, other in pairs]
        met &= sorted(ratios)[len(ratios) // 2] >= TARGET
        rows.append(
            [
                f"{batch:,}",
                *(spread([one.proved_per_s for one in side[batch]], "{:,.0f}") for side in (ours, peer)),
                spread(ratios, "{:.2f}"),
                *(spread([one.appended_per_s for one in side[batch]], "{:,.0f}") for side in (ours, peer)),
                *(spread([one.cpu_s * 1e6 for one in side[batch]], "{:,.0f}") for side in (ours, peer)),
            ]
        )
    report.table(
        [
            "batch",
            "ours",
            "Tessera",
            "ours ÷ Tessera",
            "ours, appended",
            "Tessera, appended",
            "ours, CPU µs an entry",
            "Tessera, CPU µs an entry",
        ],
        rows,
    )
    return met


if __name__ == "__main__":
    if sys.argv[1:2] == ["--append"]:
        append(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
        sys.exit(0)
    sizes = read_sizes(
        __doc__,
        rounds=Size(full=5, smoke=1),
        share=Size(full=1.0, smoke=0.05, help="of the entries that are appended for figures that count"),
    )
    sys.exit(main(sizes))

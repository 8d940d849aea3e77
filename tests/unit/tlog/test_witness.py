"""A witness answers as c2sp.org/tlog-witness says, status by status, and never vouches for a fork."""

import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from support.failing_files import Crash, FailingFiles, Survival
from support.tlog_logs import LOG_KEY, ORIGIN, OTHER_KEY, WITNESS_KEY, entries, signer
from support.witnessed_log import LARGEST, WitnessedLog, fork, the_log
from zhibu_tlog.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from zhibu_tlog.cosignatures import list_cosignatures, read_cosignatures
from zhibu_tlog.durable_files import DurableFiles
from zhibu_tlog.keys import SignatureType
from zhibu_tlog.notes import Note, NoteRefusedError, Signature, read_note
from zhibu_tlog.spelling import MalformedError
from zhibu_tlog.witness.ledger import Ledger, SizeConflictError
from zhibu_tlog.witness.logs import read_logs
from zhibu_tlog.witness.requests import LONGEST_REQUEST_BYTES, read_request, write_request
from zhibu_tlog.witness.server import make_app

AT = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
WITNESS = WITNESS_KEY.verifier
LOGS = {ORIGIN: (LOG_KEY.verifier,)}


def make_ledger(directory: Path, files: DurableFiles | None = None) -> Ledger:
    """Give a witness that watches the log."""
    return Ledger(directory, WITNESS_KEY, LOGS, files)


@pytest.fixture
async def witness(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of a new witness."""
    transport = httpx.ASGITransport(make_app(make_ledger(tmp_path), lambda: AT))
    async with httpx.AsyncClient(transport=transport, base_url="http://witness") as client:
        yield client


async def ask(witness: httpx.AsyncClient, body: bytes) -> tuple[int, str]:
    """Ask to cosign; give status and text."""
    answer = await witness.post("/add-checkpoint", content=body)
    return answer.status_code, answer.text


async def test_a_log_that_grows_is_cosigned_each_time(witness: httpx.AsyncClient) -> None:
    log = the_log()
    for old_size, size in ((0, 0), (0, 7), (7, 8), (8, 8), (8, LARGEST)):
        answer = await witness.post("/add-checkpoint", content=log.request(old_size, size))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        note = read_note(log.note(size))
        (line,) = read_cosignatures(note, answer.content, WITNESS)
        cosigned = Note(text=note.text, signatures=(*note.signatures, line))
        assert [one.cosigned_at for one in list_cosignatures(cosigned, [WITNESS])] == [AT]
        served = await witness.get(f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint")
        assert (served.status_code, served.content) == (200, cosigned.data)


async def test_nothing_is_served_of_a_log_that_was_not_cosigned(witness: httpx.AsyncClient) -> None:
    for origin in (ORIGIN, "log.example/unknown"):
        assert (await witness.get(f"/{sha256(origin.encode()).hexdigest()}/checkpoint")).status_code == 404
    assert (await witness.get("/add-checkpoint")).status_code == 405


def _body(old: str, proof: list[str], note: bytes) -> bytes:
    return "\n".join([old, *proof, "", ""]).encode() + note


_NOTE = the_log().note(7)
_HASH = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\n", b"old 0\n", b"old 0\n\n", _NOTE, b"\xff\n\n" + _NOTE, _body("old", [], _NOTE), _body("old 00", [], _NOTE),
        _body("old -1", [], _NOTE), _body("old  0", [], _NOTE), _body("new 0", [], _NOTE), _body("old 0", ["QQ=="], _NOTE),
        _body("old 0", ["x"], _NOTE), _body("old 5", [_HASH] * 64, _NOTE), _body("old 0", [], _NOTE[:-1]), _body("old 0\r", [], _NOTE),
        _body("old 8", [], _NOTE), _body("old 9223372036854775808", [], _NOTE), _body("old 0", [], b"a\n\n" + _NOTE),
        _body("old 0", [], b"a\nb\nc\n\n" + _NOTE.split(b"\n\n")[1]),
    ],
)  # fmt: skip
async def test_a_malformed_request_and_too_large_an_old_size_are_answered_400(
    witness: httpx.AsyncClient, body: bytes
) -> None:
    assert (await ask(witness, body))[0] == 400


async def test_too_long_a_request_is_answered_413(witness: httpx.AsyncClient) -> None:
    assert (await ask(witness, b"x" * (LONGEST_REQUEST_BYTES + 1)))[0] == 413


async def test_an_unknown_log_is_answered_404(witness: httpx.AsyncClient) -> None:
    other = WitnessedLog(entries(9), signer("log.example/unknown"))
    assert (await ask(witness, other.request(0, 9)))[0] == 404


async def test_a_missing_or_wrong_signature_of_the_log_is_answered_403(witness: httpx.AsyncClient) -> None:
    right = read_note(_NOTE)
    by_another = WitnessedLog(entries(7), OTHER_KEY).note(7)
    wrong = Signature(name=ORIGIN, key_id=LOG_KEY.verifier.key_id, signature=bytes(64))
    both = Note(text=right.text, signatures=(*right.signatures, wrong)).data
    own = Note(text=right.text, signatures=read_note(WitnessedLog(entries(7), signer("w")).note(7)).signatures).data
    for note in (by_another, both, own):
        assert (await ask(witness, write_request(0, (), note)))[0] == 403
    # Before anything is said of sizes.
    assert (await ask(witness, write_request(5, (), by_another)))[0] == 403


async def test_another_old_size_is_answered_409_with_the_size_that_was_cosigned(witness: httpx.AsyncClient) -> None:
    log = the_log()
    answer = await witness.post("/add-checkpoint", content=log.request(3, 7))
    assert (answer.status_code, answer.text) == (409, "0\n")
    assert (await ask(witness, log.request(0, 7)))[0] == 200
    for old_size, size in ((0, 8), (0, 7), (6, 8), (8, 9), (0, 0)):
        answer = await witness.post("/add-checkpoint", content=log.request(old_size, size))
        assert (answer.status_code, answer.text, answer.headers["content-type"]) == (409, "7\n", "text/x.tlog.size")
    assert (await ask(witness, log.request(7, 8)))[0] == 200


async def test_what_is_not_proved_is_answered_422_and_changes_nothing(witness: httpx.AsyncClient) -> None:
    log = the_log()
    empty = Checkpoint(origin=ORIGIN, size=0, root=bytes(32))
    assert (await ask(witness, write_request(0, (), sign_checkpoint(empty, LOG_KEY).note.data)))[0] == 422
    assert (await ask(witness, write_request(0, (bytes(32),), log.note(60))))[0] == 422
    assert (await ask(witness, log.request(0, 60)))[0] == 200
    for body in (
        write_request(60, (), log.note(70)),
        write_request(60, log.proof(60, 70)[:-1], log.note(70)),
        write_request(60, (*log.proof(60, 70), bytes(32)), log.note(70)),
        write_request(60, log.proof(60, 71), log.note(70)),
        write_request(60, (bytes(32),), log.note(60)),
        fork().request(60, 60),
        fork().request(60, 70),
    ):
        assert (await ask(witness, body))[0] == 422
    assert (await ask(witness, log.request(60, 70)))[0] == 200


def test_of_many_forks_at_once_one_is_cosigned_and_of_each_size_one_root(tmp_path: Path) -> None:
    ledger = make_ledger(tmp_path)
    ledger.cosign(read_request(the_log().request(0, 50)), at=AT)
    logs = [the_log(), *(fork(number) for number in range(7))]
    together = threading.Barrier(len(logs))

    def grow(log: WitnessedLog) -> list[tuple[int, bytes]]:
        together.wait(10)
        cosigned: list[tuple[int, bytes]] = []
        old_size = 50
        for size in range(51, 80):
            try:
                ledger.cosign(read_request(log.request(old_size, size)), at=AT)
            except SizeConflictError:
                break
            cosigned.append((size, log.root(size)))
            old_size = size
        return cosigned

    with ThreadPoolExecutor(len(logs)) as threads:
        results = list(threads.map(grow, logs))
    assert sorted(map(len, results)) == [0] * 7 + [29]


@pytest.mark.parametrize("survival", list(Survival))
def test_whatever_was_answered_is_remembered_after_a_crash_at_any_operation(tmp_path: Path, survival: Survival) -> None:
    stop = 0
    while True:
        directory = tmp_path / f"{stop}"
        directory.mkdir()
        failing = FailingFiles(directory, stop)
        answered = 0
        try:
            ledger = make_ledger(directory, failing)
            for old_size, size in ((0, 60), (60, 61), (61, 62)):
                ledger.cosign(read_request(the_log().request(old_size, size)), at=AT)
                answered = size
            break
        except Crash:
            failing.leave(survival)
        again = make_ledger(directory)
        remembered = again.find_checkpoint(sha256(ORIGIN.encode()).hexdigest())
        size = open_checkpoint(remembered, origin=ORIGIN, keys=LOGS[ORIGIN]).checkpoint.size if remembered else 0
        # What was written but not answered may be remembered too.
        assert answered <= size <= max(60, answered + 1)
        if answered:
            with pytest.raises(SizeConflictError):
                again.cosign(read_request(fork().request(0, 62)), at=AT)
        again.cosign(read_request(the_log().request(size, 70)), at=AT)
        stop += 1
    assert stop > 8


class FullDisk(FailingFiles):
    """A disk on which nothing more fits from some operation on."""

    def write(self, path: Path, data: bytes) -> None:
        """Write as long as there is room."""
        try:
            super().write(path, data)
        except Crash:
            raise OSError("no room") from None


async def test_a_full_disk_is_answered_500_until_the_witness_is_started_again(tmp_path: Path) -> None:
    app = make_app(make_ledger(tmp_path, FullDisk(tmp_path, 5)), lambda: AT)
    log = the_log()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://witness") as client:
        assert (await ask(client, log.request(0, 7)))[0] == 200
        assert (await ask(client, log.request(7, 8)))[0] == 500
        assert (await ask(client, log.request(7, 8)))[0] == 500
    make_ledger(tmp_path).cosign(read_request(log.request(7, 8)), at=AT)


def test_a_damaged_or_foreign_memory_stops_the_witness(tmp_path: Path) -> None:
    make_ledger(tmp_path).cosign(read_request(the_log().request(0, 7)), at=AT)
    file = tmp_path / sha256(ORIGIN.encode()).hexdigest() / "checkpoint"
    data = file.read_bytes()
    for changed in (b"", data[:-1], data.replace(b"\n7\n", b"\n6\n"), the_log().note(7)):
        file.write_bytes(changed)
        with pytest.raises((MalformedError, NoteRefusedError)):
            make_ledger(tmp_path)
    file.write_bytes(data)
    with pytest.raises(NoteRefusedError):
        Ledger(tmp_path, signer("w2", SignatureType.COSIGNATURE), LOGS)
    make_ledger(tmp_path)


def test_logs_are_read_from_a_file() -> None:
    second = signer("log.example/second").verifier
    text = f"# logs\n\n  log {LOG_KEY.verifier.text}\nlog {OTHER_KEY.verifier.text} https://log.example\nlog {second.text}\n"
    assert read_logs(text) == {ORIGIN: (LOG_KEY.verifier, OTHER_KEY.verifier), second.name: (second,)}
    for line in ("log", "log x", f"witness {LOG_KEY.verifier.text}", f"log {WITNESS.text}", f"log {second.text} a b"):
        with pytest.raises(MalformedError, match="line 2"):
            read_logs(f"#\n{line}\n")

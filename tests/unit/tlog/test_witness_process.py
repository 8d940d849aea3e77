"""`zhibu-witness` as its operator runs it: keys, directories, and a kill in the middle of its work."""

import re
import signal
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from support.tlog_logs import LOG_KEY, ORIGIN
from support.witnessed_log import LARGEST, fork, the_log
from zhibu_tlog.checkpoints import open_checkpoint
from zhibu_tlog.cosignatures import read_cosignatures
from zhibu_tlog.keys import SignatureType, VerifierKey, read_signer_key, read_verifier_key
from zhibu_tlog.notes import read_note

_COMMAND = (sys.executable, "-m", "zhibu_tlog.witness")


def generate_key(directory: Path, *, state: str = "state", key: str = "key") -> subprocess.CompletedProcess[str]:
    """Run `generate-key`."""
    flags = ("--name", "witness.example/w1", "--key", str(directory / key), "--state", str(directory / state))
    return subprocess.run((*_COMMAND, "generate-key", *flags), capture_output=True, text=True, check=False)


def serve_command(directory: Path, *, state: str = "state", key: str = "key") -> tuple[str, ...]:
    """Give the command that serves on a free port."""
    (directory / "logs").write_text(f"log {LOG_KEY.verifier.text}\n", encoding="utf-8")
    flags = ("--key", str(directory / key), "--state", str(directory / state), "--logs", str(directory / "logs"))
    return (*_COMMAND, "serve", *flags, "--listen", "127.0.0.1:0")


@contextmanager
def serving(directory: Path) -> Generator[tuple[subprocess.Popen[str], str, VerifierKey]]:
    """Run the witness; give its process, its address and its key."""
    command = serve_command(directory)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        try:
            said = re.fullmatch(r"(\S+) watches 1 logs on (http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
            assert said
            yield process, said[2], read_verifier_key(said[1])
        finally:
            process.kill()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Give the directory of a witness with a key."""
    assert generate_key(tmp_path).returncode == 0
    return tmp_path


def test_a_key_is_made_with_its_directory_and_only_once(directory: Path) -> None:
    key = read_signer_key((directory / "key").read_text(encoding="utf-8").strip())
    assert (key.name, key.type) == ("witness.example/w1", SignatureType.COSIGNATURE)
    assert (directory / "key").stat().st_mode & 0o777 == 0o600
    for state, name in (("state", "second"), ("second", "key")):
        refused = generate_key(directory, state=state, key=name)
        assert (refused.returncode, refused.stdout) == (1, "")
    made = generate_key(directory, state="third", key="third-key")
    assert read_verifier_key(made.stdout.strip()) != key.verifier


def test_a_witness_starts_only_with_the_memory_that_was_made_for_its_key(directory: Path) -> None:
    assert generate_key(directory, state="other", key="other-key").returncode == 0
    for state, key in (("other", "key"), ("missing", "key"), ("state", "missing")):
        command = serve_command(directory, state=state, key=key)
        refused = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "Traceback" not in refused.stderr


def test_two_processes_do_not_share_a_memory(directory: Path) -> None:
    with serving(directory):
        second = subprocess.run(serve_command(directory), capture_output=True, text=True, timeout=30, check=False)
        assert (second.returncode, second.stdout) == (1, "")


def test_it_ends_when_asked_and_goes_on_where_it_was(directory: Path) -> None:
    with serving(directory) as (process, address, _):
        assert httpx.post(f"{address}/add-checkpoint", content=the_log().request(0, 7)).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) in {0, -signal.SIGTERM}
    with serving(directory) as (_, address, _):
        assert httpx.post(f"{address}/add-checkpoint", content=the_log().request(0, 8)).text == "7\n"


def test_killed_in_the_middle_of_many_requests_it_remembers_all_that_it_answered(directory: Path) -> None:
    logs = [the_log(), fork(1), fork(2), fork(3)]
    cosigned: dict[int, set[bytes]] = {}
    for kill_at in (20, 70, 120):
        with serving(directory) as (process, address, key), httpx.Client() as client, ThreadPoolExecutor(4) as threads:

            def grow(number: int) -> None:
                size = 0
                while size < LARGEST:
                    grown = min(size + 1, LARGEST)
                    try:
                        answer = client.post(f"{address}/add-checkpoint", content=logs[number].request(size, grown))
                    except httpx.HTTPError:
                        return
                    if answer.status_code == 200:
                        read_cosignatures(read_note(logs[number].note(grown)), answer.content, key)
                        cosigned.setdefault(grown, set()).add(logs[number].root(grown))
                        size = grown
                        if size >= kill_at:  # noqa: B023
                            process.kill()
                    elif answer.status_code == 409:
                        size = int(answer.text)
                    else:
                        return

            list(threads.map(grow, range(len(logs))))
        with serving(directory) as (_, address, _):
            served = httpx.get(f"{address}/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint").content
            checkpoint = open_checkpoint(served, origin=ORIGIN, keys=[LOG_KEY.verifier]).checkpoint
            assert checkpoint.size >= max(cosigned) >= kill_at
            assert cosigned.get(checkpoint.size, {checkpoint.root}) == {checkpoint.root}
    assert all(len(roots) == 1 for roots in cosigned.values())

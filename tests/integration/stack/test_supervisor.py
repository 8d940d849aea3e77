"""The supervisor, on small Python children instead of the real services."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from zhibu_stack.ports import free_port

EVENT_TIMEOUT_S = 20

SCRIPT = """
import asyncio, signal, socket, sys
from pathlib import Path
from zhibu_stack.engines.process import Program
from zhibu_stack.errors import StackError
from zhibu_stack.run_state import RunState
from zhibu_stack.steps import Step
from zhibu_stack.supervisor import supervise

directory = Path(sys.argv[1])
directory.mkdir(exist_ok=True)
CHILD = '''
import os, pathlib, signal, sys, time
name, directory, behaviour = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
def stop(*_):
    with (directory / "stopped").open("a") as file: file.write(name + chr(10))
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if behaviour == "stubborn" else stop)
(directory / (name + ".pid")).write_text(str(os.getpid()))
if behaviour == "ends": sys.exit(0)
if behaviour == "fails": print("no such table"); sys.exit(7)
while True: time.sleep(3600)
'''

def step(name, *needs, behaviour="stays", ports=(), grace_s=10.0):
    argv = [sys.executable, "-c", CHILD, name, str(directory), behaviour]
    stays = behaviour in ("stays", "stubborn")
    return Step(name=name, needs=needs, ports=ports, timeout_s=15,
        program=lambda: Program(name=name, argv=argv, grace_s=grace_s),
        is_ready=(directory / (name + ".pid")).exists if stays else None)

STEPS = %s

state = RunState(directory)
try:
    state.acquire()
    asyncio.run(supervise(STEPS, directory=directory, state=state, announce=lambda: print("READY", flush=True)))
except StackError as error:
    sys.exit(error.zh + "|" + error.en)
"""


class Run:
    """A supervisor in a process of its own."""

    def __init__(self, directory: Path, steps: str) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(SCRIPT) % steps, str(directory)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until_ready(self) -> list[str]:
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            if line.strip() == "READY":
                return lines
            lines.append(line.strip())
        raise AssertionError((lines, self.process.communicate()))

    def end(self) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=EVENT_TIMEOUT_S)
        return self.process.returncode, errors

    def pid(self, name: str) -> int:
        return int((self.directory / f"{name}.pid").read_text())

    def stopped(self) -> list[str]:
        return (self.directory / "stopped").read_text().split()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Run]]:
    runs: list[Run] = []

    def begin(steps: str) -> Run:
        runs.append(Run(tmp_path / "run", steps))
        return runs[-1]

    yield begin
    for run in runs:
        run.process.kill()
        run.process.communicate()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + EVENT_TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_steps_start_after_what_they_need_and_ready_is_said_once_all_are_up(start: Callable[[str], Run]) -> None:
    run = start("[step('web', 'gateway'), step('gateway', 'migrate'), step('migrate', behaviour='ends')]")
    names = [line.split("✓ ")[1].split()[0] for line in run.until_ready()]
    assert names == ["migrate", "gateway", "web"]


def test_ctrl_c_stops_each_process_before_what_it_needs_and_exits_with_zero(start: Callable[[str], Run]) -> None:
    run = start("[step('engine'), step('service', 'engine'), step('web', 'service')]")
    run.until_ready()
    run.process.send_signal(signal.SIGINT)
    assert run.end() == (0, "")
    assert run.stopped() == ["web", "service", "engine"]


def test_a_term_signal_stops_in_the_same_way(start: Callable[[str], Run]) -> None:
    run = start("[step('engine'), step('service', 'engine')]")
    run.until_ready()
    run.process.send_signal(signal.SIGTERM)
    assert run.end() == (0, "")
    assert run.stopped() == ["service", "engine"]


def test_ctrl_c_during_the_start_stops_what_has_started(start: Callable[[str], Run]) -> None:
    run = start(
        "[step('engine'), Step(name='never', needs=['engine'], program=step('x').program, is_ready=lambda: False)]"
    )
    wait_until((run.directory / "x.pid").exists)
    pids = [run.pid("engine"), run.pid("x")]
    run.process.send_signal(signal.SIGINT)
    assert run.end() == (0, "")
    assert not any(alive(pid) for pid in pids)


def test_a_process_that_ignores_the_stop_is_killed_after_its_grace(start: Callable[[str], Run]) -> None:
    run = start("[step('engine'), step('deaf', 'engine', behaviour='stubborn', grace_s=0.2)]")
    run.until_ready()
    deaf = run.pid("deaf")
    run.process.send_signal(signal.SIGINT)
    assert run.end() == (0, "")
    assert not alive(deaf)
    assert run.stopped() == ["engine"]


def test_a_child_that_dies_stops_everything_with_one_sentence(start: Callable[[str], Run]) -> None:
    run = start("[step('engine'), step('service', 'engine')]")
    run.until_ready()
    os.kill(run.pid("service"), signal.SIGKILL)
    code, errors = run.end()
    assert code == 1
    assert "service 意外退出" in errors
    assert "service ended unexpectedly (code -9)" in errors
    assert run.stopped() == ["engine"]


def test_a_command_that_fails_is_named_with_the_end_of_its_log(start: Callable[[str], Run]) -> None:
    run = start("[step('engine'), step('migrate', 'engine', behaviour='fails'), step('service', 'migrate')]")
    code, errors = run.end()
    assert code == 1
    assert "migrate ended unexpectedly (code 7)" in errors
    assert "no such table" in errors
    assert run.stopped() == ["engine"]
    assert not (run.directory / "service.pid").exists()


def test_a_preparation_that_fails_stops_everything_with_its_sentence(start: Callable[[str], Run]) -> None:
    run = start(
        "[step('engine'), Step(name='java', needs=['engine'],"
        " prepare=lambda: (_ for _ in ()).throw(StackError('缺少 JDK。', 'No JDK.')))]"
    )
    code, errors = run.end()
    assert (code, errors.strip()) == (1, "缺少 JDK。|No JDK.")
    assert run.stopped() == ["engine"]


def test_a_port_in_use_is_named_before_anything_starts(start: Callable[[str], Run]) -> None:

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = start(f"[step('engine'), step('web', 'engine', ports=[{port}])]")
        code, errors = run.end()
    assert code == 1
    assert f"{port} (web)" in errors
    assert not (run.directory / "engine.pid").exists()


def test_no_process_is_left_when_the_supervisor_is_killed(start: Callable[[str], Run]) -> None:
    run = start("[step('engine'), step('deaf', 'engine', behaviour='stubborn')]")
    run.until_ready()
    pids = [run.pid("engine"), run.pid("deaf")]
    run.process.kill()
    wait_until(lambda: not any(alive(pid) for pid in pids))


def test_a_directory_has_one_run_at_a_time(start: Callable[[str], Run]) -> None:
    first = start("[step('engine')]")
    first.until_ready()
    second = start("[step('engine')]")
    code, errors = second.end()
    assert code == 1
    assert "Another make run is using" in errors
    command = [sys.executable, "-m", "zhibu_stack", "reset", "--directory", str(first.directory)]
    reset = subprocess.run(command, check=False, capture_output=True, text=True)
    assert reset.returncode == 1
    assert first.directory.exists()
    assert alive(first.pid("engine"))


def test_status_lists_the_processes_of_a_run_and_says_when_there_is_none(start: Callable[[str], Run]) -> None:
    port = free_port()
    run = start(f"[step('engine', ports=[{port}])]")
    run.until_ready()
    command = [sys.executable, "-m", "zhibu_stack", "status", "--directory", str(run.directory)]
    running = subprocess.run(command, check=False, capture_output=True, text=True)
    assert running.returncode == 0
    assert running.stdout.split() == ["✓", "engine", "pid", str(run.pid("engine")), str(port)]
    run.process.send_signal(signal.SIGINT)
    run.end()
    assert subprocess.run(command, check=False, capture_output=True).returncode == 3


def test_reset_wipes_the_directory_of_a_finished_run(start: Callable[[str], Run]) -> None:
    run = start("[step('engine')]")
    run.until_ready()
    run.process.send_signal(signal.SIGINT)
    run.end()
    command = [sys.executable, "-m", "zhibu_stack", "reset", "--directory", str(run.directory)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert not run.directory.exists()

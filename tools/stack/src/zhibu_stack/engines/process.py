"""Processes: what to run, and starting and stopping it so that none is ever left behind."""

import contextlib
import json
import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zhibu_stack.errors import StackError

LAUNCHER = Path(__file__).with_name("launch.py")

# Between two looks at a starting process: short enough to waste no time, long enough to cost nothing.
LOOK_EVERY_S = 0.05

LOG_TAIL_LINES = 12

# Programs that some thread waits for, so that a Ctrl-C can end them.
RUNNING_TO_END: set["Child"] = set()
INTERRUPTED = threading.Event()


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program to run as a child: `grace_s` is how long it may take to stop after `stop_signal`.

    `death_signal` is what the kernel sends it when its parent dies, even by SIGKILL. `user` is a system user to become
    (only root can). `read_everywhere` lets that user walk through directories closed to it, such as root's home.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: Path | None = None
    user: str | None = None
    read_everywhere: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace_s: float = 15.0

    def launch_argv(self) -> list[str]:
        """Return the command with our launcher in front, for the parent that calls this."""
        account = pwd.getpwnam(self.user) if self.user else None
        order = {
            "parent": os.getpid(),
            "death_signal": int(self.death_signal),
            "uid": account.pw_uid if account else None,
            "gid": account.pw_gid if account else None,
            "read_everywhere": self.read_everywhere,
        }
        return [sys.executable, "-I", "-S", str(LAUNCHER), json.dumps(order), *self.argv]

    def environment(self) -> dict[str, str]:
        """Return our environment with the program's own values on top."""
        return {**os.environ, **self.env}


class Child:
    """A running program in a session of its own, so that a Ctrl-C in the terminal reaches only us.

    The kernel ties its life to the *thread* that started it: start children from a thread that lives as long as they do.
    """

    def __init__(self, program: Program, *, log: Path) -> None:
        self.program = program
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                program.launch_argv(),
                env=program.environment(),
                cwd=program.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, which is its group's id too."""
        return self.process.pid

    def exit_code(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self.process.poll()

    def wait_until(self, is_ready: Callable[[], bool], *, timeout_s: float) -> None:
        """Wait for readiness.

        Raises: StackError when it exits or is not ready in time; it has been stopped then.
        """
        deadline = time.monotonic() + timeout_s
        while not is_ready():
            if self.exit_code() is not None:
                raise died(self.program.name, self.process.returncode, log=self.log)
            if time.monotonic() > deadline:
                self.stop()
                raise not_ready(self.program.name, timeout_s, log=self.log)
            time.sleep(LOOK_EVERY_S)

    def stop(self) -> None:
        """Ask it to stop, wait its grace, then kill whatever is left of its group."""
        if self.exit_code() is None:
            self.process.send_signal(self.program.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(self.program.grace_s)
        kill_group(self.pid)
        self.process.wait()


def kill_group(group: int) -> None:
    """Kill what is left of a process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def run_to_end(program: Program, *, log: Path, timeout_s: float) -> None:
    """Run a program that ends by itself (initdb, a build, a download), in any thread.

    Raises: StackError when it fails, takes too long or is interrupted.
    """
    if INTERRUPTED.is_set():
        raise StackError(f"{program.name} 已取消。", f"{program.name} was cancelled.")
    child = Child(program, log=log)
    RUNNING_TO_END.add(child)
    try:
        code = child.process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        raise not_ready(program.name, timeout_s, log=log) from None
    finally:
        RUNNING_TO_END.discard(child)
        child.stop()
    if code != 0:
        raise died(program.name, code, log=log)


def interrupt_runs() -> None:
    """End every `run_to_end` under way in other threads, and let no other begin: nothing else reaches such a thread."""
    INTERRUPTED.set()
    for child in list(RUNNING_TO_END):
        kill_group(child.pid)


def allow_runs() -> None:
    """Let `run_to_end` begin again."""
    INTERRUPTED.clear()


def died(name: str, code: int, *, log: Path) -> StackError:
    """Return the sentence for a child that ended although it should run."""
    return StackError(
        f"{name} 意外退出（代码 {code}）。日志：{log}\n{tail(log)}",
        f"{name} ended unexpectedly (code {code}). Log: {log}",
    )


def not_ready(name: str, timeout_s: float, *, log: Path) -> StackError:
    """Return the sentence for a child that takes too long."""
    return StackError(
        f"{name} 在 {timeout_s:.0f} 秒内未就绪。日志：{log}\n{tail(log)}",
        f"{name} was not ready within {timeout_s:.0f} s. Log: {log}",
    )


def tail(log: Path) -> str:
    """Return the last lines of a log, indented."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:]
    except FileNotFoundError:
        return ""
    return "\n".join(f"    {line}" for line in lines)

"""Starts steps as soon as what they need is up, watches every process, and stops all of them in the reverse order."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from zhibu_stack.engines.process import Child, allow_runs, died, interrupt_runs, kill_group, not_ready
from zhibu_stack.errors import StackError
from zhibu_stack.ports import port_in_use
from zhibu_stack.run_state import RunState
from zhibu_stack.steps import Step

# Between two looks at a starting process.
LOOK_EVERY_S = 0.2

# People are told at least so often what is being waited for.
TELL_EVERY_S = 10.0
LONGEST_WORD_CHARACTERS = 100

# Ports that the sentence about taken ones names.
PORTS_NAMED = 3

# Threads for preparing and probing: more than the steps that can be under way at once.
THREADS = 24


class Supervisor:
    """One run of the steps; `say` prints a line for people."""

    def __init__(
        self, steps: Sequence[Step], *, directory: Path, state: RunState, say: Callable[[str], None] = print
    ) -> None:
        self.steps = {step.name: step for step in steps}
        self.directory = directory
        self.state = state
        self.say = say
        self._began = time.monotonic()
        self._up = {name: asyncio.Event() for name in self.steps}
        self._under_way: set[str] = set()
        self._children: dict[str, Child] = {}
        self._gone: dict[str, asyncio.Future[int]] = {}
        self._failure: asyncio.Future[StackError] = asyncio.get_running_loop().create_future()
        self._stop_wanted = asyncio.Event()
        self._kill_wanted = asyncio.Event()
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, "zhibu-stack"))

    async def run(self, announce: Callable[[], None]) -> None:
        """Bring everything up, call `announce`, and stay until somebody asks to stop.

        Raises: StackError when a port is taken, a step fails or a process dies; everything has been stopped then.
        """
        self._check_ports()
        starting = asyncio.create_task(self._start_all())
        telling = asyncio.create_task(self._tell())
        stop_wanted = asyncio.create_task(self._stop_wanted.wait())
        try:
            await asyncio.wait({starting, stop_wanted, self._failure}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done() and not self._stop_wanted.is_set():
                starting.result()
                telling.cancel()
                announce()
                await asyncio.wait({stop_wanted, self._failure}, return_when=asyncio.FIRST_COMPLETED)
            if self._failure.done() and not self._stop_wanted.is_set():
                raise self._failure.result()
        except BaseExceptionGroup as group:
            raise first_sentence(group) from group
        finally:
            for task in (starting, telling, stop_wanted):
                task.cancel()
            interrupt_runs()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await starting
            await self._stop_all()

    def ask_to_stop(self) -> None:
        """Stop in order; asked a second time, kill at once."""
        if self._stop_wanted.is_set():
            self._kill_wanted.set()
        else:
            self.say("正在停止…… / stopping …")
            self._stop_wanted.set()

    def _check_ports(self) -> None:
        taken = [(step.name, port) for step in self.steps.values() for port in step.ports if port_in_use(port)]
        if taken:
            zh = "、".join(f"{port}（{name}）" for name, port in taken[:PORTS_NAMED])
            en = ", ".join(f"{port} ({name})" for name, port in taken[:PORTS_NAMED])
            more_zh, more_en = (f" 等 {len(taken)} 个", " and others") if len(taken) > PORTS_NAMED else ("", "")
            raise StackError(
                f"端口已被占用：{zh}{more_zh}。请先停止占用它的程序，或用 ZHIBU_PORT_BASE 换一组端口。",
                f"In use already: port {en}{more_en}. Stop what uses it, or choose other ports with ZHIBU_PORT_BASE.",
            )

    async def _start_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for step in self.steps.values():
                group.create_task(self._start(step), name=step.name)

    async def _start(self, step: Step) -> None:
        for need in step.needs:
            await self._up[need].wait()
        began = time.monotonic()
        self._under_way.add(step.name)
        if step.prepare:
            await asyncio.to_thread(step.prepare)
        if step.program:
            await self._start_program(step)
        self._under_way.discard(step.name)
        self._up[step.name].set()
        self._note()
        now = time.monotonic()
        self.say(f"[{now - self._began:6.1f} s] ✓ {step.name} ({now - began:.1f} s)")

    async def _tell(self) -> None:
        """Say from time to time what is under way; of a command also the last thing that it said."""
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            words = [
                f"{name} ({last_line(self._children[name].log)})" if self._says(name) else name
                for name in sorted(self._under_way)
            ]
            self.say(f"[{time.monotonic() - self._began:6.1f} s] … {', '.join(words)}")

    def _says(self, name: str) -> bool:
        return name in self._children and self.steps[name].is_ready is None

    async def _start_program(self, step: Step) -> None:
        assert step.program is not None
        log = self.directory / "logs" / f"{step.name}.log"
        # From this thread, which lives as long as we do: the kernel ends a child with the thread that started it.
        child = Child(step.program(), log=log)
        gone = asyncio.get_running_loop().create_future()
        watch(child, gone)
        self._children[step.name] = child
        self._gone[step.name] = gone
        if step.is_ready is None:
            await self._wait_for_end(step, child, gone)
            return
        gone.add_done_callback(lambda _: self._lost(step.name, child))
        self._note()
        await self._wait_until_ready(step, child)

    async def _wait_for_end(self, step: Step, child: Child, gone: asyncio.Future[int]) -> None:
        try:
            code = await asyncio.wait_for(asyncio.shield(gone), step.timeout_s)
        except TimeoutError:
            raise not_ready(step.name, step.timeout_s, log=child.log) from None
        if code != 0:
            raise died(step.name, code, log=child.log)
        del self._children[step.name], self._gone[step.name]

    async def _wait_until_ready(self, step: Step, child: Child) -> None:
        assert step.is_ready is not None
        deadline = time.monotonic() + step.timeout_s
        while not await asyncio.to_thread(step.is_ready):
            if time.monotonic() > deadline:
                raise not_ready(step.name, step.timeout_s, log=child.log)
            await asyncio.sleep(LOOK_EVERY_S)

    def _lost(self, name: str, child: Child) -> None:
        if not self._failure.done():
            self._failure.set_result(died(name, child.process.returncode, log=child.log))

    async def _stop_all(self) -> None:
        """Stop whatever runs, each process once all that need it are gone."""
        needed_by: dict[str, set[str]] = {name: set() for name in self.steps}
        for step in self.steps.values():
            for need in self._all_needs(step):
                needed_by[need].add(step.name)
        async with asyncio.TaskGroup() as group:
            for name, child in self._children.items():
                before = [self._gone[other] for other in needed_by[name] if other in self._gone]
                group.create_task(self._stop(child, self._gone[name], before))

    async def _stop(self, child: Child, gone: asyncio.Future[int], before: Sequence[asyncio.Future[int]]) -> None:
        kill_wanted = asyncio.create_task(self._kill_wanted.wait())
        try:
            if before:
                await asyncio.wait([kill_wanted, asyncio.gather(*before)], return_when=asyncio.FIRST_COMPLETED)
            if not gone.done():
                child.process.send_signal(child.program.stop_signal)
                await asyncio.wait(
                    [kill_wanted, gone], timeout=child.program.grace_s, return_when=asyncio.FIRST_COMPLETED
                )
            kill_group(child.pid)
            await gone
        finally:
            kill_wanted.cancel()

    def _all_needs(self, step: Step) -> set[str]:
        needs = set(step.needs)
        for need in step.needs:
            needs |= self._all_needs(self.steps[need])
        return needs

    def _note(self) -> None:
        """Write down who runs, for `status`."""
        self.state.write(
            {
                name: {
                    "pid": self._children[name].pid if name in self._children else None,
                    "up": self._up[name].is_set(),
                    "ports": list(step.ports),
                }
                for name, step in self.steps.items()
                if step.is_ready is not None
            }
        )


def watch(child: Child, gone: asyncio.Future[int]) -> None:
    """Have the loop set `gone` to the exit code as soon as the process ends, without polling."""
    loop = asyncio.get_running_loop()
    descriptor = os.pidfd_open(child.pid)

    def ended() -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        if not gone.done():
            gone.set_result(child.process.wait())

    loop.add_reader(descriptor, ended)


def last_line(log: Path) -> str:
    """Return the last line of a log, shortened."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return lines[-1].strip()[:LONGEST_WORD_CHARACTERS] if lines else ""


def first_sentence(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first of several failures, a sentence for people if there is one: the others follow from it."""
    sentences = group.subgroup(StackError)
    return (sentences or group).exceptions[0]


async def supervise(
    steps: Sequence[Step],
    *,
    directory: Path,
    state: RunState,
    announce: Callable[[], None],
    say: Callable[[str], None] = print,
) -> None:
    """Run the steps until Ctrl-C, SIGTERM or a hang-up of the terminal."""
    allow_runs()
    supervisor = Supervisor(steps, directory=directory, state=state, say=say)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.ask_to_stop)
    await supervisor.run(announce)

"""What the supervisor runs, as data: steps that name the steps they need."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zhibu_stack.engines.process import Program

START_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to bring up, after everything in `needs` is up.

    `prepare` runs first, in a thread. Then `program`: with `is_ready` it goes on running and is up once `is_ready` says so;
    without, it is up when it has ended well. A step without a program is up when it is prepared. `ports` are what it listens
    on; they are checked before anything starts.
    """

    name: str
    needs: Sequence[str] = ()
    prepare: Callable[[], None] | None = None
    program: Callable[[], Program] | None = None
    is_ready: Callable[[], bool] | None = None
    ports: Sequence[int] = ()
    timeout_s: float = START_TIMEOUT_S

"""What belongs to the call being worked on: its trace, request id, language and deadline, for logs and outgoing calls."""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """The work under way: a call that came in, or an event being consumed.

    `traceparent` is the W3C header under which whatever follows from this work goes on.
    """

    trace_id: str
    traceparent: str
    request_id: str
    language: str = "zh-CN"
    # Instant of time.monotonic() at which nobody waits any more.
    expires_at_s: float | None = None


_current: ContextVar[CallContext | None] = ContextVar("zhibu_call", default=None)


def current_context() -> CallContext | None:
    """Return what this task works on, or None when it works for nobody in particular."""
    return _current.get()


def current_traceparent() -> str | None:
    """Return the W3C traceparent under which work that follows from this goes on."""
    context = _current.get()
    return context.traceparent if context else None


def enter(context: CallContext) -> Token[CallContext | None]:
    """Make this the work of the present task; give the token to `leave` afterwards."""
    return _current.set(context)


def leave(token: Token[CallContext | None]) -> None:
    """Go back to what the task worked on before."""
    _current.reset(token)

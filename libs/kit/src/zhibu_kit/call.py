"""Call: what the kit knows about one call by the time the handler is reached."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from zhibu_kit.errors import UNAUTHENTICATED
from zhibu_kit.method import Method
from zhibu_kit.principal import Principal
from zhibu_kit.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an RPC, authorised and validated.

    `principal` is None for anonymous methods, and for public ones without a token. `organisation_id` is the organisation
    on which the access check passed. `scope` holds the counties that the database will show: the organisation's county,
    the home county for `self`, otherwise none.
    """

    method: Method
    principal: Principal | None
    organisation_id: str | None
    scope: Scope
    language: str
    request_id: str
    trace_id: str
    traceparent: str
    # Instant of time.monotonic() at which the caller stops waiting; None when it waits for ever.
    expires_at_s: float | None = None

    @property
    def deadline_s(self) -> float | None:
        """Seconds left until the caller stops waiting, never below zero; None when it waits for ever."""
        return None if self.expires_at_s is None else max(0.0, self.expires_at_s - time.monotonic())

    @property
    def caller(self) -> Principal:
        """The principal of a method whose rule demands one.

        Raises:
            ServiceError: UNAUTHENTICATED when nobody is behind the call.
        """
        if self.principal is None:
            raise UNAUTHENTICATED()
        return self.principal

    def within(self, scope: Scope) -> Call:
        """Return the same call with another scope, for public methods whose request names the county."""
        return replace(self, scope=scope)

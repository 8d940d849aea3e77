"""How long ago a log-in may be for what would give somebody else the e-ID."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

# Whoever finds a computer or telephone lying about with an open session must not be able to take the e-ID over with it.
LOGIN_HOLDS: Final = timedelta(minutes=10)


def is_fresh(authenticated_at: datetime | None, *, now: datetime) -> bool:
    """Say whether somebody logged in a moment ago; what a token does not tell counts as long ago."""
    return authenticated_at is not None and now - authenticated_at <= LOGIN_HOLDS

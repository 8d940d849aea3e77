"""How often somebody may ask for a code or try one. Each window begins with its first event and ends by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

# Telephone proofs, per number.
PROOF_CODES_PER_HOUR: Final = 5
RESEND_AFTER: Final = timedelta(seconds=60)
PROOF_CODE_HOLDS: Final = timedelta(minutes=10)
WRONG_PROOF_CODES: Final = 5
PROOF_TOKEN_HOLDS: Final = timedelta(hours=1)

# Log-in codes, per e-ID: a member may mistype a few times, a stranger cannot flood a telephone.
LOGIN_CODES_PER_HOUR: Final = 10
# Keycloak accepts a code for ten periods of 30 s around its own.
LOGIN_CODE_HOLDS: Final = timedelta(minutes=5)

# Wrong codes per case and quarter of an hour. A code has 46 bits, so the limit need not be small enough to let a
# stranger lock out an applicant for long.
WRONG_CASE_CODES: Final = 10
CASE_WINDOW: Final = timedelta(minutes=15)

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Events counted since the window began, and the last of them."""

    began_at: datetime
    last_at: datetime
    count: int


def wait_before_next(window: Window | None, now: datetime, *, most_per_hour: int) -> timedelta:
    """Return how long somebody must wait before the next code; nothing when they may have it now."""
    if window is None or now >= window.began_at + HOUR:
        return max(timedelta(0), (window.last_at + RESEND_AFTER - now) if window else timedelta(0))
    if window.count >= most_per_hour:
        return window.began_at + HOUR - now
    return max(timedelta(0), window.last_at + RESEND_AFTER - now)


def next_window(window: Window | None, now: datetime, *, length: timedelta = HOUR) -> Window:
    """Return the window with one more event in it."""
    if window is None or now >= window.began_at + length:
        return Window(began_at=now, last_at=now, count=1)
    return Window(began_at=window.began_at, last_at=now, count=window.count + 1)


def too_many_wrong_codes(window: Window | None, now: datetime) -> bool:
    """Say whether a case is closed to tries for the moment."""
    return window is not None and now < window.began_at + CASE_WINDOW and window.count >= WRONG_CASE_CODES

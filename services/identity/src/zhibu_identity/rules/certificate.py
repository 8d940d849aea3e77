"""Until when an officer can confirm a certificate, and what stands in the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, IntEnum
from typing import Final

# Long enough for a journey, short enough that everybody remembers what was asked for.
CONFIRM_WITHIN: Final = timedelta(days=7)


class RequestState(IntEnum):
    """Where the request for a certificate stands; the numbers are the contract's."""

    WAITING = 1
    ISSUED = 2
    REFUSED = 3
    WITHDRAWN = 4
    EXPIRED = 5


class DecideFault(Enum):
    """Why a request cannot be confirmed, refused or withdrawn."""

    ENDED = "ended"
    EXPIRED = "expired"


def state_at(state: RequestState, *, expires_at: datetime, now: datetime) -> RequestState:
    """Return the state as it counts at an instant: the job that writes "expired" comes later."""
    return RequestState.EXPIRED if state is RequestState.WAITING and now >= expires_at else state


def find_decide_fault(state: RequestState, *, expires_at: datetime, now: datetime) -> DecideFault | None:
    """Say why nothing can be decided about a request any more."""
    match state_at(state, expires_at=expires_at, now=now):
        case RequestState.WAITING:
            return None
        case RequestState.EXPIRED:
            return DecideFault.EXPIRED
        case RequestState.ISSUED | RequestState.REFUSED | RequestState.WITHDRAWN:
            return DecideFault.ENDED

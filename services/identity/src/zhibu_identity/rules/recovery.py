"""Who may begin and confirm the recovery of an e-ID, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, IntEnum
from typing import Final

# The member stands at the counter; the second officer is asked the same day.
CONFIRM_WITHIN: Final = timedelta(days=1)


class RecoveryKind(IntEnum):
    """What is done; the numbers are the contract's."""

    RECOVER = 1
    REPLACE = 2


class RecoveryState(IntEnum):
    """Where a recovery stands; the numbers are the contract's."""

    WAITING = 1
    DONE = 2
    REFUSED = 3
    EXPIRED = 4


class RecoveryFault(Enum):
    """Why an officer cannot do something about a recovery."""

    OWN = "own"
    SAME_OFFICER = "same_officer"
    ENDED = "ended"
    EXPIRED = "expired"


def find_start_fault(*, officer_member_id: str, member_id: str) -> RecoveryFault | None:
    """Say why an officer cannot begin: nobody recovers their own e-ID."""
    return RecoveryFault.OWN if officer_member_id == member_id else None


def find_confirm_fault(
    *,
    state: RecoveryState,
    officer_member_id: str,
    started_by_member_id: str,
    member_id: str,
    expires_at: datetime,
    now: datetime,
) -> RecoveryFault | None:
    """Say why an officer cannot confirm: it must be another one, and not the member."""
    if state is not RecoveryState.WAITING:
        return RecoveryFault.ENDED
    if now >= expires_at:
        return RecoveryFault.EXPIRED
    if officer_member_id == member_id:
        return RecoveryFault.OWN
    return RecoveryFault.SAME_OFFICER if officer_member_id == started_by_member_id else None

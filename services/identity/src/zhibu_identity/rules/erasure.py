"""Who may confirm the erasure of a person's data, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, IntEnum
from typing import Final

PROPOSAL_HOLDS: Final = timedelta(days=1)


class ErasureState(IntEnum):
    """Where an erasure stands; the numbers are the contract's."""

    WAITING = 1
    DONE = 2
    REFUSED = 3
    WITHDRAWN = 4
    EXPIRED = 5


class ErasureFault(Enum):
    """Why an officer cannot confirm an erasure."""

    OWN = "own"
    SAME_OFFICER = "same_officer"
    ENDED = "ended"
    EXPIRED = "expired"


def find_confirm_fault(
    *,
    state: ErasureState,
    officer_member_id: str,
    proposed_by_member_id: str,
    member_id: str,
    expires_at: datetime,
    now: datetime,
) -> ErasureFault | None:
    """Say why an officer cannot confirm: it must be another one than who asked, and not the member."""
    if state is not ErasureState.WAITING:
        return ErasureFault.ENDED
    if now >= expires_at:
        return ErasureFault.EXPIRED
    if officer_member_id == member_id:
        return ErasureFault.OWN
    return ErasureFault.SAME_OFFICER if officer_member_id == proposed_by_member_id else None


def ended_by(officer_member_id: str, *, proposed_by_member_id: str) -> ErasureState:
    """Return what an end without doing anything is: who asked takes it back, any other officer refuses."""
    return ErasureState.WITHDRAWN if officer_member_id == proposed_by_member_id else ErasureState.REFUSED

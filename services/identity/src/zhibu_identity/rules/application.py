"""What may become of an application, and who may bring it about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, IntEnum
from typing import Final, assert_never

# A clerk who opens a case has it to themselves for this long.
CLAIM_HOLDS: Final = timedelta(minutes=15)
# A wrong approval is noticed within a day, or it is a matter for revocation.
UNDO_HOLDS: Final = timedelta(hours=24)


class State(IntEnum):
    """Where an application stands; the numbers are the contract's."""

    SUBMITTED = 1
    QUESTIONED = 2
    APPROVED = 3
    ISSUED = 4
    REFUSED = 5
    WITHDRAWN = 6


class Act(Enum):
    """What somebody does to an application."""

    APPROVE = "approve"
    REFUSE = "refuse"
    ASK = "ask"
    ANSWER = "answer"
    WITHDRAW = "withdraw"
    ISSUE = "issue"
    UNDO = "undo"


class ActFault(Enum):
    """Why an act is not possible."""

    ALREADY_DECIDED = "already_decided"
    NOT_APPROVED = "not_approved"
    NO_QUESTION = "no_question"
    TOO_LATE_TO_UNDO = "too_late_to_undo"
    CLAIMED_BY_ANOTHER = "claimed_by_another"
    FINDINGS_NOT_CHECKED = "findings_not_checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who has opened the case, and until when."""

    member_id: str
    expires_at: datetime


def next_state(state: State, act: Act) -> State | ActFault:
    """Return the state that an act leads to, or why it cannot be done in this state."""
    match act:
        case Act.APPROVE:
            return State.APPROVED if is_open(state) else ActFault.ALREADY_DECIDED
        case Act.REFUSE:
            return State.REFUSED if is_open(state) else ActFault.ALREADY_DECIDED
        case Act.ASK:
            return State.QUESTIONED if is_open(state) else ActFault.ALREADY_DECIDED
        case Act.WITHDRAW:
            return State.WITHDRAWN if is_open(state) else ActFault.ALREADY_DECIDED
        case Act.ANSWER:
            if not is_open(state):
                return ActFault.ALREADY_DECIDED
            return State.SUBMITTED if state is State.QUESTIONED else ActFault.NO_QUESTION
        case Act.ISSUE:
            return State.ISSUED if state is State.APPROVED else ActFault.NOT_APPROVED
        case Act.UNDO:
            return State.SUBMITTED if state in (State.APPROVED, State.ISSUED) else ActFault.NOT_APPROVED
        case _:
            assert_never(act)


def is_open(state: State) -> bool:
    """Say whether somebody has still to decide."""
    match state:
        case State.SUBMITTED | State.QUESTIONED:
            return True
        case State.APPROVED | State.ISSUED | State.REFUSED | State.WITHDRAWN:
            return False
        case _:
            assert_never(state)


def living_claim(claim: Claim | None, now: datetime) -> Claim | None:
    """Return the claim while it holds."""
    return claim if claim is not None and now < claim.expires_at else None


def find_claim_fault(claim: Claim | None, member_id: str, *, now: datetime) -> ActFault | None:
    """Say whether another clerk has the case now; without a claim anybody may decide."""
    living = living_claim(claim, now)
    return ActFault.CLAIMED_BY_ANOTHER if living is not None and living.member_id != member_id else None


def find_findings_fault(finding_count: int, *, checked: bool) -> ActFault | None:
    """Say whether an approval passes over findings that the clerk has not looked at."""
    return ActFault.FINDINGS_NOT_CHECKED if finding_count and not checked else None


def find_undo_fault(undo_expires_at: datetime | None, now: datetime) -> ActFault | None:
    """Say whether the time for taking an approval back has passed."""
    return ActFault.TOO_LATE_TO_UNDO if undo_expires_at is None or now >= undo_expires_at else None

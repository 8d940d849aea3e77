"""Where a member stands and what a decision may change of it. The numbers are those of the contract and of the tables."""

from enum import IntEnum
from typing import Final


class MembershipKind(IntEnum):
    """Whether a branch is a member's primary one."""

    PHYSICAL = 1
    VIRTUAL = 2


class PartyStatus(IntEnum):
    """Where a person stands on the way into the Party."""

    APPLICANT = 1
    ACTIVIST = 2
    DEVELOPMENT_TARGET = 3
    PROBATIONARY = 4
    FULL = 5
    UNDER_PROBATION = 6


class Occupation(IntEnum):
    """What a person lives from; UNKNOWN until somebody says."""

    UNKNOWN = 0
    EMPLOYEE = 1
    SELF_EMPLOYED = 2
    RETIRED = 3
    FARMER = 4
    STUDENT = 5
    UNEMPLOYED = 6
    ON_RELIEF = 7
    OTHER = 8


class Standing(IntEnum):
    """Whether a record is open, and if not, how it ended."""

    PRESENT = 1
    DIED = 2
    LEFT = 3
    EXPELLED = 4
    MOVED_OUT = 5
    WITHDRAWN = 6


class EndReason(IntEnum):
    """Why a membership ended."""

    ENTERED_WRONGLY = 1
    MOVED = 2
    TRANSFERRED = 3
    ORGANISATION_CHANGED = 4
    WITHDREW = 5
    REMOVED = 6
    RECORD_ENDED = 7


class RestoreReason(IntEnum):
    """Why an ended record is opened again."""

    REINSTATED = 1
    ENTERED_WRONGLY = 2
    RETURNED = 3


class DecisionSource(IntEnum):
    """Where an entry of the history comes from."""

    ROSTER = 1
    RECORDED = 2
    TRANSFER = 3


# Who is a member of the Party, for counts and for going online; the three before are on the way.
MEMBERS: Final = frozenset({PartyStatus.PROBATIONARY, PartyStatus.FULL, PartyStatus.UNDER_PROBATION})

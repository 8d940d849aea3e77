"""The rate of equipped members, and what follows from it for a branch. Pure, in whole numbers.

A rate in thousandths is rounded down. That changes no comparison: a whole number of thousandths is reached by the rounded
rate exactly when it is reached by the exact one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

# The paper of Linqu: at least half of the members have a computer and a network.
DEFAULT_THRESHOLD_PERMILLE: Final = 500
# A branch of twenty is not warned because one telephone broke.
DEFAULT_HYSTERESIS_PERMILLE: Final = 50


class OnlineState(IntEnum):
    """Whether a branch is online; the numbers are those of the contract and of the table."""

    OFFLINE = 1
    ONLINE = 2
    WARNED = 3


class AnswerState(IntEnum):
    """How sure an answer is; the numbers are those of the contract and of the table."""

    STATED = 1
    REPORTED = 2
    COUNTERSIGNED = 3
    DISPUTED = 4


# What counts: the member's own word.
COUNTING: Final = frozenset({AnswerState.STATED, AnswerState.COUNTERSIGNED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """A county's parameters of going online."""

    threshold_permille: int = DEFAULT_THRESHOLD_PERMILLE
    hysteresis_permille: int = DEFAULT_HYSTERESIS_PERMILLE

    @property
    def warn_below_permille(self) -> int:
        """The rate below which a branch that is online is warned."""
        return max(0, self.threshold_permille - self.hysteresis_permille)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a survey found: members, those whose answer counts, and of these the ones with device and network."""

    members: int = 0
    answered: int = 0
    equipped: int = 0

    @property
    def rate_permille(self) -> int:
        """Equipped members in thousandths of all members, rounded down; 0 where there is no member."""
        return self.equipped * 1000 // self.members if self.members else 0


DEFAULT_PARAMETERS: Final = Parameters()
NOTHING_COUNTED: Final = Counts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is known of one member."""

    has_device: bool
    has_network: bool
    state: AnswerState

    @property
    def equipped(self) -> bool:
        """Tells whether the member counts as equipped."""
        return self.state in COUNTING and self.has_device and self.has_network


def may_go_online(counts: Counts, parameters: Parameters) -> bool:
    """Tells whether a branch with this survey may go online."""
    return counts.members > 0 and counts.rate_permille >= parameters.threshold_permille


def next_state(state: OnlineState, counts: Counts, parameters: Parameters) -> OnlineState:
    """The state that follows from the present rate. Nobody goes online by itself, and nobody is taken offline."""
    match state:
        case OnlineState.OFFLINE:
            return state
        case OnlineState.ONLINE:
            below = counts.rate_permille < parameters.warn_below_permille
            return OnlineState.WARNED if below else state
        case OnlineState.WARNED:
            back = counts.rate_permille >= parameters.threshold_permille
            return OnlineState.ONLINE if back else state


def after_report(present: Answer | None, *, has_device: bool, has_network: bool, signed: bool = False) -> Answer:
    """What stands after the branch reported: a member's own word is not overwritten, and the same again changes nothing.

    `signed` is true when the member signed the branch's list by hand, which is a countersign.
    """
    if present is not None:
        same = (present.has_device, present.has_network) == (has_device, has_network)
        if present.state in COUNTING or (same and not signed):
            return present
    state = AnswerState.COUNTERSIGNED if signed else AnswerState.REPORTED
    return Answer(has_device=has_device, has_network=has_network, state=state)

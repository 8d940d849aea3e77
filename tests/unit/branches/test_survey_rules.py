"""The rate of equipped members, and what follows from it."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_branches.rules.surveys import (
    Answer,
    AnswerState,
    Counts,
    OnlineState,
    Parameters,
    after_report,
    may_go_online,
    next_state,
)

_DEFAULT = Parameters()
_ONLINE, _WARNED, _OFFLINE = OnlineState.ONLINE, OnlineState.WARNED, OnlineState.OFFLINE


def _counts(equipped: int, members: int) -> Counts:
    return Counts(members=members, answered=equipped, equipped=equipped)


@st.composite
def _any_counts(draw: st.DrawFn) -> Counts:
    members = draw(st.integers(0, 3000))
    answered = draw(st.integers(0, members))
    return Counts(members=members, answered=answered, equipped=draw(st.integers(0, answered)))


_PARAMETERS = st.builds(Parameters, threshold_permille=st.integers(1, 1000), hysteresis_permille=st.integers(0, 500))


@pytest.mark.parametrize(
    ("equipped", "members", "rate", "expected"),
    [
        (1, 2, 500, True),
        (4, 9, 444, False),
        (5, 9, 555, True),
        # 499.9 thousandths round down to 499, and are below a half exactly as they should be.
        (4999, 10000, 499, False),
        (5000, 10000, 500, True),
        (0, 0, 0, False),
        (0, 5, 0, False),
    ],
)
def test_a_branch_goes_online_from_one_half_on(equipped: int, members: int, rate: int, *, expected: bool) -> None:
    counts = _counts(equipped, members)
    assert counts.rate_permille == rate
    assert may_go_online(counts, _DEFAULT) is expected


@pytest.mark.parametrize(
    ("state", "equipped", "members", "expected"),
    [
        # 450 thousandths are not below 450; one member fewer is.
        (_ONLINE, 9, 20, _ONLINE),
        (_ONLINE, 8, 20, _WARNED),
        (_WARNED, 9, 20, _WARNED),
        (_WARNED, 10, 20, _ONLINE),
        # Nobody goes online without asking, and a branch without members is warned.
        (_OFFLINE, 20, 20, _OFFLINE),
        (_ONLINE, 0, 0, _WARNED),
    ],
)
def test_a_warning_comes_below_the_hysteresis_and_goes_at_the_threshold(
    state: OnlineState, equipped: int, members: int, expected: OnlineState
) -> None:
    assert next_state(state, _counts(equipped, members), _DEFAULT) is expected


@given(_any_counts(), _PARAMETERS)
def test_rounding_down_decides_as_the_exact_rate_does(counts: Counts, parameters: Parameters) -> None:
    exact = Fraction(counts.equipped, counts.members) if counts.members else Fraction(0)
    reached = counts.members > 0 and exact >= Fraction(parameters.threshold_permille, 1000)
    assert may_go_online(counts, parameters) is reached
    warned = exact < Fraction(parameters.warn_below_permille, 1000)
    assert (next_state(_ONLINE, counts, parameters) is _WARNED) is warned


@given(st.sampled_from(OnlineState), _any_counts(), _PARAMETERS)
def test_looking_again_changes_nothing(state: OnlineState, counts: Counts, parameters: Parameters) -> None:
    after = next_state(state, counts, parameters)
    assert next_state(after, counts, parameters) is after


def test_what_a_member_said_is_not_overwritten_by_the_branch() -> None:
    for state in (AnswerState.STATED, AnswerState.COUNTERSIGNED):
        said = Answer(has_device=True, has_network=True, state=state)
        assert after_report(said, has_device=False, has_network=False) is said


def test_a_report_waits_and_the_same_report_again_is_none() -> None:
    first = after_report(None, has_device=True, has_network=True)
    assert (first.state, first.equipped) == (AnswerState.REPORTED, False)
    assert after_report(first, has_device=True, has_network=True) is first
    disputed = Answer(has_device=True, has_network=True, state=AnswerState.DISPUTED)
    assert after_report(disputed, has_device=True, has_network=True) is disputed
    corrected = after_report(disputed, has_device=True, has_network=False)
    assert corrected == Answer(has_device=True, has_network=False, state=AnswerState.REPORTED)


def test_a_list_signed_by_hand_countersigns_and_does_not_overwrite_the_members_own_word() -> None:
    signed = after_report(None, has_device=True, has_network=True, signed=True)
    assert (signed.state, signed.equipped) == (AnswerState.COUNTERSIGNED, True)
    for waiting in (AnswerState.REPORTED, AnswerState.DISPUTED):
        present = Answer(has_device=True, has_network=True, state=waiting)
        assert after_report(present, has_device=True, has_network=True, signed=True) == signed
    said = Answer(has_device=False, has_network=False, state=AnswerState.STATED)
    assert after_report(said, has_device=True, has_network=True, signed=True) is said


@pytest.mark.parametrize("state", list(AnswerState))
def test_only_the_members_own_word_counts_and_only_with_device_and_network(state: AnswerState) -> None:
    counts = state in {AnswerState.STATED, AnswerState.COUNTERSIGNED}
    assert Answer(has_device=True, has_network=True, state=state).equipped is counts
    assert not Answer(has_device=True, has_network=False, state=state).equipped
    assert not Answer(has_device=False, has_network=True, state=state).equipped

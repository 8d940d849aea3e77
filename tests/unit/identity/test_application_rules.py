"""What may become of an application, claims, undoing, findings and limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_identity.rules.application import (
    Act,
    ActFault,
    Claim,
    State,
    find_claim_fault,
    find_findings_fault,
    find_undo_fault,
    is_open,
    next_state,
)
from zhibu_identity.rules.findings import Finding, Knowledge, findings_of
from zhibu_identity.rules.limits import (
    PROOF_CODES_PER_HOUR,
    RESEND_AFTER,
    WRONG_CASE_CODES,
    Window,
    next_window,
    too_many_wrong_codes,
    wait_before_next,
)
from zhibu_identity.rules.telephone import TelephoneFault, find_telephone_fault

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


@given(st.lists(st.sampled_from(Act), max_size=30))
def test_whatever_people_do_an_application_is_approved_only_while_it_is_open(acts: list[Act]) -> None:
    state = State.SUBMITTED
    for act in acts:
        reached = next_state(state, act)
        if reached is State.APPROVED:
            assert is_open(state)
        if reached is State.ISSUED:
            assert state is State.APPROVED
        if isinstance(reached, State):
            state = reached


@pytest.mark.parametrize("state", [State.REFUSED, State.WITHDRAWN])
@pytest.mark.parametrize("act", Act)
def test_a_refused_or_withdrawn_application_stays_so(state: State, act: Act) -> None:
    assert isinstance(next_state(state, act), ActFault)


def test_an_answer_needs_a_question() -> None:
    assert next_state(State.SUBMITTED, Act.ANSWER) is ActFault.NO_QUESTION
    assert next_state(State.QUESTIONED, Act.ANSWER) is State.SUBMITTED


def test_a_claim_keeps_other_clerks_out_until_it_ends() -> None:
    claim = Claim(member_id="a", expires_at=NOW + timedelta(minutes=15))
    assert find_claim_fault(claim, "a", now=NOW) is None
    assert find_claim_fault(claim, "b", now=NOW) is ActFault.CLAIMED_BY_ANOTHER
    assert find_claim_fault(claim, "b", now=NOW + timedelta(minutes=15)) is None
    assert find_claim_fault(None, "b", now=NOW) is None


def test_an_approval_can_be_undone_until_its_time_is_up() -> None:
    assert find_undo_fault(NOW + timedelta(seconds=1), NOW) is None
    assert find_undo_fault(NOW, NOW) is ActFault.TOO_LATE_TO_UNDO
    assert find_undo_fault(None, NOW) is ActFault.TOO_LATE_TO_UNDO


def test_findings_must_be_looked_at_before_an_approval() -> None:
    assert find_findings_fault(1, checked=False) is ActFault.FINDINGS_NOT_CHECKED
    assert find_findings_fault(1, checked=True) is None
    assert find_findings_fault(0, checked=False) is None


def test_findings_say_all_that_was_noticed() -> None:
    knowledge = Knowledge(number_in_county=True, number_elsewhere=False, telephone_shared=True)
    assert findings_of(knowledge, rare_name=True) == (
        Finding.DUPLICATE_IN_COUNTY,
        Finding.TELEPHONE_SHARED,
        Finding.RARE_CHARACTERS,
    )


@given(st.lists(st.integers(0, 900), min_size=1, max_size=80))
def test_no_telephone_gets_more_codes_than_its_limit_in_any_hour_window(pauses_s: list[int]) -> None:
    now, window, sent = NOW, None, []
    for pause_s in pauses_s:
        now += timedelta(seconds=pause_s)
        if not wait_before_next(window, now, most_per_hour=PROOF_CODES_PER_HOUR):
            assert not sent or now - sent[-1] >= RESEND_AFTER
            window = next_window(window, now)
            sent.append(now)
            assert window.count <= PROOF_CODES_PER_HOUR


def test_the_wait_that_is_told_is_the_wait_that_is_needed() -> None:
    window = Window(began_at=NOW, last_at=NOW + timedelta(minutes=5), count=PROOF_CODES_PER_HOUR)
    wait = wait_before_next(window, NOW + timedelta(minutes=10), most_per_hour=PROOF_CODES_PER_HOUR)
    assert wait == timedelta(minutes=50)
    assert not wait_before_next(window, NOW + timedelta(minutes=60), most_per_hour=PROOF_CODES_PER_HOUR)


def test_a_case_closes_to_tries_after_ten_wrong_codes_and_opens_again() -> None:
    window = Window(began_at=NOW, last_at=NOW, count=WRONG_CASE_CODES)
    assert too_many_wrong_codes(window, NOW + timedelta(minutes=14))
    assert not too_many_wrong_codes(window, NOW + timedelta(minutes=15))
    assert not too_many_wrong_codes(None, NOW)


@pytest.mark.parametrize(
    ("telephone", "synthetic_allowed", "fault"),
    [
        ("13812345678", False, None),
        ("19912345678", True, None),
        ("12000000001", True, None),
        ("12000000001", False, TelephoneFault.SYNTHETIC),
        ("11012345678", True, TelephoneFault.PREFIX),
        ("10012345678", True, TelephoneFault.PREFIX),
    ],
)
def test_only_numbers_that_can_be_called_are_accepted(
    telephone: str, *, synthetic_allowed: bool, fault: TelephoneFault | None
) -> None:
    assert find_telephone_fault(telephone, synthetic_allowed=synthetic_allowed) is fault

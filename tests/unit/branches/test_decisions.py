"""What a decision may change of a member's record."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_branches.rules.decisions import (
    Decision,
    DecisionRefusal,
    Standings,
    apply_decision,
    can_reach,
    check_new_record,
    restore_record,
)
from zhibu_branches.rules.members import MEMBERS, Occupation, PartyStatus, RestoreReason, Standing

TODAY = date(2026, 11, 23)


def record(status: PartyStatus, **changes: object) -> Standings:
    values: dict[str, object] = {
        "status": status,
        "status_date": date(2020, 5, 1),
        "applied_date": date(2010, 1, 1),
        "admitted_date": date(2019, 5, 1) if status in MEMBERS else None,
        "confirmed_date": date(2020, 5, 1) if status > PartyStatus.PROBATIONARY else None,
        "occupation": Occupation.FARMER,
        "standing": Standing.PRESENT,
        **changes,
    }
    return Standings(**values)  # pyright: ignore[reportArgumentType] - the values above are of the fields' types


def decide(of: Standings, **what: object) -> Standings | DecisionRefusal:
    values: dict[str, object] = {"decision_date": TODAY, "has_document": True, **what}
    return apply_decision(of, Decision(**values), today=TODAY)  # pyright: ignore[reportArgumentType] - as above


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PartyStatus.APPLICANT, PartyStatus.ACTIVIST),
        (PartyStatus.ACTIVIST, PartyStatus.DEVELOPMENT_TARGET),
        (PartyStatus.DEVELOPMENT_TARGET, PartyStatus.PROBATIONARY),
        (PartyStatus.PROBATIONARY, PartyStatus.FULL),
        (PartyStatus.FULL, PartyStatus.UNDER_PROBATION),
        (PartyStatus.UNDER_PROBATION, PartyStatus.FULL),
    ],
)
def test_each_step_of_the_way_is_a_decision(before: PartyStatus, after: PartyStatus) -> None:
    changed = decide(record(before), status=after)
    assert isinstance(changed, Standings)
    assert (changed.status, changed.status_date) == (after, TODAY)


def test_admission_and_confirmation_set_their_dates_and_probation_keeps_them() -> None:
    admitted = decide(record(PartyStatus.DEVELOPMENT_TARGET), status=PartyStatus.PROBATIONARY)
    assert isinstance(admitted, Standings)
    assert (admitted.admitted_date, admitted.confirmed_date) == (TODAY, None)
    confirmed = decide(admitted, status=PartyStatus.FULL)
    assert isinstance(confirmed, Standings)
    assert confirmed.confirmed_date == TODAY
    back = decide(record(PartyStatus.UNDER_PROBATION), status=PartyStatus.FULL)
    assert isinstance(back, Standings)
    assert back.confirmed_date == date(2020, 5, 1)


@pytest.mark.parametrize("before", PartyStatus)
def test_nobody_becomes_full_without_probation(before: PartyStatus) -> None:
    outcome = decide(record(before), status=PartyStatus.FULL)
    if before in (PartyStatus.PROBATIONARY, PartyStatus.UNDER_PROBATION):
        assert isinstance(outcome, Standings)
    elif before is PartyStatus.FULL:
        assert outcome is DecisionRefusal.NOTHING_CHANGES
    else:
        assert outcome is DecisionRefusal.STATUS_NOT_REACHABLE


@pytest.mark.parametrize(
    ("of", "what", "refusal"),
    [
        (PartyStatus.FULL, {"decision_date": TODAY + timedelta(days=1), "occupation": 3}, "date_in_future"),
        (PartyStatus.PROBATIONARY, {"decision_date": date(2020, 4, 30), "status": 5}, "date_before_status"),
        (PartyStatus.PROBATIONARY, {"status": 5, "has_document": False}, "document_wanted"),
        (PartyStatus.FULL, {"standing": 2, "has_document": False}, "document_wanted"),
        (PartyStatus.FULL, {"standing": 6}, "standing_not_fitting"),
        (PartyStatus.ACTIVIST, {"standing": 4}, "standing_not_fitting"),
        (PartyStatus.PROBATIONARY, {"status": 5, "standing": 2}, "status_with_standing"),
        (PartyStatus.FULL, {}, "nothing_changes"),
        (PartyStatus.FULL, {"occupation": 4}, "nothing_changes"),
    ],
)
def test_what_is_wrong_is_said(of: PartyStatus, what: dict[str, object], refusal: str) -> None:
    typed = {
        "status": PartyStatus,
        "occupation": Occupation,
        "standing": Standing,
    }
    given_ = {name: typed[name](value) if name in typed else value for name, value in what.items()}
    assert decide(record(of), **given_) == DecisionRefusal(refusal)


def test_an_ended_record_stays_as_it_is() -> None:
    dead = decide(record(PartyStatus.FULL), standing=Standing.DIED)
    assert isinstance(dead, Standings)
    assert (dead.standing, dead.end_date) == (Standing.DIED, TODAY)
    assert decide(dead, occupation=Occupation.RETIRED) is DecisionRefusal.RECORD_ENDED


@pytest.mark.parametrize(
    ("of", "changes", "refusal"),
    [
        (PartyStatus.FULL, {"admitted_date": None, "confirmed_date": None}, "admission_date_wanted"),
        (PartyStatus.FULL, {"confirmed_date": date(2018, 1, 1)}, "dates_out_of_order"),
        (PartyStatus.FULL, {"applied_date": date(2019, 6, 1)}, "dates_out_of_order"),
        (PartyStatus.FULL, {"status_date": date(2019, 4, 1)}, "dates_out_of_order"),
        (PartyStatus.FULL, {"status_date": TODAY + timedelta(days=1)}, "date_in_future"),
        (PartyStatus.ACTIVIST, {"admitted_date": date(2019, 5, 1)}, "date_not_fitting_status"),
        (PartyStatus.PROBATIONARY, {"confirmed_date": date(2020, 5, 1)}, "date_not_fitting_status"),
        (PartyStatus.FULL, {"confirmed_date": None}, None),
        (PartyStatus.APPLICANT, {"applied_date": None}, None),
    ],
)
def test_the_dates_of_a_new_record_stand_in_order(
    of: PartyStatus, changes: dict[str, object], refusal: str | None
) -> None:
    found = check_new_record(record(of, **changes), today=TODAY)
    assert found == (None if refusal is None else DecisionRefusal(refusal))


@given(
    st.lists(
        st.tuples(st.sampled_from(PartyStatus), st.integers(0, 4000), st.sampled_from([None, *Standing])), max_size=30
    )
)
def test_no_row_of_decisions_leads_to_a_record_out_of_order(
    decisions: list[tuple[PartyStatus, int, Standing | None]],
) -> None:
    present = record(PartyStatus.APPLICANT, applied_date=date(2010, 1, 1), status_date=date(2010, 1, 1))
    for status, days, standing in decisions:
        day = date(2010, 1, 1) + timedelta(days=days)
        wanted = {"standing": standing} if standing else {"status": status}
        outcome = decide(present, decision_date=day, **wanted)
        if isinstance(outcome, Standings):
            present = outcome
        assert check_new_record(present, today=TODAY) is None
        known = [day for day in (present.applied_date, present.admitted_date, present.confirmed_date) if day]
        assert known == sorted(known)


def test_rosters_may_be_several_steps_ahead_and_never_behind() -> None:
    assert can_reach(PartyStatus.APPLICANT, PartyStatus.FULL)
    assert not can_reach(PartyStatus.FULL, PartyStatus.PROBATIONARY)
    assert can_reach(PartyStatus.FULL, PartyStatus.UNDER_PROBATION)


@pytest.mark.parametrize(
    ("ended", "fitting"),
    [
        (Standing.DIED, {RestoreReason.ENTERED_WRONGLY}),
        (Standing.LEFT, {RestoreReason.ENTERED_WRONGLY, RestoreReason.REINSTATED}),
        (Standing.EXPELLED, {RestoreReason.ENTERED_WRONGLY, RestoreReason.REINSTATED}),
        (Standing.MOVED_OUT, {RestoreReason.ENTERED_WRONGLY, RestoreReason.RETURNED}),
        (Standing.WITHDRAWN, {RestoreReason.ENTERED_WRONGLY, RestoreReason.RETURNED}),
        (Standing.PRESENT, set()),
    ],
)
def test_each_end_is_undone_by_what_fits_it(ended: Standing, fitting: set[RestoreReason]) -> None:
    end_date = None if ended is Standing.PRESENT else TODAY
    before = record(PartyStatus.FULL, standing=ended, end_date=end_date)
    opened = {
        reason
        for reason in RestoreReason
        if isinstance(restore_record(before, reason, decision_date=TODAY, today=TODAY), Standings)
    }
    assert opened == fitting


@given(st.sampled_from(PartyStatus), st.integers(-400, 400))
def test_a_record_is_opened_as_it_stood_from_its_end_to_today(status: PartyStatus, days: int) -> None:
    ended = TODAY - timedelta(days=200)
    before = record(status, standing=Standing.DIED, end_date=ended)
    day = TODAY + timedelta(days=days)
    after = restore_record(before, RestoreReason.ENTERED_WRONGLY, decision_date=day, today=TODAY)
    if day > TODAY:
        assert after is DecisionRefusal.DATE_IN_FUTURE
    elif day < ended:
        assert after is DecisionRefusal.DATE_BEFORE_END
    else:
        assert after == record(status)

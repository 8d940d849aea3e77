"""What a row of a roster changes of a member's record."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_branches.rules.decisions import Standings
from zhibu_branches.rules.members import Occupation, PartyStatus, Standing
from zhibu_branches.rules.rosters import Conflict, Outcome, Row, judge_row

TODAY = date(2026, 11, 23)
EMPTY = Row(
    member_id="m",
    row_number=3,
    branch_id="b1",
    status=None,
    applied_date=None,
    admitted_date=None,
    confirmed_date=None,
    occupation=None,
)
FULL = replace(
    EMPTY,
    status=PartyStatus.FULL,
    admitted_date=date(1998, 7, 1),
    confirmed_date=date(1999, 7, 1),
    occupation=Occupation.FARMER,
)


def judged(row: Row, present: Outcome | None = None) -> Outcome:
    outcome = judge_row(row, present, today=TODAY)
    assert isinstance(outcome, Outcome)
    return outcome


def test_a_new_member_gets_what_the_roster_says() -> None:
    assert judged(FULL) == Outcome(
        branch_id="b1",
        standings=Standings(
            status=PartyStatus.FULL,
            status_date=date(1999, 7, 1),
            applied_date=None,
            admitted_date=date(1998, 7, 1),
            confirmed_date=date(1999, 7, 1),
            occupation=Occupation.FARMER,
            standing=Standing.PRESENT,
        ),
    )


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (replace(FULL, status=None), PartyStatus.FULL),
        (replace(FULL, status=None, confirmed_date=None), PartyStatus.PROBATIONARY),
        (replace(EMPTY, applied_date=date(2020, 1, 1)), PartyStatus.APPLICANT),
    ],
)
def test_the_dates_speak_where_the_status_is_not_named(row: Row, status: PartyStatus) -> None:
    assert judged(row).standings.status is status


def test_empty_cells_take_nothing_away_and_another_branch_is_a_move() -> None:
    present = judged(FULL)
    assert judged(EMPTY, present) == present
    assert judged(replace(EMPTY, branch_id="b2"), present) == replace(present, branch_id="b2")


def test_the_day_on_which_probation_ended_is_not_taken_back() -> None:
    present = judged(FULL)
    restored = replace(present, standings=replace(present.standings, status_date=date(2025, 3, 1)))
    assert judged(FULL, restored) == restored


@pytest.mark.parametrize(
    ("row", "before", "conflict"),
    [
        (EMPTY, None, Conflict.STATUS_UNKNOWN),
        (replace(FULL, status=PartyStatus.PROBATIONARY, confirmed_date=None), FULL, Conflict.STATUS_BEHIND),
        (replace(FULL, status=PartyStatus.UNDER_PROBATION), FULL, Conflict.STATUS_NEEDS_DECISION),
        (FULL, replace(FULL, status=PartyStatus.UNDER_PROBATION), Conflict.STATUS_NEEDS_DECISION),
        (replace(FULL, confirmed_date=date(1997, 1, 1)), None, Conflict.DATES_OUT_OF_ORDER),
        (replace(EMPTY, applied_date=date(1999, 1, 1)), FULL, Conflict.DATES_OUT_OF_ORDER),
        (replace(FULL, confirmed_date=date(2027, 1, 1)), None, Conflict.DATE_IN_FUTURE),
        (replace(FULL, status=PartyStatus.ACTIVIST), None, Conflict.DATE_NOT_FITTING_STATUS),
    ],
)
def test_what_a_person_must_judge_is_a_conflict(row: Row, before: Row | None, conflict: Conflict) -> None:
    present = None if before is None else judged(before)
    assert judge_row(row, present, today=TODAY) is conflict


def test_an_ended_record_is_not_opened_again() -> None:
    present = judged(FULL)
    dead = replace(present, standings=replace(present.standings, standing=Standing.DIED, end_date=TODAY))
    assert judge_row(FULL, dead, today=TODAY) is Conflict.RECORD_ENDED


days = st.one_of(st.none(), st.dates(date(1950, 1, 1), date(2027, 12, 31)))
rows = st.builds(
    Row,
    member_id=st.just("m"),
    row_number=st.just(3),
    branch_id=st.sampled_from(["b1", "b2"]),
    status=st.one_of(st.none(), st.sampled_from(PartyStatus)),
    applied_date=days,
    admitted_date=days,
    confirmed_date=days,
    occupation=st.one_of(st.none(), st.sampled_from(list(Occupation)[1:])),
)


@given(st.lists(rows, max_size=6))
def test_applying_a_roster_again_changes_nothing_and_no_status_goes_back(some: list[Row]) -> None:
    present: Outcome | None = None
    for row in some:
        outcome = judge_row(row, present, today=TODAY)
        if isinstance(outcome, Conflict):
            continue
        assert present is None or outcome.standings.status >= present.standings.status
        assert judge_row(row, outcome, today=TODAY) == outcome
        present = outcome

"""Who may form a committee, and how long it serves."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_branches.rules.committees import (
    COMPOSITION,
    WARN_MONTHS,
    Appointment,
    Post,
    Refusal,
    add_months,
    may_hold_together,
    months_left,
    next_warning_date,
    refusal_of,
    term_end,
    vacancies,
    warning_date,
    warning_due,
)

_S, _D, _O, _P, _C, _Y, _M = Post
_DAYS = st.dates(date(2000, 1, 1), date(2080, 1, 1))


def _committee(*posts: Post) -> list[Appointment]:
    """Different people, one for each post."""
    return [Appointment(member_id=f"m{at}", post=post) for at, post in enumerate(posts)]


@pytest.mark.parametrize(
    ("full_members", "posts", "expected"),
    [
        (6, (_S,), None),
        (3, (_S, _D), None),
        (6, (_S, _D, _D), (Refusal.TOO_MANY_HOLDERS, 2)),
        (6, (_S, _O), (Refusal.NO_COMMITTEE_YET, 1)),
        (6, (_D,), (Refusal.NO_SECRETARY, 0)),
        (7, (_S, _O, _P), None),
        (7, (_S, _O), (Refusal.SIZE, 0)),
        (7, (_S,), (Refusal.SIZE, 0)),
        (60, (_S, _D, _O, _P, _C, _Y, _M), None),
        (60, (_S, _D, _O, _P, _C, _Y, _M, _M), (Refusal.SIZE, 0)),
        (60, (_S, _S, _O), (Refusal.TOO_MANY_HOLDERS, 1)),
        # "When needed, one deputy secretary", with a committee and without one.
        (60, (_S, _D, _D, _O), (Refusal.TOO_MANY_HOLDERS, 2)),
        (60, (_O, _P, _C), (Refusal.NO_SECRETARY, 0)),
        (60, (_S, _M, _M, _M), None),
    ],
)
def test_a_committee_is_made_as_article_twenty_says(
    full_members: int, posts: tuple[Post, ...], expected: tuple[Refusal, int] | None
) -> None:
    assert refusal_of(_committee(*posts), full_members=full_members) == expected


def test_the_rule_names_its_article() -> None:
    assert "第二十条" in COMPOSITION.article


def test_one_may_hold_two_posts_that_do_not_include_each_other() -> None:
    appointments = [
        Appointment(member_id="a", post=_S),
        Appointment(member_id="a", post=_O),
        Appointment(member_id="b", post=_P),
        Appointment(member_id="c", post=_C),
    ]
    assert refusal_of(appointments, full_members=7) is None
    # Two people with three posts are no committee of three.
    assert refusal_of(appointments[:3], full_members=7) == (Refusal.SIZE, 0)
    clash = [*appointments, Appointment(member_id="a", post=_D)]
    assert refusal_of(clash, full_members=7) == (Refusal.POSTS_OF_ONE_CLASH, 4)
    assert may_hold_together([], _M)
    assert not may_hold_together([_M], _Y)
    assert not may_hold_together([_O], _O)
    assert may_hold_together([_D], _C)


def test_what_was_there_and_is_not_held_stands_empty() -> None:
    assert vacancies([_S, _O, _M, _M], [_S, _M]) == [_O, _M]
    assert vacancies([_S], [_S]) == []
    assert vacancies([_S, _D], []) == [_S, _D]


@pytest.mark.parametrize(
    ("start", "years", "expected"),
    [
        (date(2026, 3, 1), 3, date(2029, 2, 28)),
        (date(2025, 3, 1), 3, date(2028, 2, 29)),
        (date(2024, 2, 29), 3, date(2027, 2, 27)),
        (date(2026, 1, 1), 5, date(2030, 12, 31)),
    ],
)
def test_a_term_ends_the_day_before_its_years_are_over(start: date, years: int, expected: date) -> None:
    assert term_end(start, years) == expected


@pytest.mark.parametrize(
    ("today", "left", "due"),
    [
        (date(2026, 6, 30), 6, None),
        (date(2026, 7, 1), 6, 6),
        (date(2026, 7, 2), 5, 6),
        (date(2026, 9, 30), 3, 6),
        (date(2026, 10, 1), 3, 3),
        (date(2026, 12, 1), 1, 1),
        (date(2026, 12, 31), 0, 1),
        (date(2027, 1, 1), -1, 0),
        (date(2027, 1, 31), -1, 0),
        (date(2027, 2, 1), -2, 0),
    ],
)
def test_a_term_to_the_end_of_the_year_is_warned_of_in_time(today: date, left: int, due: int | None) -> None:
    end = date(2026, 12, 31)
    assert months_left(end, today) == left
    assert warning_due(end, today) == due


@given(_DAYS, st.integers(0, 3000))
def test_months_left_never_rise_as_days_go_by(end: date, days: int) -> None:
    today = end - timedelta(days=days - 1500)
    assert months_left(end, today + timedelta(days=1)) <= months_left(end, today)
    assert (months_left(end, today) < 0) is (today > end)


@given(_DAYS)
def test_each_warning_comes_once_and_in_its_order(end: date) -> None:
    given: int | None = None
    warned: list[int] = []
    while (day := next_warning_date(end, given)) is not None:
        given = warning_due(end, day)
        assert given is not None
        assert warning_date(end, given) == day
        warned.append(given)
    assert warned == list(WARN_MONTHS)
    assert next_warning_date(end, 0) is None


@given(_DAYS, st.integers(-600, 600))
def test_months_added_give_that_month_and_at_most_that_day(day: date, months: int) -> None:
    later = add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day <= day.day
    assert later.day == day.day or (later + timedelta(days=1)).day == 1

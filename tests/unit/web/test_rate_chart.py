"""The chart of the online rate: lines inside the picture, steps where the rate changed, nothing for what is no day."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from zhibu_web.contract_branches import RatePoint
from zhibu_web.rate_chart import HEIGHT, WIDTH, rate_chart
from zhibu_web.rendering import masked, percent

TODAY = date(2026, 11, 23)


def _point(day: str, permille: int) -> RatePoint:
    return RatePoint(date=day, rate_permille=permille)


def test_without_history_there_is_no_chart() -> None:
    assert rate_chart([], threshold_permille=500, today=TODAY) is None
    assert rate_chart([_point("soon", 1), _point("2027-01-01", 1)], threshold_permille=500, today=TODAY) is None


def test_the_rate_holds_until_the_day_on_which_it_changed() -> None:
    chart = rate_chart([_point("2026-11-13", 0), _point("2026-11-18", 1000)], threshold_permille=500, today=TODAY)
    assert chart is not None
    assert chart.line == "52.0,150.0 192.0,150.0 192.0,14.0 332.0,14.0"
    assert (chart.first_day, chart.last_day, chart.threshold_y) == (date(2026, 11, 13), TODAY, 82.0)


@given(
    st.lists(st.tuples(st.dates(date(2020, 1, 1), TODAY), st.integers(-5, 2000)), min_size=1, max_size=50),
    st.integers(0, 1000),
)
def test_every_line_lies_inside_the_picture(days: list[tuple[date, int]], threshold: int) -> None:
    points = [_point(day.isoformat(), permille) for day, permille in sorted(days)]
    chart = rate_chart(points, threshold_permille=threshold, today=TODAY)
    assert chart is not None
    corners = [tuple(map(float, corner.split(","))) for corner in chart.line.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in corners)
    assert [x for x, _ in corners] == sorted(x for x, _ in corners)


def test_percent_has_a_decimal_only_when_it_says_something() -> None:
    assert [percent(one) for one in (0, 500, 523, 1000)] == ["0%", "50%", "52.3%", "100%"]


def test_the_middle_of_a_number_is_hidden_and_short_ones_whole() -> None:
    assert masked("990024197001011234", 6, 2) == "990024**********34"
    assert masked("1234", 3, 4) == "****"
    assert masked("", 3, 4) == ""

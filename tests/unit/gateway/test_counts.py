"""Counting calls over a sliding minute, in several processes."""

from hypothesis import given
from hypothesis import strategies as st
from zhibu_gateway.limits.counts import Counts

START = 60.0 * 1000


def count_until_refused(counts: Counts, *, limit: int, now_s: float) -> int:
    calls = 0
    while counts.count("a", limit=limit, now_s=now_s).allowed:
        calls += 1
    return calls


def test_a_limit_lets_exactly_that_many_calls_pass() -> None:
    counts = Counts(secret=b"s")
    assert count_until_refused(counts, limit=5, now_s=START) == 5
    assert counts.count("b", limit=5, now_s=START).allowed


def test_a_refused_call_fits_after_the_time_told() -> None:
    counts = Counts(secret=b"s")
    count_until_refused(counts, limit=30, now_s=START + 59)
    verdict = counts.count("a", limit=30, now_s=START + 59)
    assert not verdict.allowed
    assert counts.count("a", limit=30, now_s=START + 59 + verdict.wait_s).allowed


@given(limit=st.integers(1, 40), elapsed=st.floats(0, 59.9), later=st.floats(0, 59.9))
def test_the_time_told_is_enough_at_any_moment(limit: int, elapsed: float, later: float) -> None:
    counts = Counts(secret=b"s")
    count_until_refused(counts, limit=limit, now_s=START + elapsed)
    now_s = START + 60 + later
    count_until_refused(counts, limit=limit, now_s=now_s)
    verdict = counts.count("a", limit=limit, now_s=now_s)
    assert counts.count("a", limit=limit, now_s=now_s + verdict.wait_s).allowed


def test_the_last_minute_counts_by_the_share_that_is_still_within_sixty_seconds() -> None:
    counts = Counts(secret=b"s")
    count_until_refused(counts, limit=60, now_s=START + 30)
    assert count_until_refused(counts, limit=60, now_s=START + 60 + 30) == 30
    assert count_until_refused(counts, limit=60, now_s=START + 300) == 60


def share(source: Counts, target: Counts, *, now_s: float, process: str = "p") -> None:
    minute, news = source.take_news(now_s)
    for shard, totals in news.items():
        target.hear(process, shard, minute, totals, now_s=now_s)


def test_what_another_process_counted_is_used_up_here_too() -> None:
    one, two = Counts(secret=b"s"), Counts(secret=b"s")
    for _ in range(7):
        one.count("a", limit=10, now_s=START)
    share(one, two, now_s=START)
    share(one, two, now_s=START)
    assert count_until_refused(two, limit=10, now_s=START) == 3


def test_news_that_arrive_late_or_twice_change_nothing() -> None:
    one, two = Counts(secret=b"s"), Counts(secret=b"s")
    one.count("a", limit=10, now_s=START)
    minute, old = one.take_news(START)
    one.count("a", limit=10, now_s=START)
    _, new = one.take_news(START)
    for news in (new, old, new):
        for shard, totals in news.items():
            two.hear("p", shard, minute, totals, now_s=START)
    assert count_until_refused(two, limit=10, now_s=START) == 8


def test_another_secret_gives_other_keys_and_no_key_shows_the_caller() -> None:
    one, two = Counts(secret=b"s"), Counts(secret=b"t")
    one.count("address|192.0.2.1", limit=5, now_s=START)
    _, news = one.take_news(START)
    assert "192.0.2" not in repr(news)
    share(one, two, now_s=START)
    assert two.count("address|192.0.2.1", limit=5, now_s=START).remaining == 4


def test_counts_too_small_to_matter_are_not_told() -> None:
    counts = Counts(secret=b"s")
    counts.count("a", limit=1000, now_s=START)
    assert counts.take_news(START)[1] == {}

"""One address cannot fill the table of sessions, and does not keep others from theirs."""

import pytest
from zhibu_web.visitor_limit import MAX_ADDRESSES, PER_ADDRESS_PER_MINUTE, TooManyVisitorsError, VisitorLimit


class _Watch:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_an_address_has_its_share_of_each_minute() -> None:
    watch = _Watch()
    limit = VisitorLimit(watch)
    for _ in range(PER_ADDRESS_PER_MINUTE):
        limit.count("203.0.113.1")
    with pytest.raises(TooManyVisitorsError):
        limit.count("203.0.113.1")
    limit.count("203.0.113.2")
    watch.now_s += 60
    limit.count("203.0.113.1")


def test_addresses_of_one_ipv6_network_share() -> None:
    limit = VisitorLimit(_Watch())
    for number in range(PER_ADDRESS_PER_MINUTE):
        limit.count(f"2001:db8::{number:x}")
    with pytest.raises(TooManyVisitorsError):
        limit.count("2001:db8::ffff")
    limit.count("2001:db8:1::1")


def test_what_is_remembered_is_bounded() -> None:
    limit = VisitorLimit(_Watch())
    for number in range(MAX_ADDRESSES + 10):
        limit.count(f"client-{number}")
    assert len(limit) == MAX_ADDRESSES

"""The deny-list: who is refused, and what silence does, on a clock that stands still."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from zhibu_kit.deny_list import DenyList, Revocation
from zhibu_kit.errors import UNAVAILABLE, ServiceError
from zhibu_kit.testing.clock import FixedClock


class Identity:
    """What identity would answer; counts how often it is asked."""

    def __init__(self) -> None:
        self.revocations: list[Revocation] = []
        self.silent = False
        self.asked_since: list[datetime] = []

    async def __call__(self, since: datetime) -> Iterable[Revocation]:
        self.asked_since.append(since)
        if self.silent:
            raise UNAVAILABLE()
        return self.revocations


async def outcome(deny_list: DenyList, account_id: str, issued_at: datetime) -> str:
    try:
        await deny_list.check(account_id, issued_at)
    except ServiceError as error:
        return error.reason
    return "OK"


async def test_tokens_made_up_to_the_revocation_are_refused_and_later_ones_pass() -> None:
    clock = FixedClock()
    deny_list = DenyList(clock=clock)
    deny_list.heartbeat(clock.now())
    deny_list.revoke(Revocation(account_id="a", revoked_at=clock.now()))
    assert await outcome(deny_list, "a", clock.now() - timedelta(seconds=1)) == "UNAUTHENTICATED"
    assert await outcome(deny_list, "a", clock.now()) == "UNAUTHENTICATED"
    assert await outcome(deny_list, "a", clock.now() + timedelta(seconds=1)) == "OK"
    assert await outcome(deny_list, "b", clock.now()) == "OK"


async def test_an_older_revocation_that_comes_late_takes_nothing_back() -> None:
    clock = FixedClock()
    deny_list = DenyList(clock=clock)
    deny_list.heartbeat(clock.now())
    deny_list.revoke(Revocation(account_id="a", revoked_at=clock.now()))
    deny_list.revoke(Revocation(account_id="a", revoked_at=clock.now() - timedelta(minutes=5)))
    assert await outcome(deny_list, "a", clock.now() - timedelta(minutes=1)) == "UNAUTHENTICATED"


async def test_a_new_list_is_not_caught_up_and_refuses_when_nobody_can_be_asked() -> None:
    clock = FixedClock()
    deny_list = DenyList(clock=clock)
    assert (deny_list.caught_up, await outcome(deny_list, "a", clock.now())) == (False, "UNAVAILABLE")


async def test_half_a_minute_of_silence_makes_the_list_ask_identity() -> None:
    clock, identity = FixedClock(), Identity()
    deny_list = DenyList(clock=clock, fetch=identity)
    deny_list.heartbeat(clock.now())
    issued_at = clock.now()
    clock.advance(29.9)
    assert (await outcome(deny_list, "a", issued_at), identity.asked_since) == ("OK", [])
    clock.advance(0.1)
    identity.revocations = [Revocation(account_id="a", revoked_at=clock.now())]
    assert await outcome(deny_list, "a", issued_at) == "UNAUTHENTICATED"
    assert identity.asked_since == [clock.now() - timedelta(hours=1)]


async def test_identity_is_asked_no_more_than_every_five_seconds_during_silence() -> None:
    clock, identity = FixedClock(), Identity()
    deny_list = DenyList(clock=clock, fetch=identity)
    for _ in range(10):
        assert await outcome(deny_list, "a", clock.now()) == "OK"
        clock.advance(1)
    assert len(identity.asked_since) == 2


async def test_silence_on_both_ways_refuses_every_token_until_one_of_them_speaks_again() -> None:
    clock, identity = FixedClock(), Identity()
    deny_list = DenyList(clock=clock, fetch=identity)
    deny_list.heartbeat(clock.now())
    identity.silent = True
    clock.advance(31)
    assert await outcome(deny_list, "a", clock.now()) == "UNAVAILABLE"
    assert not deny_list.caught_up
    deny_list.heartbeat(clock.now())
    assert await outcome(deny_list, "a", clock.now()) == "OK"
    clock.advance(31)
    identity.silent = False
    assert await outcome(deny_list, "a", clock.now()) == "OK"


async def test_an_identity_that_does_not_answer_is_left_alone_for_a_second() -> None:
    clock, identity = FixedClock(), Identity()
    identity.silent = True
    deny_list = DenyList(clock=clock, fetch=identity)
    for _ in range(5):
        assert await outcome(deny_list, "a", clock.now()) == "UNAVAILABLE"
    assert len(identity.asked_since) == 1
    clock.advance(1)
    identity.silent = False
    assert await outcome(deny_list, "a", clock.now()) == "OK"


async def test_a_heartbeat_counts_from_when_it_was_sent_not_from_when_it_arrived() -> None:
    clock = FixedClock()
    deny_list = DenyList(clock=clock)
    deny_list.heartbeat(clock.now() - timedelta(seconds=40))
    assert not deny_list.caught_up


async def test_a_heartbeat_from_the_future_does_not_keep_the_list_fresh_for_longer() -> None:
    clock = FixedClock()
    deny_list = DenyList(clock=clock)
    deny_list.heartbeat(clock.now() + timedelta(hours=1))
    clock.advance(31)
    assert not deny_list.caught_up


@pytest.mark.parametrize(("age", "remembered"), [(timedelta(minutes=59), True), (timedelta(hours=3), False)])
async def test_revocations_older_than_any_living_token_are_forgotten(age: timedelta, *, remembered: bool) -> None:
    clock = FixedClock()
    deny_list = DenyList(clock=clock)
    deny_list.revoke(Revocation(account_id="a", revoked_at=clock.now()))
    clock.advance(age.total_seconds())
    deny_list.revoke(Revocation(account_id="b", revoked_at=clock.now()))
    assert deny_list.is_denied("a", clock.now() - age) is remembered

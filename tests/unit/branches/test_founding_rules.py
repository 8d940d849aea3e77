"""When a virtual branch may be founded, and until when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_branches.rules.foundings import (
    DEFAULT_KINDS,
    REQUIRED_FULL_MEMBERS,
    Kind,
    KindRefusal,
    Signer,
    expires_at,
    full_count,
    may_be_submitted,
    refusal_of_kinds,
    standing,
)

_SIGNERS = st.lists(
    st.builds(Signer, member_id=st.text(max_size=3), present=st.booleans(), full_member=st.booleans()), max_size=12
)


def test_the_sixtieth_day_in_shanghai_is_the_last_one() -> None:
    # 23:30 in Shanghai on 1 March; the sixtieth day after it is 30 April.
    assert expires_at(datetime(2026, 3, 1, 15, 30, tzinfo=UTC)) == datetime(2026, 4, 30, 16, 0, tzinfo=UTC)
    # Half an hour later it is 2 March there, and everything a day later.
    assert expires_at(datetime(2026, 3, 1, 16, 0, tzinfo=UTC)) == datetime(2026, 5, 1, 16, 0, tzinfo=UTC)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis adds it
def test_everybody_has_sixty_whole_days_and_never_sixty_one(begun: datetime) -> None:
    assert timedelta(days=60) < expires_at(begun) - begun <= timedelta(days=61)


@pytest.mark.parametrize(
    ("full", "others", "lapsed", "expected"),
    [(3, 0, 0, True), (2, 50, 0, False), (2, 0, 1, False), (3, 4, 9, True), (0, 0, 0, False)],
)
def test_three_full_members_whose_record_is_open_make_a_founding(
    full: int, others: int, lapsed: int, *, expected: bool
) -> None:
    signers = [
        *(Signer(member_id=f"full{at}", present=True, full_member=True) for at in range(full)),
        *(Signer(member_id=f"other{at}", present=True, full_member=False) for at in range(others)),
        *(Signer(member_id=f"lapsed{at}", present=False, full_member=True) for at in range(lapsed)),
    ]
    assert may_be_submitted(signers) is expected


@given(_SIGNERS)
def test_nobody_is_lost_and_only_full_members_count(signers: list[Signer]) -> None:
    present, lapsed = standing(signers)
    assert len(present) + len(lapsed) == len(signers)
    assert full_count(signers) == full_count(present) <= len(present)
    assert full_count(lapsed) == 0
    assert may_be_submitted(signers) is (full_count(signers) >= REQUIRED_FULL_MEMBERS)


def test_the_five_kinds_of_the_paper_are_there_from_the_start() -> None:
    assert [kind.name for kind in DEFAULT_KINDS] == [
        "mobile_members",
        "village_graduates",
        "trade",
        "organisation_cadres",
        "activists",
    ]
    assert all(kind.active for kind in DEFAULT_KINDS)
    assert refusal_of_kinds(DEFAULT_KINDS, []) is None


def test_a_kind_in_use_can_be_closed_and_not_removed() -> None:
    closed = [Kind(name=kind.name, zh=kind.zh, en=kind.en, active=kind.name != "trade") for kind in DEFAULT_KINDS]
    assert refusal_of_kinds(closed, ["trade"]) is None
    without = [kind for kind in DEFAULT_KINDS if kind.name != "trade"]
    assert refusal_of_kinds(without, ["trade", "activists"]) == (KindRefusal.IN_USE, "trade")
    assert refusal_of_kinds(without, ["activists"]) is None


def test_a_kind_is_named_once_and_one_stays_open() -> None:
    assert refusal_of_kinds([*DEFAULT_KINDS, DEFAULT_KINDS[1]], []) == (KindRefusal.NAMED_TWICE, "village_graduates")
    none = [Kind(name="trade", zh="行业", en="Trade", active=False)]
    assert refusal_of_kinds(none, []) == (KindRefusal.NONE_ACTIVE, "trade")

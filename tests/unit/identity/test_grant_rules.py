"""Who may give which office, and for how long."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from zhibu_identity.rules.grant import (
    GrantFault,
    OfficeShape,
    Term,
    find_office_fault,
    find_reach_fault,
    latest_end,
    read_term,
)

PERMISSIONS = ("a.read", "a.write", "b.read", "grants.make")
TODAY = date(2026, 11, 23)
permission_sets = st.frozensets(st.sampled_from(PERMISSIONS))


@given(office=permission_sets, held=permission_sets)
def test_nobody_grants_what_they_do_not_hold(office: frozenset[str], held: frozenset[str]) -> None:
    shape = OfficeShape(levels=frozenset({"county"}), permissions=office)
    fault = find_office_fault(shape, level="county", held_permissions=held)
    assert (fault is None) == (office <= held)


def test_an_office_stands_only_at_its_levels() -> None:
    shape = OfficeShape(levels=frozenset({"county"}), permissions=frozenset())
    assert find_office_fault(shape, level="branch", held_permissions=frozenset()) is GrantFault.WRONG_LEVEL
    assert find_office_fault(None, level="branch", held_permissions=frozenset()) is GrantFault.UNKNOWN_OFFICE


def test_a_term_runs_from_midnight_to_midnight_in_shanghai() -> None:
    assert read_term(TODAY, TODAY, today=TODAY) == Term(
        starts_at=datetime(2026, 11, 22, 16, tzinfo=UTC), ends_at=datetime(2026, 11, 23, 16, tzinfo=UTC)
    )


@given(start=st.dates(date(2020, 1, 1), date(2040, 1, 1)), days=st.integers(-10, 3000))
def test_no_term_is_longer_than_six_years_or_over_before_it_is_made(start: date, days: int) -> None:
    end = start + timedelta(days=days)
    term = read_term(start, end, today=TODAY)
    if isinstance(term, Term):
        assert start <= end <= latest_end(start)
        assert end >= TODAY
    else:
        assert end < start or end < TODAY or end > latest_end(start)


def test_an_office_goes_only_to_members_within_the_organisation() -> None:
    linqu = frozenset({"370724", "3707", "37"})

    def fault(organisation_id: str, county: str | None) -> GrantFault | None:
        return find_reach_fault(
            organisation_id=organisation_id,
            organisation_county=county,
            member_county="370724",
            member_ancestors=linqu,
        )

    assert fault("370724", "370724") is None
    assert fault("370724-b01", "370724") is None
    assert fault("37", None) is None
    assert fault("3701", None) is GrantFault.OTHER_COUNTY
    assert fault("370703", "370703") is GrantFault.OTHER_COUNTY

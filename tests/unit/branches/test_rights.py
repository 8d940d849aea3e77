"""By which membership an act is done."""

from dataclasses import replace

import pytest
from zhibu_branches.rules.members import MembershipKind, PartyStatus
from zhibu_branches.rules.rights import (
    ACTS,
    DEFAULT_RIGHTS,
    Right,
    RightsRefusal,
    acts_of,
    check_rights,
    counts_in_physical,
)


def test_the_defaults_name_each_act_once_with_its_article() -> None:
    assert check_rights(DEFAULT_RIGHTS) is None
    assert all(right.article and ACTS[right.act].zh and ACTS[right.act].en for right in DEFAULT_RIGHTS)


def test_a_virtual_branch_votes_its_committee_and_decisions_and_nothing_else() -> None:
    virtual = acts_of(DEFAULT_RIGHTS, kind=MembershipKind.VIRTUAL, status=PartyStatus.FULL)
    assert virtual == ["committee_vote", "committee_candidacy", "decision_vote", "meeting"]
    physical = acts_of(DEFAULT_RIGHTS, kind=MembershipKind.PHYSICAL, status=PartyStatus.FULL)
    assert set(physical) == set(ACTS)


@pytest.mark.parametrize("status", [one for one in PartyStatus if one is not PartyStatus.FULL])
def test_only_full_members_vote_and_stand(status: PartyStatus) -> None:
    for kind in MembershipKind:
        acts = acts_of(DEFAULT_RIGHTS, kind=kind, status=status)
        assert not {act for act in acts if act.endswith(("_vote", "_candidacy"))}


def test_members_under_probation_pay_dues_and_applicants_do_not() -> None:
    under_probation = acts_of(DEFAULT_RIGHTS, kind=MembershipKind.PHYSICAL, status=PartyStatus.UNDER_PROBATION)
    assert "dues" in under_probation
    applicant = acts_of(DEFAULT_RIGHTS, kind=MembershipKind.PHYSICAL, status=PartyStatus.APPLICANT)
    assert applicant == ["meeting", "study_credits", "statistics"]


@pytest.mark.parametrize(
    ("rights", "refusal"),
    [
        (DEFAULT_RIGHTS[1:], RightsRefusal.ACT_MISSING),
        ((*DEFAULT_RIGHTS, DEFAULT_RIGHTS[0]), RightsRefusal.ACT_TWICE),
        ((*DEFAULT_RIGHTS, replace(DEFAULT_RIGHTS[0], act="sleep")), RightsRefusal.ACT_UNKNOWN),
        ((replace(DEFAULT_RIGHTS[0], by_physical=False, by_virtual=False), *DEFAULT_RIGHTS[1:]), RightsRefusal.NOWHERE),
    ],
)
def test_rights_that_do_not_work_are_refused(rights: tuple[Right, ...], refusal: RightsRefusal) -> None:
    assert check_rights(rights) is refusal


def test_an_act_of_the_physical_branch_counts_there_whoever_reports_it() -> None:
    assert counts_in_physical(DEFAULT_RIGHTS, "points")
    assert counts_in_physical(DEFAULT_RIGHTS, "something_new")
    assert not counts_in_physical(DEFAULT_RIGHTS, "meeting")

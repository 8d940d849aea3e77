"""The whole county is the paper's, to the last founder, and what the small demonstration holds of it is counted in."""

from zhibu_demo.branches import BRANCHES
from zhibu_demo.county.load import make_county
from zhibu_demo.county.plan import PAPER, members_of_small, sizes_at, virtual_branches
from zhibu_demo.people import DEFAULT_SEED, make_people

SMALL = make_people(branch_counties=tuple(branch.county_code for branch in BRANCHES))
# Founded by the small demonstration: one virtual branch with four founders.
SMALL_VIRTUAL, SMALL_FOUNDERS = 1, 4


def test_the_numbers_are_those_of_the_paper() -> None:
    county = make_county(DEFAULT_SEED, PAPER, SMALL)
    assert len({branch.name for branch in county.people}) == 121
    assert county.row_count + members_of_small(SMALL) == 24_000
    virtual = virtual_branches(DEFAULT_SEED, PAPER)
    assert len({branch.name for branch in virtual}) + SMALL_VIRTUAL == 118
    assert sum(branch.founder_count for branch in virtual) + SMALL_FOUNDERS == 1_493


def test_everybody_can_be_told_from_everybody_else() -> None:
    everybody = [person for each in make_county(DEFAULT_SEED, PAPER, SMALL).people.values() for person in each]
    assert len({person.resident_number for person in everybody}) == len(everybody)
    assert len({person.telephone for person in everybody}) == len(everybody)
    # In the list of a branch the desk shows the name and the end of the telephone only.
    shown = {(person.branch.number, person.real_name, person.telephone[-4:]) for person in everybody}
    assert len(shown) == len(everybody)


def test_there_are_full_members_with_a_device_enough_to_found_all_virtual_branches() -> None:
    county = make_county(DEFAULT_SEED, PAPER, SMALL)
    each_count = -(-PAPER.founders // len(county.people))
    assert all(
        sum(person.is_full and person.equipped for person in own) >= each_count for own in county.people.values()
    )
    assert min(branch.founder_count for branch in virtual_branches(DEFAULT_SEED, PAPER)) >= 3


def test_the_small_demonstrations_branches_are_some_of_the_county() -> None:
    names = {branch.name for branch in make_county(DEFAULT_SEED, PAPER, SMALL).people}
    assert {branch.name for branch in BRANCHES if branch.county_code == "370724"} <= names


def test_a_hundredth_of_the_county_has_every_part() -> None:
    sizes = sizes_at(100)
    county = make_county(DEFAULT_SEED, sizes, SMALL)
    assert len(county.people) == sizes.physical_branches
    assert county.row_count + members_of_small(SMALL) == sizes.members
    assert {branch.committee.organisation_id is None for branch in county.people} == {True, False}
    assert (
        sum(branch.founder_count for branch in virtual_branches(DEFAULT_SEED, sizes)) + SMALL_FOUNDERS == sizes.founders
    )


def test_another_seed_makes_other_people_and_the_same_seed_the_same() -> None:
    county = make_county(DEFAULT_SEED, sizes_at(100), SMALL)
    assert make_county(DEFAULT_SEED, sizes_at(100), SMALL) == county
    assert make_county("another", sizes_at(100), SMALL) != county

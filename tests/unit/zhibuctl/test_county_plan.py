"""The plan of a county's first day: the how-to's example is read, and every mistake is told at once."""

import re
from pathlib import Path

import pytest
from zhibuctl.county.plan import Branch, Plan, RosterPlan, Switches, Township, read_plan
from zhibuctl.errors import OperatorError

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to" / "onboard-a-county.md"


def write(directory: Path, text: str) -> Path:
    path = directory / "plan.toml"
    path.write_text(text, encoding="utf-8")
    return path


def complaints(directory: Path, text: str) -> str:
    with pytest.raises(OperatorError) as refused:
        read_plan(write(directory, text))
    return refused.value.message


def test_the_example_of_the_how_to_is_a_plan(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    assert example
    roster = tmp_path / "昌乐县党员花名册.xlsx"
    roster.touch()
    assert read_plan(write(tmp_path, example.group(1))) == Plan(
        code="370725",
        name="昌乐县",
        first_offices=("county_admin", "county_approver"),
        switches=Switches(help_telephone="0536-0000-725", help_hours="工作日 8:30–17:30"),
        townships=(Township(code="370725001", name="宝都街道"),),
        sectors=("中共昌乐县委县直机关工作委员会",),
        branches=(Branch(parent="宝都街道", name="昌乐县宝都街道新昌社区党支部", term_years=5),),
        roster=RosterPlan(file=roster, commit=True, create_branches=True),
    )


def test_code_and_name_are_enough(tmp_path: Path) -> None:
    plan = read_plan(write(tmp_path, '[county]\ncode = "370725"\nname = "昌乐县"'))
    assert (plan.city, plan.first_offices, plan.roster) == ("3707", ("county_admin", "county_approver"), None)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    told = complaints(
        tmp_path,
        """
        sectors = ["教育", "教育"]
        [county]
        code = "37072X"
        first_offices = ["secretary"]
        colour = "red"
        [[townships]]
        code = "370724001"
        name = "别处"
        [[branches]]
        parent = "没有"
        name = "某支部"
        term_years = 4
        [switches]
        applications_open = "yes"
        [roster]
        file = "nowhere.xlsx"
        """,
    )
    for place in (
        "county.code",
        "county.name",
        "county.first_offices",
        "county.colour",
        "townships[1].code",
        "branches[1].parent",
        "branches[1].term_years",
        "switches.applications_open",
        "roster.file",
        "sectors",
    ):
        assert place in told, place


@pytest.mark.parametrize("sectors", ['["教育", ["卫生"]]', "[3]", "[{ name = '教育' }]"])
def test_sectors_that_are_no_names_are_told(sectors: str, tmp_path: Path) -> None:
    told = complaints(tmp_path, f'sectors = {sectors}\n[county]\ncode = "370725"\nname = "昌乐县"')
    assert "sectors: 应为名称" in told


@pytest.mark.parametrize("text", ["county = [", "county = 3"])
def test_what_is_no_plan_is_one_sentence_in_each_language(text: str, tmp_path: Path) -> None:
    told = complaints(tmp_path, text)
    assert re.search(r"计划", told)
    assert "the plan" in told

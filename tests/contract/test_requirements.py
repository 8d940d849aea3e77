"""Requirements and tests are tied in both directions."""

import pytest
from zhibu_docs.contract import REPOSITORY
from zhibu_docs.requirements import Requirement, modules_of, names_of_tests, requirements

_ALL = requirements()
_IDS = {requirement.id for requirement in _ALL}
_PRODUCT = {
    f"{letter}{number}"
    for letter, count in {"A": 5, "B": 16, "C": 3, "D": 4, "E": 7}.items()
    for number in range(1, count + 1)
}


def test_every_part_of_the_product_is_in_the_manifest() -> None:
    assert _PRODUCT <= _IDS


@pytest.mark.parametrize("requirement", _ALL, ids=lambda requirement: requirement.id)
def test_what_is_built_or_begun_names_tests_that_exist_and_what_comes_later_names_none(
    requirement: Requirement,
) -> None:
    assert bool(requirement.tests) == (requirement.state != "later")
    for node in requirement.tests:
        path, _, name = node.partition("::")
        assert (REPOSITORY / path).exists(), node
        if name:
            assert name in names_of_tests(REPOSITORY / path), node
        else:
            assert any(names_of_tests(module) for module in modules_of(node)), node


def test_every_module_of_integration_and_end_to_end_tests_proves_some_part() -> None:
    claimed = {module for requirement in _ALL for node in requirement.tests for module in modules_of(node)}
    found = {
        module for folder in ("integration", "e2e") for module in (REPOSITORY / "tests" / folder).rglob("test_*.py")
    }
    assert {module.relative_to(REPOSITORY).as_posix() for module in found - claimed} == set()

"""docs/requirements.md: every part of the platform by its id, and the tests that prove it.

The manifest is tests/requirements.toml. A test of the contract holds it in both directions: what it names exists, and every module of
integration and end-to-end tests is named by some requirement.
"""

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from zhibu_docs.contract import REPOSITORY
from zhibu_docs.markdown import page

MANIFEST = REPOSITORY / "tests" / "requirements.toml"
State = Literal["built", "begun", "later"]

_ABOUT = """
The parts of Zhibu keep their ids in tests, documents and issues. *Built* means that everything the part promises for this release works and
is tested; *begun* says in its note what is there; *later* parts have no code yet.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One part: `tests` are folders, files, or files with `::` and the name of a test."""

    id: str
    title: str
    state: State
    note: str
    tests: tuple[str, ...]


def requirements() -> tuple[Requirement, ...]:
    """Read the manifest."""
    with MANIFEST.open("rb") as file:
        entries = tomllib.load(file)
    return tuple(
        Requirement(
            id=identifier,
            title=str(entry["title"]),
            state=cast("State", entry["state"]),
            note=str(entry.get("note", "")),
            tests=tuple(cast("list[str]", entry.get("tests", []))),
        )
        for identifier, entry in entries.items()
    )


def names_of_tests(path: Path) -> frozenset[str]:
    """Return the names of the tests in a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds) and node.name.startswith("test_"))


def modules_of(node: str) -> list[Path]:
    """Return the modules of tests that an entry of the manifest names."""
    path = REPOSITORY / node.partition("::")[0]
    return sorted(path.rglob("test_*.py")) if path.is_dir() else [path]


def sentence(name: str) -> str:
    """Return the name of a test as the sentence that it is."""
    return name.removeprefix("test_").replace("_", " ")


def render() -> str:
    """Write the page."""
    sections: list[str] = []
    for requirement in requirements():
        lines = [f"## {requirement.id} {requirement.title}", f"*{requirement.state.capitalize()}.* {requirement.note}"]
        tests = [line for node in requirement.tests for line in _lines(node)]
        sections.append("\n\n".join([line.strip() for line in lines] + (["\n".join(tests)] if tests else [])))
    return page("Requirements and their tests", "tests/requirements.toml", _ABOUT, *sections)


def _lines(node: str) -> list[str]:
    _, _, name = node.partition("::")
    if name:
        return [f"- `{node.partition('::')[0]}`: {sentence(name)}"]
    modules = [(module, sorted(names_of_tests(module))) for module in modules_of(node)]
    return [
        f"- `{module.relative_to(REPOSITORY).as_posix()}` ({len(names)}), among them: {sentence(names[0])}"
        for module, names in modules
        if names
    ]

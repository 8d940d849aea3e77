"""Every bench can be run by the command that it names, at its smallest size too, and its figures have a place."""

import ast
import importlib
import importlib.util
import re
import sys
from pathlib import Path

import pytest
from zhibu_docs.contract import REPOSITORY

BENCH = REPOSITORY / "bench"
MODULES = sorted(path.stem for path in BENCH.glob("*.py"))
BENCHES = [name for name in MODULES if "\nif __name__ ==" in (BENCH / f"{name}.py").read_text(encoding="utf-8")]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_of_the_benches_can_be_imported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    before = set(sys.modules)
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    # Where dataclasses look for it.
    monkeypatch.setitem(sys.modules, spec.name, made)
    try:
        spec.loader.exec_module(made)
    finally:
        for imported in (set(sys.modules) - before) & set(MODULES):
            del sys.modules[imported]


@pytest.mark.parametrize("name", BENCHES)
def test_a_bench_has_a_command_sizes_a_section_and_a_row_in_the_list(name: str) -> None:
    source = (BENCH / f"{name}.py").read_text(encoding="utf-8")
    doc = ast.get_docstring(ast.parse(source)) or ""
    assert f".venv/bin/python bench/{name}.py [--smoke]" in doc
    assert re.search(rf'Report\(\s*"{name}",', source), "it writes the section of its name"
    assert "smoke=" in source
    assert "read_sizes(" in source
    assert re.search(r"sys\.exit\((asyncio\.run\()?main\(", source), "its status says whether it missed its target"
    assert f"| `{name}.py` |" in (BENCH / "README.md").read_text(encoding="utf-8")


def test_a_smoke_run_writes_no_document(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    report = importlib.import_module("report")

    document = tmp_path / "performance.md"
    document.write_text("as it was", encoding="utf-8")
    monkeypatch.setattr(report, "PERFORMANCE", document)
    monkeypatch.setattr(report, "REPOSITORY", tmp_path)
    monkeypatch.setattr(sys, "argv", ["bench/some.py", "--smoke", "--rows", "7"])
    given = report.read_sizes(
        "What it does.", rows=report.Size(full=100_000, smoke=10), runs=report.Size(full=3, smoke=1)
    )
    assert (given.smoke, given.rows, given.runs) == (True, 7, 1)
    told = report.Report("some", "title", target="fast", smoke=given.smoke)
    assert told.write(missed=True) == 0
    assert document.read_text(encoding="utf-8") == "as it was"
    monkeypatch.setattr(sys, "argv", ["bench/some.py"])
    given = report.read_sizes("What it does.", rows=report.Size(full=100_000, smoke=10))
    assert (given.smoke, given.rows) == (False, 100_000)

"""Exported cells show text and never run."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zhibu_identity.rules.spreadsheet import row_of


@given(st.lists(st.text(), min_size=1, max_size=6))
def test_a_reader_of_csv_gets_back_every_cell_of_a_row(cells: list[str]) -> None:
    (row,) = csv.reader(io.StringIO(row_of(cells), newline=""), strict=True)
    assert [cell.removeprefix("'") for cell in row] == [cell.removeprefix("'") for cell in cells]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "＝1"])
def test_no_cell_begins_as_a_formula(text: str) -> None:
    assert row_of([text]).startswith("\"'")


def test_rare_names_are_exported_unharmed() -> None:
    assert row_of(["王𠮷", '说"好"']) == '"王𠮷","说""好"""\r\n'

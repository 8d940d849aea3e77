"""What is sealed of a roster, as JSON: its layout, and what each row says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.rosters.reading.fields import Field
from zhibu_identity.rosters.reading.layout import Basis, Column, Layout
from zhibu_identity.rosters.reading.people import Person
from zhibu_identity.rosters.reading.problems import Problem, Reason

_LAYOUT: Final = "roster.layout"
_CHOSEN: Final = "roster.chosen"
_ROW: Final = "roster_row.payload"
FILE_NAME: Final = "roster.file_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What an officer chose by hand; empty where they left it to us."""

    sheet_name: str = ""
    heading_row: int = 0
    fields: Mapping[int, Field] = field(default_factory=dict[int, Field])


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a file is read: its sheets, and the layout of the one that is read."""

    sheet_names: tuple[str, ...]
    layout: Layout
    # Titles and headings, for the file of problems.
    head: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One difference of a row."""

    field: Field
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPayload:
    """What a row says, what is wrong with it, changes by it or is not taken over.

    `cells` are kept for rows with problems or notices.
    """

    person: Person
    problems: tuple[Problem, ...] = ()
    notices: tuple[Problem, ...] = ()
    changes: tuple[FieldChange, ...] = ()
    cells: tuple[str, ...] = ()
    branch_name: str = ""


def seal_plan(plan: Plan, key: MemberKey) -> bytes:
    """Seal how a file is read."""
    layout = plan.layout
    value = {
        "sheets": plan.sheet_names,
        "sheet": layout.sheet_name,
        "row": layout.heading_row,
        "lines": layout.heading_lines,
        "months": sorted(layout.two_digit_months),
        "columns": [
            [each.index, each.heading, int(each.field), each.basis.name, each.samples] for each in layout.columns
        ],
        "head": plan.head,
    }
    return key.seal(_dumps(value), place=_LAYOUT)


def open_plan(sealed: bytes | None, key: MemberKey | None) -> Plan | None:
    """Open how a file is read; None when it was never found out, or the roster's key is gone."""
    if sealed is None or key is None:
        return None
    value = json.loads(key.open(sealed, place=_LAYOUT))
    columns = tuple(
        Column(index=index, heading=heading, field=Field(number), basis=Basis[basis], samples=tuple(samples))
        for index, heading, number, basis, samples in value["columns"]
    )
    layout = Layout(
        sheet_name=value["sheet"],
        heading_row=value["row"],
        heading_lines=value["lines"],
        columns=columns,
        two_digit_months=frozenset(value["months"]),
    )
    head = tuple(tuple(row) for row in value["head"])
    return Plan(sheet_names=tuple(value["sheets"]), layout=layout, head=head)


def seal_chosen(chosen: Chosen, key: MemberKey) -> bytes:
    """Seal what was chosen by hand."""
    fields = {str(index): int(each) for index, each in chosen.fields.items()}
    return key.seal(_dumps({"sheet": chosen.sheet_name, "row": chosen.heading_row, "fields": fields}), place=_CHOSEN)


def open_chosen(sealed: bytes | None, key: MemberKey) -> Chosen:
    """Open what was chosen by hand."""
    if sealed is None:
        return Chosen()
    value = json.loads(key.open(sealed, place=_CHOSEN))
    fields = {int(index): Field(number) for index, number in value["fields"].items()}
    return Chosen(sheet_name=value["sheet"], heading_row=value["row"], fields=fields)


def seal_row(row: RowPayload, key: MemberKey) -> bytes:
    """Seal what a row says."""
    value: dict[str, Any] = {"person": {name: each for name, each in asdict(row.person).items() if each}}
    if row.problems:
        value["problems"] = _listed(row.problems)
    if row.notices:
        value["notices"] = _listed(row.notices)
    if row.cells:
        value["cells"] = row.cells
    if row.changes:
        value["changes"] = [[int(each.field), each.old, each.new] for each in row.changes]
    if row.branch_name:
        value["branch"] = row.branch_name
    return key.seal(_dumps(value), place=_ROW)


def open_row(sealed: bytes, key: MemberKey) -> RowPayload:
    """Open what a row says."""
    value = json.loads(key.open(sealed, place=_ROW))
    return RowPayload(
        person=Person(**value["person"]),
        problems=_problems(value.get("problems", ())),
        notices=_problems(value.get("notices", ())),
        changes=tuple(FieldChange(field=Field(at), old=old, new=new) for at, old, new in value.get("changes", ())),
        cells=tuple(value.get("cells", ())),
        branch_name=value.get("branch", ""),
    )


def _listed(problems: Sequence[Problem]) -> list[list[Any]]:
    return [[each.reason.name, int(each.field), each.column, dict(each.params)] for each in problems]


def _problems(listed: Sequence[Sequence[Any]]) -> tuple[Problem, ...]:
    return tuple(
        Problem(reason=Reason[reason], field=Field(number), column=column, params=params)
        for reason, number, column, params in listed
    )


def _dumps(value: Mapping[str, Any] | Sequence[Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

"""From rosters to the contract's messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row
from zhibu.identity.v1 import roster_pb2 as pb
from zhibu_kit.errors import EN
from zhibu_kit.etag import etag_of

from zhibu_identity.api.messages import LAST_SHOWN, optional_timestamp
from zhibu_identity.events import timestamp
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.rosters.payloads import FILE_NAME, Plan, RowPayload, open_row
from zhibu_identity.rosters.places import Places
from zhibu_identity.rosters.reading.cells import column_name
from zhibu_identity.rosters.reading.fields import Field
from zhibu_identity.rosters.reading.files import FileFault
from zhibu_identity.rosters.reading.layout import Column
from zhibu_identity.rosters.reading.problems import Problem
from zhibu_identity.rosters.records import MissingBranch, Roster

_NUMBERS: Final = frozenset({Field.RESIDENT_NUMBER, Field.TELEPHONE})


def roster_message(
    record: Roster,
    key: MemberKey | None,
    *,
    language: str,
    plan: Plan | None = None,
    missing: Sequence[MissingBranch] = (),
    places: Places | None = None,
) -> pb.Roster:
    """Return a roster, with columns and branches when they are given. Of one that was thrown away, sums are left."""
    layout = plan.layout if plan else None
    fault = FileFault[record.failure] if record.failure else None
    opened = key is not None and bool(record.file_name)
    return pb.Roster(
        roster_id=record.roster_id,
        organisation_id=record.organisation_id,
        file_name=key.open(record.file_name, place=FILE_NAME) if opened and key is not None else "",
        sheet_name=layout.sheet_name if layout else "",
        sheet_names=plan.sheet_names if plan else (),
        heading_row=layout.heading_row if layout else 0,
        state=pb.RosterState.ValueType(record.state),
        columns=[_column(column, language) for column in layout.columns] if layout else (),
        row_count=record.row_count,
        checked_count=record.checked_count,
        new_count=record.new_count,
        changed_count=record.changed_count,
        same_count=record.same_count,
        gone_count=record.gone_count,
        problem_count=record.problem_count,
        application_match_count=record.application_match_count,
        missing_branches=[_missing(each, places) for each in missing],
        failure=fault.value[1 if language == EN else 0] if fault else "",
        failure_reason=fault.name if fault else "",
        committed_count=record.committed_count,
        create_time=timestamp(record.created_at),
        commit_time=optional_timestamp(record.committed_at),
        etag=etag_of(record.version),
        notice_count=record.notice_count,
    )


def row_message(row: Row[Any], key: MemberKey, *, language: str) -> pb.RosterRow:
    """Return a row; numbers are shortened."""
    payload = open_row(row.payload, key)
    return pb.RosterRow(
        row_number=row.row_number,
        member_id=row.member_id or "",
        difference=pb.RosterDifference.ValueType(row.difference),
        real_name=payload.person.real_name or _cell_of(payload, Field.REAL_NAME),
        resident_number=payload.person.resident_number[-LAST_SHOWN:],
        branch_name=payload.branch_name,
        problems=[_problem(each, row.row_number, language=language) for each in payload.problems],
        notices=[_problem(each, row.row_number, language=language) for each in payload.notices],
        changes=[
            pb.RosterFieldChange(
                field=pb.RosterField.ValueType(change.field),
                old_value=_shortened(change.field, change.old),
                new_value=_shortened(change.field, change.new),
            )
            for change in payload.changes
        ],
        application_match=row.application_match,
    )


def cell_name(problem: Problem, row_number: int) -> str:
    """Return the cell of a problem, for example D17; the row alone when the file has no such column."""
    return f"{column_name(problem.column)}{row_number}" if problem.column is not None else str(row_number)


def _problem(problem: Problem, row_number: int, *, language: str) -> pb.RosterProblem:
    return pb.RosterProblem(
        cell=cell_name(problem, row_number),
        field=pb.RosterField.ValueType(problem.field),
        reason=problem.reason.name,
        message=problem.text(language),
    )


def _cell_of(payload: RowPayload, field: Field) -> str:
    """Return what stands in a cell that has a problem."""
    column = next((problem.column for problem in payload.problems if problem.field is field), None)
    return payload.cells[column][:60] if column is not None and column < len(payload.cells) else ""


def _column(column: Column, language: str) -> pb.RosterColumn:
    return pb.RosterColumn(
        index=column.index,
        heading=column.heading,
        field=pb.RosterField.ValueType(column.field),
        samples=column.samples,
        reason=column.basis.value[1 if language == EN else 0],
    )


def _missing(missing: MissingBranch, places: Places | None) -> pb.MissingBranch:
    return pb.MissingBranch(
        committee_name=missing.committee_name,
        committee_id=places.find_committee_id(missing.committee_name) if places and missing.committee_name else "",
        branch_name=missing.branch_name,
        row_count=missing.row_count,
    )


def _shortened(field: Field, value: str) -> str:
    return value[-LAST_SHOWN:] if field in _NUMBERS else value

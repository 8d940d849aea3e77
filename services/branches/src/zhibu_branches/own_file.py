"""Everything that this service keeps about one member, as the file that the member takes along.

Whatever table names members belongs in here; a test compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Table, select
from zhibu.branches.v1 import committee_pb2, survey_pb2
from zhibu_kit.db import Transaction

from zhibu_branches.committees.tables import committee_post
from zhibu_branches.foundings.tables import founding, founding_cosigner
from zhibu_branches.models import counted_act, roster_conflict, unplaced_member
from zhibu_branches.surveys.tables import survey_answer

# Rows of one kind in the file, the newest; nobody does more in decades.
KEPT_MAX: Final = 10_000

Kept = dict[str, object]


async def other_things_kept(transaction: Transaction, member_id: str) -> Kept:
    """What stands beside record, memberships and requests. Reads as the province's role: members sign in many counties."""
    answers = await _rows(transaction, survey_answer, member_id, newest=survey_answer.c.answer_time)
    signed = await transaction.all(
        select(founding, founding_cosigner.c.full_member, founding_cosigner.c.sign_time)
        .join(founding_cosigner, founding_cosigner.c.founding_id == founding.c.founding_id)
        .where(founding_cosigner.c.member_id == member_id)
        .order_by(founding.c.founding_id.desc())
        .limit(KEPT_MAX)
    )
    posts = await _rows(transaction, committee_post, member_id, newest=committee_post.c.post_id)
    acts = await _rows(transaction, counted_act, member_id, newest=counted_act.c.create_time)
    waiting = await _rows(transaction, unplaced_member, member_id, newest=unplaced_member.c.issue_time)
    conflicts = await _rows(transaction, roster_conflict, member_id, newest=roster_conflict.c.roster_id)
    return {
        "survey_answer": _answer(answers[0]) if answers else None,
        "foundings": [_founding(row, member_id) for row in signed],
        "posts": [_post(row) for row in posts],
        "acts": [_plain(row, ("act", "subject_id", "branch_id", "create_time")) for row in acts],
        "waiting_for_a_branch": [_plain(row, ("county_code", "wanted_branch_id", "issue_time")) for row in waiting],
        "roster_conflicts": [
            _plain(row, ("roster_id", "row_number", "reason", "branch_id", "current_branch_id")) for row in conflicts
        ],
    }


async def _rows(
    transaction: Transaction, table: Table, member_id: str, *, newest: ColumnElement[Any]
) -> Sequence[Row[Any]]:
    return await transaction.all(
        select(table).where(table.c.member_id == member_id).order_by(newest.desc()).limit(KEPT_MAX)
    )


def _answer(row: Row[Any]) -> Kept:
    kept = _plain(row, ("has_device", "has_network", "answer_time", "signed_list_number"))
    return {**kept, "state": survey_pb2.SurveyAnswerState.Name(row.state)}


def _founding(row: Row[Any], member_id: str) -> Kept:
    return {
        **_plain(row, ("founding_id", "name", "purpose", "organisation_id", "create_time", "sign_time", "full_member")),
        "proposed_by_me": row.initiator_member_id == member_id,
    }


def _post(row: Row[Any]) -> Kept:
    kept = _plain(row, ("branch_id", "start_date", "end_date", "document_number", "end_document_number"))
    return {**kept, "post": committee_pb2.Post.Name(row.post)}


def _plain(row: Row[Any], names: Sequence[str]) -> Kept:
    """The named columns, days and instants as the contract writes them."""
    values = {name: getattr(row, name) for name in names}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}

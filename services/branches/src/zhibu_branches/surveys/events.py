"""What other services are told of surveys."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any, Final

from google.protobuf.message import Message
from sqlalchemy import Row, select
from zhibu.branches.v1 import branches_events_pb2 as events
from zhibu.branches.v1 import survey_pb2 as pb
from zhibu_kit.db import Transaction

from zhibu_branches.member_events import instant
from zhibu_branches.models import member_record
from zhibu_branches.rules.surveys import AnswerState
from zhibu_branches.surveys.tables import branch_survey, survey_answer

# Rows read at once when all of them are wanted.
_BATCH: Final = 1000


def online_state_changed(row: Row[Any]) -> events.OnlineStateChanged:
    """The survey of a branch as it stands."""
    return events.OnlineStateChanged(
        branch_id=row.branch_id,
        county_code=row.county_code,
        state=pb.OnlineState.ValueType(row.state),
        rate_permille=row.rate_permille,
        version=row.version,
        change_time=instant(row.update_time),
    )


def answer_reported(
    *, report_id: str, member_id: str, branch_id: str, county_code: str, report_time: datetime
) -> events.SurveyAnswerReported:
    """A report that waits for the member's countersign."""
    return events.SurveyAnswerReported(
        report_id=report_id,
        member_id=member_id,
        branch_id=branch_id,
        county_code=county_code,
        version=1,
        change_time=instant(report_time),
    )


async def survey_snapshot(transaction: Transaction) -> AsyncGenerator[tuple[Message, str]]:
    """Every branch that ever went online, and every report that waits, as the events that would tell of them."""
    after = ""
    while True:
        rows = await transaction.all(
            select(branch_survey)
            .where(branch_survey.c.branch_id > after, branch_survey.c.version > 0)
            .order_by(branch_survey.c.branch_id)
            .limit(_BATCH)
        )
        for row in rows:
            yield online_state_changed(row), row.county_code
        if len(rows) < _BATCH:
            break
        after = rows[-1].branch_id
    async for event, county_code in _waiting_reports(transaction):
        yield event, county_code


async def _waiting_reports(transaction: Transaction) -> AsyncGenerator[tuple[Message, str]]:
    after = ""
    while True:
        rows = await transaction.all(
            select(survey_answer, member_record.c.branch_id)
            .join(member_record, member_record.c.member_id == survey_answer.c.member_id)
            .where(survey_answer.c.member_id > after, survey_answer.c.state == AnswerState.REPORTED)
            .order_by(survey_answer.c.member_id)
            .limit(_BATCH)
        )
        for row in rows:
            event = answer_reported(
                report_id=row.report_id,
                member_id=row.member_id,
                branch_id=row.branch_id,
                county_code=row.county_code,
                report_time=row.answer_time,
            )
            yield event, row.county_code
        if len(rows) < _BATCH:
            return
        after = rows[-1].member_id

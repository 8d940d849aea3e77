"""Surveys as the contract shows them."""

from __future__ import annotations

from collections.abc import Sequence

from zhibu.branches.v1 import survey_pb2 as pb

from zhibu_branches.member_events import day, instant
from zhibu_branches.rules.surveys import Parameters
from zhibu_branches.surveys.answers import KnownAnswer
from zhibu_branches.surveys.counting import BranchSurvey
from zhibu_branches.surveys.queries import RateDay


def answer_message(known: KnownAnswer) -> pb.SurveyAnswer:
    """What is known of a member; without a state when nobody said anything."""
    message = pb.SurveyAnswer(member_id=known.member_id, branch_id=known.branch_id, etag=known.revision)
    if known.answer is not None and known.answer_time is not None:
        message.has_device = known.answer.has_device
        message.has_network = known.answer.has_network
        message.state = pb.SurveyAnswerState.ValueType(known.answer.state)
        message.answer_time.CopyFrom(instant(known.answer_time))
    return message


def rate_message(survey: BranchSurvey, parameters: Parameters) -> pb.OnlineRate:
    """What the survey of a branch came to."""
    return pb.OnlineRate(
        branch_id=survey.branch_id,
        member_count=survey.counts.members,
        answered_count=survey.counts.answered,
        equipped_count=survey.counts.equipped,
        rate_permille=survey.counts.rate_permille,
        state=pb.OnlineState.ValueType(survey.state),
        online_date=day(survey.online_date),
        threshold_permille=parameters.threshold_permille,
        warn_below_permille=parameters.warn_below_permille,
    )


def history_messages(days: Sequence[RateDay]) -> list[pb.RatePoint]:
    """How the rate of a branch went."""
    return [
        pb.RatePoint(
            date=day(one.day),
            rate_permille=one.rate_permille,
            member_count=one.member_count,
            equipped_count=one.equipped_count,
            state=pb.OnlineState.ValueType(one.state),
        )
        for one in days
    ]

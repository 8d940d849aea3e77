"""SurveyService, as far as members use it: what is known of them, and their own word."""

from __future__ import annotations

from zhibu.branches.v1 import survey_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database

from zhibu_branches.api.survey_messages import answer_message
from zhibu_branches.member_places import own_record
from zhibu_branches.surveys.answers import countersign, find_answer, state_answer


class SurveyApi:
    """What members do."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._database = database
        self._clock = clock

    async def GetMySurveyAnswer(self, request: pb.GetMySurveyAnswerRequest, call: Call) -> pb.GetMySurveyAnswerResponse:
        async with self._database.read(call, request) as read:
            record = await own_record(read, call.caller.member_id, lock=False)
            known = await find_answer(read, record)
            return read.reply(pb.GetMySurveyAnswerResponse(answer=answer_message(known), etag=known.revision))

    async def AnswerMySurvey(self, request: pb.AnswerMySurveyRequest, call: Call) -> pb.AnswerMySurveyResponse:
        async with self._database.write(call, request, pb.AnswerMySurveyResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await own_record(write, call.caller.member_id)
            known = await state_answer(
                write,
                record,
                has_device=request.has_device,
                has_network=request.has_network,
                now=self._clock.now(),
            )
            return write.reply(
                pb.AnswerMySurveyResponse(answer=answer_message(known), etag=known.revision),
                subjects=[record.member_id],
            )

    async def CountersignMySurveyAnswer(
        self, request: pb.CountersignMySurveyAnswerRequest, call: Call
    ) -> pb.CountersignMySurveyAnswerResponse:
        async with self._database.write(call, request, pb.CountersignMySurveyAnswerResponse) as write:
            if write.replayed is not None:
                return write.replayed
            record = await own_record(write, call.caller.member_id)
            known = await countersign(write, record, agreed=request.agreed, etag=request.etag, now=self._clock.now())
            return write.reply(
                pb.CountersignMySurveyAnswerResponse(answer=answer_message(known), etag=known.revision),
                subjects=[record.member_id],
            )

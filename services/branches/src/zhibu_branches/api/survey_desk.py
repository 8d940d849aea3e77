"""SurveyService, as far as branches, counties and the public use it."""

from __future__ import annotations

from zhibu.branches.v1 import survey_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Scope, Transaction
from zhibu_kit.etag import etag_of
from zhibu_kit.paging import encode_page_token, page_of

from zhibu_branches.api.places import check_county, get_branch, get_organisation, reading_role
from zhibu_branches.api.survey_messages import answer_message, history_messages, rate_message
from zhibu_branches.errors import BRANCH_IS_VIRTUAL, ORGANISATION_DISSOLVED
from zhibu_branches.queries import Organisation
from zhibu_branches.rules.surveys import OnlineState, Parameters
from zhibu_branches.surveys.answers import Report, list_answers, report_answers
from zhibu_branches.surveys.counting import go_online
from zhibu_branches.surveys.parameters import CountyParameters, parameters_of, replace_parameters
from zhibu_branches.surveys.queries import history_of, list_rates, rate_of


class SurveyDeskApi:
    """What branches report and everybody may read."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._database = database
        self._clock = clock

    async def ListSurveyAnswers(self, request: pb.ListSurveyAnswersRequest, call: Call) -> pb.ListSurveyAnswersResponse:
        page = page_of(request.page_size, request.page_token, query=request.organisation_id)
        async with self._database.read(call, request) as read:
            branch = await _physical_branch(read, request.organisation_id)
            rows = await list_answers(
                read,
                branch.place.organisation_id,
                after=page.after[0] if page.after else None,
                count_max=page.size + 1,
            )
            shown = rows[: page.size]
            rate = await rate_of(read, branch.place.organisation_id)
            response = pb.ListSurveyAnswersResponse(
                answers=[answer_message(row) for row in shown],
                rate=rate_message(rate.survey, rate.parameters) if rate else None,
            )
            if len(rows) > page.size:
                response.next_page_token = encode_page_token([shown[-1].member_id], query=request.organisation_id)
            return read.reply(response, subjects=[row.member_id for row in shown])

    async def ReportSurveyAnswers(
        self, request: pb.ReportSurveyAnswersRequest, call: Call
    ) -> pb.ReportSurveyAnswersResponse:
        async with self._database.write(call, request, pb.ReportSurveyAnswersResponse) as write:
            if write.replayed is not None:
                return write.replayed
            branch = await _physical_branch(write, request.organisation_id)
            known = await report_answers(
                write,
                branch.place.organisation_id,
                [
                    Report(member_id=report.member_id, has_device=report.has_device, has_network=report.has_network)
                    for report in request.reports
                ],
                signed_list_number=request.signed_list_number.strip(),
                now=self._clock.now(),
            )
            return write.reply(
                pb.ReportSurveyAnswersResponse(answers=[answer_message(one) for one in known]),
                subjects=[one.member_id for one in known],
            )

    async def GoOnline(self, request: pb.GoOnlineRequest, call: Call) -> pb.GoOnlineResponse:
        async with self._database.write(call, request, pb.GoOnlineResponse) as write:
            if write.replayed is not None:
                return write.replayed
            branch = await _physical_branch(write, request.organisation_id)
            survey = await go_online(write, branch, now=self._clock.now())
            known = await parameters_of(write, survey.county_code)
            return write.reply(pb.GoOnlineResponse(rate=rate_message(survey, known.parameters)))

    async def GetOnlineRate(self, request: pb.GetOnlineRateRequest, call: Call) -> pb.GetOnlineRateResponse:
        async with self._database.read(call, request) as read:
            branch = await _physical_branch(read, request.organisation_id, dissolved_too=True)
            await read.widen(Scope.of(branch.place.county_code))
            rate = await rate_of(read, branch.place.organisation_id)
            history = await history_of(read, branch.place.organisation_id)
            return read.reply(
                pb.GetOnlineRateResponse(
                    rate=rate_message(rate.survey, rate.parameters) if rate else None,
                    history=history_messages(history),
                )
            )

    async def ListOnlineRates(self, request: pb.ListOnlineRatesRequest, call: Call) -> pb.ListOnlineRatesResponse:
        states = sorted({OnlineState(state) for state in request.states})
        same = f"{request.organisation_id}\n{','.join(map(str, states))}"
        page = page_of(request.page_size, request.page_token, query=same)
        async with self._database.read(call, request, role=reading_role(call)) as read:
            top = await get_organisation(read, request.organisation_id)
            rows = await list_rates(
                read,
                top,
                states=states,
                after=page.after[0] if page.after else None,
                count_max=page.size + 1,
            )
            shown = rows[: page.size]
            response = pb.ListOnlineRatesResponse(rates=[rate_message(row.survey, row.parameters) for row in shown])
            if len(rows) > page.size:
                response.next_page_token = encode_page_token([shown[-1].survey.branch_id], query=same)
            return read.reply(response)

    async def GetSurveyParameters(
        self, request: pb.GetSurveyParametersRequest, call: Call
    ) -> pb.GetSurveyParametersResponse:
        async with self._database.read(call, request) as read:
            found = await get_organisation(read, request.organisation_id)
            await read.widen(Scope.of(found.place.county_code))
            known = await parameters_of(read, found.place.county_code)
            return read.reply(
                pb.GetSurveyParametersResponse(parameters=_parameters_message(known), etag=etag_of(known.version))
            )

    async def UpdateSurveyParameters(
        self, request: pb.UpdateSurveyParametersRequest, call: Call
    ) -> pb.UpdateSurveyParametersResponse:
        async with self._database.write(call, request, pb.UpdateSurveyParametersResponse) as write:
            if write.replayed is not None:
                return write.replayed
            await check_county(write, request.organisation_id)
            wanted = Parameters(
                threshold_permille=request.parameters.threshold_permille,
                hysteresis_permille=request.parameters.hysteresis_permille,
            )
            known = await replace_parameters(
                write, request.organisation_id, wanted, etag=request.etag, now=self._clock.now()
            )
            return write.reply(
                pb.UpdateSurveyParametersResponse(parameters=_parameters_message(known), etag=etag_of(known.version))
            )


def _parameters_message(known: CountyParameters) -> pb.SurveyParameters:
    return pb.SurveyParameters(
        threshold_permille=known.parameters.threshold_permille,
        hysteresis_permille=known.parameters.hysteresis_permille,
    )


async def _physical_branch(
    transaction: Transaction, organisation_id: str, *, dissolved_too: bool = False
) -> Organisation:
    """The branch of this name: a virtual one has no survey.

    Raises:
        ServiceError: NOT_FOUND, BRANCH_IS_VIRTUAL, ORGANISATION_DISSOLVED.
    """
    branch = await get_branch(transaction, organisation_id)
    if branch.virtual:
        raise BRANCH_IS_VIRTUAL()
    if not branch.active and not dissolved_too:
        raise ORGANISATION_DISSOLVED()
    return branch

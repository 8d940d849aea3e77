"""The survey at the desk: answers of a branch's members, going online, rates of the branches below."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from zhibu_kit.clock import today_in_shanghai

from zhibu_web.contract_branches import RateHistory
from zhibu_web.contract_desk import OnlineRatePage, SurveyPage
from zhibu_web.gateway_client import segment
from zhibu_web.names import names_of
from zhibu_web.pages.desk import Desk, ForbiddenError, open_desk
from zhibu_web.pages.desk_acts import act, organisation_names
from zhibu_web.rate_chart import rate_chart
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/survey")

MANAGE: Final = "branches.survey.manage"
PAGE_SIZE: Final = 100
STATES: Final = {
    "all": (),
    "offline": ("ONLINE_STATE_OFFLINE",),
    "online": ("ONLINE_STATE_ONLINE",),
    "warned": ("ONLINE_STATE_WARNED",),
}
# What a branch may report: device, network.
REPORTS: Final = {"both": (True, True), "device": (True, False), "none": (False, False)}
# What members said themselves is not overwritten.
BY_MEMBER: Final = ("SURVEY_ANSWER_STATE_STATED", "SURVEY_ANSWER_STATE_COUNTERSIGNED")


@router.get("")
async def show_survey(visit: MemberVisit, organisation_id: str, view: str = "all", page: str = "") -> HTMLResponse:
    """Show a branch's answers, or the rates of the branches below."""
    desk = await open_desk(visit, organisation_id, "survey")
    if desk.is_branch:
        return await _branch_page(visit, desk, page)
    view = view if view in STATES else "all"
    found = await desk.gateway.get(
        f"{_path(desk)}/online-rates",
        OnlineRatePage,
        params={"states": STATES[view], "pageSize": PAGE_SIZE, "pageToken": page},
    )
    return await visit.page(
        "desk_survey/rates.html",
        desk=desk,
        view=view,
        views=STATES,
        rates=found.rates,
        next_page=found.next_page_token,
        page_token=page,
        branches=await organisation_names(visit, desk.gateway, (one.branch_id for one in found.rates)),
    )


async def _branch_page(visit: Visit, desk: Desk, page: str, status: int = 200) -> HTMLResponse:
    history = await desk.gateway.get(f"{_path(desk)}/online-rate", RateHistory)
    answers = SurveyPage()
    if desk.may(MANAGE):
        answers = await desk.gateway.get(
            f"{_path(desk)}/survey-answers", SurveyPage, params={"pageSize": PAGE_SIZE, "pageToken": page}
        )
    rate = history.rate
    return await visit.page(
        "desk_survey/branch.html",
        status=status,
        desk=desk,
        rates=history,
        rate=rate,
        chart=rate_chart(
            history.history,
            threshold_permille=rate.threshold_permille,
            today=today_in_shanghai(visit.services.clock),
        ),
        answers=answers.answers,
        next_page=answers.next_page_token,
        page_token=page,
        names=await names_of(desk.gateway, (one.member_id for one in answers.answers)),
        by_member=BY_MEMBER,
        reports=REPORTS,
        may_manage=desk.may(MANAGE),
        may_go_online=desk.may(MANAGE)
        and rate.state == "ONLINE_STATE_OFFLINE"
        and rate.rate_permille >= rate.threshold_permille > 0,
    )


@router.post("/report")
async def report(visit: MemberVisit, organisation_id: str) -> Response:
    """Record what the branch knows of its members; each counts once the member has countersigned."""
    desk = await _managing_desk(visit, organisation_id)
    reports: list[dict[str, object]] = []
    for name, value in visit.form.values.items():
        member_id = name.removeprefix("answer-")
        if name != member_id and value in REPORTS:
            device, network = REPORTS[value]
            reports.append({"memberId": member_id, "hasDevice": device, "hasNetwork": network})
    if not reports:
        visit.form.refuse("", visit.t("survey_desk.report_none"))
        return await _branch_page(visit, desk, "", status=422)
    done = visit.t("survey_desk.reported", count=len(reports))
    await act(visit, desk.gateway, f"{_path(desk)}/survey-answers", body={"reports": reports}, done=done)
    return visit.redirect(f"{desk.path}/survey")


@router.post("/online")
async def go_online(visit: MemberVisit, organisation_id: str) -> Response:
    """Take the branch online."""
    desk = await _managing_desk(visit, organisation_id)
    await act(visit, desk.gateway, f"{_path(desk)}:goOnline", body={}, done=visit.t("survey_desk.online"))
    return visit.redirect(f"{desk.path}/survey")


async def _managing_desk(visit: Visit, organisation_id: str) -> Desk:
    desk = await open_desk(visit, organisation_id, "survey")
    desk.demand(MANAGE)
    if not desk.is_branch:
        raise ForbiddenError
    return desk


def _path(desk: Desk) -> str:
    return f"/v1/organisations/{segment(desk.organisation.organisation_id)}"

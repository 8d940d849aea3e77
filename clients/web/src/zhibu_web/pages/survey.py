"""The survey of computers and networks, answered or confirmed by the member."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import Message
from zhibu_web.contract_branches import SurveyAnswer
from zhibu_web.pages.member_acts import act, found
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/survey")

_CHOICES: Final = ("yes", "no")


class _Answer(Message):
    answer: SurveyAnswer = SurveyAnswer()
    etag: str = ""


@router.get("")
async def show_survey(visit: MemberVisit) -> HTMLResponse:
    """Show what is known of the member, to be confirmed or changed."""
    return await _page(visit)


@router.post("")
async def answer(visit: MemberVisit) -> Response:
    """Keep what the member says."""
    device, network = visit.form.value("has_device"), visit.form.value("has_network")
    if device not in _CHOICES:
        visit.form.refuse("has_device", visit.t("survey.device_missing"))
    if network not in _CHOICES:
        visit.form.refuse("has_network", visit.t("survey.network_missing"))
    if not visit.form.ok:
        return await _page(visit, status=422)
    body: dict[str, object] = {"hasDevice": device == "yes", "hasNetwork": network == "yes"}
    return await act(visit, "/v1/me/survey-answer", body=body, done=visit.t("survey.saved"), back="/branch")


@router.post("/countersign")
async def countersign(visit: MemberVisit) -> Response:
    """Confirm or dispute what the branch reported."""
    agreed = visit.form.value("agreed") == "yes"
    return await act(
        visit,
        "/v1/me/survey-answer:countersign",
        body={"agreed": agreed},
        etag=visit.form.value("etag"),
        done=visit.t("survey.agreed" if agreed else "survey.disputed"),
        back="/branch",
    )


async def _page(visit: Visit, status: int = 200) -> HTMLResponse:
    gateway = await visit.gateway()
    found_answer = await found(gateway.get("/v1/me/survey-answer", _Answer), _Answer())
    return await visit.page("branch/survey.html", status=status, answer=found_answer.answer, etag=found_answer.etag)

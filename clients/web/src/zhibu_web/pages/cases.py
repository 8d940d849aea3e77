"""Following a case without an account: number and code stay in the session, never in an address."""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import QUESTIONED, WAITING, Case
from zhibu_web.gateway_client import Json, ProblemError
from zhibu_web.resident_number import check_digit_fits, has_form, normalised
from zhibu_web.session import CaseKey, Flash
from zhibu_web.visit import Visit, Visitor

router = APIRouter(prefix="/case")

_NUMBER: Final = re.compile(r"^[0-9-]{8,32}$", re.ASCII)
_CODE: Final = re.compile(r"^[0-9A-Z]{10,12}$", re.ASCII)
_FULL_WIDTH: Final = str.maketrans("０１２３４５６７８９－—–", "0123456789---", " 　")
_ANSWER_FIELDS: Final = {"answer": "answer", "realName": "real_name", "residentNumber": "resident_number"}


@router.get("")
async def show_look_up(visit: Visitor) -> HTMLResponse:
    """Ask for number and code."""
    return await visit.page("cases/look_up.html")


@router.post("")
async def look_up(visit: Visitor) -> Response:
    """Find the case and remember its key in this browser's session."""
    key = CaseKey(
        case_number=visit.form.value("case_number").translate(_FULL_WIDTH),
        case_code=visit.form.value("case_code").translate(_FULL_WIDTH).replace("-", "").upper(),
    )
    if not _NUMBER.match(key.case_number):
        visit.form.refuse("case_number", visit.t("case.number_bad"))
    if not _CODE.match(key.case_code):
        visit.form.refuse("case_code", visit.t("case.code_bad"))
    if visit.form.ok:
        try:
            await _case_of(visit, key)
        except ProblemError as problem:
            if problem.status >= 500 or problem.status == 429:
                raise
            visit.form.refuse("case_number", visit.t("case.not_found"))
    if not visit.form.ok:
        return await visit.page("cases/look_up.html", status=422)
    async with visit.change() as data:
        data.case_key = key
    return visit.redirect("/case/view")


@router.get("/view")
async def show_case(visit: Visitor) -> Response:
    """Show where the case stands, in plain words."""
    key = visit.data.case_key
    if key is None:
        return visit.redirect("/case")
    return await _case_page(visit, key)


@router.post("/answer")
async def answer(visit: Visitor) -> Response:
    """Send the answer to the clerk's question, with corrections if there are any."""
    key = visit.data.case_key
    if key is None:
        return visit.redirect("/case")
    form = visit.form
    words, name = form.value("answer"), " ".join(form.value("real_name").split())
    number = normalised(form.value("resident_number"))
    if not words:
        form.refuse("answer", visit.t("case.answer_missing"))
    if name and not 2 <= len(name) <= 60:
        form.refuse("real_name", visit.t("apply.real_name_bad"))
    if number and not has_form(number):
        form.refuse("resident_number", visit.t("apply.resident_number_bad"))
    elif number and not check_digit_fits(number):
        form.refuse("resident_number", visit.t("apply.resident_number_wrong"))
    if form.ok:
        try:
            body: Json = {"key": _key(key), "answer": words[:1000], "realName": name, "residentNumber": number}
            await visit.public.post(
                "/v1/cases:answer", Case, body=body, request_id=form.value("request_id"), part="case"
            )
        except ProblemError as problem:
            if problem.status >= 500 or problem.status == 429:
                raise
            form.refuse_problem(problem, _ANSWER_FIELDS, visit.t("error.refused_title"))
    if not form.ok:
        return await _case_page(visit, key, status=422)
    await visit.flash(Flash(kind="success", text=visit.t("case.answered")))
    return visit.redirect("/case/view")


@router.get("/withdraw")
async def confirm_withdrawal(visit: Visitor) -> Response:
    """Ask whether the application shall really be withdrawn."""
    if visit.data.case_key is None:
        return visit.redirect("/case")
    return await visit.page("cases/withdraw.html", case_number=visit.data.case_key.case_number)


@router.post("/withdraw")
async def withdraw(visit: Visitor) -> Response:
    """Withdraw the application."""
    key = visit.data.case_key
    if key is None:
        return visit.redirect("/case")
    try:
        await visit.public.post(
            "/v1/cases:withdraw", Case, body={"key": _key(key)}, request_id=visit.form.value("request_id"), part="case"
        )
    except ProblemError as problem:
        if problem.status >= 500 or problem.status == 429:
            raise
        await visit.flash(Flash(kind="error", text=problem.detail or visit.t("error.refused_title")))
        return visit.redirect("/case/view")
    await visit.flash(Flash(kind="success", text=visit.t("case.withdrawn")))
    return visit.redirect("/case/view")


@router.post("/close")
async def close(visit: Visitor) -> Response:
    """Forget the case on this device."""
    async with visit.change() as data:
        data.case_key = None
        data.flashes = [Flash(kind="success", text=visit.t("case.closed"))]
    return visit.redirect("/")


async def _case_of(visit: Visit, key: CaseKey) -> Case:
    return await visit.public.post("/v1/cases:lookUp", Case, body={"key": _key(key)}, part="case")


async def _case_page(visit: Visit, key: CaseKey, status: int = 200) -> Response:
    try:
        case = await _case_of(visit, key)
    except ProblemError as problem:
        if problem.status not in (400, 404):
            raise
        async with visit.change() as data:
            data.case_key = None
        return visit.redirect("/case")
    return await visit.page(
        "cases/case.html",
        status=status,
        case=case,
        help_number=case.help_telephone,
        can_withdraw=case.state in (WAITING, QUESTIONED),
    )


def _key(key: CaseKey) -> Json:
    return {"caseNumber": key.case_number, "caseCode": key.case_code}

"""The first administrator of an installation or a county: the operator's code makes an ordinary case an officer's."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import Redeemed
from zhibu_web.gateway_client import ProblemError
from zhibu_web.visit import Visitor

router = APIRouter(prefix="/first-office")


@router.get("")
async def show_form(visit: Visitor) -> HTMLResponse:
    """Ask for the operator's code and for number and code of the case."""
    return await visit.page("grants/bootstrap.html")


@router.post("")
async def redeem(visit: Visitor) -> Response:
    """Redeem the code; what comes of it is shown once."""
    form = visit.form
    code = form.value("bootstrap_code").replace(" ", "")
    number = form.value("case_number")
    case_code = form.value("case_code").replace(" ", "").replace("-", "").upper()
    if not 16 <= len(code) <= 64:
        form.refuse("bootstrap_code", visit.t("bootstrap.code_bad"))
    if not 8 <= len(number) <= 32:
        form.refuse("case_number", visit.t("case.number_bad"))
    if not 10 <= len(case_code) <= 12:
        form.refuse("case_code", visit.t("case.code_bad"))
    if form.ok:
        try:
            redeemed = await visit.public.post(
                "/v1/bootstrap:redeem",
                Redeemed,
                body={"bootstrapCode": code, "caseNumber": number, "caseCode": case_code},
            )
        except ProblemError as problem:
            if problem.status >= 500 or problem.status == 429:
                raise
            form.refuse("bootstrap_code", problem.detail or visit.t("bootstrap.refused"))
        else:
            directory = visit.services.directory
            offices = {one.name: one.display_name for one in await directory.offices(visit.public, visit.language)}
            return await visit.page(
                "grants/redeemed.html",
                redeemed=redeemed,
                office=offices.get(redeemed.office, redeemed.office),
                organisation=await directory.name(visit.public, redeemed.organisation_id),
            )
    return await visit.page("grants/bootstrap.html", status=422)

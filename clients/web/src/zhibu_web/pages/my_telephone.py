"""Another telephone: after a fresh log-in, proven by a code that arrives on it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import Message, TelephoneProof
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.pages.auth import go_to_keycloak
from zhibu_web.pages.member_acts import Nothing, is_fresh, refusal
from zhibu_web.session import Flash, TelephoneChange
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/me/telephone")

_TELEPHONE: Final = re.compile(r"^1[0-9]{10}$", re.ASCII)
_CODE: Final = re.compile(r"^[0-9]{6}$", re.ASCII)
_DIGITS: Final = str.maketrans("０１２３４５６７８９", "0123456789", " 　-+")


class _Proven(Message):
    proof_token: str = ""


@router.get("")
async def show_telephone(visit: MemberVisit) -> HTMLResponse:
    """Ask for a fresh log-in, or for the new number."""
    return await _number_page(visit)


@router.post("/confirm")
async def log_in_again(visit: MemberVisit) -> Response:
    """Have Keycloak ask once more who this is."""
    return await go_to_keycloak(visit, return_to="/me/telephone", fresh=True)


@router.post("")
async def send_code(visit: MemberVisit) -> Response:
    """Have a code sent to the new number."""
    if not is_fresh(visit):
        return visit.redirect("/me/telephone")
    telephone = visit.form.value("telephone").translate(_DIGITS)
    if telephone.startswith("86") and len(telephone) == 13:
        telephone = telephone[2:]
    if not _TELEPHONE.match(telephone):
        visit.form.refuse("telephone", visit.t("apply.telephone_bad"))
        return await _number_page(visit, status=422)
    try:
        proof = await visit.public.post(
            "/v1/telephone-proofs",
            TelephoneProof,
            body={"telephone": telephone},
            request_id=visit.form.value("request_id"),
        )
    except ProblemError as problem:
        if problem.status == 429:
            visit.form.refuse("telephone", problem.detail or visit.t("error.429_text"))
        else:
            visit.form.refuse_problem(problem, {"telephone": "telephone"}, refusal(visit, problem))
        return await _number_page(visit, status=422)
    async with visit.change() as data:
        data.telephone_change = TelephoneChange(
            telephone=telephone,
            telephone_proof_id=proof.telephone_proof_id,
            resend_time=visit.services.clock.now() + timedelta(seconds=proof.resend_after_s),
        )
    return visit.redirect("/me/telephone/code")


@router.get("/code")
async def show_code(visit: MemberVisit) -> Response:
    """Ask for the code."""
    under_way = visit.data.telephone_change
    if under_way is None:
        return visit.redirect("/me/telephone")
    return await _code_page(visit, under_way)


@router.post("/code")
async def check_code(visit: MemberVisit) -> Response:
    """Prove the number by its code, and change to it."""
    under_way = visit.data.telephone_change
    if under_way is None:
        return visit.redirect("/me/telephone")
    code = visit.form.value("code").translate(_DIGITS)
    if not _CODE.match(code):
        visit.form.refuse("code", visit.t("apply.code_bad"))
        return await _code_page(visit, under_way, status=422)
    try:
        proven = await visit.public.post(
            f"/v1/telephone-proofs/{segment(under_way.telephone_proof_id)}:confirm", _Proven, body={"code": code}
        )
    except ProblemError as problem:
        visit.form.refuse("code", refusal(visit, problem))
        return await _code_page(visit, under_way, status=422)
    return await _change(visit, under_way, proven.proof_token)


async def _change(visit: Visit, under_way: TelephoneChange, proof_token: str) -> Response:
    gateway = await visit.gateway()
    try:
        await gateway.post(
            "/v1/me/telephone",
            Nothing,
            body={"telephone": under_way.telephone, "telephoneProofToken": proof_token},
            request_id=visit.form.value("request_id"),
        )
    except ProblemError as problem:
        flash = Flash(kind="error", text=refusal(visit, problem))
    else:
        last = under_way.telephone[-4:]
        flash = Flash(
            kind="success", text=visit.t("telephone.changed"), detail=visit.t("telephone.changed_detail", last=last)
        )
    async with visit.change() as data:
        data.telephone_change = None
        data.flashes = [*data.flashes, flash][-5:]
    return visit.redirect("/me" if flash.kind == "success" else "/me/telephone")


async def _number_page(visit: Visit, status: int = 200) -> HTMLResponse:
    return await visit.page("account/telephone.html", status=status, fresh=is_fresh(visit))


async def _code_page(visit: Visit, under_way: TelephoneChange, status: int = 200) -> HTMLResponse:
    left_s = (under_way.resend_time - visit.services.clock.now()).total_seconds()
    return await visit.page(
        "account/telephone_code.html", status=status, telephone=under_way.telephone, wait_s=max(0, round(left_s))
    )

"""The application for an e-ID, in five steps; what was entered stays on the server, so going back loses nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from zhibu_web.contract import MEMBERSHIP_CLAIMS, Message, Organisation, Receipt, TelephoneProof
from zhibu_web.gateway_client import ProblemError, segment
from zhibu_web.resident_number import check_digit_fits, has_form, normalised
from zhibu_web.session import ApplicationDraft, CaseKey, Flash
from zhibu_web.visit import Visit, Visitor, new_request_id

router = APIRouter(prefix="/apply")

# Version of the privacy notice on /privacy; a change of its words is a new version.
CONSENT_VERSION: Final = "2026-11"
STEPS: Final = 5

_TELEPHONE: Final = re.compile(r"^1[0-9]{10}$", re.ASCII)
_CODE: Final = re.compile(r"^[0-9]{6}$", re.ASCII)
_DIGITS: Final = str.maketrans("０１２３４５６７８９", "0123456789", " 　-+")
_SUBMIT_FIELDS: Final = {
    "organisationId": "place",
    "branchId": "place",
    "telephone": "telephone",
    "realName": "real_name",
    "residentNumber": "resident_number",
    "membershipClaim": "membership_claim",
}


class _Proven(Message):
    proof_token: str = ""


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    """What can be chosen at each level of the organisation tree, and what is."""

    cities: list[Organisation]
    counties: list[Organisation]
    townships: list[Organisation]
    branches: list[Organisation]
    city_id: str
    county_id: str
    township_id: str
    branch_id: str


@router.get("")
async def show_start(visit: Visitor) -> HTMLResponse:
    """Show what is needed, and the way back into a half-filled application."""
    draft = visit.data.draft
    return await visit.page("apply/start.html", resume=_next_step(draft) if draft else "")


@router.post("/restart")
async def restart(visit: Visitor) -> Response:
    """Forget the half-filled application."""
    async with visit.change() as data:
        data.draft = None
        data.flashes = [Flash(kind="success", text=visit.t("apply.restarted"))]
    return visit.redirect("/apply/place")


# ---- step 1: consent and place


@router.get("/place")
async def show_place(visit: Visitor) -> HTMLResponse:
    """Show step 1: privacy notice and the place in the organisation tree."""
    return await _place_page(visit, visit.data.draft or ApplicationDraft())


@router.post("/place/options")
async def show_place_options(visit: Visitor) -> HTMLResponse:
    """Return the lists of the next level for what has been chosen so far (htmx)."""
    return await visit.page("apply/place_options.html", choice=await _place_choice(visit, _place_of(visit)))


@router.post("/place")
async def save_place(visit: Visitor) -> Response:
    """Keep consent and place."""
    entered = _place_of(visit)
    choice = await _place_choice(visit, entered)
    async with visit.change() as data:
        draft = data.draft or ApplicationDraft()
        draft.consent_version = entered.consent_version
        draft.city_id, draft.county_id = choice.city_id, choice.county_id
        draft.township_id, draft.branch_id = choice.township_id, choice.branch_id
        draft.request_id = new_request_id()
        data.draft = draft
    if visit.form.value("action") == "options":
        return visit.redirect("/apply/place#city_id")
    if not entered.consent_version:
        visit.form.refuse("consent", visit.t("apply.consent_missing"))
    if not choice.city_id:
        visit.form.refuse("city_id", visit.t("apply.city_missing"))
    elif not choice.county_id:
        visit.form.refuse("county_id", visit.t("apply.county_missing"))
    else:
        await _refuse_closed_county(visit, choice)
    if not visit.form.ok:
        return await _place_page(visit, entered, status=422)
    return visit.redirect(_next_step(visit.data.draft))


def _place_of(visit: Visit) -> ApplicationDraft:
    form = visit.form
    return ApplicationDraft(
        consent_version=CONSENT_VERSION if form.value("consent") == "yes" else "",
        city_id=form.value("city_id"),
        county_id=form.value("county_id"),
        township_id=form.value("township_id"),
        branch_id=form.value("branch_id"),
    )


async def _place_page(visit: Visit, draft: ApplicationDraft, status: int = 200) -> HTMLResponse:
    choice = await _place_choice(visit, draft)
    return await visit.page("apply/place.html", status=status, draft=draft, choice=choice, steps=STEPS)


async def _place_choice(visit: Visit, draft: ApplicationDraft) -> PlaceChoice:
    """Load the lists down to the first level where nothing is chosen; a choice that is not in its list is dropped."""
    directory, gateway = visit.services.directory, visit.public
    provinces = await directory.children(gateway, "")
    cities = await directory.children(gateway, provinces[0].organisation_id) if provinces else []
    city_id = _listed(draft.city_id, cities)
    counties = await directory.children(gateway, city_id) if city_id else []
    county_id = _listed(draft.county_id, counties)
    townships = await directory.children(gateway, county_id) if county_id else []
    township_id = _listed(draft.township_id, townships)
    branches = await directory.children(gateway, township_id) if township_id else []
    branch_id = _listed(draft.branch_id, branches)
    return PlaceChoice(cities, counties, townships, branches, city_id, county_id, township_id, branch_id)


def _listed(organisation_id: str, organisations: list[Organisation]) -> str:
    return organisation_id if any(one.organisation_id == organisation_id for one in organisations) else ""


async def _refuse_closed_county(visit: Visit, choice: PlaceChoice) -> None:
    settings = await visit.services.directory.settings(visit.public, choice.county_id)
    if not settings.applications_open:
        county = next(one.name for one in choice.counties if one.organisation_id == choice.county_id)
        telephone = settings.help_telephone or visit.services.settings.help_telephone
        visit.form.refuse("county_id", visit.t("apply.county_closed", county=county, telephone=telephone))


# ---- step 2: telephone


@router.get("/telephone")
async def show_telephone(visit: Visitor) -> Response:
    """Show step 2: the telephone."""
    draft = visit.data.draft
    if draft is None or not _place_done(draft):
        return visit.redirect("/apply/place")
    return await visit.page("apply/telephone.html", draft=draft, telephone=draft.telephone, steps=STEPS)


@router.post("/telephone")
async def send_code(visit: Visitor) -> Response:
    """Have a code sent to the telephone; one that is proven already is not asked again."""
    draft = visit.data.draft
    if draft is None or not _place_done(draft):
        return visit.redirect("/apply/place")
    telephone = visit.form.value("telephone").translate(_DIGITS)
    if telephone.startswith("86") and len(telephone) == 13:
        telephone = telephone[2:]
    if not _TELEPHONE.match(telephone):
        visit.form.refuse("telephone", visit.t("apply.telephone_bad"))
    elif draft.proof_token and draft.telephone == telephone:
        return visit.redirect(_next_step(draft))
    else:
        await _start_proof(visit, telephone)
    if not visit.form.ok:
        entered = visit.form.value("telephone")
        return await visit.page("apply/telephone.html", status=422, draft=draft, telephone=entered, steps=STEPS)
    return visit.redirect("/apply/code")


async def _start_proof(visit: Visit, telephone: str) -> None:
    # Kept before the gateway is asked, so that nothing is lost when it does not answer.
    async with visit.change() as data:
        if data.draft is not None and data.draft.telephone != telephone:
            data.draft.telephone = telephone
            data.draft.telephone_proof_id = data.draft.proof_token = ""
    try:
        proof = await visit.public.post(
            "/v1/telephone-proofs",
            TelephoneProof,
            body={"telephone": telephone},
            request_id=visit.form.value("request_id"),
        )
    except ProblemError as problem:
        if problem.status >= 500:
            raise
        visit.form.refuse_problem(problem, {"telephone": "telephone"}, visit.t("apply.telephone_refused"))
        if "" in visit.form.errors:
            visit.form.refuse("telephone", visit.form.errors.pop(""))
        return
    async with visit.change() as data:
        if data.draft is not None:
            data.draft.telephone_proof_id = proof.telephone_proof_id
            data.draft.proof_expire_time = proof.expire_time
            data.draft.resend_time = visit.services.clock.now() + timedelta(seconds=proof.resend_after_s)
            data.draft.proof_token = ""


@router.get("/code")
async def show_code(visit: Visitor) -> Response:
    """Show step 2, second half: the code from the SMS."""
    draft = visit.data.draft
    if draft is None or not draft.telephone_proof_id:
        return visit.redirect("/apply/telephone")
    return await _code_page(visit, draft)


@router.post("/code")
async def confirm_code(visit: Visitor) -> Response:
    """Check the code from the SMS."""
    draft = visit.data.draft
    if draft is None or not draft.telephone_proof_id:
        return visit.redirect("/apply/telephone")
    code = visit.form.value("code").translate(_DIGITS)
    if not _CODE.match(code):
        visit.form.refuse("code", visit.t("apply.code_bad"))
        return await _code_page(visit, draft, status=422)
    try:
        proven = await visit.public.post(
            f"/v1/telephone-proofs/{segment(draft.telephone_proof_id)}:confirm", _Proven, body={"code": code}
        )
    except ProblemError as problem:
        if problem.status >= 500:
            raise
        visit.form.refuse("code", problem.errors[0].detail if problem.errors else problem.detail)
        return await _code_page(visit, draft, status=422)
    async with visit.change() as data:
        if data.draft is not None:
            data.draft.proof_token = proven.proof_token
            data.draft.request_id = new_request_id()
    return visit.redirect(_next_step(visit.data.draft))


@router.post("/code/resend")
async def resend_code(visit: Visitor) -> Response:
    """Have another code sent, not sooner than the gateway allows."""
    draft = visit.data.draft
    if draft is None or not draft.telephone:
        return visit.redirect("/apply/telephone")
    wait_s = _resend_wait_s(visit, draft)
    if wait_s > 0:
        await visit.flash(Flash(kind="notice", text=visit.t("apply.resend_wait", count=wait_s)))
        return visit.redirect("/apply/code")
    await _start_proof(visit, draft.telephone)
    if not visit.form.ok:
        visit.form.errors = {"code": next(iter(visit.form.errors.values()))}
        return await _code_page(visit, draft, status=422)
    await visit.flash(Flash(kind="success", text=visit.t("apply.resent")))
    return visit.redirect("/apply/code")


async def _code_page(visit: Visit, draft: ApplicationDraft, status: int = 200) -> HTMLResponse:
    wait_s = _resend_wait_s(visit, draft)
    return await visit.page("apply/code.html", status=status, draft=draft, wait_s=wait_s, steps=STEPS)


def _resend_wait_s(visit: Visit, draft: ApplicationDraft) -> int:
    if draft.resend_time is None:
        return 0
    return max(0, int((draft.resend_time - visit.services.clock.now()).total_seconds() + 0.999))


# ---- step 3: name and number


@router.get("/details")
async def show_details(visit: Visitor) -> Response:
    """Show step 3: name, resident number and membership."""
    draft = visit.data.draft
    if draft is None or not draft.proof_token:
        return visit.redirect(_next_step(draft))
    return await visit.page("apply/details.html", draft=draft, claims=MEMBERSHIP_CLAIMS, steps=STEPS)


@router.post("/details")
async def save_details(visit: Visitor) -> Response:
    """Keep name, resident number and membership, and tell slips of the finger at once."""
    draft = visit.data.draft
    if draft is None:
        return visit.redirect("/apply/place")
    form = visit.form
    real_name = " ".join(form.value("real_name").split())
    number = normalised(form.value("resident_number"))
    claim = form.value("membership_claim")
    if not 2 <= len(real_name) <= 60:
        form.refuse("real_name", visit.t("apply.real_name_bad"))
    if not has_form(number):
        form.refuse("resident_number", visit.t("apply.resident_number_bad"))
    elif not check_digit_fits(number):
        form.refuse("resident_number", visit.t("apply.resident_number_wrong"))
    if claim not in MEMBERSHIP_CLAIMS:
        form.refuse("membership_claim", visit.t("apply.claim_missing"))
    async with visit.change() as data:
        if data.draft is not None:
            data.draft.real_name, data.draft.resident_number = real_name[:60], number[:18]
            data.draft.membership_claim = claim if claim in MEMBERSHIP_CLAIMS else ""
            data.draft.request_id = new_request_id()
    draft = visit.data.draft or draft
    if not form.ok:
        # What was entered is shown again as it was entered, not as it was kept.
        shown = draft.model_copy(update={"resident_number": form.value("resident_number")})
        return await visit.page("apply/details.html", status=422, draft=shown, claims=MEMBERSHIP_CLAIMS, steps=STEPS)
    return visit.redirect(_next_step(draft))


# ---- steps 4 and 5: check, submit, receipt


@router.get("/check")
async def show_check(visit: Visitor) -> Response:
    """Show step 4: everything, to be checked."""
    draft = visit.data.draft
    if draft is None or _next_step(draft) != "/apply/check":
        return visit.redirect("/apply/receipt" if visit.data.receipt else _next_step(draft))
    return await _check_page(visit, draft)


@router.post("/check")
async def submit(visit: Visitor) -> Response:
    """File the application; pressing twice files it once."""
    draft = visit.data.draft
    if draft is None or _next_step(draft) != "/apply/check":
        return visit.redirect("/apply/receipt" if visit.data.receipt else _next_step(draft))
    try:
        receipt = await visit.public.post(
            "/v1/applications",
            Receipt,
            body={
                "organisationId": draft.county_id,
                "realName": draft.real_name,
                "residentNumber": draft.resident_number,
                "telephone": draft.telephone,
                "proofToken": draft.proof_token,
                "branchId": draft.branch_id,
                "membershipClaim": draft.membership_claim,
                "consentVersion": draft.consent_version,
            },
            request_id=draft.request_id,
        )
    except ProblemError as problem:
        if problem.status >= 500 or problem.status == 429:
            raise
        return await _submit_refused(visit, draft, problem)
    async with visit.change() as data:
        data.receipt, data.draft = receipt, None
    return visit.redirect("/apply/receipt")


async def _submit_refused(visit: Visit, draft: ApplicationDraft, problem: ProblemError) -> Response:
    if "PROOF" in problem.code or any("proof" in one.field.lower() or "PROOF" in one.code for one in problem.errors):
        async with visit.change() as data:
            if data.draft is not None:
                data.draft.proof_token = data.draft.telephone_proof_id = ""
            data.flashes = [Flash(kind="notice", text=visit.t("apply.proof_expired"))]
        return visit.redirect("/apply/telephone")
    visit.form.refuse_problem(problem, _SUBMIT_FIELDS, visit.t("apply.submit_refused"))
    async with visit.change() as data:
        if data.draft is not None:
            data.draft.request_id = new_request_id()
    return await _check_page(visit, draft, status=422)


async def _check_page(visit: Visit, draft: ApplicationDraft, status: int = 200) -> HTMLResponse:
    directory, gateway = visit.services.directory, visit.public
    ids = [draft.city_id, draft.county_id, draft.township_id, draft.branch_id]
    names = [await directory.name(gateway, one) for one in ids if one]
    settings = await directory.settings(gateway, draft.county_id)
    return await visit.page(
        "apply/check.html",
        status=status,
        draft=draft,
        names=names,
        county=await directory.name(gateway, draft.county_id),
        help_number=settings.help_telephone,
        steps=STEPS,
    )


@router.get("/receipt")
async def show_receipt(visit: Visitor) -> Response:
    """Show step 5: number and code of the case, to be written down."""
    if visit.data.receipt is None:
        return visit.redirect("/apply")
    return await visit.page("apply/receipt.html", receipt=visit.data.receipt, steps=STEPS)


@router.post("/receipt/done")
async def finish(visit: Visitor) -> Response:
    """Forget the code on this device, or go on to the case."""
    follow = visit.form.value("then") == "follow"
    async with visit.change() as data:
        receipt, data.receipt = data.receipt, None
        if follow and receipt is not None:
            data.case_key = CaseKey(case_number=receipt.case_number, case_code=receipt.case_code)
        else:
            data.flashes = [Flash(kind="success", text=visit.t("apply.receipt_closed"))]
    return visit.redirect("/case/view" if follow else "/")


def _place_done(draft: ApplicationDraft) -> bool:
    return bool(draft.consent_version and draft.county_id)


def _next_step(draft: ApplicationDraft | None) -> str:
    """Return the address of the first step that is not done."""
    if draft is None or not _place_done(draft):
        return "/apply/place"
    if not draft.proof_token:
        return "/apply/code" if draft.telephone_proof_id else "/apply/telephone"
    if not (
        draft.real_name
        and has_form(draft.resident_number)
        and check_digit_fits(draft.resident_number)
        and draft.membership_claim
    ):
        return "/apply/details"
    return "/apply/check"

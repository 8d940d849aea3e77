"""Applies as each person would: proves the telephone, files the application, answers and withdraws."""

from typing import Final

from zhibu_demo.api import Api, Json, RefusedError
from zhibu_demo.people import Person
from zhibu_demo.phone import Phone
from zhibu_demo.progress import Progress
from zhibu_demo.tree import branch_id

CONSENT_VERSION: Final = "2026-11"


async def apply(api: Api, phone: Phone, progress: Progress, person: Person) -> None:
    """File the person's application; number and code of the case are kept in the progress."""
    notes = progress.of(person.key)
    if notes.get("case_number"):
        return
    if not notes.get("proof_token"):
        notes.put("proof_token", await _prove_telephone(api, phone, person))
    try:
        answer = await _submit(api, progress, person)
    except RefusedError as refused:
        if "TELEPHONE_PROOF_INVALID" not in refused.codes:
            raise
        # The load was interrupted for so long that the proof has expired: prove it anew.
        notes.put("proof_token", await _prove_telephone(api, phone, person))
        answer = await _submit(api, progress, person)
    notes.put("case_code", answer["caseCode"])
    notes.put("case_number", answer["caseNumber"])


async def answer_question(api: Api, progress: Progress, person: Person) -> None:
    """Give the clerk what they asked for."""
    notes = progress.of(person.key)
    if not notes.get("answered"):
        body = {"key": case_key(progress, person), "answer": "已与支部核对，信息以身份证为准。"}
        await api.post("/v1/cases:answer", body, request_id=notes.request_id("answer"))
        notes.put("answered", True)


async def withdraw(api: Api, progress: Progress, person: Person) -> None:
    """End the own case."""
    notes = progress.of(person.key)
    if not notes.get("withdrawn"):
        body = {"key": case_key(progress, person)}
        await api.post("/v1/cases:withdraw", body, request_id=notes.request_id("withdraw"))
        notes.put("withdrawn", True)


def case_key(progress: Progress, person: Person) -> Json:
    """Return what opens the person's case."""
    notes = progress.of(person.key)
    return {"caseNumber": notes.get("case_number"), "caseCode": notes.get("case_code")}


async def _prove_telephone(api: Api, phone: Phone, person: Person) -> str:
    newest = await phone.newest(person.telephone)
    started = await api.post("/v1/telephone-proofs", {"telephone": person.telephone})
    code = await phone.code(person.telephone, after=newest)
    confirmed = await api.post(f"/v1/telephone-proofs/{started['telephoneProofId']}:confirm", {"code": code})
    return confirmed["proofToken"]


async def _submit(api: Api, progress: Progress, person: Person) -> Json:
    notes = progress.of(person.key)
    body = {
        "organisationId": person.county_code,
        "realName": person.real_name,
        "residentNumber": person.resident_number,
        "telephone": person.telephone,
        "proofToken": notes.get("proof_token"),
        "branchId": "" if person.branch is None else branch_id(progress, person.branch),
        "membershipClaim": person.claim.value,
        "consentVersion": CONSENT_VERSION,
    }
    return await api.post(
        "/v1/applications",
        body,
        # Another proof makes another request.
        request_id=notes.request_id(f"submit:{notes.get('proof_token')}"),
        wait_for=frozenset({"ORGANISATION_UNKNOWN", "BRANCH_UNKNOWN"}),
    )

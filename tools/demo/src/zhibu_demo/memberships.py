"""Takes people with an e-ID into their physical branches, and has one ask for more."""

from typing import Final

from zhibu_demo.api import Api, Json, RefusedError, TokenSource, segment
from zhibu_demo.people import Claim, Person
from zhibu_demo.progress import Progress
from zhibu_demo.tree import branch_id

_OCCUPATIONS: Final = ("EMPLOYEE", "FARMER", "RETIRED", "SELF_EMPLOYED", "FARMER", "EMPLOYEE", "UNEMPLOYED")
_ADMITTED_AGE: Final = 25
# Nobody of the demonstration was admitted later than this, so that all are confirmed.
_LAST_ADMISSION_YEAR: Final = 2024
_DOCUMENT: Final = "临组〔2026〕12 号"
# The e-ID is known to branches a moment after it was issued.
_ON_ITS_WAY: Final = frozenset({"MEMBER_NOT_UNPLACED", "NOT_FOUND", "PERMISSION_DENIED"})


async def place(api: Api, progress: Progress, token: TokenSource, person: Person) -> None:
    """Open the person's record in the branch that the person named; who named none waits for the desk."""
    notes = progress.of(person.key)
    if person.branch is None or notes.get("placed"):
        return
    eid = await api.get(
        f"/v1/organisations/{segment(person.county_code)}/eids/{segment(notes.get('eid_id'))}", token=token
    )
    notes.put("member_id", eid["eid"]["memberId"])
    path = f"/v1/organisations/{segment(branch_id(progress, person.branch))}/members/{notes.get('member_id')}:place"
    try:
        await api.post(path, record_of(person), token=token, request_id=notes.request_id("place"), wait_for=_ON_ITS_WAY)
    except RefusedError as refused:
        # An interrupted load, or a clerk at the desk, was faster.
        if "MEMBER_HAS_RECORD" not in refused.codes:
            raise
    notes.put("placed", True)


def record_of(person: Person) -> Json:
    """Return what the branch records of a person; it follows from birth, number and claim."""
    number = int(person.key.rpartition("-")[2])
    body: Json = {
        "occupation": f"OCCUPATION_CATEGORY_{_OCCUPATIONS[number % len(_OCCUPATIONS)]}",
        "documentNumber": _DOCUMENT,
    }
    match person.claim:
        case Claim.FULL:
            year = min(int(person.resident_number[6:10]) + _ADMITTED_AGE, _LAST_ADMISSION_YEAR)
            dates = {"admittedDate": f"{year}-07-01", "confirmedDate": f"{year + 1}-07-01"}
            return {**body, **dates, "status": "PARTY_STATUS_FULL", "statusDate": dates["confirmedDate"]}
        case Claim.PROBATIONARY:
            return {
                **body,
                "status": "PARTY_STATUS_PROBATIONARY",
                "statusDate": "2026-03-02",
                "admittedDate": "2026-03-02",
            }
        case Claim.APPLICANT:
            return {**body, "status": "PARTY_STATUS_APPLICANT", "statusDate": "2025-05-04"}


async def ask_to_join(api: Api, progress: Progress, token: TokenSource, person: Person, virtual_branch_id: str) -> None:
    """Ask a virtual branch to take the person in, and leave the request open."""
    notes = progress.of(person.key)
    if notes.get("asked_to_join"):
        return
    await api.post(
        f"/v1/branches/{segment(virtual_branch_id)}/membership-requests",
        {"reason": "经常在外地工作，希望参加这个支部的活动。"},
        token=token,
        request_id=notes.request_id("join"),
        wait_for=_ON_ITS_WAY,
    )
    notes.put("asked_to_join", True)


async def ask_for_correction(api: Api, progress: Progress, token: TokenSource, person: Person) -> None:
    """Ask for a correction of the person's own record, and leave it to the officers."""
    notes = progress.of(person.key)
    if notes.get("asked_for_correction"):
        return
    await api.post(
        "/v1/me/corrections",
        {
            "field": "PERSON_FIELD_WORK_UNIT",
            "wantedValue": "临朐县兴隆社区 网格员",
            "reason": "2026 年 9 月起担任网格员，有聘书。",
        },
        token=token,
        request_id=notes.request_id("correction"),
        wait_for=frozenset({"NOT_FOUND"}),
    )
    notes.put("asked_for_correction", True)

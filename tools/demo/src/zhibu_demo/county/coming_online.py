"""What each physical branch does to come online: a committee by recorded appointment, the survey, going online."""

from collections.abc import Mapping, Sequence
from typing import Final

from zhibu_demo.api import Json, RefusedError
from zhibu_demo.concurrency import together
from zhibu_demo.county.desk import PAGE, CountyDesk, organisation_path
from zhibu_demo.county.organisations import branch_id
from zhibu_demo.county.parts import Part
from zhibu_demo.county.plan import CountyPerson, PhysicalBranch

_TERM_START: Final = "2025-01-01"
_POSTS: Final = ("POST_SECRETARY", "POST_DEPUTY_SECRETARY", "POST_ORGANISATION", "POST_PUBLICITY", "POST_DISCIPLINE")
_FULL: Final = "PARTY_STATUS_FULL"


async def appoint_committees(desk: CountyDesk, branches: Sequence[PhysicalBranch], part: Part) -> None:
    """Record a committee of five for every branch that has none."""

    async def one(branch: PhysicalBranch) -> None:
        if desk.progress.of(f"branch-{branch.number}").get("appointed"):
            part.skip()
            return
        await _appoint(desk, branch)
        part.add()

    await together(one(branch) for branch in branches)


async def go_online(desk: CountyDesk, people: Mapping[PhysicalBranch, Sequence[CountyPerson]], part: Part) -> None:
    """Record the lists that members signed by hand, and take the branches online."""

    async def one(branch: PhysicalBranch) -> None:
        if desk.progress.of(f"branch-{branch.number}").get("online"):
            part.skip()
            return
        await _survey(desk, branch, [person for person in people[branch] if person.equipped])
        part.add()

    await together(one(branch) for branch in people)


async def people_of(desk: CountyDesk, branch: PhysicalBranch) -> dict[tuple[str, str], Json]:
    """Return the people of a branch, as the desk sees them, by what tells them apart there."""
    path = f"{organisation_path(branch_id(desk.progress, branch))}/people"
    return {(person["realName"], person["telephone"][-4:]): person async for person in desk.rows(path, "people")}


def key_of(person: CountyPerson) -> tuple[str, str]:
    """Return how the desk's list tells a person of a branch from the others: name, and the end of the telephone."""
    return person.real_name, person.telephone[-4:]


async def _appoint(desk: CountyDesk, branch: PhysicalBranch) -> None:
    notes = desk.progress.of(f"branch-{branch.number}")
    path = organisation_path(branch_id(desk.progress, branch))
    page = await desk.get(f"{path}/members", statuses=[_FULL], page_size=len(_POSTS))
    members = [record["memberId"] for record in page["members"]]
    body = {
        "appointments": [{"memberId": member, "post": post} for member, post in zip(members, _POSTS, strict=True)],
        "startDate": _TERM_START,
        "documentNumber": f"临组任〔2025〕{branch.number + 1}号",
    }
    try:
        await desk.post(f"{path}/committee", body, request_id=notes.request_id("appoint"))
    except RefusedError as refused:
        # The small demonstration has appointed one already: without its version none is replaced.
        if "ETAG_MISMATCH" not in refused.codes:
            raise
    notes.put("appointed", True)


async def _survey(desk: CountyDesk, branch: PhysicalBranch, equipped: Sequence[CountyPerson]) -> None:
    notes = desk.progress.of(f"branch-{branch.number}")
    path = organisation_path(branch_id(desk.progress, branch))
    known = await people_of(desk, branch)
    reports = [
        {"memberId": known[key_of(person)]["memberId"], "hasDevice": True, "hasNetwork": True} for person in equipped
    ]
    for start in range(0, len(reports), PAGE):
        body = {"reports": reports[start : start + PAGE], "signedListNumber": f"网调〔2026〕{branch.number + 1}号"}
        await desk.post(f"{path}/survey-answers", body, request_id=notes.request_id(f"survey-{start}"))
    await desk.post(f"{path}:goOnline", {}, request_id=notes.request_id("go-online"))
    notes.put("online", True)

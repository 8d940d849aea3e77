"""Makes the committees and the physical branches that are not there yet."""

from zhibu_demo.api import Json, RefusedError
from zhibu_demo.concurrency import together
from zhibu_demo.county.desk import CountyDesk, organisation_path
from zhibu_demo.county.parts import Part
from zhibu_demo.county.plan import Committee, PhysicalBranch, committees
from zhibu_demo.divisions import LINQU_COUNTY_CODE
from zhibu_demo.errors import DemoError
from zhibu_demo.progress import Progress


def branch_id(progress: Progress, branch: PhysicalBranch) -> str:
    """Return the id of a branch that was made."""
    return str(progress.get(f"branch-{branch.number}.organisation_id"))


async def make_organisations(desk: CountyDesk, branches: tuple[PhysicalBranch, ...], part: Part) -> None:
    """Make what stands above the branches first: an organisation needs the one above it."""
    wanted = {branch.committee.name for branch in branches}
    above = {
        committee.name: await _make_committee(desk, index, committee)
        for index, committee in enumerate(committees())
        if committee.name in wanted
    }

    async def one(branch: PhysicalBranch) -> None:
        key = f"branch-{branch.number}"
        parent_id = above[branch.committee.name]
        body = {"level": "ORGANISATION_LEVEL_BRANCH", "name": branch.name, "termYears": branch.term_years}
        await _make(desk, key, parent_id, body)
        part.add()

    await together(one(branch) for branch in branches)


async def _make_committee(desk: CountyDesk, index: int, committee: Committee) -> str:
    if committee.organisation_id:
        return committee.organisation_id
    body = {"level": "ORGANISATION_LEVEL_TOWNSHIP", "name": committee.name}
    return await _make(desk, f"sector-{index}", LINQU_COUNTY_CODE, body)


async def _make(desk: CountyDesk, key: str, parent_id: str, body: Json) -> str:
    notes = desk.progress.of(key)
    if known := notes.get("organisation_id"):
        return str(known)
    path = f"{organisation_path(parent_id)}/children"
    try:
        answer = await desk.post(path, body, request_id=notes.request_id("create"))
        made = str(answer["organisation"]["organisationId"])
    except RefusedError as refused:
        # The small demonstration has five of them already.
        if "ORGANISATION_NAME_TAKEN" not in refused.codes:
            raise
        made = await _find(desk, parent_id, str(body["name"]))
    notes.put("organisation_id", made)
    return made


async def _find(desk: CountyDesk, parent_id: str, name: str) -> str:
    async for row in desk.rows("/v1/organisations", "organisations", parent_id=parent_id):
        if row["name"] == name:
            return str(row["organisationId"])
    raise DemoError(f"找不到已有的组织“{name}”。", "An organisation of this name stands elsewhere in the county.")

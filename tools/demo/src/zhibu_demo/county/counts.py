"""Counts through the API what the county has, beside what the plan says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhibu_demo.api import Json
from zhibu_demo.concurrency import together
from zhibu_demo.county.desk import COUNTY, CountyDesk, organisation_path
from zhibu_demo.county.plan import Sizes
from zhibu_demo.divisions import LINQU_COUNTY_CODE

_PARTY: Final = ["PARTY_STATUS_FULL", "PARTY_STATUS_PROBATIONARY"]
_BRANCH: Final = "ORGANISATION_LEVEL_BRANCH"


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One line of the table."""

    name: str
    wanted: int
    found: int

    @property
    def reached(self) -> bool:
        """Tell whether everything is there; whoever has used the county since may have added to it."""
        return self.found >= self.wanted


async def count_county(desk: CountyDesk, sizes: Sizes) -> list[Count]:
    """Count branches, founders, members and e-IDs, each from the service that owns them."""
    branches = await _branches_below(desk, LINQU_COUNTY_CODE)
    physical = [branch for branch in branches if not branch.get("virtual")]
    founders: set[str] = set()
    members: set[str] = set()

    async def add_founders(founding_id: str) -> None:
        answer = await desk.get(f"{COUNTY}/foundings/{founding_id}")
        founders.update(each["memberId"] for each in answer["cosigners"])

    async def add_members(branch_id: str) -> None:
        rows = desk.rows(f"{organisation_path(branch_id)}/members", "members", statuses=_PARTY)
        members.update([row["memberId"] async for row in rows])

    approved = desk.rows(f"{COUNTY}/foundings", "foundings", states=["FOUNDING_STATE_APPROVED"])
    await together([add_founders(each["foundingId"]) async for each in approved])
    await together(add_members(branch["organisationId"]) for branch in physical)
    with_eid = {person["memberId"] async for person in desk.rows(f"{COUNTY}/people", "people") if person.get("eidId")}
    return [
        Count(name="实体支部 / physical branches", wanted=sizes.physical_branches, found=len(physical)),
        Count(name="虚拟支部 / virtual branches", wanted=sizes.virtual_branches, found=len(branches) - len(physical)),
        Count(name="虚拟支部发起人 / founders of them", wanted=sizes.founders, found=len(founders)),
        Count(name="党员 / members", wanted=sizes.members, found=len(members)),
        Count(name="持证党员 / members with an e-ID", wanted=sizes.members, found=len(members & with_eid)),
    ]


def table_of(counts: Sequence[Count]) -> list[str]:
    """Return the table, a line each."""
    lines = [f"{'应有 / plan':>14}{'实有 / found':>14}"]
    for count in counts:
        mark = "✓" if count.reached else "✗"
        lines.append(f"{count.wanted:>14,}{count.found:>14,}  {mark} {count.name}")
    return lines


async def _branches_below(desk: CountyDesk, parent_id: str) -> list[Json]:
    found: list[Json] = []
    async for row in desk.rows("/v1/organisations", "organisations", parent_id=parent_id):
        if row["level"] == _BRANCH:
            found.append(row)
        elif row.get("childCount"):
            found += await _branches_below(desk, str(row["organisationId"]))
    return found

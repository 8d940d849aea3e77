"""What the county's desk does for the whole county: organisations, roster, e-IDs, committees, going online, approvals."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from zhibu_demo.api import Api, Json, RefusedError, TokenSource, segment
from zhibu_demo.county.plan import Committee, CountyPerson, PhysicalBranch, VirtualBranch
from zhibu_demo.divisions import LINQU_COUNTY_CODE
from zhibu_demo.errors import DemoError
from zhibu_demo.progress import Progress

_COUNTY: Final = f"/v1/organisations/{LINQU_COUNTY_CODE}"
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PAGE: Final = 200
_LOOK_AGAIN_S: Final = 1.0
_LONGEST_S: Final = 3_600.0
_TERM_START: Final = "2025-01-01"
_POSTS: Final = ("POST_SECRETARY", "POST_DEPUTY_SECRETARY", "POST_ORGANISATION", "POST_PUBLICITY", "POST_DISCIPLINE")
_FULL: Final = "PARTY_STATUS_FULL"


class CountyDesk:
    """The administrator of Linqu at work; every step is found done when the load is started again."""

    def __init__(self, api: Api, progress: Progress, token: TokenSource, say: Callable[[str], None]) -> None:
        self._api = api
        self._progress = progress
        self._token = token
        self._say = say

    async def make_committee(self, index: int, committee: Committee) -> str:
        """Return the id of a township or sector committee; a sector's is made."""
        if committee.organisation_id:
            return committee.organisation_id
        return await self._organisation(
            f"sector-{index}", LINQU_COUNTY_CODE, "ORGANISATION_LEVEL_TOWNSHIP", committee.name, 0
        )

    async def make_branch(self, branch: PhysicalBranch, committee_id: str) -> None:
        """Create a physical branch and keep its id."""
        await self._organisation(
            f"branch-{branch.number}", committee_id, "ORGANISATION_LEVEL_BRANCH", branch.name, branch.term_years
        )

    def branch_id(self, branch: PhysicalBranch) -> str:
        """Return the id of a branch that was made."""
        return str(self._progress.get(f"branch-{branch.number}.organisation_id"))

    async def _organisation(self, key: str, parent_id: str, level: str, name: str, term_years: int) -> str:
        notes = self._progress.of(key)
        if known := notes.get("organisation_id"):
            return str(known)
        body = {"level": level, "name": name, "termYears": term_years}
        try:
            answer = await self._api.post(
                f"/v1/organisations/{segment(parent_id)}/children",
                body,
                token=self._token,
                request_id=notes.request_id("create"),
            )
            made = str(answer["organisation"]["organisationId"])
        except RefusedError as refused:
            if "ORGANISATION_NAME_TAKEN" not in refused.codes:
                raise
            made = await self._find(name)
        notes.put("organisation_id", made)
        return made

    async def _find(self, name: str) -> str:
        found = await self._api.get("/v1/organisations:search", county_code=LINQU_COUNTY_CODE, query=name)
        for organisation in found.get("organisations", []):
            if organisation["name"] == name:
                return str(organisation["organisationId"])
        raise DemoError("找不到已有的支部。", "An organisation is there and cannot be found.")

    async def import_roster(self, file: Path) -> None:
        """Upload, check and commit the roster, and wait until branches has applied it."""
        notes = self._progress.of("roster")
        if notes.get("applied"):
            return
        if not notes.get("roster_id"):
            path = f"{_COUNTY}/rosters"
            content = await asyncio.to_thread(file.read_bytes)
            answer = await self._api.upload(path, content, file_name=file.name, token=self._token, media_type=_XLSX)
            notes.put("roster_id", answer["roster"]["rosterId"])
        path = f"{_COUNTY}/rosters/{notes.get('roster_id')}"
        roster = await self._watch(path, {"ROSTER_STATE_CHECKED", *_COMMITTED}, "checkedCount")
        if roster["state"] == "ROSTER_STATE_CHECKED":
            if roster.get("problemCount"):
                raise DemoError("花名册有问题行。", f"The roster has {roster['problemCount']} bad rows.")
            await self._api.post(
                f"{path}:commit", {"etag": roster["etag"]}, token=self._token, request_id=notes.request_id("commit")
            )
        await self._watch(path, {"ROSTER_STATE_APPLIED"}, "committedCount")
        notes.put("applied", True)

    async def _watch(self, path: str, wanted: set[str], counter: str) -> Json:
        """Look until the roster has reached a state; says how far it is."""
        until_s = time.monotonic() + _LONGEST_S
        told = ""
        while time.monotonic() < until_s:
            roster: Json = (await self._api.get(path, token=self._token))["roster"]
            now = (
                f"{roster['state'].removeprefix('ROSTER_STATE_')} {roster.get(counter, 0)}/{roster.get('rowCount', 0)}"
            )
            if now != told:
                self._say(f"花名册 / roster: {now}")
                told = now
            if roster["state"] in wanted:
                return roster
            if roster["state"] in ("ROSTER_STATE_FAILED", "ROSTER_STATE_CANCELLED"):
                raise DemoError("花名册没有通过。", f"The roster ended as {roster['state']}: {roster.get('failure')}")
            await asyncio.sleep(_LOOK_AGAIN_S)
        raise DemoError("花名册没有按时完成。", "The roster was not done in time.")

    async def issue_eids(self) -> None:
        """Issue e-IDs to everybody who has none."""
        notes = self._progress.of("eids")
        if notes.get("done"):
            return
        if not notes.get("eid_batch_id"):
            answer = await self._api.post(
                f"{_COUNTY}/eid-batches", {}, token=self._token, request_id=notes.request_id("create")
            )
            notes.put("eid_batch_id", answer["eidBatch"]["eidBatchId"])
        path = f"{_COUNTY}/eid-batches/{notes.get('eid_batch_id')}"
        until_s = time.monotonic() + _LONGEST_S
        while time.monotonic() < until_s:
            batch: Json = (await self._api.get(path, token=self._token))["eidBatch"]
            self._say(f"电子身份证 / e-IDs: {batch.get('issuedCount', 0)}/{batch.get('totalCount', 0)}")
            if batch.get("done"):
                if batch.get("failedCount"):
                    raise DemoError("部分电子身份证没有发放。", f"{batch['failedCount']} e-IDs were not issued.")
                notes.put("done", True)
                return
            await asyncio.sleep(5 * _LOOK_AGAIN_S)
        raise DemoError("电子身份证没有按时发放。", "The e-IDs were not issued in time.")

    async def appoint(self, branch: PhysicalBranch) -> None:
        """Record a committee of five for a branch."""
        notes = self._progress.of(f"branch-{branch.number}")
        if notes.get("appointed"):
            return
        path = f"/v1/organisations/{segment(self.branch_id(branch))}"
        page = await self._api.get(f"{path}/members", token=self._token, statuses=[_FULL], page_size=len(_POSTS))
        members = [record["memberId"] for record in page["members"]]
        body = {
            "appointments": [{"memberId": member, "post": post} for member, post in zip(members, _POSTS, strict=True)],
            "startDate": _TERM_START,
            "documentNumber": f"临组任〔2025〕{branch.number + 1}号",
        }
        try:
            await self._api.post(f"{path}/committee", body, token=self._token, request_id=notes.request_id("appoint"))
        except RefusedError as refused:
            # The small demonstration appointed one of its branches already.
            if "COMMITTEE_EXISTS" not in refused.codes and "ETAG_MISMATCH" not in refused.codes:
                raise
        notes.put("appointed", True)

    async def go_online(self, branch: PhysicalBranch, equipped: Iterable[CountyPerson]) -> None:
        """Record the survey list that the members signed by hand, and take the branch online."""
        notes = self._progress.of(f"branch-{branch.number}")
        if notes.get("online"):
            return
        path = f"/v1/organisations/{segment(self.branch_id(branch))}"
        known = await self.eids_of(branch)
        reports = [
            {"memberId": known[key_of(person)]["memberId"], "hasDevice": True, "hasNetwork": True}
            for person in equipped
        ]
        for start in range(0, len(reports), _PAGE):
            body = {"reports": reports[start : start + _PAGE], "signedListNumber": f"网调〔2026〕{branch.number + 1}号"}
            await self._api.post(
                f"{path}/survey-answers", body, token=self._token, request_id=notes.request_id(f"survey-{start}")
            )
        await self._api.post(f"{path}:goOnline", {}, token=self._token, request_id=notes.request_id("go-online"))
        notes.put("online", True)

    async def eids_of(self, branch: PhysicalBranch) -> dict[tuple[str, str], Json]:
        """Return the people of a branch by name and last four of the telephone, as the desk sees them."""
        found: dict[tuple[str, str], Json] = {}
        token = ""
        path = f"/v1/organisations/{segment(self.branch_id(branch))}/people"
        while True:
            page = await self._api.get(path, token=self._token, page_size=_PAGE, page_token=token)
            for person in page.get("people", []):
                found[person["realName"], person["telephone"][-4:]] = person
            token = page.get("nextPageToken", "")
            if not token:
                return found

    async def approve(self, branch: VirtualBranch) -> None:
        """Approve a founding that was submitted."""
        notes = self._progress.of(f"virtual-{branch.number}")
        if notes.get("approved"):
            return
        path = f"{_COUNTY}/foundings/{notes.get('founding_id')}"
        _, etag = await self._api.get_with_etag(path, token=self._token)
        await self._api.post(
            f"{path}:approve", {"etag": etag.strip('"')}, token=self._token, request_id=notes.request_id("approve")
        )
        notes.put("approved", True)


_COMMITTED: Final = frozenset({"ROSTER_STATE_COMMITTING", "ROSTER_STATE_COMMITTED", "ROSTER_STATE_APPLIED"})


def key_of(person: CountyPerson) -> tuple[str, str]:
    """Return how the desk's list tells a person of a branch from the others."""
    return person.real_name, person.telephone[-4:]


def by_branch(people: Iterable[CountyPerson]) -> dict[int, list[CountyPerson]]:
    """Return the people by the number of their branch."""
    found: dict[int, list[CountyPerson]] = defaultdict(list)
    for person in people:
        found[person.branch.number].append(person)
    return found

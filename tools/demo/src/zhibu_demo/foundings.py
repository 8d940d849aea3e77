"""Virtual branches: proposed, signed, and approved or left to be signed."""

from collections.abc import Sequence
from typing import Final

from zhibu_demo.api import Api, TokenSource, segment
from zhibu_demo.branches import VirtualBranch
from zhibu_demo.progress import Progress

# Records and offices are known everywhere a moment after they were made.
_ON_ITS_WAY: Final = frozenset({"PERMISSION_DENIED", "NOT_FOUND"})


class Foundings:
    """What the demonstration does about virtual branches."""

    def __init__(self, api: Api, progress: Progress) -> None:
        self._api = api
        self._progress = progress

    async def propose(self, branch: VirtualBranch, initiator: TokenSource) -> None:
        """Propose a branch; the initiator is the first who signs."""
        notes = self._progress.of(branch.key)
        if notes.get("founding_id"):
            return
        answer = await self._api.post(
            "/v1/foundings",
            {
                "organisationId": branch.parent_code,
                "name": branch.name,
                "kind": branch.kind,
                "purpose": branch.purpose,
            },
            token=initiator,
            request_id=notes.request_id("propose"),
            wait_for=_ON_ITS_WAY,
        )
        notes.put("founding_id", answer["founding"]["foundingId"])

    async def sign(self, branch: VirtualBranch, signers: Sequence[tuple[str, TokenSource]]) -> None:
        """Have people sign, each by their key and token."""
        notes = self._progress.of(branch.key)
        for key, token in signers:
            if not notes.get(f"signed.{key}"):
                path = f"/v1/foundings/{segment(notes.get('founding_id'))}:cosign"
                await self._api.post(path, {}, token=token, request_id=notes.request_id(f"sign.{key}"))
                notes.put(f"signed.{key}", True)

    async def approve(self, branch: VirtualBranch, *, initiator: TokenSource, county: TokenSource) -> str:
        """Hand the founding in, have the county approve it, and return the identifier of the new branch."""
        notes = self._progress.of(branch.key)
        if not notes.get("submitted"):
            path = f"/v1/foundings/{segment(notes.get('founding_id'))}"
            _, etag = await self._api.get_with_etag(path, token=initiator)
            await self._api.post(
                f"{path}:submit", {"etag": etag.strip('"')}, token=initiator, request_id=notes.request_id("submit")
            )
            notes.put("submitted", True)
        if not notes.get("branch_id"):
            path = f"/v1/organisations/{branch.parent_code}/foundings/{segment(notes.get('founding_id'))}"
            _, etag = await self._api.get_with_etag(path, token=county)
            answer = await self._api.post(
                f"{path}:approve", {"etag": etag.strip('"')}, token=county, request_id=notes.request_id("approve")
            )
            notes.put("branch_id", answer["founding"]["branchId"])
        return str(notes.get("branch_id"))

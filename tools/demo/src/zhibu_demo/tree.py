"""Creates the organisation tree: cities, counties, the townships of two counties, branches."""

from http import HTTPStatus

from zhibu_demo.api import Api, RefusedError, TokenSource, segment
from zhibu_demo.branches import BRANCHES, Branch
from zhibu_demo.concurrency import together
from zhibu_demo.divisions import Division, Level, load_divisions
from zhibu_demo.progress import Progress

# Levels one after the other: an organisation needs the one above it.
_LEVELS = (Level.CITY, Level.COUNTY, Level.TOWNSHIP)


async def load_tree(api: Api, progress: Progress, token: TokenSource) -> None:
    """Create what is not there yet; the ids of the branches are kept in the progress."""
    if progress.get("tree.done"):
        return
    for level in _LEVELS:
        await together(
            _create(api, progress, token, division) for division in load_divisions() if division.level is level
        )
    await together(_create_branch(api, progress, token, index, branch) for index, branch in enumerate(BRANCHES))
    progress.put("tree.done", True)


def branch_id(progress: Progress, index: int) -> str:
    """Return the id that a branch was given."""
    return progress.get(f"branch-{index}.organisation_id")


async def _create(api: Api, progress: Progress, token: TokenSource, division: Division) -> None:
    body = {
        "organisationId": division.code,
        "level": f"ORGANISATION_LEVEL_{division.level.upper()}",
        "name": division.name,
    }
    parent = division.parent_code or ""
    try:
        await api.post(
            f"/v1/organisations/{segment(parent)}/children",
            body,
            token=token,
            request_id=progress.request_id(f"organisation-{division.code}"),
            # The first office takes a moment to become known to every service.
            wait_for=frozenset({"PERMISSION_DENIED"}),
        )
    except RefusedError as refused:
        # Somebody else has created it: all the better.
        if refused.status != HTTPStatus.CONFLICT or "REQUEST_ID_REUSED" in refused.codes:
            raise


async def _create_branch(api: Api, progress: Progress, token: TokenSource, index: int, branch: Branch) -> None:
    answer = await api.post(
        f"/v1/organisations/{segment(branch.parent_code)}/children",
        {"level": "ORGANISATION_LEVEL_BRANCH", "name": branch.name},
        token=token,
        request_id=progress.request_id(f"branch-{index}"),
    )
    progress.put(f"branch-{index}.organisation_id", answer["organisation"]["organisationId"])

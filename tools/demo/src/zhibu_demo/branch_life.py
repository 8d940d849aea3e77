"""What a branch does when it comes online: a committee, the survey, and going online."""

from collections.abc import Sequence
from typing import Final

from zhibu_demo.api import Api, TokenSource, segment
from zhibu_demo.people import Person
from zhibu_demo.progress import Progress

_TERM_START: Final = "2025-06-01"
_DOCUMENT: Final = "临组〔2025〕31 号"
_ON_ITS_WAY: Final = frozenset({"PERMISSION_DENIED", "NOT_FOUND"})


class BranchLife:
    """One physical branch of the demonstration."""

    def __init__(self, api: Api, progress: Progress, branch_id: str) -> None:
        self._api = api
        self._progress = progress
        self._path = f"/v1/organisations/{segment(branch_id)}"
        self._notes = progress.of(f"life.{branch_id}")

    async def appoint(self, county: TokenSource, posts: Sequence[tuple[Person, str]]) -> None:
        """Record the appointment of a committee."""
        if self._notes.get("appointed"):
            return
        appointments = [
            {"memberId": self._progress.of(person.key).get("member_id"), "post": post} for person, post in posts
        ]
        await self._api.post(
            f"{self._path}/committee",
            {"appointments": appointments, "startDate": _TERM_START, "documentNumber": _DOCUMENT},
            token=county,
            request_id=self._notes.request_id("appoint"),
            wait_for=_ON_ITS_WAY,
        )
        self._notes.put("appointed", True)

    async def answer(self, person: Person, token: TokenSource, *, equipped: bool) -> None:
        """Answer the survey as the member."""
        notes = self._progress.of(person.key)
        if notes.get("surveyed"):
            return
        body = {"hasDevice": True, "hasNetwork": equipped}
        await self._api.post(
            "/v1/me/survey-answer",
            body,
            token=token,
            request_id=notes.request_id("survey"),
            wait_for=_ON_ITS_WAY,
        )
        notes.put("surveyed", True)

    async def report(self, secretary: TokenSource, people: Sequence[Person]) -> None:
        """Report what the branch knows of members, who then confirm it or not."""
        if self._notes.get("reported") or not people:
            return
        reports = [
            {"memberId": self._progress.of(person.key).get("member_id"), "hasDevice": True, "hasNetwork": True}
            for person in people
        ]
        await self._api.post(
            f"{self._path}/survey-answers",
            {"reports": reports},
            token=secretary,
            request_id=self._notes.request_id("report"),
            wait_for=_ON_ITS_WAY,
        )
        self._notes.put("reported", True)

    async def go_online(self, secretary: TokenSource) -> None:
        """Take the branch online."""
        if self._notes.get("online"):
            return
        await self._api.post(f"{self._path}:goOnline", {}, token=secretary, request_id=self._notes.request_id("online"))
        self._notes.put("online", True)

"""The desk of the county's administrator: what every part of the load needs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from zhibu_demo.api import Api, Json, TokenSource, segment
from zhibu_demo.divisions import LINQU_COUNTY_CODE
from zhibu_demo.progress import Progress

PAGE: Final = 200
COUNTY: Final = f"/v1/organisations/{LINQU_COUNTY_CODE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountyDesk:
    """The administrator of Linqu, logged in; `progress` knows what a former load has done."""

    api: Api
    progress: Progress
    token: TokenSource

    async def get(
        self, path: str, *, wait_for: frozenset[str] = frozenset(), **parameters: str | int | list[str]
    ) -> Json:
        """Read."""
        return await self.api.get(path, token=self.token, wait_for=wait_for, **parameters)

    async def post(self, path: str, body: Json, *, request_id: str, wait_for: frozenset[str] = frozenset()) -> Json:
        """Write; the request id makes the repetition harmless."""
        return await self.api.post(path, body, token=self.token, request_id=request_id, wait_for=wait_for)

    async def rows(self, path: str, field: str, **parameters: str | int | list[str]) -> AsyncIterator[Json]:
        """Give every row of a list."""
        page_token = ""
        while True:
            page = await self.get(path, wait_for=frozenset(), page_size=PAGE, page_token=page_token, **parameters)
            for row in page.get(field, []):
                yield row
            page_token = page.get("nextPageToken", "")
            if not page_token:
                return


def organisation_path(organisation_id: str) -> str:
    """Return the path of an organisation."""
    return f"/v1/organisations/{segment(organisation_id)}"

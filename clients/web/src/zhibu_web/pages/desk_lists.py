"""The lists of the desk: a page from the gateway, the names on it, and the way to the next page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from fastapi.responses import HTMLResponse

from zhibu_web.contract import ListPage
from zhibu_web.gateway_client import segment
from zhibu_web.names import names_of
from zhibu_web.pages.desk import Desk
from zhibu_web.visit import Visit

PAGE_SIZE: Final = 50
P = TypeVar("P", bound=ListPage)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskList(Generic[P]):
    """One page of a list at a desk."""

    desk: Desk
    found: P
    page_token: str


async def list_of(
    desk: Desk,
    model: type[P],
    path: str,
    *,
    page: str,
    page_size: int = PAGE_SIZE,
    params: Mapping[str, object] | None = None,
) -> DeskList[P]:
    """Return a page of what stands at a path below the desk's organisation at the gateway."""
    asked = {**(params or {}), "pageSize": page_size, "pageToken": page}
    base = f"/v1/organisations/{segment(desk.organisation.organisation_id)}"
    found = await desk.gateway.get(f"{base}/{path}", model, params=asked)
    return DeskList(desk=desk, found=found, page_token=page)


async def show_list(
    visit: Visit,
    template: str,
    listed: DeskList[P],
    *,
    members: Iterable[str] = (),
    status: int = 200,
    **context: object,
) -> HTMLResponse:
    """Show a page of a list; members are those whose names stand on it."""
    return await visit.page(
        template,
        status=status,
        desk=listed.desk,
        next_page=listed.found.next_page_token,
        page_token=listed.page_token,
        names=await names_of(listed.desk.gateway, members),
        **context,
    )

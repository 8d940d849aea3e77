"""Choosing an organisation by a part of its name: counties have too many for a list."""

from __future__ import annotations

from typing import Final

from zhibu_web.contract import Organisation
from zhibu_web.contract_desk import OrganisationPage
from zhibu_web.pages.desk import Desk
from zhibu_web.visit import Visit

MAX_FOUND: Final = 30


async def find_organisations(
    visit: Visit, desk: Desk, name: str, *, levels: tuple[str, ...], physical: bool = True
) -> tuple[Organisation, ...]:
    """Return the organisations of the desk's county that fit what was entered in the picker of this name."""
    query = visit.form.value(f"{name}_query")[:60]
    chosen = visit.form.value(name)
    found: list[Organisation] = []
    if query:
        for level in levels:
            page = await desk.gateway.get(
                "/v1/organisations:search",
                OrganisationPage,
                params={
                    "countyCode": desk.organisation.county_code,
                    "query": query,
                    "level": level,
                    "pageSize": MAX_FOUND,
                },
            )
            found += page.organisations
    elif chosen:
        found.append(await visit.services.directory.organisation(desk.gateway, chosen))
    return tuple(one for one in found if one.active and not (physical and one.virtual))

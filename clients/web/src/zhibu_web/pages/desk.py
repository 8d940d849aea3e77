"""The desk: at which organisations a member has work, and what each page of it may assume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from zhibu_web.contract import Organisation
from zhibu_web.directory import permissions_at
from zhibu_web.gateway_client import Gateway, ProblemError
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk")

COUNTY: Final = "ORGANISATION_LEVEL_COUNTY"
ABOVE_COUNTY: Final = ("ORGANISATION_LEVEL_PROVINCE", "ORGANISATION_LEVEL_CITY")
# Section of the desk, the permission that opens it, and whether it exists only for counties.
SECTIONS: Final = (
    ("applications", "identity.applications.read", True),
    ("eids", "identity.eids.read", True),
    ("grants", "identity.grants.read", False),
    ("settings", "identity.county.configure", True),
)


class ForbiddenError(Exception):
    """The member's offices do not reach here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One organisation as the member may work on it."""

    organisation: Organisation
    permissions: frozenset[str]
    section: str
    sections: tuple[str, ...]
    member_id: str
    gateway: Gateway

    @property
    def path(self) -> str:
        """Address of this desk."""
        return f"/desk/{self.organisation.organisation_id}"

    def may(self, permission: str) -> bool:
        """Say whether the member's offices carry a permission here; the services decide again."""
        return permission in self.permissions


async def open_desk(visit: Visit, organisation_id: str, section: str) -> Desk:
    """Return the desk of an organisation for one of its sections.

    Raises:
        ForbiddenError: the member's offices do not open this section here.
    """
    gateway = await visit.gateway()
    member = await visit.member()
    directory = visit.services.directory
    organisation = await directory.organisation(gateway, organisation_id)
    permissions = permissions_at(organisation, member.grants, await directory.offices(gateway, visit.language))
    sections = _sections(organisation, permissions)
    if section and section not in sections:
        raise ForbiddenError
    return Desk(
        organisation=organisation,
        permissions=permissions,
        section=section,
        sections=sections,
        member_id=member.member_id,
        gateway=gateway,
    )


def _sections(organisation: Organisation, permissions: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        name
        for name, permission, only_county in SECTIONS
        if permission in permissions and (not only_county or organisation.level == COUNTY)
    )


@router.get("")
async def choose_desk(visit: MemberVisit) -> Response:
    """Go to the only organisation where the member has work, or offer the choice."""
    gateway = await visit.gateway()
    member = await visit.member()
    directory = visit.services.directory
    offices = await directory.offices(gateway, visit.language)
    choices: list[tuple[str, str, str]] = []
    for organisation_id in dict.fromkeys(grant.organisation_id for grant in member.grants):
        try:
            organisation = await directory.organisation(gateway, organisation_id)
        except ProblemError as problem:
            if problem.status == 404:
                continue
            raise
        permissions = permissions_at(organisation, member.grants, offices)
        sections = _sections(organisation, permissions)
        names = ", ".join(
            one.display_name
            for one in offices
            if any(grant.office == one.name and grant.organisation_id == organisation_id for grant in member.grants)
        )
        if organisation.level in ABOVE_COUNTY and permissions:
            choices.append((f"/desk/{organisation_id}/below", organisation.name, names))
        elif sections:
            choices.append((f"/desk/{organisation_id}/{sections[0]}", organisation.name, names))
    if len(choices) == 1:
        return visit.redirect(choices[0][0])
    return await visit.page("applications/choose.html", choices=choices)


@router.get("/{organisation_id}/below")
async def show_below(visit: MemberVisit, organisation_id: str) -> Response:
    """Show the organisations below one, each with the sections that the member may open there."""
    desk = await open_desk(visit, organisation_id, "")
    if not desk.permissions:
        raise ForbiddenError
    children = await visit.services.directory.children(desk.gateway, organisation_id)
    rows: list[tuple[Organisation, tuple[str, ...]]] = [
        (child, _sections(child, desk.permissions)) for child in children
    ]
    return await visit.page("applications/below.html", desk=desk, rows=rows)

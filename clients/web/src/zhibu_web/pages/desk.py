"""The desk: at which organisations a member has work, and what each page of it may assume."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from zhibu_web.contract import Organisation
from zhibu_web.directory import permissions_at
from zhibu_web.gateway_client import Gateway, ProblemError
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk")

PROVINCE: Final = "ORGANISATION_LEVEL_PROVINCE"
CITY: Final = "ORGANISATION_LEVEL_CITY"
COUNTY: Final = "ORGANISATION_LEVEL_COUNTY"
TOWNSHIP: Final = "ORGANISATION_LEVEL_TOWNSHIP"
BRANCH: Final = "ORGANISATION_LEVEL_BRANCH"
ABOVE_COUNTY: Final = (PROVINCE, CITY)
_EVERY_LEVEL: Final = (PROVINCE, CITY, COUNTY, TOWNSHIP, BRANCH)
_BELOW_CITY: Final = (COUNTY, TOWNSHIP, BRANCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the desk: where it exists, and which permissions (any of them) open it."""

    name: str
    group: str
    permissions: tuple[str, ...]
    levels: tuple[str, ...] = _BELOW_CITY
    # True: only in virtual branches; False: in every organisation but those.
    virtual: bool | None = None

    def opens(self, organisation: Organisation, permissions: frozenset[str]) -> bool:
        """Say whether these permissions open it at an organisation."""
        return (
            organisation.level in self.levels
            and (self.virtual is None or organisation.virtual == self.virtual)
            and any(one in permissions for one in self.permissions)
        )


SECTIONS: Final = (
    Section(name="applications", group="eids", permissions=("identity.applications.read",), levels=(COUNTY,)),
    Section(name="eids", group="eids", permissions=("identity.eids.read",), levels=(COUNTY,)),
    Section(name="eid-batches", group="eids", permissions=("identity.eids.issue",), virtual=False),
    Section(name="activation-sheets", group="eids", permissions=("identity.eids.activate",), virtual=False),
    Section(name="recoveries", group="eids", permissions=("identity.eids.replace",), levels=(COUNTY,)),
    Section(name="people", group="people", permissions=("identity.people.read",)),
    Section(name="unplaced", group="people", permissions=("branches.members.place",), levels=(COUNTY,)),
    Section(name="corrections", group="people", permissions=("identity.people.correct",), levels=(COUNTY, TOWNSHIP)),
    Section(name="erasures", group="people", permissions=("identity.people.erase",), levels=(COUNTY,)),
    Section(
        name="rosters",
        group="people",
        permissions=("identity.rosters.import", "identity.rosters.export"),
        virtual=False,
    ),
    Section(name="foundings", group="branches", permissions=("branches.foundings.decide",), levels=(COUNTY,)),
    Section(name="requests", group="branches", permissions=("branches.members.admit",), levels=(BRANCH,), virtual=True),
    Section(name="committees", group="branches", permissions=("branches.committees.read",)),
    Section(
        name="survey",
        group="branches",
        permissions=("branches.statistics.read", "branches.survey.manage"),
        virtual=False,
    ),
    Section(
        name="organisations",
        group="branches",
        permissions=(
            "branches.organisations.create",
            "branches.organisations.rename",
            "branches.organisations.change",
        ),
        levels=_EVERY_LEVEL,
    ),
    Section(
        name="statistics",
        group="statistics",
        permissions=("branches.statistics.read", "identity.statistics.read"),
        levels=_EVERY_LEVEL,
    ),
    Section(name="log", group="log", permissions=("audit.entries.search",), levels=_EVERY_LEVEL),
    Section(name="incidents", group="log", permissions=("audit.incidents.sign",), levels=(PROVINCE,)),
    Section(name="grants", group="settings", permissions=("identity.grants.read",), levels=_EVERY_LEVEL),
    Section(
        name="certificates", group="settings", permissions=("identity.certificates.issue",), levels=(PROVINCE, COUNTY)
    ),
    Section(name="settings", group="settings", permissions=("identity.county.configure",), levels=(COUNTY,)),
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

    @property
    def is_branch(self) -> bool:
        """Whether it is the desk of a branch."""
        return self.organisation.level == BRANCH

    @property
    def groups(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The sections by their group, in the order of the desk."""
        return groups_of(self.sections)

    def may(self, permission: str) -> bool:
        """Say whether the member's offices carry a permission here; the services decide again."""
        return permission in self.permissions

    def demand(self, permission: str) -> None:
        """Refuse whoever does not hold a permission here.

        Raises:
            ForbiddenError: the member's offices do not carry it here.
        """
        if permission not in self.permissions:
            raise ForbiddenError


def groups_of(sections: Iterable[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return sections by their group, in the order of the desk."""
    names = set(sections)
    groups: dict[str, list[str]] = {}
    for one in SECTIONS:
        if one.name in names:
            groups.setdefault(one.group, []).append(one.name)
    return tuple((group, tuple(members)) for group, members in groups.items())


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
    sections = sections_at(organisation, permissions)
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


def sections_at(organisation: Organisation, permissions: frozenset[str]) -> tuple[str, ...]:
    """Return the names of the sections that permissions open at an organisation."""
    return tuple(one.name for one in SECTIONS if one.opens(organisation, permissions))


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
        sections = sections_at(organisation, permissions)
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


@router.get("/{organisation_id}")
async def show_menu(visit: MemberVisit, organisation_id: str) -> Response:
    """Show all work that the member has at an organisation."""
    desk = await open_desk(visit, organisation_id, "")
    if not desk.sections:
        raise ForbiddenError
    return await visit.page("applications/menu.html", desk=desk)


@router.get("/{organisation_id}/below")
async def show_below(visit: MemberVisit, organisation_id: str) -> Response:
    """Show the organisations below one, each with the sections that the member may open there."""
    desk = await open_desk(visit, organisation_id, "")
    if not desk.permissions:
        raise ForbiddenError
    children = await visit.services.directory.children(desk.gateway, organisation_id)
    rows: list[tuple[Organisation, tuple[str, ...], tuple[str, ...]]] = []
    for child in children:
        sections = sections_at(child, desk.permissions)
        rows.append((child, sections, tuple(group for group, _ in groups_of(sections))))
    return await visit.page("applications/below.html", desk=desk, rows=rows)

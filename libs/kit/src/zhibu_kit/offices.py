"""Offices: the data of which office carries which permission, and at which levels of the tree it can be held.

A permission reaches downward: held at a county, it holds for its townships and branches. What nobody's office carries,
nobody may do; a test compares this list with the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PROVINCE: Final = "province"
CITY: Final = "city"
COUNTY: Final = "county"
TOWNSHIP: Final = "township"
BRANCH: Final = "branch"
LEVELS: Final = (PROVINCE, CITY, COUNTY, TOWNSHIP, BRANCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A named set of permissions that can be held at organisations of the given levels."""

    name: str
    zh: str
    en: str
    levels: tuple[str, ...]
    permissions: frozenset[str]


def _office(name: str, zh: str, en: str, *, levels: tuple[str, ...], permissions: tuple[str, ...]) -> Office:
    return Office(name=name, zh=zh, en=en, levels=levels, permissions=frozenset(permissions))


# What the administrators of the province and of a county hold, so that they can grant it to others.
_EVERYTHING: Final = (
    "audit.entries.export",
    "audit.entries.search",
    "audit.incidents.sign",
    "audit.log.read",
    "branches.committees.appoint",
    "branches.committees.read",
    "branches.county.configure",
    "branches.foundings.decide",
    "branches.members.admit",
    "branches.members.decide",
    "branches.members.place",
    "branches.members.read",
    "branches.members.restore",
    "branches.organisations.change",
    "branches.organisations.create",
    "branches.organisations.rename",
    "branches.statistics.read",
    "branches.survey.manage",
    "identity.applications.decide",
    "identity.applications.export",
    "identity.applications.read",
    "identity.certificates.issue",
    "identity.county.configure",
    "identity.documents.read",
    "identity.documents.write",
    "identity.eids.activate",
    "identity.eids.issue",
    "identity.eids.read",
    "identity.eids.replace",
    "identity.eids.revoke",
    "identity.grants.make",
    "identity.grants.read",
    "identity.people.correct",
    "identity.people.erase",
    "identity.people.read",
    "identity.rosters.export",
    "identity.rosters.import",
    "identity.statistics.read",
    "notify.notices.configure",
)

# What a branch needs every day.
_BRANCH: Final = (
    "branches.committees.read",
    "branches.members.admit",
    "branches.members.read",
    "branches.statistics.read",
    "branches.survey.manage",
    "identity.people.read",
    "identity.statistics.read",
)

_ALL: Final = (
    _office(
        "province_admin",
        "省级管理员",
        "Province administrator",
        levels=(PROVINCE,),
        permissions=_EVERYTHING,
    ),
    _office(
        "city_viewer",
        "市级查询员",
        "City viewer",
        levels=(CITY,),
        permissions=(
            "branches.statistics.read",
            "identity.grants.read",
            "identity.statistics.read",
        ),
    ),
    _office(
        "county_admin",
        "县级管理员",
        "County administrator",
        levels=(COUNTY,),
        permissions=_EVERYTHING,
    ),
    _office(
        "county_approver",
        "县级审批员",
        "County approver",
        levels=(COUNTY,),
        permissions=(
            "branches.committees.read",
            "branches.foundings.decide",
            "branches.members.place",
            "branches.members.read",
            "branches.statistics.read",
            "identity.applications.decide",
            "identity.applications.read",
            "identity.eids.activate",
            "identity.eids.issue",
            "identity.eids.read",
            "identity.eids.replace",
            "identity.people.correct",
            "identity.people.read",
            "identity.statistics.read",
        ),
    ),
    _office(
        "county_clerk",
        "县级组织干事",
        "County organisation clerk",
        levels=(COUNTY,),
        permissions=(
            "branches.committees.appoint",
            "branches.committees.read",
            "branches.foundings.decide",
            "branches.members.admit",
            "branches.members.decide",
            "branches.members.place",
            "branches.members.read",
            "branches.organisations.create",
            "branches.organisations.rename",
            "branches.statistics.read",
            "branches.survey.manage",
            "identity.applications.read",
            "identity.documents.read",
            "identity.documents.write",
            "identity.eids.activate",
            "identity.eids.issue",
            "identity.eids.read",
            "identity.people.correct",
            "identity.people.read",
            "identity.rosters.export",
            "identity.rosters.import",
            "identity.statistics.read",
        ),
    ),
    _office(
        "security_officer",
        "安全员",
        "Security officer",
        levels=(PROVINCE, COUNTY),
        permissions=(
            "audit.entries.export",
            "audit.entries.search",
            "audit.incidents.sign",
            "audit.log.read",
            "identity.eids.read",
            "identity.eids.revoke",
            "identity.grants.read",
        ),
    ),
    _office(
        "township_officer",
        "乡镇组织委员",
        "Township organisation officer",
        levels=(TOWNSHIP,),
        permissions=(
            "branches.committees.appoint",
            "branches.committees.read",
            "branches.members.admit",
            "branches.members.decide",
            "branches.members.place",
            "branches.members.read",
            "branches.statistics.read",
            "branches.survey.manage",
            "identity.documents.read",
            "identity.documents.write",
            "identity.people.correct",
            "identity.people.read",
            "identity.rosters.export",
            "identity.statistics.read",
        ),
    ),
    _office(
        "branch_secretary",
        "党支部书记",
        "Branch secretary",
        levels=(BRANCH,),
        permissions=_BRANCH,
    ),
    _office(
        "branch_deputy",
        "党支部副书记",
        "Deputy branch secretary",
        levels=(BRANCH,),
        permissions=_BRANCH,
    ),
    _office(
        "branch_organiser",
        "党支部组织委员",
        "Branch member for organisation",
        levels=(BRANCH,),
        permissions=_BRANCH,
    ),
    _office("member", "党员", "Member", levels=(BRANCH,), permissions=()),
)

OFFICES: Final[dict[str, Office]] = {office.name: office for office in _ALL}


def permissions_of(office: str) -> frozenset[str]:
    """Return what an office may do; an office that this version does not know may do nothing."""
    known = OFFICES.get(office)
    return known.permissions if known else frozenset()


def known_permissions() -> frozenset[str]:
    """Return every permission that some office carries."""
    return frozenset(permission for office in _ALL for permission in office.permissions)

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


_ALL: Final = (
    _office(
        "province_admin",
        "省级管理员",
        "Province administrator",
        levels=(PROVINCE,),
        permissions=(
            "branches.organisations.create",
            "branches.organisations.rename",
            "identity.applications.decide",
            "identity.applications.export",
            "identity.applications.read",
            "identity.county.configure",
            "identity.eids.activate",
            "identity.eids.read",
            "identity.eids.revoke",
            "identity.grants.make",
            "identity.grants.read",
        ),
    ),
    _office(
        "city_viewer",
        "市级查询员",
        "City viewer",
        levels=(CITY,),
        permissions=("identity.grants.read",),
    ),
    _office(
        "county_admin",
        "县级管理员",
        "County administrator",
        levels=(COUNTY,),
        permissions=(
            "branches.organisations.create",
            "branches.organisations.rename",
            "identity.applications.decide",
            "identity.applications.export",
            "identity.applications.read",
            "identity.county.configure",
            "identity.eids.activate",
            "identity.eids.read",
            "identity.eids.revoke",
            "identity.grants.make",
            "identity.grants.read",
        ),
    ),
    _office(
        "county_approver",
        "县级审批员",
        "County approver",
        levels=(COUNTY,),
        permissions=(
            "identity.applications.decide",
            "identity.applications.read",
            "identity.eids.activate",
            "identity.eids.read",
        ),
    ),
    _office(
        "security_officer",
        "安全员",
        "Security officer",
        levels=(PROVINCE, COUNTY),
        permissions=("identity.eids.read", "identity.eids.revoke", "identity.grants.read"),
    ),
    _office("branch_secretary", "党支部书记", "Branch secretary", levels=(BRANCH,), permissions=()),
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

"""Giving an office to a member, and ending it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from zhibu_kit.clock import today_in_shanghai
from zhibu_kit.db import Transaction
from zhibu_kit.errors import ServiceError, field_error
from zhibu_kit.ids import new_ulid
from zhibu_kit.offices import OFFICES
from zhibu_kit.principal import Principal

from zhibu_identity import faults
from zhibu_identity.eids.login_codes import find_living_by_number
from zhibu_identity.eids.records import Eid
from zhibu_identity.errors import DATE_UNREAL, EID_UNKNOWN, GRANT_ENDED, ORGANISATION_UNKNOWN
from zhibu_identity.grants.records import Grant, end_grant, get_grant, insert_grant
from zhibu_identity.organisations import Level, Organisation, find_organisation
from zhibu_identity.parts import Parts
from zhibu_identity.rules.grant import (
    GrantFault,
    OfficeShape,
    Term,
    find_office_fault,
    find_reach_fault,
    read_term,
)
from zhibu_identity.rules.numbers import normalise_eid_number

# Their offices go to members of any county below them.
_ABOVE_COUNTIES: Final = frozenset({Level.PROVINCE, Level.CITY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which office, where, for whom, and for how long."""

    organisation_id: str
    eid_number: str
    office: str
    start_date: str
    end_date: str


async def make_grant(transaction: Transaction, parts: Parts, wish: Wish, *, granter: Principal) -> tuple[Grant, Eid]:
    """Give an office; nobody grants what they do not hold.

    Raises:
        ServiceError: OFFICE_NOT_HELD, field errors.
    """
    organisation = await find_organisation(transaction, wish.organisation_id)
    if organisation is None:
        raise field_error("organisation_id", ORGANISATION_UNKNOWN)
    held = await _held_permissions(parts, granter, wish.organisation_id)
    _refuse_if(find_office_fault(_shape(wish.office), level=organisation.office_level, held_permissions=held))
    term = _term(parts, wish)
    eid = await find_living_by_number(parts, normalise_eid_number(wish.eid_number))
    if eid is None:
        raise field_error("eid_number", EID_UNKNOWN)
    await _check_reach(parts, organisation, eid)
    grant = new_grant(parts, organisation, eid, office=wish.office, term=term, made_by_member_id=granter.member_id)
    await insert_grant(transaction, grant)
    return grant, eid


def new_grant(
    parts: Parts, organisation: Organisation, eid: Eid, *, office: str, term: Term, made_by_member_id: str | None
) -> Grant:
    """Return a grant that is not stored yet."""
    return Grant(
        grant_id=new_ulid(parts.clock),
        county_code=organisation.scope_code,
        organisation_id=organisation.organisation_id,
        member_id=eid.member_id,
        member_county_code=eid.county_code,
        account_id=eid.account_id,
        office=office,
        starts_at=term.starts_at,
        ends_at=term.ends_at,
        ended_at=None,
        made_by_member_id=made_by_member_id,
        version=1,
    )


async def end_office(
    transaction: Transaction, parts: Parts, grant_id: str, *, organisation_id: str, ender: Principal
) -> Grant:
    """End a grant at once; only who could give the office can end it.

    Raises:
        ServiceError: NOT_FOUND, OFFICE_NOT_HELD, GRANT_ENDED.
    """
    grant = await get_grant(transaction, grant_id, organisation_id=organisation_id)
    shape = _shape(grant.office)
    held = await _held_permissions(parts, ender, organisation_id)
    if shape is not None and not shape.permissions <= held:
        _refuse_if(GrantFault.NOT_HELD)
    now = parts.clock.now()
    if grant.ended_at is not None or (grant.ends_at is not None and grant.ends_at <= now):
        raise GRANT_ENDED()
    return await end_grant(transaction, grant, now=now)


async def _held_permissions(parts: Parts, principal: Principal, organisation_id: str) -> frozenset[str]:
    """Return what somebody may do at an organisation: permissions reach downward."""
    ancestry = await parts.organisations.ancestry(organisation_id)
    above = frozenset(ancestry.organisation_ids) if ancestry else frozenset[str]()
    return frozenset(
        permission for grant in principal.grants if grant.organisation_id in above for permission in grant.permissions
    )


async def _check_reach(parts: Parts, organisation: Organisation, eid: Eid) -> None:
    ancestry = await parts.organisations.ancestry(eid.county_code)
    _refuse_if(
        find_reach_fault(
            organisation_id=organisation.organisation_id,
            organisation_county=None if organisation.level in _ABOVE_COUNTIES else organisation.scope_code,
            member_county=eid.county_code,
            member_ancestors=frozenset(ancestry.organisation_ids) if ancestry else frozenset[str](),
        )
    )


def _term(parts: Parts, wish: Wish) -> Term:
    today = today_in_shanghai(parts.clock)
    first = _date("start_date", wish.start_date) if wish.start_date else today
    term = read_term(first, _date("end_date", wish.end_date), today=today)
    if isinstance(term, GrantFault):
        raise _error_of(term)
    return term


def _date(field: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise field_error(field, DATE_UNREAL) from None


def _shape(office: str) -> OfficeShape | None:
    known = OFFICES.get(office)
    return OfficeShape(levels=frozenset(known.levels), permissions=known.permissions) if known else None


def _refuse_if(fault: GrantFault | None) -> None:
    if fault is not None:
        raise _error_of(fault)


def _error_of(fault: GrantFault) -> ServiceError:
    field, kind = faults.GRANT[fault]
    return field_error(field, kind) if field else kind()

"""What the handlers ask about the place that a call is about."""

from __future__ import annotations

from typing import Final

from zhibu_kit.call import Call
from zhibu_kit.db import Role, Transaction
from zhibu_kit.errors import NOT_FOUND, field_error

from zhibu_branches.foundings.errors import COUNTY_EXPECTED
from zhibu_branches.queries import Organisation, find_organisation
from zhibu_branches.rules.tree import Level

_COUNTY_DIGITS: Final = 6


def reading_role(call: Call) -> Role:
    """Whoever reads at a city or the province reads every county; the organisation of the request bounds what is shown."""
    in_county = bool(call.scope.counties) and all(len(code) == _COUNTY_DIGITS for code in call.scope.counties)
    return Role.APP if in_county else Role.PROVINCE


async def get_organisation(transaction: Transaction, organisation_id: str) -> Organisation:
    """The organisation of this name, dissolved or not.

    Raises:
        ServiceError: NOT_FOUND.
    """
    found = await find_organisation(transaction, organisation_id)
    if found is None:
        raise NOT_FOUND(noun="organisation")
    return found


async def get_branch(transaction: Transaction, organisation_id: str) -> Organisation:
    """The branch of this name, dissolved or not.

    Raises:
        ServiceError: NOT_FOUND.
    """
    found = await find_organisation(transaction, organisation_id)
    if found is None or found.place.level is not Level.BRANCH:
        raise NOT_FOUND(noun="branch")
    return found


async def check_county(transaction: Transaction, organisation_id: str) -> None:
    """Parameters belong to counties: refuses the organisations above and below.

    Raises:
        ServiceError: a field error on organisation_id.
    """
    found = await find_organisation(transaction, organisation_id)
    if found is None or found.place.level is not Level.COUNTY:
        raise field_error("organisation_id", COUNTY_EXPECTED)

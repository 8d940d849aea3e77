"""Number and code of a case: together they open it, without an account.

An unknown number and a wrong code get the same answer after the same work, and wrong tries are counted for numbers that
do not exist too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from zhibu_kit.errors import ServiceError
from zhibu_kit.scope import Scope

from zhibu_identity.applications.records import find_by_case_number
from zhibu_identity.errors import CASE_CLOSED_TO_TRIES, CASE_KEY_WRONG
from zhibu_identity.keys.sealing import same
from zhibu_identity.organisations import organisation_of_area
from zhibu_identity.parts import Parts
from zhibu_identity.rate_windows import count_event, find_window
from zhibu_identity.rules.codes import normalise_code
from zhibu_identity.rules.limits import CASE_WINDOW, too_many_wrong_codes
from zhibu_identity.rules.numbers import find_county_of_case

WINDOW: Final = "case_code"
# A county that does not exist: a number which cannot be right is looked for there.
_NOWHERE: Final = "000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedCase:
    """A case that was opened with its number and code."""

    application_id: str
    organisation_id: str
    county_code: str
    member_id: str

    @property
    def scope(self) -> Scope:
        """The scope in which the case stands."""
        return Scope.of(self.county_code)


async def open_case(parts: Parts, case_number: str, *, case_code: str) -> OpenedCase:
    """Return the case that number and code open.

    Raises:
        ServiceError: CASE_KEY_WRONG, or CASE_CLOSED_TO_TRIES after too many wrong codes.
    """
    now = parts.clock.now()
    area = find_county_of_case(case_number)
    scope = Scope.of(organisation_of_area(area) if area else _NOWHERE)
    subject = parts.province.digest("case", case_number)
    refusal: ServiceError | None = None
    opened: OpenedCase | None = None
    async with parts.database.transaction(scope) as transaction:
        window = await find_window(transaction, WINDOW, subject)
        record = await find_by_case_number(transaction, case_number)
        given = digest_case_code(parts, case_number, case_code)
        right = same(given, record.case_code_digest if record else b"\0" * len(given))
        if window is not None and too_many_wrong_codes(window, now):
            wait_s = math.ceil((window.began_at + CASE_WINDOW - now).total_seconds())
            refusal = CASE_CLOSED_TO_TRIES(retry_after_s=f"{wait_s}")
        elif record is not None and right:
            opened = OpenedCase(
                application_id=record.application_id,
                organisation_id=record.organisation_id,
                county_code=record.county_code,
                member_id=record.member_id,
            )
        else:
            # The try is committed before the refusal is raised.
            await count_event(transaction, WINDOW, subject, now=now, length=CASE_WINDOW)
            refusal = CASE_KEY_WRONG()
    if opened is None:
        raise refusal or CASE_KEY_WRONG()
    return opened


def digest_case_code(parts: Parts, case_number: str, case_code: str) -> bytes:
    """Return the digest under which a case's code is kept."""
    return parts.province.secret_digest("case-code", f"{case_number}\0{normalise_code(case_code)}")

"""What the checks noticed: none of it stops an application, and the applicant is told none of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Finding(IntEnum):
    """Something the clerk should look at; the numbers are the contract's."""

    DUPLICATE_IN_COUNTY = 1
    DUPLICATE_IN_OTHER_COUNTY = 2
    TELEPHONE_SHARED = 3
    RARE_CHARACTERS = 4
    ON_ROSTER = 5
    ROSTER_DIFFERS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What the indexes answered, with yes or no, about other people's applications and e-IDs."""

    number_in_county: bool
    number_elsewhere: bool
    telephone_shared: bool
    # Whether a roster of the county names the person, and whether it does so under another name.
    on_roster: bool = False
    roster_differs: bool = False


def findings_of(knowledge: Knowledge, *, rare_name: bool) -> tuple[Finding, ...]:
    """Return the findings in the order of their numbers."""
    noticed = {
        Finding.DUPLICATE_IN_COUNTY: knowledge.number_in_county,
        Finding.DUPLICATE_IN_OTHER_COUNTY: knowledge.number_elsewhere,
        Finding.TELEPHONE_SHARED: knowledge.telephone_shared,
        Finding.RARE_CHARACTERS: rare_name,
        Finding.ON_ROSTER: knowledge.on_roster and not knowledge.roster_differs,
        Finding.ROSTER_DIFFERS: knowledge.roster_differs,
    }
    return tuple(finding for finding, there in noticed.items() if there)

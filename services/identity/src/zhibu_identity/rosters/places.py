"""Which branch a roster means by a name: departments shorten, and several villages have the same one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import or_, select
from zhibu_kit import tables
from zhibu_kit.db import Transaction

from zhibu_identity.organisations import Level
from zhibu_identity.rosters.reading.cells import folded
from zhibu_identity.rosters.reading.problems import Reason

# What names of branches begin and end with, in any of its forms.
_BEFORE: Final = re.compile(r"^(中国共产党|中共)")
_BRANCH_END: Final = re.compile(r"(党支部委员会|支部委员会|党支部|支部)$")
_COMMITTEE_END: Final = re.compile(r"(委员会|党工委|党委|工委|党总支)$")
# A county has some hundreds of branches; the largest some thousands.
MOST_ORGANISATIONS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An organisation of the county."""

    organisation_id: str
    parent_id: str
    level: Level
    name: str
    virtual: bool


class Places:
    """The organisations of a county, and the part of them that a roster is about."""

    def __init__(self, places: Iterable[Place], *, organisation_id: str) -> None:
        """Look branches up below an organisation, itself included."""
        self._by_id = {place.organisation_id: place for place in places}
        self._organisation_id = organisation_id
        self._branches: defaultdict[str, list[Place]] = defaultdict(list)
        self._committees: defaultdict[str, list[Place]] = defaultdict(list)
        self._virtual: set[str] = set()
        for place in self._by_id.values():
            if place.virtual:
                self._virtual.update(_forms(place.name, _BRANCH_END))
            elif place.level is Level.BRANCH and self.is_within(place.organisation_id):
                for name in _forms(place.name, _BRANCH_END):
                    self._branches[name].append(place)
            else:
                for name in _forms(place.name, _COMMITTEE_END):
                    self._committees[name].append(place)

    @property
    def only_branch(self) -> Place | None:
        """The branch that the roster is about, when it is about one."""
        place = self._by_id.get(self._organisation_id)
        return place if place is not None and place.level is Level.BRANCH and not place.virtual else None

    @property
    def branch_ids(self) -> list[str]:
        """The branches that the roster is about."""
        return sorted({place.organisation_id for found in self._branches.values() for place in found})

    def name_of(self, organisation_id: str) -> str:
        """Return the name of an organisation of the county, empty when it is none."""
        place = self._by_id.get(organisation_id)
        return place.name if place else ""

    def committee_name_of(self, branch_id: str) -> str:
        """Return the name of the organisation above a branch."""
        place = self._by_id.get(branch_id)
        return self.name_of(place.parent_id) if place else ""

    def is_within(self, organisation_id: str) -> bool:
        """Say whether an organisation is the one that the roster is about, or below it."""
        seen = 0
        while organisation_id in self._by_id and seen < len(Level):
            if organisation_id == self._organisation_id:
                return True
            organisation_id = self._by_id[organisation_id].parent_id
            seen += 1
        return organisation_id == self._organisation_id

    def find_branch(self, name: str, committee: str) -> Place | Reason:
        """Return the branch that a row names."""
        if not name:
            return self.only_branch or Reason.BRANCH_MISSING
        for form in _forms(name, _BRANCH_END):
            found = {place.organisation_id: place for place in self._branches.get(form, ())}
            exact = [place for place in found.values() if folded(place.name) == form]
            candidates = exact or list(found.values())
            if len(candidates) > 1 and committee:
                above = {place.organisation_id for place in self._find_committees(committee)}
                candidates = [place for place in candidates if self._is_below(place, above)]
                if not candidates:
                    continue
            if len(candidates) == 1:
                return candidates[0]
            if candidates:
                return Reason.BRANCH_AMBIGUOUS
        known = not self._virtual.isdisjoint(_forms(name, _BRANCH_END))
        return Reason.BRANCH_VIRTUAL if known else Reason.BRANCH_UNKNOWN

    def find_committee_id(self, name: str) -> str:
        """Return the one organisation of this name that is no branch, empty when there is none."""
        found = self._find_committees(name)
        return found[0].organisation_id if len(found) == 1 else ""

    def _find_committees(self, name: str) -> list[Place]:
        for form in _forms(name, _COMMITTEE_END):
            if form in self._committees:
                return self._committees[form]
        return []

    def _is_below(self, place: Place, above: set[str]) -> bool:
        parent = place.parent_id
        for _ in Level:
            if parent in above:
                return True
            if parent not in self._by_id:
                return False
            parent = self._by_id[parent].parent_id
        return False


async def load_places(transaction: Transaction, county_code: str, *, organisation_id: str) -> Places:
    """Return the organisations of a county, as the projection of branches' events shows them."""
    table = tables.organisation
    rows = await transaction.all(
        select(table.c.organisation_id, table.c.parent_id, table.c.level, table.c.name, table.c.virtual)
        .where(or_(table.c.county_code == county_code, table.c.organisation_id == county_code), table.c.active)
        .order_by(table.c.organisation_id)
        .limit(MOST_ORGANISATIONS)
    )
    return Places(
        [
            Place(
                organisation_id=row.organisation_id,
                parent_id=row.parent_id,
                level=Level(row.level),
                name=row.name,
                virtual=row.virtual,
            )
            for row in rows
        ],
        organisation_id=organisation_id,
    )


def _forms(name: str, end: re.Pattern[str]) -> list[str]:
    """Return a name as it is written, and without what all such names begin and end with."""
    whole = folded(name)
    short = end.sub("", _BEFORE.sub("", whole))
    return [whole, short] if short and short != whole else [whole]

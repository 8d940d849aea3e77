"""Sums without persons: charts of an organisation, and the organisations directly below it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from zhibu_web.contract_desk import Group, PeopleStatistics, Statistics
from zhibu_web.gateway_client import segment
from zhibu_web.pages.desk import open_desk
from zhibu_web.texts import CATALOGUE
from zhibu_web.visit import MemberVisit, Visit

router = APIRouter(prefix="/desk/{organisation_id}/statistics")

BRANCHES: Final = "branches.statistics.read"
PEOPLE: Final = "identity.statistics.read"
# Where the words of a chart's groups stand; ages speak for themselves.
_WORDS: Final = {
    "status": "party_status.PARTY_STATUS_",
    "occupation": "occupation.OCCUPATION_CATEGORY_",
    "gender": "gender.GENDER_",
    "education": "education.EDUCATION_",
}
_UNKNOWN: Final = ("", "UNSPECIFIED", "UNKNOWN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a chart; a count below zero is not told because it is small."""

    label: str
    count: int


@router.get("")
async def show_statistics(visit: MemberVisit, organisation_id: str) -> HTMLResponse:
    """Show what an organisation and those below it hold."""
    desk = await open_desk(visit, organisation_id, "statistics")
    path = f"/v1/organisations/{segment(organisation_id)}"

    async def of_branches() -> Statistics | None:
        return await desk.gateway.get(f"{path}/statistics", Statistics) if desk.may(BRANCHES) else None

    async def of_people() -> PeopleStatistics | None:
        return await desk.gateway.get(f"{path}/people-statistics", PeopleStatistics) if desk.may(PEOPLE) else None

    sums, people = await asyncio.gather(of_branches(), of_people())
    charts: list[tuple[str, list[Bar]]] = []
    if sums is not None:
        charts += [
            ("status", _bars(visit, "status", sums.total.by_status)),
            ("occupation", _bars(visit, "occupation", sums.total.by_occupation)),
            ("admission", _bars(visit, "admission", sums.total.by_admission)),
        ]
    if people is not None:
        charts += [
            ("age", _bars(visit, "age", people.by_age)),
            ("gender", _bars(visit, "gender", people.by_gender)),
            ("education", _bars(visit, "education", people.by_education)),
            ("ethnicity", _bars(visit, "ethnicity", people.by_ethnicity)),
        ]
    ungrouped = (sums.total.ungrouped_member_count if sums else 0) or (people.ungrouped_count if people else 0)
    if ungrouped:
        # Where everybody is left out of the groups, bars of nobody would be no answer.
        charts = [(name, bars) for name, bars in charts if any(bar.count for bar in bars)]
    return await visit.page(
        "statistics/statistics.html",
        desk=desk,
        sums=sums,
        people=people,
        charts=[(visit.t(f"statistics.by.{name}"), bars) for name, bars in charts if bars],
        ungrouped=ungrouped,
        as_of=(sums.as_of_time if sums else None) or (people.as_of_time if people else None),
    )


def _bars(visit: Visit, name: str, groups: Iterable[Group]) -> list[Bar]:
    return [Bar(label=_label(visit, name, one.key), count=one.count) for one in groups]


def _label(visit: Visit, name: str, key: str) -> str:
    """Return the words for a group of people."""
    if key in _UNKNOWN:
        return visit.t("statistics.unknown")
    if name == "ethnicity":
        return visit.t("statistics.han" if key == "HAN" else "statistics.not_han")
    if name == "admission":
        return visit.t("statistics.decade", year=key)
    words = f"{_WORDS.get(name, name)}{key}"
    return visit.t(words) if words in CATALOGUE else key

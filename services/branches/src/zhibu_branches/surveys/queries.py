"""Reading the surveys of branches: one with its history, or all below an organisation. No persons in here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, func, select
from zhibu_kit.db import Transaction

from zhibu_branches.models import organisation
from zhibu_branches.queries import Organisation
from zhibu_branches.rules.surveys import (
    DEFAULT_HYSTERESIS_PERMILLE,
    DEFAULT_THRESHOLD_PERMILLE,
    Counts,
    OnlineState,
    Parameters,
)
from zhibu_branches.rules.tree import Level
from zhibu_branches.surveys.counting import BranchSurvey
from zhibu_branches.surveys.tables import branch_survey, branch_survey_day, survey_parameters

# Days of a history that are shown; a chart of more than a year shows no more.
HISTORY_DAYS_MAX: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The survey of a branch beside the parameters it is judged by."""

    survey: BranchSurvey
    parameters: Parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class RateDay:
    """How a branch stood at the end of a day on which something changed."""

    day: date
    rate_permille: int
    member_count: int
    equipped_count: int
    state: OnlineState


async def rate_of(transaction: Transaction, branch_id: str) -> Rate | None:
    """The rate of a physical branch, or None when there is none of that name; the scope must show its county."""
    row = await transaction.one_or_none(_rates().where(organisation.c.organisation_id == branch_id))
    return None if row is None else _rate(row)


async def history_of(transaction: Transaction, branch_id: str) -> list[RateDay]:
    """The last days on which the rate of a branch changed, oldest first."""
    rows = await transaction.all(
        select(branch_survey_day)
        .where(branch_survey_day.c.branch_id == branch_id)
        .order_by(branch_survey_day.c.day.desc())
        .limit(HISTORY_DAYS_MAX)
    )
    return [
        RateDay(
            day=row.day,
            rate_permille=row.rate_permille,
            member_count=row.member_count,
            equipped_count=row.equipped_count,
            state=OnlineState(row.state),
        )
        for row in reversed(rows)
    ]


async def list_rates(
    transaction: Transaction, top: Organisation, *, states: Collection[OnlineState], after: str | None, count_max: int
) -> list[Rate]:
    """The rates of the physical branches below an organisation, by identifier, after the given one."""
    statement = _rates().where(organisation.c.active, _below(top))
    if states:
        statement = statement.where(func.coalesce(branch_survey.c.state, OnlineState.OFFLINE).in_(sorted(states)))
    if after is not None:
        statement = statement.where(organisation.c.organisation_id > after)
    rows = await transaction.all(statement.order_by(organisation.c.organisation_id).limit(count_max))
    return [_rate(row) for row in rows]


def _below(top: Organisation) -> ColumnElement[bool]:
    place = top.place
    match place.level:
        case Level.PROVINCE | Level.CITY:
            return organisation.c.ancestor_ids.contains([place.organisation_id])
        case Level.COUNTY:
            return organisation.c.county_code == place.county_code
        case Level.TOWNSHIP:
            return organisation.c.parent_id == place.organisation_id
        case Level.BRANCH:
            return organisation.c.organisation_id == place.organisation_id


def _rates() -> Select[*tuple[Any, ...]]:
    return (
        select(
            organisation.c.organisation_id,
            organisation.c.county_code,
            branch_survey.c.member_count,
            branch_survey.c.answered_count,
            branch_survey.c.equipped_count,
            branch_survey.c.state,
            branch_survey.c.online_date,
            branch_survey.c.version,
            branch_survey.c.update_time,
            survey_parameters.c.threshold_permille,
            survey_parameters.c.hysteresis_permille,
        )
        .outerjoin(branch_survey, branch_survey.c.branch_id == organisation.c.organisation_id)
        .outerjoin(survey_parameters, survey_parameters.c.county_code == organisation.c.county_code)
        .where(organisation.c.level == Level.BRANCH, organisation.c.virtual.is_(False))
    )


def _rate(row: Row[Any]) -> Rate:
    return Rate(
        survey=BranchSurvey(
            branch_id=row.organisation_id,
            county_code=row.county_code,
            counts=Counts(
                members=row.member_count or 0, answered=row.answered_count or 0, equipped=row.equipped_count or 0
            ),
            state=OnlineState(row.state or OnlineState.OFFLINE),
            online_date=row.online_date,
            version=row.version or 0,
            update_time=row.update_time,
        ),
        parameters=Parameters(
            threshold_permille=_or(row.threshold_permille, DEFAULT_THRESHOLD_PERMILLE),
            hysteresis_permille=_or(row.hysteresis_permille, DEFAULT_HYSTERESIS_PERMILLE),
        ),
    )


def _or(value: int | None, default: int) -> int:
    return default if value is None else value

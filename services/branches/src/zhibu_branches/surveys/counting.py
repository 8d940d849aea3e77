"""What the survey of a branch comes to, counted branch by branch: never by going through all of them.

Answers are counted in the transaction that writes them. Changes of members leave a row in `survey_due` (a trigger does it,
whatever made the change), and a job counts those branches a moment later.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import DateTime, Row, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.clock import SHANGHAI, Clock
from zhibu_kit.db import Database, Role, Scope, Transaction

from zhibu_branches.errors import BRANCH_IS_VIRTUAL, ORGANISATION_DISSOLVED
from zhibu_branches.models import member_record, organisation
from zhibu_branches.queries import Organisation
from zhibu_branches.rules.members import MEMBERS, Standing
from zhibu_branches.rules.surveys import (
    COUNTING,
    DEFAULT_PARAMETERS,
    NOTHING_COUNTED,
    Counts,
    OnlineState,
    Parameters,
    may_go_online,
    next_state,
)
from zhibu_branches.rules.tree import Level
from zhibu_branches.surveys import errors
from zhibu_branches.surveys.events import online_state_changed
from zhibu_branches.surveys.tables import (
    branch_survey,
    branch_survey_day,
    survey_answer,
    survey_due,
    survey_parameters,
)

# Rows of survey_due that one transaction takes: an import leaves one for each row that it writes.
DUE_BATCH: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchSurvey:
    """The survey of one physical branch; a branch that nobody counted yet is offline with nothing counted."""

    branch_id: str
    county_code: str
    counts: Counts = NOTHING_COUNTED
    state: OnlineState = OnlineState.OFFLINE
    online_date: date | None = None
    version: int = 0
    update_time: datetime | None = None


async def recount(transaction: Transaction, branch_ids: Collection[str], *, now: datetime) -> dict[str, BranchSurvey]:
    """Counts the surveys of these branches anew and judges them; virtual and dissolved branches are left out.

    Call it last in a transaction: it locks the surveys, in the order of the branches, before it counts. Whoever waits for
    that lock counts what the one before has committed.
    """
    wanted = sorted(set(branch_ids))
    await _begin_surveys(transaction, wanted, now=now)
    rows = await transaction.all(
        select(branch_survey)
        .join(organisation, organisation.c.organisation_id == branch_survey.c.branch_id)
        .where(branch_survey.c.branch_id == func.any(wanted), organisation.c.active)
        .order_by(branch_survey.c.branch_id)
        .with_for_update(of=branch_survey)
    )
    before = {row.branch_id: survey_from(row) for row in rows}
    counts = await _count(transaction, sorted(before))
    parameters = await parameters_by_county(transaction, {one.county_code for one in before.values()})
    after: dict[str, BranchSurvey] = {}
    for branch_id, survey in before.items():
        found = counts.get(branch_id, NOTHING_COUNTED)
        state = next_state(survey.state, found, parameters.get(survey.county_code, DEFAULT_PARAMETERS))
        after[branch_id] = await _write(transaction, survey, found, state, now=now)
    return after


async def go_online(transaction: Transaction, branch: Organisation, *, now: datetime) -> BranchSurvey:
    """Takes a branch online, when enough of its members are equipped now; a branch that is online stays so.

    Raises:
        ServiceError: BRANCH_IS_VIRTUAL, ORGANISATION_DISSOLVED, RATE_TOO_LOW.
    """
    if branch.virtual:
        raise BRANCH_IS_VIRTUAL()
    branch_id = branch.place.organisation_id
    survey = (await recount(transaction, [branch_id], now=now)).get(branch_id)
    if survey is None:
        # It ended while its survey was waited for.
        raise ORGANISATION_DISSOLVED()
    if survey.state is not OnlineState.OFFLINE:
        return survey
    known = await parameters_by_county(transaction, [survey.county_code])
    parameters = known.get(survey.county_code, DEFAULT_PARAMETERS)
    if not may_go_online(survey.counts, parameters):
        raise errors.RATE_TOO_LOW(rate=str(survey.counts.rate_permille), threshold=str(parameters.threshold_permille))
    return await _write(transaction, survey, survey.counts, OnlineState.ONLINE, now=now)


async def judge_again(transaction: Transaction, county_code: str, parameters: Parameters, *, now: datetime) -> None:
    """Judges the online branches of a county by other parameters, from the rates that are there."""
    rows = await transaction.all(
        select(branch_survey)
        .where(branch_survey.c.county_code == county_code, branch_survey.c.state != OnlineState.OFFLINE)
        .order_by(branch_survey.c.branch_id)
        .with_for_update()
    )
    for survey in map(survey_from, rows):
        state = next_state(survey.state, survey.counts, parameters)
        await _write(transaction, survey, survey.counts, state, now=now)


async def recount_due(database: Database, clock: Clock) -> int:
    """Counts the branches whose members changed; returns how many. Several processes may do it at once."""
    branches = 0
    while True:
        async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            oldest = (
                select(survey_due.c.position)
                .order_by(survey_due.c.position)
                .limit(DUE_BATCH)
                .with_for_update(skip_locked=True)
            )
            rows = await transaction.all(
                delete(survey_due).where(survey_due.c.position.in_(oldest)).returning(survey_due.c.branch_id)
            )
            counted = await recount(transaction, {row.branch_id for row in rows}, now=clock.now()) if rows else {}
        branches += len(counted)
        if len(rows) < DUE_BATCH:
            return branches


async def parameters_by_county(transaction: Transaction, counties: Collection[str]) -> dict[str, Parameters]:
    """The parameters of those of these counties that set any."""
    rows = await transaction.all(
        select(survey_parameters).where(survey_parameters.c.county_code == func.any(sorted(counties)))
    )
    return {
        row.county_code: Parameters(
            threshold_permille=row.threshold_permille, hysteresis_permille=row.hysteresis_permille
        )
        for row in rows
    }


async def _begin_surveys(transaction: Transaction, branch_ids: list[str], *, now: datetime) -> None:
    fitting = (
        select(organisation.c.organisation_id, organisation.c.county_code, literal(now, DateTime(timezone=True)))
        .where(
            organisation.c.organisation_id == func.any(branch_ids),
            organisation.c.level == Level.BRANCH,
            organisation.c.active,
            organisation.c.virtual.is_(False),
        )
        .order_by(organisation.c.organisation_id)
    )
    await transaction.execute(
        insert(branch_survey)
        .from_select(["branch_id", "county_code", "update_time"], fitting, include_defaults=False)
        .on_conflict_do_nothing()
    )


async def _count(transaction: Transaction, branch_ids: list[str]) -> dict[str, Counts]:
    counting = survey_answer.c.state.in_(sorted(COUNTING))
    rows = await transaction.all(
        select(
            member_record.c.branch_id,
            func.count().label("members"),
            func.count().filter(counting).label("answered"),
            func.count().filter(counting, survey_answer.c.has_device, survey_answer.c.has_network).label("equipped"),
        )
        .outerjoin(survey_answer, survey_answer.c.member_id == member_record.c.member_id)
        .where(
            member_record.c.branch_id == func.any(branch_ids),
            member_record.c.standing == Standing.PRESENT,
            member_record.c.status.in_(sorted(MEMBERS)),
        )
        .group_by(member_record.c.branch_id)
    )
    return {row.branch_id: Counts(members=row.members, answered=row.answered, equipped=row.equipped) for row in rows}


async def _write(
    transaction: Transaction, survey: BranchSurvey, counts: Counts, state: OnlineState, *, now: datetime
) -> BranchSurvey:
    """Writes what changed of a survey that is locked, its day, and tells of another state."""
    if (survey.counts, survey.state) == (counts, state):
        return survey
    today = now.astimezone(SHANGHAI).date()
    row = await transaction.one(
        update(branch_survey)
        .where(branch_survey.c.branch_id == survey.branch_id)
        .values(
            member_count=counts.members,
            answered_count=counts.answered,
            equipped_count=counts.equipped,
            rate_permille=counts.rate_permille,
            state=state,
            online_date=survey.online_date or (None if state is OnlineState.OFFLINE else today),
            version=survey.version + int(state is not survey.state),
            update_time=now,
        )
        .returning(branch_survey)
    )
    written = survey_from(row)
    day = {
        "county_code": survey.county_code,
        "rate_permille": counts.rate_permille,
        "member_count": counts.members,
        "equipped_count": counts.equipped,
        "state": state,
    }
    await transaction.execute(
        insert(branch_survey_day)
        .values(branch_id=survey.branch_id, day=today, **day)
        .on_conflict_do_update(index_elements=["branch_id", "day"], set_=day)
    )
    if state is not survey.state:
        transaction.emit(online_state_changed(row), county_code=survey.county_code)
    return written


def survey_from(row: Row[Any]) -> BranchSurvey:
    """The survey of a row."""
    return BranchSurvey(
        branch_id=row.branch_id,
        county_code=row.county_code,
        counts=Counts(members=row.member_count, answered=row.answered_count, equipped=row.equipped_count),
        state=OnlineState(row.state),
        online_date=row.online_date,
        version=row.version,
        update_time=row.update_time,
    )

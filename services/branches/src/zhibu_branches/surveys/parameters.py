"""A county's parameters of going online; a county that set none has those of the paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.etag import check_etag

from zhibu_branches.rules.surveys import DEFAULT_PARAMETERS, Parameters
from zhibu_branches.surveys.counting import judge_again
from zhibu_branches.surveys.tables import survey_parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class CountyParameters:
    """The parameters of one county; version 0 means that nobody has set any."""

    parameters: Parameters = DEFAULT_PARAMETERS
    version: int = 0


async def parameters_of(transaction: Transaction, county_code: str, *, lock: bool = False) -> CountyParameters:
    """The parameters of a county."""
    statement = select(survey_parameters).where(survey_parameters.c.county_code == county_code)
    row = await transaction.one_or_none(statement.with_for_update() if lock else statement)
    if row is None:
        return CountyParameters()
    return CountyParameters(
        parameters=Parameters(threshold_permille=row.threshold_permille, hysteresis_permille=row.hysteresis_permille),
        version=row.version,
    )


async def replace_parameters(
    transaction: Transaction, county_code: str, wanted: Parameters, *, etag: str, now: datetime
) -> CountyParameters:
    """Replaces the parameters of a county, and judges its online branches by them, from the rates that are there.

    Raises:
        ServiceError: ETAG_MISMATCH.
    """
    present = await parameters_of(transaction, county_code, lock=True)
    check_etag(etag, present.version)
    values = {
        "threshold_permille": wanted.threshold_permille,
        "hysteresis_permille": wanted.hysteresis_permille,
        "version": present.version + 1,
        "update_time": now,
    }
    # Two who set the first parameters of a county at once: the second one's version no longer fits.
    changed = await transaction.execute(
        insert(survey_parameters)
        .values(county_code=county_code, **values)
        .on_conflict_do_update(
            index_elements=["county_code"], set_=values, where=survey_parameters.c.version == present.version
        )
    )
    if changed.rowcount == 0:
        check_etag(etag, present.version + 1)
    await judge_again(transaction, county_code, wanted, now=now)
    return CountyParameters(parameters=wanted, version=present.version + 1)

"""How long committees serve, and who is warned of the end."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Database, Role, Scope, Transaction
from zhibu_kit.errors import field_error

from zhibu_branches.committees import errors
from zhibu_branches.committees.establishing import lock_branch
from zhibu_branches.committees.events import post_changed, term_warned
from zhibu_branches.committees.queries import find_committee, holder_from
from zhibu_branches.committees.tables import committee, committee_post
from zhibu_branches.models import organisation
from zhibu_branches.rules.committees import TERM_YEARS, next_warning_date, term_end, warning_due

# Committees that are warned in one transaction.
WARN_BATCH: Final = 200


async def set_term_years(transaction: Transaction, branch_id: str, years: int, *, now: datetime) -> None:
    """Says how long a term is in a branch. The present committee's last day follows, and its warnings begin anew.

    Raises:
        ServiceError: NOT_FOUND, ORGANISATION_DISSOLVED, or a field error on term_years.
    """
    if years not in TERM_YEARS:
        raise field_error("term_years", errors.TERM_YEARS_NOT_ALLOWED)
    branch = await lock_branch(transaction, branch_id)
    if branch.term_years == years:
        return
    # Not a change that others are told of, so the version stays.
    await transaction.execute(
        update(organisation).where(organisation.c.organisation_id == branch_id).values(term_years=years)
    )
    present = await find_committee(transaction, branch_id, lock=True)
    if present is None:
        return
    last_day = term_end(present.start_date, years)
    await transaction.execute(
        update(committee)
        .where(committee.c.committee_id == present.committee_id)
        .values(
            term_end_date=last_day,
            warned_months=None,
            next_warning_date=next_warning_date(last_day, None),
            version=present.version + 1,
            update_time=now,
        )
    )
    rows = await transaction.all(
        update(committee_post)
        .where(committee_post.c.committee_id == present.committee_id, committee_post.c.end_date.is_(None))
        .values(version=committee_post.c.version + 1, update_time=now)
        .returning(committee_post)
    )
    for row in rows:
        transaction.emit(post_changed(holder_from(row), term_end_date=last_day), county_code=row.county_code)


async def warn_of_terms(database: Database, *, now: datetime) -> int:
    """Warns of the terms that end in 6, 3 or 1 months or have ended; each warning once, whoever looks and how often.

    Who looks late, after an outage, gives the nearest warning alone. Returns how many were given.
    """
    today = now.astimezone(SHANGHAI).date()
    given = 0
    while True:
        async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            rows = await transaction.all(
                select(committee)
                .where(committee.c.end_date.is_(None), committee.c.next_warning_date <= today)
                .order_by(committee.c.next_warning_date, committee.c.committee_id)
                .limit(WARN_BATCH)
                .with_for_update(skip_locked=True)
            )
            for row in rows:
                months = warning_due(row.term_end_date, today)
                # The row has a day that has come, so a warning is due.
                assert months is not None
                warned = await transaction.one(
                    update(committee)
                    .where(committee.c.committee_id == row.committee_id)
                    .values(
                        warned_months=months,
                        warning_count=row.warning_count + 1,
                        next_warning_date=next_warning_date(row.term_end_date, months),
                        update_time=now,
                    )
                    .returning(committee)
                )
                transaction.emit(term_warned(warned), county_code=row.county_code)
        given += len(rows)
        if len(rows) < WARN_BATCH:
            return given

"""Which branches' sums are no longer right: marked in the transaction that changes one of their people."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction

from zhibu_identity.models import statistic_branch

CHANNEL: Final = "identity_statistics"


async def mark_stale(transaction: Transaction, branches: Collection[tuple[str, str]]) -> None:
    """Have the sums of branches, given as (county, branch), counted anew after the commit."""
    if not branches:
        return
    # In one order everywhere, so that two who mark several do not wait for each other.
    rows = [
        {"county_code": county_code, "branch_id": branch_id, "stale": True, "mark": 1}
        for county_code, branch_id in sorted(branches)
    ]
    statement = insert(statistic_branch).values(rows)
    await transaction.execute(
        statement.on_conflict_do_update(
            index_elements=["county_code", "branch_id"], set_={"stale": True, "mark": statistic_branch.c.mark + 1}
        )
    )
    await transaction.execute(select(func.pg_notify(CHANNEL, "")))

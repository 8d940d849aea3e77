"""Which branches' sums are no longer right: marked in the transaction that changes one of their people."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction

from zhibu_identity.models import statistic_mark


async def mark_stale(transaction: Transaction, branches: Collection[tuple[str, str]]) -> None:
    """Have the sums of branches, given as (county, branch), counted anew after the commit."""
    if not branches:
        return
    rows = [{"county_code": county_code, "branch_id": branch_id} for county_code, branch_id in sorted(branches)]
    await transaction.execute(insert(statistic_mark).values(rows))

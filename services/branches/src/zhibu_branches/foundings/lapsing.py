"""Signatures that lapse because the record of whoever signed ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from zhibu_kit.db import Transaction

from zhibu_branches.foundings.changing import remove_signatures
from zhibu_branches.foundings.queries import founding_from
from zhibu_branches.foundings.tables import founding, founding_cosigner
from zhibu_branches.rules.foundings import OPEN


async def lapse_signatures(transaction: Transaction, member_ids: Sequence[str], *, now: datetime) -> None:
    """Removes the signatures of these members from the open foundings of the counties that the scope shows.

    Those of other counties are dropped when the founding is handed in or approved, which looks at the records again.
    """
    signed = select(founding_cosigner.c.founding_id).where(founding_cosigner.c.member_id == func.any(list(member_ids)))
    rows = await transaction.all(
        select(founding)
        .where(founding.c.founding_id.in_(signed), founding.c.state.in_(sorted(OPEN)))
        .order_by(founding.c.founding_id)
        .with_for_update()
    )
    for row in rows:
        await remove_signatures(transaction, founding_from(row), member_ids, now=now)

"""The counters of the numbers that we give, one per county and year; a number is never given twice."""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum

from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Transaction

from zhibu_identity.models import county_sequence


class SequenceKind(IntEnum):
    """What is counted."""

    CASE = 1
    EID = 2


async def next_in_sequence(
    transaction: Transaction, county_code: str, kind: SequenceKind, *, now: datetime
) -> tuple[int, int]:
    """Return the year in Shanghai and the next number in it; others of the county wait until the transaction ends."""
    year = now.astimezone(SHANGHAI).year
    last = await transaction.scalar(
        insert(county_sequence)
        .values(county_code=county_code, kind=int(kind), year=year, last=1)
        .on_conflict_do_update(
            index_elements=["county_code", "kind", "year"], set_={"last": county_sequence.c.last + 1}
        )
        .returning(county_sequence.c.last)
    )
    return year, int(last)

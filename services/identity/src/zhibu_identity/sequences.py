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
    year, last = await take_from_sequence(transaction, county_code, kind, count=1, now=now)
    return year, last


async def take_from_sequence(
    transaction: Transaction, county_code: str, kind: SequenceKind, *, count: int, now: datetime
) -> tuple[int, int]:
    """Return the year in Shanghai and the first of the next so many numbers in it, which are taken at once."""
    year = now.astimezone(SHANGHAI).year
    last = await transaction.scalar(
        insert(county_sequence)
        .values(county_code=county_code, kind=int(kind), year=year, last=count)
        .on_conflict_do_update(
            index_elements=["county_code", "kind", "year"], set_={"last": county_sequence.c.last + count}
        )
        .returning(county_sequence.c.last)
    )
    return year, int(last) - count + 1

"""How the log stands: its size, its lanes, and what the witnesses have cosigned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from zhibu_kit.db import Transaction

from zhibu_audit.models import lane, log_head, log_origin, witness


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the database knows of it."""

    entries_count: int
    lanes: Sequence[Row[Any]]
    witnesses: Sequence[Row[Any]]


async def standing_of(transaction: Transaction) -> Standing:
    """Return how the newest log stands."""
    newest = select(log_origin.c.serial).order_by(log_origin.c.serial.desc()).limit(1).scalar_subquery()
    return Standing(
        entries_count=await transaction.scalar(select(log_head.c.size)) or 0,
        lanes=await transaction.all(select(lane).order_by(lane.c.lane)),
        witnesses=await transaction.all(select(witness).where(witness.c.serial == newest).order_by(witness.c.name)),
    )

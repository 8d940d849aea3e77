"""Acts that count once, whichever of a member's branches reports them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction

from zhibu_branches.county_rights import rights_of
from zhibu_branches.member_queries import Record
from zhibu_branches.models import counted_act as table
from zhibu_branches.rules.rights import counts_in_physical


async def count_act(
    transaction: Transaction, record: Record, *, act: str, subject_id: str, branch_id: str, now: datetime
) -> tuple[bool, str]:
    """Counts an act of a member, and says whether it is the first time and in which branch it counts.

    What the county's rights give to the physical branch counts there, whoever reports it. The row stands in the county in
    which the member was when it was counted; the key holds over all of them.
    """
    rights = (await rights_of(transaction, [record.county_code]))[record.county_code].rights
    counted_in = record.branch_id if counts_in_physical(rights, act) else branch_id
    inserted = await transaction.scalar(
        insert(table)
        .values(
            member_id=record.member_id,
            act=act,
            subject_id=subject_id,
            branch_id=counted_in,
            county_code=record.county_code,
            create_time=now,
        )
        .on_conflict_do_nothing()
        .returning(table.c.branch_id)
    )
    if inserted is not None:
        return True, counted_in
    before = await transaction.scalar(
        select(table.c.branch_id).where(
            table.c.member_id == record.member_id, table.c.act == act, table.c.subject_id == subject_id
        )
    )
    return False, before or ""

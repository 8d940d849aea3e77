"""Working for members: which rows of members a transaction may see, and who gets no notices any more."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction

from zhibu_notify.inbox_models import inbox_item, inbox_unread, notice_preference, silent_member


async def act_for(transaction: Transaction, member_ids: Collection[str]) -> None:
    """Shows the rows of these members, and of no others, for the rest of the transaction."""
    await transaction.execute(select(func.set_config("zhibu.members", ",".join(sorted(member_ids)), True)))


async def silence_member(transaction: Transaction, member_id: str, *, urgent_too: bool, now: datetime) -> None:
    """No more notices for a member: none at all, or only urgent ones. What was silenced wholly stays so."""
    await act_for(transaction, [member_id])
    statement = insert(silent_member).values(member_id=member_id, urgent_too=urgent_too, create_time=now)
    await transaction.execute(
        statement.on_conflict_do_update(
            index_elements=["member_id"],
            set_={"urgent_too": statement.excluded.urgent_too | silent_member.c.urgent_too},
        )
    )


async def hear_member_again(transaction: Transaction, member_id: str) -> None:
    """The end of a record was a mistake: notices come again."""
    await act_for(transaction, [member_id])
    await transaction.execute(delete(silent_member).where(silent_member.c.member_id == member_id))


async def forget_member(transaction: Transaction, member_id: str) -> None:
    """Removes what is kept under a member's identifier, but for the mark that nothing may come again."""
    await act_for(transaction, [member_id])
    for table in (inbox_item, inbox_unread, notice_preference):
        await transaction.execute(delete(table).where(table.c.member_id == member_id))

"""What ends inside this service together with a membership.

The one list: whoever keeps something that hangs on a membership adds a line here. Both functions take many memberships at
once, because a merger ends hundreds. What they call must not import `memberships`, which calls them.
"""

from collections.abc import Sequence
from datetime import date, datetime

from zhibu_kit.db import Transaction

from zhibu_branches.committees.posts import end_posts_in_branches
from zhibu_branches.foundings.lapsing import lapse_signatures
from zhibu_branches.member_queries import Membership
from zhibu_branches.requests import lapse_requests_of
from zhibu_branches.rules import committees
from zhibu_branches.rules.members import EndReason


async def on_physical_end(
    transaction: Transaction, ended: Sequence[Membership], *, end_date: date, reason: EndReason, now: datetime
) -> None:
    """Physical memberships ended: by a move, a merger, or because the record ended."""
    if reason is EndReason.RECORD_ENDED:
        await lapse_requests_of(transaction, [one.member_id for one in ended], now=now)
        await lapse_signatures(transaction, [one.member_id for one in ended], now=now)


async def on_any_end(
    transaction: Transaction, ended: Sequence[Membership], *, end_date: date, reason: EndReason, now: datetime
) -> None:
    """Memberships of either kind ended."""
    await end_posts_in_branches(
        transaction,
        [(one.member_id, one.branch_id) for one in ended],
        end_date=end_date,
        reason=committees.EndReason.LEFT_BRANCH,
        now=now,
    )

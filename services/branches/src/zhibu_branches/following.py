"""What becomes of foundings, surveys and committees when an organisation ends or moves. Organisation changes call this.

Call `on_organisation_ended` before the members are moved, so that posts end by the organisation's change and not one by one
as their holders leave. The organisation itself and the records of its members are locked, and their counties in the scope.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Transaction

from zhibu_branches.committees.establishing import end_committee
from zhibu_branches.committees.queries import find_committee
from zhibu_branches.foundings.changing import change
from zhibu_branches.foundings.queries import Founding, founding_from
from zhibu_branches.foundings.tables import founding
from zhibu_branches.models import organisation
from zhibu_branches.queries import Organisation, find_organisation
from zhibu_branches.rules.committees import EndReason
from zhibu_branches.rules.foundings import OPEN, State
from zhibu_branches.rules.tree import Level
from zhibu_branches.surveys.tables import branch_survey

# Shown to everybody who signed.
_ENDED_NOTE = "所选上级组织已撤销，请另选上级组织重新提议。"


async def on_organisation_ended(
    transaction: Transaction, *, organisation_id: str, successor_id: str | None, now: datetime
) -> None:
    """An organisation was merged or dissolved.

    A branch's committee and posts end, and it is no longer counted as online (its history stays). Foundings that were to
    stand below it go to the successor, where it can hold branches and the name is free; the others are refused with a note.
    """
    today = now.astimezone(SHANGHAI).date()
    await _move_foundings(transaction, organisation_id, successor_id, now=now)
    present = await find_committee(transaction, organisation_id, lock=True)
    if present is not None:
        # `end_committee` takes the first day without it; the day of the change is that.
        await end_committee(transaction, present, today, reason=EndReason.ORGANISATION_CHANGED, now=now)
    # Whatever waits to be counted anew is passed over once the branch has ended.
    await transaction.execute(delete(branch_survey).where(branch_survey.c.branch_id == organisation_id))


async def on_organisation_moved(transaction: Transaction, *, organisation_id: str, now: datetime) -> None:
    """An organisation moved below another one of the same county.

    Nothing to do: committees, surveys and foundings hang on the organisation itself, and its county stays. The function is
    here so that whoever lets organisations change counties finds the place where these rows must follow.
    """


async def _move_foundings(
    transaction: Transaction, organisation_id: str, successor_id: str | None, *, now: datetime
) -> None:
    rows = await transaction.all(
        select(founding)
        .where(founding.c.organisation_id == organisation_id, founding.c.state.in_(sorted(OPEN)))
        .order_by(founding.c.founding_id)
        .with_for_update()
    )
    successor = await find_organisation(transaction, successor_id) if successor_id and rows else None
    for found in map(founding_from, rows):
        if successor is not None and await _has_room(transaction, successor, found):
            values = {"organisation_id": successor.place.organisation_id}
            await change(transaction, found, values, now=now)
        else:
            await change(transaction, found, {"refusal_note": _ENDED_NOTE}, state=State.REFUSED, now=now)


async def _has_room(transaction: Transaction, successor: Organisation, found: Founding) -> bool:
    place = successor.place
    if place.level not in {Level.COUNTY, Level.TOWNSHIP} or place.county_code != found.county_code:
        return False
    branch = select(organisation.c.organisation_id).where(
        organisation.c.parent_id == place.organisation_id, organisation.c.name == found.name, organisation.c.active
    )
    proposed = select(founding.c.founding_id).where(
        founding.c.organisation_id == place.organisation_id,
        founding.c.name == found.name,
        founding.c.state.in_(sorted(OPEN)),
    )
    return await transaction.scalar(branch) is None and await transaction.scalar(proposed) is None

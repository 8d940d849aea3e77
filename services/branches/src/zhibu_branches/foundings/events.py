"""What other services are told of a founding."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Final

from google.protobuf.message import Message
from sqlalchemy import func, select
from zhibu.branches.v1 import branches_events_pb2 as events
from zhibu.branches.v1 import founding_pb2 as pb
from zhibu_kit.db import Transaction

from zhibu_branches.foundings.queries import Founding, founding_from
from zhibu_branches.foundings.tables import founding, founding_cosigner
from zhibu_branches.member_events import instant
from zhibu_branches.rules.foundings import OVER

# Rows read at once when all of them are wanted.
_BATCH: Final = 500


def founding_changed(found: Founding, cosigner_ids: Sequence[str]) -> events.FoundingChanged:
    """A founding as it stands; who signed is told only when it is over."""
    return events.FoundingChanged(
        founding_id=found.founding_id,
        organisation_id=found.organisation_id,
        county_code=found.county_code,
        initiator_member_id=found.initiator_member_id,
        cosigner_member_ids=cosigner_ids if found.state in OVER else (),
        state=pb.FoundingState.ValueType(found.state),
        full_member_count=found.full_member_count,
        branch_id=found.branch_id or "",
        version=found.version,
        change_time=instant(found.update_time),
    )


async def founding_snapshot(transaction: Transaction) -> AsyncGenerator[tuple[Message, str]]:
    """Every founding as the event that would tell of it, for reconciling."""
    signers = (
        select(func.array_agg(founding_cosigner.c.member_id))
        .where(founding_cosigner.c.founding_id == founding.c.founding_id)
        .scalar_subquery()
        .label("signers")
    )
    after = ""
    while True:
        rows = await transaction.all(
            select(founding, signers)
            .where(founding.c.founding_id > after)
            .order_by(founding.c.founding_id)
            .limit(_BATCH)
        )
        for row in rows:
            yield founding_changed(founding_from(row), sorted(row.signers or ())), row.county_code
        if len(rows) < _BATCH:
            return
        after = rows[-1].founding_id

"""What a member belongs to, with the branches' names and what each membership entitles to: asked at every look at "my page"."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select
from zhibu.branches.v1 import membership_pb2
from zhibu_kit.db import Transaction
from zhibu_kit.prepared import Prepared

from zhibu_branches.county_rights import rights_from
from zhibu_branches.member_messages import membership_message
from zhibu_branches.member_queries import membership_of
from zhibu_branches.models import membership, membership_rights, organisation
from zhibu_branches.rules.members import PartyStatus

_HELD: Final = Prepared(
    select(membership, organisation.c.name.label("branch_name"), membership_rights.c.rights)
    .join(organisation, organisation.c.organisation_id == membership.c.branch_id)
    .join(membership_rights, membership_rights.c.county_code == membership.c.county_code, isouter=True)
    .where(membership.c.member_id == bindparam("member_id"), membership.c.end_date.is_(None))
    .order_by(membership.c.kind, membership.c.membership_id)
)


async def own_memberships(
    transaction: Transaction, member_id: str, *, status: PartyStatus | None
) -> list[membership_pb2.Membership]:
    """The memberships of a member that last, where the scope shows them: the physical one first, then the oldest."""
    return [
        membership_message(
            membership_of(row),
            branch_names={row.branch_id: row.branch_name},
            rights=rights_from(row.rights),
            status=status,
        )
        for row in await _HELD.all(transaction, member_id=member_id)
    ]

"""What the county does with a founding: approve, refuse; and what time does: expire."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Database, Role, Scope, Transaction
from zhibu_kit.errors import NOT_FOUND

from zhibu_branches.errors import OWN_MATTER
from zhibu_branches.foundings import errors
from zhibu_branches.foundings.changing import (
    change,
    check_founding_etag,
    full_members_missing,
    lock_founding,
    look_again,
    settle,
)
from zhibu_branches.foundings.queries import Founding, find_founding, founding_from, stands_below
from zhibu_branches.foundings.tables import founding
from zhibu_branches.locks import to_change
from zhibu_branches.memberships import open_membership
from zhibu_branches.models import organisation
from zhibu_branches.organisations import create_organisation
from zhibu_branches.publication import publish_change
from zhibu_branches.rules.foundings import OPEN, State, may_be_submitted
from zhibu_branches.rules.members import MembershipKind
from zhibu_branches.rules.tree import Level

# Foundings that expire in one transaction.
EXPIRE_BATCH: Final = 100


async def find_to_decide(transaction: Transaction, founding_id: str, *, organisation_id: str) -> Founding:
    """The founding, if whoever decides at this organisation decides about it; the scope shows its county from now on.

    Raises:
        ServiceError: NOT_FOUND.
    """
    found = await find_founding(transaction, founding_id)
    if found is None or not await stands_below(transaction, found, organisation_id):
        raise NOT_FOUND(noun="founding")
    await transaction.widen(Scope.of(found.county_code))
    return found


async def approve(
    transaction: Transaction,
    founding_id: str,
    *,
    organisation_id: str,
    officer_member_id: str | None,
    etag: str,
    new_id: str,
    now: datetime,
) -> Founding:
    """Makes the virtual branch and its members: everybody who signed and whose record is still open.

    Raises:
        ServiceError: NOT_FOUND, OWN_MATTER, ETAG_MISMATCH, FOUNDING_NOT_SUBMITTED, FOUNDING_OVER, FULL_MEMBERS_MISSING,
            ORGANISATION_NAME_TAKEN, ORGANISATION_DISSOLVED.
    """
    seen = await find_to_decide(transaction, founding_id, organisation_id=organisation_id)
    _check_not_own(seen, officer_member_id)
    # In the order of `locks`: the organisation above, the records, the founding.
    await transaction.scalar(
        to_change(select(organisation.c.active).where(organisation.c.organisation_id == seen.organisation_id))
    )
    signers = await look_again(transaction, seen, lock=True)
    found = await _lock_submitted(transaction, founding_id, etag=etag, now=now)
    if not may_be_submitted(signers):
        raise full_members_missing(signers)
    branch = await create_organisation(
        transaction,
        parent_id=found.organisation_id,
        level=Level.BRANCH,
        code="",
        name=found.name,
        new_id=new_id,
        now=now,
        virtual=True,
    )
    branch_id = branch.place.organisation_id
    await publish_change(transaction, branch, change_time=now)
    for signer in signers:
        if signer.present:
            await open_membership(
                transaction,
                member_id=signer.member_id,
                branch_id=branch_id,
                kind=MembershipKind.VIRTUAL,
                start_date=now.astimezone(SHANGHAI).date(),
                now=now,
            )
    counts = await settle(transaction, found, signers)
    return await change(transaction, found, {**counts, "branch_id": branch_id}, state=State.APPROVED, now=now)


async def refuse(
    transaction: Transaction,
    founding_id: str,
    *,
    organisation_id: str,
    officer_member_id: str | None,
    etag: str,
    note: str,
    now: datetime,
) -> Founding:
    """Refuses a founding; the note says why, to everybody who signed.

    Raises:
        ServiceError: NOT_FOUND, OWN_MATTER, ETAG_MISMATCH, FOUNDING_NOT_SUBMITTED, FOUNDING_OVER.
    """
    seen = await find_to_decide(transaction, founding_id, organisation_id=organisation_id)
    _check_not_own(seen, officer_member_id)
    found = await _lock_submitted(transaction, founding_id, etag=etag, now=now)
    return await change(transaction, found, {"refusal_note": note.strip()}, state=State.REFUSED, now=now)


async def expire_foundings(database: Database, *, now: datetime) -> int:
    """Ends the foundings whose time is over, each one once however many processes look; returns how many."""
    expired = 0
    while True:
        async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            rows = await transaction.all(
                select(founding)
                .where(founding.c.state.in_(OPEN), founding.c.expire_time <= now)
                .order_by(founding.c.founding_id)
                .limit(EXPIRE_BATCH)
                .with_for_update(skip_locked=True)
            )
            for row in rows:
                await change(transaction, founding_from(row), {}, state=State.EXPIRED, now=now)
        expired += len(rows)
        if len(rows) < EXPIRE_BATCH:
            return expired


def _check_not_own(found: Founding, officer_member_id: str | None) -> None:
    """Who proposed a branch does not decide about it. Who only signed may: cadres found branches of cadres."""
    if found.initiator_member_id == officer_member_id:
        raise OWN_MATTER()


async def _lock_submitted(transaction: Transaction, founding_id: str, *, etag: str, now: datetime) -> Founding:
    found = await lock_founding(transaction, founding_id)
    check_founding_etag(etag, found)
    if found.state is not State.SUBMITTED:
        raise errors.FOUNDING_NOT_SUBMITTED()
    if found.expire_time <= now:
        raise errors.FOUNDING_OVER()
    return found

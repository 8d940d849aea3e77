"""Changes of the tree now or on a later day, at whose beginning (Asia/Shanghai) a job does them."""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import Final

from grpc import StatusCode
from sqlalchemy.exc import IntegrityError
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Database, Role, Scope, Transaction
from zhibu_kit.errors import NOT_FOUND, ServiceError, field_error
from zhibu_kit.etag import check_etag

from zhibu_branches import errors
from zhibu_branches.change_rows import (
    OrganisationChange,
    due_changes,
    find_change,
    insert_change,
    settle_change,
)
from zhibu_branches.changes import Wish, lock_organisations, perform, refused
from zhibu_branches.rules.changes import ChangeKind, ChangeRefusal, ChangeState, is_planned

log = logging.getLogger("zhibu.branches.planning")

# Plans looked at in one run of the job.
DUE_MAX: Final = 1000
# Refusals that pass by themselves: the plan waits for the next run.
_PASSING: Final = frozenset({StatusCode.UNAVAILABLE, StatusCode.ABORTED, StatusCode.DEADLINE_EXCEEDED})


async def change_or_plan(
    transaction: Transaction,
    wish: Wish,
    *,
    effective_date: date | None,
    document_number: str,
    made_by_member_id: str,
    etag: str,
    now: datetime,
) -> OrganisationChange:
    """Does a change, or plans it for a later day; either way it is kept.

    Raises:
        ServiceError: as changes.perform does, or a field error on effective_date.
    """
    today = now.astimezone(SHANGHAI).date()
    planned = is_planned(effective_date, today=today)
    if isinstance(planned, ChangeRefusal):
        raise field_error("effective_date", refused(planned).kind)
    done = await perform(transaction, wish, etag=etag, now=now, only_check=planned)
    return await insert_change(
        transaction,
        kind=wish.kind,
        organisation_id=wish.organisation_id,
        county_code=done.organisation.place.county_code,
        effective_date=effective_date or today,
        state=ChangeState.PLANNED if planned else ChangeState.DONE,
        new_name=wish.new_name,
        target_id=done.target_id,
        member_ids=wish.member_ids,
        member_count=done.member_count,
        document_number=document_number,
        made_by_member_id=made_by_member_id,
        now=now,
        creation=wish.creation,
    )


async def cancel_change(
    transaction: Transaction, organisation_change_id: str, *, etag: str, now: datetime
) -> OrganisationChange:
    """Cancels a plan before its day.

    Raises:
        ServiceError: NOT_FOUND, CHANGE_NOT_PLANNED, ETAG_MISMATCH.
    """
    found = await find_change(transaction, organisation_change_id, lock=True)
    if found is None:
        raise NOT_FOUND(noun="organisation_change")
    if found.state != ChangeState.PLANNED:
        raise errors.CHANGE_NOT_PLANNED()
    check_etag(etag, found.version)
    return await settle_change(transaction, found, state=ChangeState.CANCELLED, now=now)


async def do_due_changes(database: Database, *, now: datetime) -> int:
    """What the job does: every plan whose day has begun, each in a transaction of its own; how many were settled.

    Raises:
        ExceptionGroup: some could not even be refused, which is a fault of this program; all others were done.
    """
    today = now.astimezone(SHANGHAI).date()
    async with database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
        due = await due_changes(transaction, today=today, count_max=DUE_MAX)
    settled = 0
    faults: list[Exception] = []
    for organisation_change_id, county_code in due:
        try:
            settled += await _do(database, organisation_change_id, county_code, now=now)
        except Exception as fault:  # noqa: BLE001 - one of them must not keep all others of the province from their day
            log.error("A planned change cannot be done", extra={"fields": {"change": organisation_change_id}})  # noqa: TRY400 - raised below
            faults.append(fault)
    if faults:
        raise ExceptionGroup("planned changes", faults)
    return settled


async def _do(database: Database, organisation_change_id: str, county_code: str, *, now: datetime) -> bool:
    try:
        return await _do_planned(database, organisation_change_id, county_code, now=now)
    except ServiceError as error:
        # The tree changed just now: at the next look it stands still.
        if error.code in _PASSING or error.reason == errors.CHANGE_COLLIDED.reason:
            log.warning("A planned change waits", extra={"fields": {"change": organisation_change_id}})
            return False
        reason = error.reason
    except IntegrityError:
        # Another change took the name between the look and the writing.
        reason = errors.CHANGE_COLLIDED.reason
    # Nothing of the attempt was kept; the reason is, in a transaction of its own.
    async with database.transaction(Scope.of(county_code), role=Role.PROVINCE) as transaction:
        change = await find_change(transaction, organisation_change_id, lock=True)
        if change is not None and change.state == ChangeState.PLANNED:
            await settle_change(transaction, change, state=ChangeState.FAILED, failure_reason=reason, now=now)
    return True


async def _do_planned(database: Database, organisation_change_id: str, county_code: str, *, now: datetime) -> bool:
    # The province's role: counties move between cities, and members of virtual branches come from everywhere.
    async with database.transaction(Scope.of(county_code), role=Role.PROVINCE) as transaction:
        change = await find_change(transaction, organisation_change_id)
        if change is None or change.state != ChangeState.PLANNED:
            # Another process did it, or it was cancelled.
            return False
        kind = ChangeKind(change.kind)
        wish = Wish(
            kind=kind,
            organisation_id=change.organisation_id,
            target_id="" if kind is ChangeKind.SPLIT else change.target_id,
            new_name=change.new_name,
            member_ids=change.member_ids,
            every_member=False,
            creation=change.creation,
        )
        # The organisations come before their plans, as everywhere.
        await lock_organisations(transaction, wish)
        locked = await find_change(transaction, organisation_change_id, lock=True)
        if locked is None or locked.version != change.version:
            # The same, or its target ended, while the locks were waited for; the next run looks again.
            return False
        done = await perform(transaction, wish, now=now)
        await settle_change(
            transaction,
            change,
            state=ChangeState.DONE,
            target_id=done.target_id,
            member_count=done.member_count,
            now=now,
        )
    return True

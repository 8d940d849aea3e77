"""Requests to virtual branches: made by a member, decided by the branch, lapsed after 60 days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu.branches.v1 import branches_events_pb2 as events
from zhibu.branches.v1 import membership_service_pb2 as pb
from zhibu_kit.db import Database, Role, Scope, Transaction
from zhibu_kit.errors import NOT_FOUND, field_error
from zhibu_kit.etag import check_etag
from zhibu_kit.ids import new_ulid

from zhibu_branches import errors
from zhibu_branches.member_events import instant
from zhibu_branches.member_queries import open_membership_in, record_of
from zhibu_branches.models import membership_request as table
from zhibu_branches.queries import Organisation
from zhibu_branches.rules.members import Standing

# A request that nobody decided within this time lapses.
LAPSE_AFTER: Final = timedelta(days=60)
# Requests of one member that may wait at once; more would be a nuisance to the branches.
OPEN_REQUESTS_MAX: Final = 20
# Requests that lapse in one transaction.
LAPSE_ROWS: Final = 500
# Requests of one member that are shown: the newest.
SHOWN_MAX: Final = 200

OPEN: Final = pb.MEMBERSHIP_REQUEST_STATE_OPEN
ADMITTED: Final = pb.MEMBERSHIP_REQUEST_STATE_ADMITTED
REFUSED: Final = pb.MEMBERSHIP_REQUEST_STATE_REFUSED
WITHDRAWN: Final = pb.MEMBERSHIP_REQUEST_STATE_WITHDRAWN
LAPSED: Final = pb.MEMBERSHIP_REQUEST_STATE_LAPSED


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipRequest:
    """A member's wish to join a virtual branch; state is a number of MembershipRequestState."""

    membership_request_id: str
    member_id: str
    branch_id: str
    county_code: str
    state: int
    reason: str
    refusal_note: str
    version: int
    create_time: datetime
    update_time: datetime


async def make_request(
    transaction: Transaction, *, member_id: str, branch: Organisation, reason: str, now: datetime
) -> MembershipRequest:
    """Asks a virtual branch, which the caller has locked.

    Raises:
        ServiceError: NOT_FOUND for the member, BRANCH_IS_PHYSICAL, MEMBER_NOT_PRESENT, ALREADY_MEMBER,
            REQUEST_OPEN_ALREADY, TOO_MANY_REQUESTS_OPEN.
    """
    if not branch.virtual:
        raise errors.BRANCH_IS_PHYSICAL()
    branch_id = branch.place.organisation_id
    # The lock makes two requests of one member follow each other, so that the limit holds.
    record = await record_of(transaction, member_id, lock=True)
    if record is None:
        raise NOT_FOUND(noun="member")
    if record.standing is not Standing.PRESENT:
        raise errors.MEMBER_NOT_PRESENT()
    if await open_membership_in(transaction, member_id, branch_id) is not None:
        raise errors.ALREADY_MEMBER()
    waiting = await transaction.all(
        select(table.c.branch_id).where(table.c.member_id == member_id, table.c.state == OPEN)
    )
    if any(row.branch_id == branch_id for row in waiting):
        raise errors.REQUEST_OPEN_ALREADY()
    if len(waiting) >= OPEN_REQUESTS_MAX:
        raise errors.TOO_MANY_REQUESTS_OPEN(limit=str(OPEN_REQUESTS_MAX))
    row = await transaction.one(
        insert(table)
        .values(
            membership_request_id=new_ulid(),
            member_id=member_id,
            branch_id=branch_id,
            county_code=branch.place.county_code,
            state=OPEN,
            reason=reason,
            refusal_note="",
            version=1,
            create_time=now,
            update_time=now,
        )
        .returning(table)
    )
    return _told(transaction, row)


async def lock_request(transaction: Transaction, membership_request_id: str) -> MembershipRequest:
    """The request, kept from others until the transaction ends.

    Raises:
        ServiceError: NOT_FOUND.
    """
    row = await transaction.one_or_none(
        select(table).where(table.c.membership_request_id == membership_request_id).with_for_update()
    )
    if row is None:
        raise NOT_FOUND(noun="membership_request")
    return request_of(row)


async def find_request(transaction: Transaction, membership_request_id: str) -> MembershipRequest | None:
    """The request, when the scope shows it."""
    row = await transaction.one_or_none(select(table).where(table.c.membership_request_id == membership_request_id))
    return None if row is None else request_of(row)


def check_open(request: MembershipRequest, *, etag: str = "") -> None:
    """Refuse what was decided or has changed since the caller looked.

    Raises:
        ServiceError: REQUEST_ALREADY_DECIDED, ETAG_MISMATCH.
    """
    if request.state != OPEN:
        raise errors.REQUEST_ALREADY_DECIDED()
    check_etag(etag, request.version)


async def settle(
    transaction: Transaction, request: MembershipRequest, *, state: int, refusal_note: str = "", now: datetime
) -> MembershipRequest:
    """Gives a locked request its end.

    Raises:
        ServiceError: a field error on refusal_note when a refusal says nothing.
    """
    if state == REFUSED and not refusal_note.strip():
        raise field_error("refusal_note", errors.REFUSAL_NOTE_WANTED)
    rows = await _settle(
        transaction,
        table.c.membership_request_id == request.membership_request_id,
        state=state,
        refusal_note=refusal_note.strip(),
        now=now,
    )
    return rows[0]


async def lapse_requests_of(transaction: Transaction, member_ids: Sequence[str], *, now: datetime) -> None:
    """Open requests of members who are gone."""
    await _settle(transaction, table.c.member_id == func.any(list(member_ids)), state=LAPSED, now=now)


async def lapse_requests_to(transaction: Transaction, branch_id: str, *, now: datetime) -> None:
    """Open requests to a branch that is gone."""
    await _settle(transaction, table.c.branch_id == branch_id, state=LAPSED, now=now)


async def lapse_old_requests(transaction: Transaction, *, now: datetime) -> int:
    """Requests older than 60 days, a bounded number of them; how many there were."""
    old = (
        select(table.c.membership_request_id)
        .where(table.c.state == OPEN, table.c.create_time <= now - LAPSE_AFTER)
        .order_by(table.c.create_time)
        .limit(LAPSE_ROWS)
        .with_for_update(skip_locked=True)
    )
    ids = [row.membership_request_id for row in await transaction.all(old)]
    return len(
        await _settle(transaction, table.c.membership_request_id == func.any(ids), state=LAPSED, now=now) if ids else ()
    )


async def lapse_everywhere(database: Database, *, now: datetime) -> None:
    """What the job does: all counties, a bounded number in each transaction."""
    while True:
        async with database.transaction(Scope.none(), role=Role.PROVINCE) as transaction:
            if await lapse_old_requests(transaction, now=now) < LAPSE_ROWS:
                return


async def requests_of_member(transaction: Transaction, member_id: str) -> list[MembershipRequest]:
    """What a member asked for, the newest first."""
    rows = await transaction.all(
        select(table)
        .where(table.c.member_id == member_id)
        .order_by(table.c.membership_request_id.desc())
        .limit(SHOWN_MAX)
    )
    return [request_of(row) for row in rows]


async def open_requests_to(
    transaction: Transaction, branch_id: str, *, after: str | None, count_max: int
) -> list[MembershipRequest]:
    """What waits for a branch, the oldest first."""
    statement = select(table).where(table.c.branch_id == branch_id, table.c.state == OPEN)
    if after is not None:
        statement = statement.where(table.c.membership_request_id > after)
    rows = await transaction.all(statement.order_by(table.c.membership_request_id).limit(count_max))
    return [request_of(row) for row in rows]


def request_message(request: MembershipRequest, *, branch_name: str, etag: str) -> pb.MembershipRequest:
    """What callers see of a request."""
    return pb.MembershipRequest(
        membership_request_id=request.membership_request_id,
        member_id=request.member_id,
        branch_id=request.branch_id,
        branch_name=branch_name,
        state=pb.MembershipRequestState.ValueType(request.state),
        reason=request.reason,
        refusal_note=request.refusal_note,
        create_time=instant(request.create_time),
        etag=etag,
    )


def request_changed(request: MembershipRequest) -> events.MembershipRequestChanged:
    """What other services are told of a request."""
    return events.MembershipRequestChanged(
        membership_request_id=request.membership_request_id,
        member_id=request.member_id,
        branch_id=request.branch_id,
        county_code=request.county_code,
        state=pb.MembershipRequestState.ValueType(request.state),
        version=request.version,
        change_time=instant(request.update_time),
    )


async def _settle(
    transaction: Transaction, which: ColumnElement[bool], *, state: int, refusal_note: str = "", now: datetime
) -> list[MembershipRequest]:
    # Locked first, in the one order: members and branches let theirs lapse side by side.
    found = await transaction.all(
        select(table.c.membership_request_id)
        .where(which, table.c.state == OPEN)
        .order_by(table.c.membership_request_id)
        .with_for_update()
    )
    if not found:
        return []
    rows = await transaction.all(
        update(table)
        .where(table.c.membership_request_id == func.any([row.membership_request_id for row in found]))
        .values(state=state, refusal_note=refusal_note, version=table.c.version + 1, update_time=now)
        .returning(table)
    )
    return [_told(transaction, row) for row in rows]


def _told(transaction: Transaction, row: Row[Any]) -> MembershipRequest:
    request = request_of(row)
    transaction.emit(request_changed(request), county_code=request.county_code)
    return request


def request_of(row: Row[Any]) -> MembershipRequest:
    """The request of a row."""
    return MembershipRequest(
        membership_request_id=row.membership_request_id,
        member_id=row.member_id,
        branch_id=row.branch_id,
        county_code=row.county_code,
        state=row.state,
        reason=row.reason,
        refusal_note=row.refusal_note,
        version=row.version,
        create_time=row.create_time,
        update_time=row.update_time,
    )

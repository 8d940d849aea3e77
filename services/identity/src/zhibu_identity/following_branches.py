"""What identity does when branches tells: places, status and standing, posts, organisations that are no more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import func, select
from zhibu.branches.v1 import branches_events_pb2 as pb
from zhibu.branches.v1 import membership_pb2
from zhibu_kit.consumers import Consumer
from zhibu_kit.db import Transaction
from zhibu_kit.events import EventContext
from zhibu_kit.scope import Scope

from zhibu_identity.eids.records import RevocationReason, find_living_eid
from zhibu_identity.eids.revoking import revoke_eid
from zhibu_identity.erasures.records import end_erasure, find_erasure
from zhibu_identity.grants.post_offices import MemberPost, settle_office, store_post
from zhibu_identity.grants.records import as_province
from zhibu_identity.models import person
from zhibu_identity.parts import Parts
from zhibu_identity.people.places import (
    MemberPlace,
    follow_successor,
    settle_branch,
    settle_branches,
    store_place,
    store_places,
)
from zhibu_identity.people.records import (
    OPEN_STANDINGS,
    PersonRecord,
    change_person,
    find_people,
    find_person,
    set_standings,
)
from zhibu_identity.rules.erasure import ErasureState
from zhibu_identity.tasks.queue import TaskKind, add_task

# How a record ended, and what the e-ID is revoked for. An applicant who is no longer followed keeps it.
_REASONS: Final = {
    membership_pb2.STANDING_DIED: RevocationReason.DIED,
    membership_pb2.STANDING_LEFT: RevocationReason.LEFT,
    membership_pb2.STANDING_EXPELLED: RevocationReason.LEFT,
    membership_pb2.STANDING_MOVED_OUT: RevocationReason.LEFT,
}


def consumers_of(parts: Parts) -> list[Consumer]:
    """Return the consumers of branches' events."""

    async def membership(transaction: Transaction, event: pb.MembershipChanged, context: EventContext) -> None:
        await follow_membership(transaction, parts, event)

    async def record(transaction: Transaction, event: pb.MemberRecordChanged, context: EventContext) -> None:
        await follow_record(transaction, parts, event)

    async def post(transaction: Transaction, event: pb.PostChanged, context: EventContext) -> None:
        await follow_post(transaction, parts, event)

    async def organisation(transaction: Transaction, event: pb.OrganisationChanged, context: EventContext) -> None:
        await follow_organisation(transaction, parts, event)

    async def memberships(transaction: Transaction, told: Sequence[pb.MembershipChanged]) -> None:
        await follow_memberships(transaction, parts, told)

    async def records(transaction: Transaction, told: Sequence[pb.MemberRecordChanged]) -> None:
        await follow_records(transaction, parts, told)

    return [
        # A roster brings two events for each of its rows.
        Consumer(name="member_places", event=pb.MembershipChanged, handle=membership, handle_many=memberships),
        Consumer(name="member_records", event=pb.MemberRecordChanged, handle=record, handle_many=records),
        Consumer(name="member_posts", event=pb.PostChanged, handle=post),
        # Comes after the kit's projection of the tree, in the same transaction.
        Consumer(name="successors", event=pb.OrganisationChanged, handle=organisation),
    ]


async def follow_membership(transaction: Transaction, parts: Parts, event: pb.MembershipChanged) -> None:
    """Keep where a member belongs, and have the person's row say which branch holds them."""
    await transaction.widen(Scope.of(event.county_code))
    await store_place(transaction, _place_of(event))
    if event.kind == membership_pb2.MEMBERSHIP_KIND_PHYSICAL:
        await settle_branch(transaction, parts, event.member_id)


async def follow_memberships(transaction: Transaction, parts: Parts, told: Sequence[pb.MembershipChanged]) -> None:
    """Do the same for memberships of one county at once."""
    for county_code in sorted({event.county_code for event in told}):
        await transaction.widen(Scope.of(county_code))
    await store_places(transaction, [_place_of(event) for event in told])
    physical = [event.member_id for event in told if event.kind == membership_pb2.MEMBERSHIP_KIND_PHYSICAL]
    if physical:
        await settle_branches(transaction, parts, physical)


async def follow_record(transaction: Transaction, parts: Parts, event: pb.MemberRecordChanged) -> None:
    """Keep status and standing; when the record ended, the e-ID is revoked, when it is open again, the person is found again."""
    async with as_province(transaction):
        home = await transaction.scalar(select(person.c.county_code).where(person.c.member_id == event.member_id))
    if home is None:
        return
    await transaction.widen(Scope.of(home))
    record = await find_person(transaction, event.member_id, lock=True)
    if record is None:
        return
    if (record.party_status, record.standing) != (event.status, event.standing):
        await change_person(
            transaction,
            record,
            now=parts.clock.now(),
            values={"party_status": event.status, "standing": event.standing},
        )
    if record.closed and event.standing in OPEN_STANDINGS:
        await _follow_opening(transaction, parts, record)
    reason = _REASONS.get(event.standing)
    eid = await find_living_eid(transaction, event.member_id, lock=True) if reason else None
    if reason is not None and eid is not None:
        await revoke_eid(transaction, parts, eid, reason=reason, note=None)


async def follow_records(transaction: Transaction, parts: Parts, told: Sequence[pb.MemberRecordChanged]) -> None:
    """Do the same for records of one county at once; those that ended or are open again are followed one by one."""
    ended = [event for event in told if event.standing in _REASONS]
    open_ones = {event.member_id: event for event in told if event.standing not in _REASONS}
    wanted = sorted(open_ones)
    async with as_province(transaction):
        homes = await transaction.all(
            select(person.c.county_code).where(person.c.member_id == func.any(wanted)).distinct()
        )
    for row in homes:
        await transaction.widen(Scope.of(row.county_code))
    people = await find_people(transaction, wanted, lock=True)
    reopened = {member_id for member_id, record in people.items() if record.closed}
    changed = {
        member_id: (open_ones[member_id].status, open_ones[member_id].standing)
        for member_id, record in people.items()
        if member_id not in reopened
        and (record.party_status, record.standing) != (open_ones[member_id].status, open_ones[member_id].standing)
    }
    if changed:
        await set_standings(transaction, changed, now=parts.clock.now())
    for event in [*ended, *(open_ones[member_id] for member_id in sorted(reopened))]:
        await follow_record(transaction, parts, event)


async def _follow_opening(transaction: Transaction, parts: Parts, record: PersonRecord) -> None:
    """Have a person whose record is open again found by number and name: an application for a new e-ID fits the record.

    With the e-ID that was revoked the numbers were given back. Whatever would erase the data comes to nothing.
    """
    now = parts.clock.now()
    await add_task(
        transaction, TaskKind.INDEX_MEMBER, county_code=record.county_code, member_id=record.member_id, due_at=now
    )
    waiting = await find_erasure(transaction, record.member_id)
    if waiting is not None and waiting.state is ErasureState.WAITING:
        await end_erasure(transaction, waiting, state=ErasureState.EXPIRED, officer=None, now=now)


def _place_of(event: pb.MembershipChanged) -> MemberPlace:
    return MemberPlace(
        membership_id=event.membership_id,
        member_id=event.member_id,
        branch_id=event.branch_id,
        county_code=event.county_code,
        kind=event.kind,
        active=event.active,
        version=event.version,
    )


async def follow_post(transaction: Transaction, parts: Parts, event: pb.PostChanged) -> None:
    """Keep a post, and have its office be as the post is."""
    await transaction.widen(Scope.of(event.county_code))
    start_date = date.fromisoformat(event.start_date)
    post = MemberPost(
        post_id=event.post_id,
        member_id=event.member_id,
        branch_id=event.branch_id,
        county_code=event.county_code,
        post=event.post,
        active=event.active,
        start_date=start_date,
        end_date=date.fromisoformat(event.end_date) if event.end_date else start_date,
        version=event.version,
    )
    await store_post(transaction, post)
    await settle_office(transaction, post, now=parts.clock.now())


async def follow_organisation(transaction: Transaction, parts: Parts, event: pb.OrganisationChanged) -> None:
    """Have what names a branch that is no more name its successor."""
    if event.active:
        return
    await transaction.widen(Scope.of(event.county_code))
    await follow_successor(transaction, parts, branch_id=event.organisation_id, successor_id=event.successor_id)

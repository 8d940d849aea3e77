"""Changing the tree: creations, moves, mergers, splits, ends, and what becomes of members, open work and what stands below.

Locks are taken in the order of `locks`: the organisations, the plans about one that ends, the records of the members concerned,
then what hangs on them. Everything that a change does commits together, or nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, literal_column, select, update
from zhibu_kit.clock import SHANGHAI
from zhibu_kit.db import Transaction
from zhibu_kit.errors import NOT_FOUND, ErrorKind, ServiceError
from zhibu_kit.etag import check_etag
from zhibu_kit.ids import new_ulid

from zhibu_branches import errors, following
from zhibu_branches.change_rows import lock_plans_about, pass_plans_on
from zhibu_branches.locks import to_change
from zhibu_branches.memberships import (
    Membership,
    counties_of_members,
    end_memberships,
    members_of,
    move_members,
    open_virtual,
    records_of,
)
from zhibu_branches.models import organisation
from zhibu_branches.organisations import check_name_free, check_new, create_organisation, rename_organisation
from zhibu_branches.publication import publish_change, publish_changes
from zhibu_branches.queries import Organisation, find_organisation, organisation_from
from zhibu_branches.requests import lapse_requests_to
from zhibu_branches.rules.changes import (
    ChangeKind,
    ChangeRefusal,
    Creation,
    Node,
    check_dissolve,
    check_merge,
    check_move,
    check_split,
)
from zhibu_branches.rules.members import EndReason, MembershipKind
from zhibu_branches.rules.tree import Level
from zhibu_branches.unplaced import want_successor

_COUNTED = literal_column("0").label("child_count")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be done to an organisation; what a kind does not need is empty. A new one is made below it.

    every_member: whether each member named for a split must still be there (asked now), or those who are go (planned).
    """

    kind: ChangeKind
    organisation_id: str
    target_id: str = ""
    new_name: str = ""
    member_ids: tuple[str, ...] = ()
    every_member: bool = True
    creation: Creation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a change came to: the organisation after it, its target (the new one, when one is made), the members moved."""

    organisation: Organisation
    target_id: str
    member_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What a change is about, locked, active and possible."""

    organisation: Organisation
    target: Organisation | None
    members: Sequence[Membership]


async def perform(
    transaction: Transaction, wish: Wish, *, etag: str = "", now: datetime, only_check: bool = False
) -> Done:
    """Does a change now; with only_check it looks whether it could be done on a later day, and changes nothing.

    Then names and what stands below are not judged: other plans may come before it. A creation is judged like one made now:
    no plan of its own would come before it.

    Raises:
        ServiceError: NOT_FOUND for the organisation, ETAG_MISMATCH, ORGANISATION_DISSOLVED, ORGANISATION_NAME_TAKEN, or
            one of the refusals of rules.changes.
    """
    scene = await _prepare(transaction, wish, etag=etag, planned=only_check)
    if only_check:
        return Done(organisation=scene.organisation, target_id=wish.target_id, member_count=len(scene.members))
    target_id = wish.target_id
    match wish.kind:
        case ChangeKind.RENAME:
            renamed, changed = await rename_organisation(
                transaction, organisation_id=wish.organisation_id, name=wish.new_name, etag="", now=now
            )
            if changed:
                await publish_change(transaction, renamed, change_time=now)
        case ChangeKind.MOVE:
            assert scene.target is not None
            await _move(transaction, scene.organisation, scene.target, now=now)
        case ChangeKind.MERGE:
            assert scene.target is not None
            await _end(transaction, scene, now=now)
            await _take_over_below(transaction, scene.organisation, scene.target, now=now)
        case ChangeKind.SPLIT:
            target_id = await _split(transaction, scene, wish.new_name, now=now)
        case ChangeKind.DISSOLVE:
            await _end(transaction, scene, now=now)
        case ChangeKind.CREATE:
            assert wish.creation is not None
            made = await _create(transaction, wish.organisation_id, wish.creation, name=wish.new_name, now=now)
            target_id = made.place.organisation_id
    after = await find_organisation(transaction, wish.organisation_id)
    if after is None:
        raise NOT_FOUND(noun="organisation")
    return Done(organisation=after, target_id=target_id, member_count=len(scene.members))


async def _prepare(transaction: Transaction, wish: Wish, *, etag: str, planned: bool) -> _Scene:
    """Lock what the change is about, and judge it."""
    involved = await lock_organisations(transaction, wish)
    found = involved.get(wish.organisation_id)
    target = involved.get(wish.target_id) if wish.target_id else None
    if found is None or (wish.target_id and target is None):
        raise NOT_FOUND(noun="organisation")
    check_etag(etag, found.version)
    members: Sequence[Membership] = ()
    if not planned and wish.kind in (ChangeKind.MERGE, ChangeKind.DISSOLVE):
        await lock_plans_about(transaction, wish.organisation_id)
    if found.place.level is Level.BRANCH and wish.kind in (ChangeKind.MERGE, ChangeKind.SPLIT, ChangeKind.DISSOLVE):
        members = await members_of(transaction, wish.organisation_id)
        if not planned:
            members = await _lock_members(transaction, found, members)
    node, other = _node(found), None if target is None else _node(target)
    refusal: ChangeRefusal | None = None
    match wish.kind:
        case ChangeKind.RENAME:
            refusal = None if found.active else ChangeRefusal.DISSOLVED
            if refusal is None and not planned and found.parent_id is not None and wish.new_name != found.name:
                await check_name_free(transaction, parent_id=found.parent_id, name=wish.new_name)
        case ChangeKind.MOVE:
            assert other is not None
            refusal = check_move(node, other)
            if refusal is None and not planned:
                await check_name_free(transaction, parent_id=wish.target_id, name=found.name)
        case ChangeKind.MERGE:
            assert other is not None
            refusal = check_merge(node, other)
            if refusal is None and not planned:
                await _check_names_below(transaction, wish.organisation_id, wish.target_id)
        case ChangeKind.SPLIT:
            moving = [one for one in members if one.member_id in set(wish.member_ids)]
            if wish.every_member and node.active and len(moving) < len(wish.member_ids):
                raise errors.SPLIT_MEMBER_NOT_HERE()
            refusal = check_split(node, moving=len(moving), present=len(members))
            if refusal is None and not planned:
                await check_name_free(transaction, parent_id=found.parent_id, name=wish.new_name)
            members = moving
        case ChangeKind.DISSOLVE:
            children = 0 if planned else await _active_below(transaction, wish.organisation_id)
            refusal = check_dissolve(node, other, children=children, members=len(members))
        case ChangeKind.CREATE:
            # What is made now, is judged where it is made.
            if planned:
                assert wish.creation is not None
                one = wish.creation
                await check_new(
                    transaction, found, level=one.level, code=one.code, name=wish.new_name, new_id=new_ulid()
                )
    if refusal is not None:
        raise _REFUSALS[refusal]()
    return _Scene(organisation=found, target=target, members=members)


async def lock_organisations(transaction: Transaction, wish: Wish) -> Mapping[str, Organisation]:
    """Locks the organisation, what stands above it, its target, and for moves and mergers all below; for creations it alone.

    Raises:
        ServiceError: CHANGE_COLLIDED when the tree changed while a lock was waited for; the caller looks again.
    """
    if wish.kind is ChangeKind.CREATE:
        only = organisation.c.organisation_id == wish.organisation_id
        rows = await transaction.all(to_change(select(organisation, _COUNTED).where(only)))
        return {row.organisation_id: organisation_from(row) for row in rows}
    parent_id = await transaction.scalar(
        select(organisation.c.parent_id).where(organisation.c.organisation_id == wish.organisation_id)
    )
    ids = sorted({one for one in (wish.organisation_id, wish.target_id, parent_id) if one})
    wanted = organisation.c.organisation_id == func.any(ids)
    below = organisation.c.ancestor_ids.contains([wish.organisation_id])
    takes_all_below = wish.kind in (ChangeKind.MOVE, ChangeKind.MERGE)
    if takes_all_below:
        wanted |= below
    rows = await transaction.all(to_change(select(organisation, _COUNTED).where(wanted)))
    locked = {row.organisation_id: organisation_from(row) for row in rows}
    found = locked.get(wish.organisation_id)
    if found is not None and found.parent_id != parent_id:
        raise errors.CHANGE_COLLIDED()
    if takes_all_below:
        # Now that everything is locked nothing more comes below it; what came before that is not locked.
        present = await transaction.all(select(organisation.c.organisation_id).where(below))
        if any(row.organisation_id not in locked for row in present):
            raise errors.CHANGE_COLLIDED()
    return locked


async def _lock_members(
    transaction: Transaction, branch: Organisation, members: Sequence[Membership]
) -> Sequence[Membership]:
    """Locks the records of a locked branch's members, and returns those who are still in it: nobody comes any more."""
    member_ids = [one.member_id for one in members]
    if branch.virtual:
        # Its members belong to many counties, and their records count it.
        await transaction.widen(await counties_of_members(transaction, member_ids))
    await records_of(transaction, member_ids, lock=True)
    return await members_of(transaction, branch.place.organisation_id)


async def _move(transaction: Transaction, moved: Organisation, target: Organisation, *, now: datetime) -> None:
    organisation_id = moved.place.organisation_id
    above = [*target.place.ancestor_ids, target.place.organisation_id]
    rows = await transaction.all(
        update(organisation)
        .where(organisation.c.organisation_id == organisation_id)
        .values(
            parent_id=target.place.organisation_id,
            ancestor_ids=above,
            version=organisation.c.version + 1,
            update_time=now,
        )
        .returning(organisation, _COUNTED)
    )
    below = await _hang_below(transaction, organisation_id, [*above, organisation_id], new_parent=None, now=now)
    await publish_changes(transaction, [*map(organisation_from, rows), *below], change_time=now)
    await following.on_organisation_moved(transaction, organisation_id=organisation_id, now=now)


async def _take_over_below(
    transaction: Transaction, merged: Organisation, target: Organisation, *, now: datetime
) -> None:
    """What stood below a merged organisation stands below the one that stays."""
    if merged.place.level is Level.BRANCH:
        return
    above = [*target.place.ancestor_ids, target.place.organisation_id]
    below = await _hang_below(
        transaction, merged.place.organisation_id, above, new_parent=target.place.organisation_id, now=now
    )
    await publish_changes(transaction, below, change_time=now)


async def _hang_below(
    transaction: Transaction, organisation_id: str, above: Sequence[str], *, new_parent: str | None, now: datetime
) -> list[Organisation]:
    """Gives everything active below an organisation its new way up: `above` takes the place of what led to it."""
    rows = await (await transaction.raw()).fetch(
        """
        update organisation as o set
          ancestor_ids = $2::text[] || o.ancestor_ids[array_position(o.ancestor_ids, $1) + 1 :],
          parent_id = case when o.parent_id = $1 then coalesce($3, o.parent_id) else o.parent_id end,
          version = o.version + 1, update_time = $4
        where o.ancestor_ids @> array[$1] and (o.active or $3::text is null)
        returning o.organisation_id
        """,
        organisation_id,
        list(above),
        new_parent,
        now,
    )
    ids = [row["organisation_id"] for row in rows]
    found = await transaction.all(
        select(organisation, _COUNTED)
        .where(organisation.c.organisation_id == func.any(ids))
        .order_by(organisation.c.level, organisation.c.organisation_id)
    )
    return [organisation_from(row) for row in found]


async def _end(transaction: Transaction, scene: _Scene, *, now: datetime) -> None:
    """Ends an organisation: open work and posts, then members, then itself."""
    organisation_id = scene.organisation.place.organisation_id
    target = scene.target
    successor_id = None if target is None else target.place.organisation_id
    is_branch = scene.organisation.place.level is Level.BRANCH
    if is_branch:
        await lapse_requests_to(transaction, organisation_id, now=now)
    await following.on_organisation_ended(
        transaction, organisation_id=organisation_id, successor_id=successor_id, now=now
    )
    await pass_plans_on(transaction, organisation_id, successor_id, now=now)
    if is_branch:
        await _move_members(transaction, scene, now=now)
        await want_successor(transaction, organisation_id, successor_id)
    rows = await transaction.all(
        update(organisation)
        .where(organisation.c.organisation_id == organisation_id)
        .values(active=False, successor_id=successor_id, version=organisation.c.version + 1, update_time=now)
        .returning(organisation, _COUNTED)
    )
    await publish_changes(transaction, [organisation_from(row) for row in rows], change_time=now)


async def _move_members(transaction: Transaction, scene: _Scene, *, now: datetime) -> None:
    today = now.astimezone(SHANGHAI).date()
    if not scene.members:
        return
    if not scene.organisation.virtual:
        # Nobody is left without a branch: rules.changes wanted a target where there are members.
        assert scene.target is not None
        await move_members(
            transaction,
            scene.members,
            target=scene.target,
            reason=EndReason.ORGANISATION_CHANGED,
            move_date=today,
            now=now,
        )
        return
    ended = await end_memberships(
        transaction, scene.members, end_date=today, reason=EndReason.ORGANISATION_CHANGED, now=now
    )
    if scene.target is not None:
        await open_virtual(
            transaction, [one.member_id for one in ended], branch=scene.target, start_date=today, now=now
        )


async def _split(transaction: Transaction, scene: _Scene, new_name: str, *, now: datetime) -> str:
    beside = scene.organisation
    assert beside.parent_id is not None
    creation = Creation(level=Level.BRANCH, code="", term_years=beside.term_years)
    made = await _create(transaction, beside.parent_id, creation, name=new_name, now=now)
    await move_members(
        transaction,
        [one for one in scene.members if one.kind is MembershipKind.PHYSICAL],
        target=made,
        reason=EndReason.ORGANISATION_CHANGED,
        move_date=now.astimezone(SHANGHAI).date(),
        now=now,
    )
    return made.place.organisation_id


async def _create(
    transaction: Transaction, parent_id: str, creation: Creation, *, name: str, now: datetime
) -> Organisation:
    made = await create_organisation(
        transaction,
        parent_id=parent_id,
        level=creation.level,
        code=creation.code,
        name=name,
        new_id=new_ulid(),
        now=now,
        term_years=creation.term_years,
    )
    await publish_change(transaction, made, change_time=now)
    return made


async def _active_below(transaction: Transaction, organisation_id: str) -> int:
    return await transaction.scalar(
        select(func.count()).where(organisation.c.parent_id == organisation_id, organisation.c.active)
    )


async def _check_names_below(transaction: Transaction, merged_id: str, target_id: str) -> None:
    """Two branches of one name cannot stand below the organisation that stays."""
    other = organisation.alias("other")
    twice = await transaction.one_or_none(
        select(organisation.c.organisation_id)
        .join(other, other.c.name == organisation.c.name)
        .where(
            organisation.c.parent_id == merged_id,
            organisation.c.active,
            other.c.parent_id == target_id,
            other.c.active,
        )
        .limit(1)
    )
    if twice is not None:
        raise errors.ORGANISATION_NAME_TAKEN(organisation_id=twice.organisation_id)


def _node(found: Organisation) -> Node:
    return Node(place=found.place, virtual=found.virtual, active=found.active)


_REFUSALS: Final[Mapping[ChangeRefusal, ErrorKind]] = {
    ChangeRefusal.DISSOLVED: errors.ORGANISATION_DISSOLVED,
    ChangeRefusal.TARGET_DISSOLVED: errors.CHANGE_TARGET_DISSOLVED,
    ChangeRefusal.NOT_FOR_LEVEL: errors.CHANGE_NOT_FOR_LEVEL,
    ChangeRefusal.ANOTHER_COUNTY: errors.CHANGE_ANOTHER_COUNTY,
    ChangeRefusal.STANDS_THERE: errors.CHANGE_STANDS_THERE,
    ChangeRefusal.INTO_ITSELF: errors.CHANGE_INTO_ITSELF,
    ChangeRefusal.ANOTHER_LEVEL: errors.CHANGE_ANOTHER_LEVEL,
    ChangeRefusal.ANOTHER_KIND: errors.CHANGE_ANOTHER_KIND,
    ChangeRefusal.BRANCH_IS_VIRTUAL: errors.BRANCH_IS_VIRTUAL,
    ChangeRefusal.NOT_EMPTY: errors.ORGANISATION_NOT_EMPTY,
    ChangeRefusal.TARGET_WANTED: errors.CHANGE_TARGET_WANTED,
    ChangeRefusal.TARGET_NOT_WANTED: errors.CHANGE_TARGET_NOT_WANTED,
    ChangeRefusal.NOBODY_MOVES: errors.SPLIT_NOBODY_MOVES,
    ChangeRefusal.NOBODY_STAYS: errors.SPLIT_NOBODY_STAYS,
    ChangeRefusal.DAY_PASSED: errors.EFFECTIVE_DATE_PASSED,
    ChangeRefusal.DAY_TOO_FAR: errors.EFFECTIVE_DATE_TOO_FAR,
}


def refused(refusal: ChangeRefusal) -> ServiceError:
    """The error of a refusal."""
    return _REFUSALS[refusal]()

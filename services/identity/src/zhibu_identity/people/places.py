"""Where members belong, as branches tells, and what a person's row makes of it: the branch that holds the person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.scope import Scope

from zhibu_identity.counts.stale import mark_stale
from zhibu_identity.eids.records import EidState
from zhibu_identity.grants.records import as_province
from zhibu_identity.models import application, eid, member_place, person
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import change_person, find_people, find_person
from zhibu_identity.rules.application import State
from zhibu_identity.tasks.queue import TaskKind, add_task

# The kind of membership of which everybody has one; the number is the contract's.
PHYSICAL: Final = 1
# Of the columns of member_place, in their order.
_PLACE_KINDS: Final = ("text", "text", "text", "text", "smallint", "boolean", "bigint")
_OPEN_STATES: Final = (int(State.SUBMITTED), int(State.QUESTIONED), int(State.APPROVED))


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPlace:
    """A membership."""

    membership_id: str
    member_id: str
    branch_id: str
    county_code: str
    kind: int
    active: bool
    version: int


async def store_place(transaction: Transaction, place: MemberPlace) -> None:
    """Keep a membership; an older version changes nothing. The transaction sees the county of its branch."""
    values = {name: getattr(place, name) for name in member_place.c.keys()}  # noqa: SIM118 - a ColumnCollection is no dict
    statement = insert(member_place).values(values)
    await transaction.execute(
        statement.on_conflict_do_update(
            index_elements=["membership_id"], set_=values, where=member_place.c.version < statement.excluded.version
        )
    )


async def store_places(transaction: Transaction, places: Sequence[MemberPlace]) -> None:
    """Keep memberships of one county, as `store_place` does each."""
    names = member_place.c.keys()
    arrays = ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(_PLACE_KINDS, 1))
    raw = await transaction.raw()
    await raw.execute(
        f"insert into member_place ({', '.join(names)}) select * from unnest({arrays}) order by 1"  # noqa: S608 - our own names
        f" on conflict (membership_id) do update set {', '.join(f'{name} = excluded.{name}' for name in names)}"
        " where member_place.version < excluded.version",
        *([getattr(place, name) for place in places] for name in names),
    )


async def settle_branches(transaction: Transaction, parts: Parts, member_ids: Collection[str]) -> None:
    """Have many people's rows name the branch that holds them, as `settle_branch` does.

    After a roster nearly all of them do already; whoever moved is settled alone.
    """
    wanted = sorted(set(member_ids))
    async with as_province(transaction):
        homes = await transaction.all(
            select(person.c.member_id, person.c.county_code).where(person.c.member_id == func.any(wanted))
        )
        places = {
            row.member_id: row
            for row in await transaction.all(
                select(member_place.c.member_id, member_place.c.branch_id, member_place.c.county_code)
                .where(
                    member_place.c.member_id == func.any(wanted), member_place.c.active, member_place.c.kind == PHYSICAL
                )
                # The later of two comes last, and stays.
                .order_by(member_place.c.membership_id)
            )
        }
    for county_code in sorted({row.county_code for row in homes}):
        await transaction.widen(Scope.of(county_code))
    people = await find_people(transaction, [row.member_id for row in homes], lock=True)
    there: dict[str, str] = {}
    for member_id, record in people.items():
        place = places.get(member_id)
        if place is not None and (place.county_code, place.branch_id) == (record.county_code, record.branch_id):
            there[member_id] = place.branch_id
        else:
            await settle_branch(transaction, parts, member_id)
    await (await transaction.raw()).execute(
        "update eid set branch_id = given.branch_id from unnest($1::text[], $2::text[]) as given (member_id, branch_id)"
        " where eid.member_id = given.member_id and eid.state <> 3 and eid.branch_id <> given.branch_id",
        list(there),
        list(there.values()),
    )


async def settle_branch(transaction: Transaction, parts: Parts, member_id: str) -> None:
    """Have a person's row name the branch that holds the person; one in another county takes everything along.

    An end and a beginning are told by events of their own, in any order: what counts is how all of them stand.
    """
    async with as_province(transaction):
        home = await transaction.scalar(select(person.c.county_code).where(person.c.member_id == member_id))
        place = await transaction.one_or_none(physical_place_of(member_id))
    if home is None:
        # Nobody whom we know; an import that is under way brings the branch itself.
        return
    await transaction.widen(Scope.of(home))
    record = await find_person(transaction, member_id, lock=True)
    now = parts.clock.now()
    if record is None:
        return
    if place is not None and place.county_code != record.county_code:
        await add_task(
            transaction,
            TaskKind.MOVE_MEMBER,
            county_code=record.county_code,
            member_id=member_id,
            due_at=now,
        )
        return
    branch_id = place.branch_id if place is not None else ""
    if branch_id != record.branch_id:
        await change_person(transaction, record, now=now, values={"branch_id": branch_id})
    if branch_id:
        # The card shows it. No event: nothing of the e-ID itself has changed.
        await transaction.execute(
            update(eid)
            .where(eid.c.member_id == member_id, eid.c.state != int(EidState.REVOKED), eid.c.branch_id != branch_id)
            .values(branch_id=branch_id)
        )


def physical_place_of(member_id: str) -> Select[str, str]:
    """Return the statement for branch and county of a member's physical membership; of two, the later one."""
    return (
        select(member_place.c.branch_id, member_place.c.county_code)
        .where(member_place.c.member_id == member_id, member_place.c.active, member_place.c.kind == PHYSICAL)
        .order_by(member_place.c.membership_id.desc())
        .limit(1)
    )


async def follow_successor(transaction: Transaction, parts: Parts, *, branch_id: str, successor_id: str) -> None:
    """Have open applications and people of a branch that is no more follow to its successor, if there is one."""
    await transaction.execute(
        update(application)
        .where(application.c.branch_id == branch_id, application.c.state.in_(_OPEN_STATES))
        .values(branch_id=successor_id)
    )
    if not successor_id:
        # Where people go, their memberships tell.
        return
    rows = await transaction.all(
        update(person)
        .where(person.c.branch_id == branch_id)
        .values(branch_id=successor_id, version=person.c.version + 1, updated_at=parts.clock.now())
        .returning(person.c.county_code)
    )
    await transaction.execute(update(eid).where(eid.c.branch_id == branch_id).values(branch_id=successor_id))
    await mark_stale(
        transaction,
        {(county_code, at) for county_code in {row.county_code for row in rows} for at in (branch_id, successor_id)},
    )

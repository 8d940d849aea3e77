"""The rows of changes of the tree, planned and done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, and_, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.ids import new_ulid

from zhibu_branches import errors
from zhibu_branches.models import organisation
from zhibu_branches.models import organisation_change as table
from zhibu_branches.rules.changes import FOLLOWS_SUCCESSOR, ChangeKind, ChangeState, Creation
from zhibu_branches.rules.tree import Level

# Plans of one organisation that may wait at once.
PLANS_MAX: Final = 20
# During an upgrade newer processes may plan what this one does not know: it lists that, and leaves it to them.
_KNOWN: Final = table.c.kind.in_(sorted(ChangeKind))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationChange:
    """A change of the tree; target_id, new_name and creation are empty where its kind has none.

    kind, state: numbers of a ChangeKind and a ChangeState, or ones that only newer versions know.
    """

    organisation_change_id: str
    kind: int
    organisation_id: str
    county_code: str
    effective_date: date
    state: int
    new_name: str
    target_id: str
    member_ids: tuple[str, ...]
    member_count: int
    document_number: str
    failure_reason: str
    made_by_member_id: str
    version: int
    create_time: datetime
    creation: Creation | None


async def insert_change(
    transaction: Transaction,
    *,
    kind: ChangeKind,
    organisation_id: str,
    county_code: str,
    effective_date: date,
    state: ChangeState,
    new_name: str,
    target_id: str,
    member_ids: Sequence[str],
    member_count: int,
    document_number: str,
    made_by_member_id: str,
    now: datetime,
    creation: Creation | None = None,
) -> OrganisationChange:
    """Keeps a change that was done or is planned.

    Raises:
        ServiceError: TOO_MANY_CHANGES_PLANNED.
    """
    if state is ChangeState.PLANNED:
        waiting = await transaction.scalar(
            select(func.count()).where(table.c.organisation_id == organisation_id, table.c.state == ChangeState.PLANNED)
        )
        if waiting >= PLANS_MAX:
            raise errors.TOO_MANY_CHANGES_PLANNED(limit=str(PLANS_MAX))
    row = await transaction.one(
        insert(table)
        .values(
            organisation_change_id=new_ulid(),
            kind=kind,
            organisation_id=organisation_id,
            county_code=county_code,
            effective_date=effective_date,
            state=state,
            new_name=new_name,
            target_id=target_id or None,
            member_ids=list(member_ids),
            member_count=member_count,
            document_number=document_number,
            failure_reason="",
            made_by_member_id=made_by_member_id,
            version=1,
            create_time=now,
            update_time=now,
            new_level=None if creation is None else creation.level,
            new_code="" if creation is None else creation.code,
            term_years=None if creation is None else creation.term_years,
        )
        .returning(table)
    )
    return _change_of(row)


async def find_change(
    transaction: Transaction, organisation_change_id: str, *, lock: bool = False
) -> OrganisationChange | None:
    """The change; locked, it is kept from others until the transaction ends."""
    statement = select(table).where(table.c.organisation_change_id == organisation_change_id)
    row = await transaction.one_or_none(statement.with_for_update() if lock else statement)
    return None if row is None else _change_of(row)


async def lock_plans_about(transaction: Transaction, organisation_id: str) -> None:
    """Locks what is planned for a locked organisation or with it as target."""
    await transaction.all(
        select(table.c.organisation_change_id)
        .where(
            table.c.state == ChangeState.PLANNED,
            or_(table.c.organisation_id == organisation_id, table.c.target_id == organisation_id),
        )
        .order_by(table.c.organisation_change_id)
        .with_for_update()
    )


async def settle_change(
    transaction: Transaction,
    change: OrganisationChange,
    *,
    state: ChangeState,
    target_id: str = "",
    member_count: int | None = None,
    failure_reason: str = "",
    now: datetime,
) -> OrganisationChange:
    """Gives a locked change its end."""
    row = await transaction.one(
        update(table)
        .where(table.c.organisation_change_id == change.organisation_change_id)
        .values(
            state=state,
            target_id=target_id or change.target_id or None,
            member_count=change.member_count if member_count is None else member_count,
            failure_reason=failure_reason,
            version=table.c.version + 1,
            update_time=now,
        )
        .returning(table)
    )
    return _change_of(row)


async def due_changes(transaction: Transaction, *, today: date, count_max: int) -> list[tuple[str, str]]:
    """Planned changes of known kinds whose day has begun, in the order of days and of planning: identifier and county."""
    rows = await transaction.all(
        select(table.c.organisation_change_id, table.c.county_code)
        .where(_KNOWN, table.c.state == ChangeState.PLANNED, table.c.effective_date <= today)
        .order_by(table.c.effective_date, table.c.organisation_change_id)
        .limit(count_max)
    )
    return [(row.organisation_change_id, row.county_code) for row in rows]


async def list_changes(
    transaction: Transaction,
    organisation_id: str,
    *,
    states: Sequence[int],
    after: tuple[bool, str] | None,
    count_max: int,
) -> list[OrganisationChange]:
    """Changes at and below an organisation, the planned ones first, then the newest, after the given key."""
    key = tuple_(table.c.state == ChangeState.PLANNED, table.c.organisation_change_id)
    statement = (
        select(table)
        .join(organisation, organisation.c.organisation_id == table.c.organisation_id)
        .where(
            or_(
                organisation.c.organisation_id == organisation_id,
                organisation.c.ancestor_ids.contains([organisation_id]),
            )
        )
    )
    if states:
        statement = statement.where(table.c.state == func.any(list(states)))
    if after is not None:
        statement = statement.where(key < after)
    rows = await transaction.all(
        statement.order_by((table.c.state == ChangeState.PLANNED).desc(), table.c.organisation_change_id.desc()).limit(
            count_max
        )
    )
    return [_change_of(row) for row in rows]


async def pass_plans_on(
    transaction: Transaction, organisation_id: str, successor_id: str | None, *, now: datetime
) -> None:
    """What was planned about an organisation that ended goes to the successor, or fails.

    Creations below it and what others plan with it look to the successor; all other plans of its own fail. Those of unknown
    kinds stay as they are: a process that knows them judges on their day. `lock_plans_about` has locked them.
    """
    planned = and_(_KNOWN, table.c.state == ChangeState.PLANNED)
    if successor_id is not None:
        await transaction.execute(
            update(table)
            .where(planned, table.c.target_id == organisation_id, table.c.organisation_id != successor_id)
            .values(target_id=successor_id, version=table.c.version + 1, update_time=now)
        )
        await transaction.execute(
            update(table)
            .where(planned, table.c.organisation_id == organisation_id, table.c.kind.in_(sorted(FOLLOWS_SUCCESSOR)))
            .values(organisation_id=successor_id, version=table.c.version + 1, update_time=now)
        )
    await transaction.execute(
        update(table)
        .where(planned, table.c.organisation_id == organisation_id)
        .values(
            state=ChangeState.FAILED,
            failure_reason=errors.ORGANISATION_DISSOLVED.reason,
            version=table.c.version + 1,
            update_time=now,
        )
    )


def _change_of(row: Row[Any]) -> OrganisationChange:
    return OrganisationChange(
        organisation_change_id=row.organisation_change_id,
        kind=row.kind,
        organisation_id=row.organisation_id,
        county_code=row.county_code,
        effective_date=row.effective_date,
        state=row.state,
        new_name=row.new_name,
        target_id=row.target_id or "",
        member_ids=tuple(row.member_ids),
        member_count=row.member_count,
        document_number=row.document_number,
        failure_reason=row.failure_reason,
        made_by_member_id=row.made_by_member_id,
        version=row.version,
        create_time=row.create_time,
        creation=None
        if row.kind != ChangeKind.CREATE
        else Creation(level=Level(row.new_level), code=row.new_code, term_years=row.term_years),
    )

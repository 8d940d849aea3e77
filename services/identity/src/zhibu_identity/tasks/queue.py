"""What has still to be done after a commit, outside of this database: a queue in it, worked on at least once.

A worker leases tasks for a minute; when it dies, another one begins them anew. Each task may therefore be done twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import Row, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope

from zhibu_identity.models import account_task

CHANNEL: Final = "identity_task"
# Longer than any attempt may take: Keycloak's time-out and a few statements.
LEASE: Final = timedelta(seconds=90)
FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=5)
KEEP_DONE: Final = timedelta(days=30)


class TaskKind(IntEnum):
    """What is to be done."""

    ISSUE = 1
    SEND_ACTIVATION = 2
    EXPIRE_ACTIVATION = 3
    CLOSE_ACCOUNT = 4
    DELETE_ACCOUNT = 5
    RELEASE_NUMBERS = 6
    INDEX_PERSON = 7
    SEND_LOGIN_CODE = 8
    # About a person, with or without an e-ID: search terms and numbers made anew; everything taken to another county.
    INDEX_MEMBER = 9
    MOVE_MEMBER = 10
    # An account that a recovery opened and did not need.
    DROP_ACCOUNT = 11
    # A certificate was revoked: Keycloak fetches the list anew, the account's sessions end.
    END_SESSIONS = 20


# Somebody waits with the telephone in hand; these do not queue behind a batch of new accounts.
URGENT_KINDS: Final = frozenset({TaskKind.SEND_LOGIN_CODE, TaskKind.CLOSE_ACCOUNT, TaskKind.END_SESSIONS})
OTHER_KINDS: Final = frozenset(TaskKind) - URGENT_KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to be done."""

    task_id: str
    county_code: str
    kind: TaskKind
    member_id: str
    application_id: str | None
    eid_id: str | None
    account_id: str | None
    eid_number: bytes | None
    due_at: datetime
    attempts: int

    @property
    def scope(self) -> Scope:
        """The scope in which it is done."""
        return Scope.of(self.county_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """About whom something is to be done."""

    member_id: str
    application_id: str | None = None
    eid_id: str | None = None
    account_id: str | None = None
    eid_number: bytes | None = None


async def add_task(
    transaction: Transaction,
    kind: TaskKind,
    *,
    county_code: str,
    member_id: str,
    due_at: datetime,
    application_id: str | None = None,
    eid_id: str | None = None,
    account_id: str | None = None,
    eid_number: bytes | None = None,
) -> str:
    """Have something done after the commit; an application is issued by one task at a time."""
    (task_id,) = await add_tasks(
        transaction,
        kind,
        [
            NewTask(
                member_id=member_id,
                application_id=application_id,
                eid_id=eid_id,
                account_id=account_id,
                eid_number=eid_number,
            )
        ],
        county_code=county_code,
        due_at=due_at,
    )
    return task_id


async def add_tasks(
    transaction: Transaction, kind: TaskKind, wanted: Sequence[NewTask], *, county_code: str, due_at: datetime
) -> list[str]:
    """Have the same done about many."""
    rows = [
        {
            "task_id": new_ulid(),
            "county_code": county_code,
            "kind": int(kind),
            "member_id": one.member_id,
            "application_id": one.application_id,
            "eid_id": one.eid_id,
            "account_id": one.account_id,
            "eid_number": one.eid_number,
            "due_at": due_at,
            "attempts": 0,
        }
        for one in wanted
    ]
    if rows:
        await transaction.execute(insert(account_task).on_conflict_do_nothing(), rows)
        await transaction.execute(select(func.pg_notify(CHANNEL, "")))
    return [str(row["task_id"]) for row in rows]


async def lease_tasks(database: Database, *, kinds: Collection[TaskKind], now: datetime, most: int) -> list[Task]:
    """Take up to `most` tasks that are due."""
    table = account_task
    due = (
        select(table.c.task_id)
        .where(
            table.c.done_at.is_(None),
            table.c.due_at <= now,
            table.c.kind.in_([int(kind) for kind in kinds]),
            or_(table.c.leased_until.is_(None), table.c.leased_until < now),
        )
        .order_by(table.c.due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        rows = await transaction.all(
            update(table)
            .where(table.c.task_id.in_(due.scalar_subquery()))
            .values(leased_until=now + LEASE, attempts=table.c.attempts + 1)
            .returning(table)
        )
    return [_task(row) for row in rows]


async def finish_task(transaction: Transaction, task: Task, *, now: datetime) -> None:
    """Say that a task is done; in the transaction of its last effect, where it has one here."""
    await transaction.execute(
        update(account_task).where(account_task.c.task_id == task.task_id).values(done_at=now, leased_until=None)
    )


async def postpone_task(database: Database, task: Task, *, now: datetime, because: str) -> None:
    """Have a task that failed done again later, each time a little later."""
    pause = min(FIRST_PAUSE * 2 ** min(task.attempts, 16), LONGEST_PAUSE)
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(
            update(account_task)
            .where(account_task.c.task_id == task.task_id, account_task.c.done_at.is_(None))
            .values(due_at=now + pause, leased_until=None, last_error=because[:200])
        )


async def give_back_task(database: Database, task: Task) -> None:
    """End the lease of a task that was broken off; the attempt does not count."""
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(
            update(account_task)
            .where(account_task.c.task_id == task.task_id, account_task.c.done_at.is_(None))
            .values(leased_until=None, attempts=task.attempts - 1)
        )


async def reschedule_task(transaction: Transaction, task: Task, *, due_at: datetime) -> None:
    """Have a task done at a later time: it is too early for it."""
    await transaction.execute(
        update(account_task)
        .where(account_task.c.task_id == task.task_id)
        .values(due_at=due_at, leased_until=None, attempts=0)
    )


async def has_task(transaction: Transaction, kind: TaskKind, *, eid_id: str) -> bool:
    """Say whether an e-ID has, or had, a task of this kind."""
    statement = select(account_task.c.task_id).where(account_task.c.eid_id == eid_id, account_task.c.kind == int(kind))
    return await transaction.scalar(statement.limit(1)) is not None


async def purge_tasks(transaction: Transaction, *, now: datetime) -> None:
    """Remove tasks that were done long ago."""
    await transaction.execute(delete(account_task).where(account_task.c.done_at < now - KEEP_DONE))


def _task(row: Row[Any]) -> Task:
    values: dict[str, Any] = {
        name: value for name, value in zip(account_task.c.keys(), row, strict=True) if name in Task.__slots__
    }
    values["kind"] = TaskKind(values["kind"])
    return Task(**values)

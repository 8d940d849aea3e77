"""Rosters: an uploaded file, what was read from it, and where it stands. All that tells who somebody is is sealed.

The sealing key is the roster's own. It stands beside those of members in the key database, so that a change of the master
key and the sweeping of what was never committed serve it too, and it is destroyed when the roster is cancelled or old.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, or_, select, update
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.paging import Page
from zhibu_kit.scope import Scope

from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.parts import Parts
from zhibu_identity.rosters.models import roster, roster_piece, roster_row
from zhibu_identity.tasks.leases import LEASE

NOUN: Final = "roster"
CHANNEL: Final = "identity_roster"
# Wakes the worker alone: progress does not.
WORK_CHANNEL: Final = "identity_roster_work"
PIECE_BYTES: Final = 1024 * 1024
# File and rows are thrown away this long after the last change: what is applied stands in the records, what is not may yet be
# committed, and an upload that broke off is of no use.
KEEP: Final = timedelta(days=30)
KEEP_APPLIED: Final = timedelta(days=7)
KEEP_UPLOAD: Final = timedelta(hours=1)
_PURGED_PER_RUN: Final = 20


class RosterState(IntEnum):
    """Where a roster stands; from 1 on the numbers are the contract's."""

    ARRIVING = 0
    CHECKING = 1
    CHECKED = 2
    FAILED = 3
    COMMITTING = 4
    COMMITTED = 5
    APPLIED = 6
    CANCELLED = 7


# The same file again is the same roster while it stands so.
OPEN_STATES: Final = frozenset({RosterState.CHECKING, RosterState.CHECKED, RosterState.FAILED})


class Difference(IntEnum):
    """What a row means against what the county has; the numbers are the contract's."""

    NEW = 1
    CHANGED = 2
    SAME = 3
    GONE = 4
    PROBLEM = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """One roster as stored."""

    roster_id: str
    county_code: str
    organisation_id: str
    made_by_member_id: str
    state: RosterState
    file_digest: bytes | None
    file_name: bytes
    layout: bytes | None
    chosen: bytes | None
    sheet_name: bytes | None
    failure: str
    row_count: int
    checked_count: int
    new_count: int
    changed_count: int
    same_count: int
    gone_count: int
    problem_count: int
    application_match_count: int
    committed_count: int
    committed_by_member_id: str | None
    settled: bool
    leased_until: datetime | None
    lease: int
    due_at: datetime
    attempts: int
    created_at: datetime
    committed_at: datetime | None
    updated_at: datetime
    version: int
    notice_count: int

    @property
    def scope(self) -> Scope:
        """The scope in which it is worked on."""
        return Scope.of(self.county_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingBranch:
    """A branch that a roster names and the county does not have."""

    committee_name: str
    branch_name: str
    row_count: int


class LeaseLostError(Exception):
    """Somebody else works on this roster by now; nothing more is written here."""


async def get_roster(transaction: Transaction, roster_id: str, *, organisation_id: str, lock: bool = False) -> Roster:
    """Return a roster of an organisation.

    Raises:
        ServiceError: NOT_FOUND.
    """
    found = await find_roster(transaction, roster_id, lock=lock)
    if found is None or found.organisation_id != organisation_id or found.state is RosterState.ARRIVING:
        raise NOT_FOUND(noun=NOUN)
    return found


async def find_roster(transaction: Transaction, roster_id: str, *, lock: bool = False) -> Roster | None:
    """Return a roster within the transaction's scope."""
    statement = select(roster).where(roster.c.roster_id == roster_id)
    row = await transaction.one_or_none(statement.with_for_update() if lock else statement)
    return None if row is None else record_of(row)


async def find_same_file(transaction: Transaction, organisation_id: str, *, digest: bytes) -> Roster | None:
    """Return the open roster of an organisation that was made from the same file."""
    row = await transaction.one_or_none(
        select(roster)
        .where(
            roster.c.organisation_id == organisation_id,
            roster.c.file_digest == digest,
            roster.c.state.in_([int(state) for state in OPEN_STATES]),
        )
        .order_by(roster.c.roster_id.desc())
        .limit(1)
    )
    return None if row is None else record_of(row)


async def list_rosters(transaction: Transaction, organisation_id: str, *, page: Page) -> list[Roster]:
    """Return a page of rosters, newest first, and one more when there is a next page."""
    statement = select(roster).where(
        roster.c.organisation_id == organisation_id, roster.c.state != int(RosterState.ARRIVING)
    )
    if page.after is not None:
        statement = statement.where(roster.c.roster_id < page.after[0])
    rows = await transaction.all(statement.order_by(roster.c.roster_id.desc()).limit(page.size + 1))
    return [record_of(row) for row in rows]


async def insert_roster(
    transaction: Transaction,
    *,
    roster_id: str,
    county_code: str,
    organisation_id: str,
    member_id: str,
    file_name: bytes,
    now: datetime,
) -> None:
    """Store a roster whose file arrives."""
    await transaction.execute(
        insert(roster).values(
            roster_id=roster_id,
            county_code=county_code,
            organisation_id=organisation_id,
            made_by_member_id=member_id,
            state=int(RosterState.ARRIVING),
            file_name=file_name,
            settled=True,
            due_at=now,
            created_at=now,
            updated_at=now,
            version=1,
        )
    )


async def add_piece(
    transaction: Transaction, key: MemberKey, *, county_code: str, position: int, content: bytes
) -> None:
    """Store a piece of the file, sealed."""
    await transaction.execute(
        insert(roster_piece).values(
            roster_id=key.member_id,
            county_code=county_code,
            position=position,
            content=key.seal_bytes(content, place=f"roster_piece.content/{position}"),
        )
    )


async def read_file(parts: Parts, record: Roster, key: MemberKey) -> bytearray:
    """Return the file of a roster."""
    content = bytearray()
    position = 0
    while True:
        async with parts.database.transaction(record.scope) as transaction:
            sealed = await transaction.scalar(
                select(roster_piece.c.content).where(
                    roster_piece.c.roster_id == record.roster_id, roster_piece.c.position == position
                )
            )
        if sealed is None:
            return content
        content += key.open_bytes(sealed, place=f"roster_piece.content/{position}")
        position += 1


async def change_roster(
    transaction: Transaction, record: Roster, *, now: datetime, state: RosterState, values: dict[str, Any] | None = None
) -> Roster:
    """Bring a locked roster to a state; the version rises, and whoever watches is woken."""
    row = await transaction.one(
        update(roster)
        .where(roster.c.roster_id == record.roster_id)
        .values(
            state=int(state),
            updated_at=now,
            version=record.version + 1,
            due_at=now,
            attempts=0,
            leased_until=None,
            **(values or {}),
        )
        .returning(roster)
    )
    await notify(transaction)
    await transaction.execute(select(func.pg_notify(WORK_CHANNEL, "")))
    return record_of(row)


async def begin_checking(
    transaction: Transaction, record: Roster, *, now: datetime, values: dict[str, Any] | None = None
) -> Roster:
    """Throw away what was read, and have the file read and checked anew."""
    await transaction.execute(delete(roster_row).where(roster_row.c.roster_id == record.roster_id))
    counts = dict.fromkeys(
        (
            "row_count",
            "checked_count",
            "new_count",
            "changed_count",
            "same_count",
            "gone_count",
            "problem_count",
            "application_match_count",
            "committed_count",
            "notice_count",
        ),
        0,
    )
    # Whoever was at it loses the lease.
    return await change_roster(
        transaction,
        record,
        now=now,
        state=RosterState.CHECKING,
        values={**counts, "failure": "", "lease": record.lease + 1, **(values or {})},
    )


async def throw_away(transaction: Transaction, record: Roster, *, now: datetime, state: RosterState) -> Roster:
    """Remove everything that was read from a file, and the file; the caller destroys the key after the commit."""
    await transaction.execute(delete(roster_row).where(roster_row.c.roster_id == record.roster_id))
    await transaction.execute(delete(roster_piece).where(roster_piece.c.roster_id == record.roster_id))
    empty: dict[str, Any] = {"layout": None, "chosen": None, "sheet_name": None, "file_digest": None, "file_name": b""}
    return await change_roster(transaction, record, now=now, state=state, values={**empty, "lease": record.lease + 1})


async def forget_upload(transaction: Transaction, roster_id: str) -> None:
    """Remove a roster that was never one: its upload broke off, or brought a file that is there already."""
    await transaction.execute(delete(roster_piece).where(roster_piece.c.roster_id == roster_id))
    await transaction.execute(delete(roster).where(roster.c.roster_id == roster_id))


async def lease_roster(database: Database, *, now: datetime) -> Roster | None:
    """Take a roster that waits to be worked on."""
    due = (
        select(roster.c.roster_id)
        .where(
            or_(
                roster.c.state.in_([int(RosterState.CHECKING), int(RosterState.COMMITTING)]),
                roster.c.settled.is_(False),
            ),
            roster.c.due_at <= now,
            or_(roster.c.leased_until.is_(None), roster.c.leased_until < now),
        )
        .order_by(roster.c.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        row = await transaction.one_or_none(
            update(roster)
            .where(roster.c.roster_id.in_(due.scalar_subquery()))
            .values(leased_until=now + LEASE, lease=roster.c.lease + 1, attempts=roster.c.attempts + 1)
            .returning(roster)
        )
    return None if row is None else record_of(row)


async def renew_lease(
    transaction: Transaction, record: Roster, *, now: datetime, values: dict[str, Any] | None = None
) -> None:
    """Keep a leased roster, in the transaction of a step; the row is locked from then on.

    Raises:
        LeaseLostError: when somebody else has it, or it was cancelled or mapped anew.
    """
    changed = await transaction.execute(
        update(roster)
        .where(roster.c.roster_id == record.roster_id, roster.c.lease == record.lease)
        .values({"leased_until": now + LEASE, **(values or {})})
    )
    if changed.rowcount == 0:
        raise LeaseLostError


async def keep_lease(database: Database, record: Roster, *, now: datetime) -> None:
    """Keep a leased roster while a step of it takes long; one that is lost stays lost."""
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(
            update(roster)
            .where(
                roster.c.roster_id == record.roster_id,
                roster.c.lease == record.lease,
                roster.c.leased_until.is_not(None),
            )
            .values(leased_until=now + LEASE)
        )


async def postpone(database: Database, record: Roster, *, due_at: datetime) -> None:
    """Give a roster back, to be tried again later."""
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        await transaction.execute(
            update(roster)
            .where(roster.c.roster_id == record.roster_id, roster.c.lease == record.lease)
            .values(leased_until=None, due_at=due_at)
        )


async def list_missing_branches(transaction: Transaction, roster_id: str, *, most: int) -> list[MissingBranch]:
    """Return the branches that a roster names and the county does not have."""
    table = roster_row
    rows = await transaction.all(
        select(table.c.missing_committee, table.c.missing_branch, func.count().label("row_count"))
        .where(table.c.roster_id == roster_id, table.c.missing_branch != "")
        .group_by(table.c.missing_committee, table.c.missing_branch)
        .order_by(func.count().desc(), table.c.missing_branch)
        .limit(most)
    )
    return [
        MissingBranch(committee_name=row.missing_committee, branch_name=row.missing_branch, row_count=row.row_count)
        for row in rows
    ]


async def list_rows(
    transaction: Transaction, roster_id: str, *, difference: Difference | None, page: Page, noticed: bool = False
) -> Sequence[Row[Any]]:
    """Return a page of the rows of one kind, in the order of the file, and one more when there is a next page.

    `noticed` leaves those of which something is not taken over.
    """
    statement = select(roster_row).where(roster_row.c.roster_id == roster_id)
    if difference is not None:
        statement = statement.where(roster_row.c.difference == int(difference))
    if noticed:
        statement = statement.where(roster_row.c.noticed)
    if page.after is not None:
        statement = statement.where(roster_row.c.position > int(page.after[0]))
    return await transaction.all(statement.order_by(roster_row.c.position).limit(page.size + 1))


async def purge_rosters(parts: Parts) -> int:
    """Throw away rosters that nobody looks at any more, and uploads that broke off; return how many there were."""
    now = parts.clock.now()
    # What is worked on is left alone, however long it takes.
    at_rest = roster.c.state.not_in([int(RosterState.CHECKING), int(RosterState.COMMITTING)]) & roster.c.settled
    old = or_(
        roster.c.updated_at < now - KEEP,
        (roster.c.state == int(RosterState.APPLIED)) & (roster.c.updated_at < now - KEEP_APPLIED),
        (roster.c.state == int(RosterState.ARRIVING)) & (roster.c.updated_at < now - KEEP_UPLOAD),
    )
    async with parts.database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        rows = await transaction.all(
            select(roster.c.roster_id, roster.c.county_code)
            .where(old, at_rest, roster.c.file_name != b"")
            .order_by(roster.c.updated_at)
            .limit(_PURGED_PER_RUN)
        )
    for row in rows:
        async with parts.database.transaction(Scope.of(row.county_code)) as transaction:
            record = await find_roster(transaction, row.roster_id, lock=True)
            if record is None or record.state in (RosterState.CHECKING, RosterState.COMMITTING):
                continue
            if record.state is RosterState.ARRIVING:
                await forget_upload(transaction, row.roster_id)
            committed = record.state in (RosterState.COMMITTED, RosterState.APPLIED)
            state = record.state if committed else RosterState.CANCELLED
            if record.state is not RosterState.ARRIVING:
                await throw_away(transaction, record, now=now, state=state)
        await parts.vault.erase(row.roster_id)
    return len(rows)


async def notify(transaction: Transaction) -> None:
    """Wake the worker and whoever watches, with the commit."""
    await transaction.execute(select(func.pg_notify(CHANNEL, "")))


def digest_of(parts: Parts, sha256: str) -> bytes:
    """Return what tells whether two files are the same, without telling what stands in them."""
    return parts.province.secret_digest("roster file", sha256)


def record_of(row: Row[Any]) -> Roster:
    """Return a roster as a row of its table holds it."""
    values: dict[str, Any] = dict(zip(roster.c.keys(), row, strict=True))
    values["state"] = RosterState(values["state"])
    return Roster(**values)

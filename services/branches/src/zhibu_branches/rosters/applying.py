"""Applying rows of a roster, hundreds at a time: a few statements for all of them, rules for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from zhibu_kit.db import Transaction
from zhibu_kit.ids import new_ulid

from zhibu_branches.bulk import insert_many
from zhibu_branches.locks import to_keep
from zhibu_branches.member_events import membership_changed, record_changed
from zhibu_branches.member_queries import membership_of, record_from
from zhibu_branches.memberships import Record, end_memberships, physical_of, records_of
from zhibu_branches.models import (
    member_decision,
    member_record,
    membership,
    organisation,
    roster_conflict,
)
from zhibu_branches.records import standings_of
from zhibu_branches.rules.members import DecisionSource, EndReason, MembershipKind, Standing
from zhibu_branches.rules.rosters import Conflict, Outcome, Row, judge_row
from zhibu_branches.rules.tree import Level
from zhibu_branches.unplaced import forget_unplaced


@dataclass(frozen=True, slots=True, kw_only=True)
class PartResult:
    """How many rows changed something, stood so already, or could not be applied."""

    applied: int
    unchanged: int
    conflicts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    new: Mapping[str, Outcome]
    changed: Mapping[str, Outcome]
    unchanged: int
    conflicts: Mapping[int, Conflict]


async def apply_rows(
    transaction: Transaction, rows: Sequence[Row], *, roster_id: str, county_code: str, today: date, now: datetime
) -> PartResult:
    """Applies rows of one county, whose scope the transaction has."""
    member_ids = sorted({row.member_id for row in rows})
    branches = await _branches(transaction, {row.branch_id for row in rows}, county_code)
    records = await records_of(transaction, member_ids, lock=True)
    elsewhere = await _elsewhere(transaction, member_ids, county_code)
    judged = _judge(rows, branches=branches, records=records, elsewhere=elsewhere, today=today)
    refused = await _take_up(transaction, judged.new, county_code=county_code, today=today, now=now)
    conflicts = {**judged.conflicts, **{_at(rows, member_id): Conflict.RECORD_ENDED for member_id in refused}}
    await _change(transaction, judged.changed, records, county_code=county_code, today=today, now=now)
    await forget_unplaced(transaction, sorted(set(judged.new) - refused))
    await _keep_history(transaction, judged, records, refused, county_code=county_code, today=today, now=now)
    await _keep_conflicts(
        transaction, rows, conflicts, {**{one: records[one].branch_id for one in records}, **elsewhere},
        roster_id=roster_id, county_code=county_code,
    )  # fmt: skip
    return PartResult(
        applied=len(judged.new) - len(refused) + len(judged.changed),
        unchanged=judged.unchanged,
        conflicts=len(conflicts),
    )


def _judge(
    rows: Sequence[Row],
    *,
    branches: frozenset[str],
    records: Mapping[str, Record],
    elsewhere: Mapping[str, str],
    today: date,
) -> _Judged:
    new: dict[str, Outcome] = {}
    changed: dict[str, Outcome] = {}
    conflicts: dict[int, Conflict] = {}
    seen: set[str] = set()
    unchanged = 0
    for at, row in enumerate(rows):
        record = records.get(row.member_id)
        present = None if record is None else Outcome(branch_id=record.branch_id, standings=standings_of(record))
        if row.member_id in seen:
            outcome: Outcome | Conflict = Conflict.MEMBER_TWICE
        elif row.member_id in elsewhere:
            outcome = Conflict.MEMBER_ELSEWHERE
        elif row.branch_id not in branches:
            outcome = Conflict.BRANCH_UNKNOWN
        else:
            outcome = judge_row(row, present, today=today)
        seen.add(row.member_id)
        if isinstance(outcome, Conflict):
            conflicts[at] = outcome
        elif present is None:
            new[row.member_id] = outcome
        elif outcome == present:
            unchanged += 1
        else:
            changed[row.member_id] = outcome
    return _Judged(new=new, changed=changed, unchanged=unchanged, conflicts=conflicts)


async def _branches(transaction: Transaction, branch_ids: set[str], county_code: str) -> frozenset[str]:
    """Those that are physical branches of the county, kept from changing until the transaction ends."""
    rows = await transaction.all(
        to_keep(
            select(organisation.c.organisation_id).where(
                organisation.c.organisation_id == func.any(sorted(branch_ids)),
                organisation.c.level == Level.BRANCH,
                organisation.c.active,
                ~organisation.c.virtual,
                organisation.c.county_code == county_code,
            )
        )
    )
    return frozenset(row.organisation_id for row in rows)


async def _elsewhere(transaction: Transaction, member_ids: Sequence[str], county_code: str) -> dict[str, str]:
    """Members whose open record is in another county, with the branch that holds them."""
    places = func.physical_places(list(member_ids)).table_valued("member_id", "branch_id", "county_code")
    rows = await transaction.all(select(places).where(places.c.county_code != county_code))
    return {row.member_id: row.branch_id for row in rows}


async def _take_up(
    transaction: Transaction, new: Mapping[str, Outcome], *, county_code: str, today: date, now: datetime
) -> set[str]:
    """Opens records and physical memberships; the members who turned out to have a record that nobody here sees."""
    if not new:
        return set()
    values = [
        {
            "member_id": member_id,
            "county_code": county_code,
            "branch_id": outcome.branch_id,
            **_columns(outcome),
            "end_date": None,
            "virtual_count": 0,
            "version": 1,
            "create_time": now,
            "update_time": now,
        }
        for member_id, outcome in sorted(new.items())
    ]
    made = [record_from(row) for row in await insert_many(transaction, member_record, values, skip_present=True)]
    for record in made:
        transaction.emit(record_changed(record, source=DecisionSource.ROSTER), county_code=county_code)
    await _place(
        transaction, {row.member_id: row.branch_id for row in made}, county_code=county_code, today=today, now=now
    )
    return set(new) - {row.member_id for row in made}


async def _change(
    transaction: Transaction,
    changed: Mapping[str, Outcome],
    records: Mapping[str, Record],
    *,
    county_code: str,
    today: date,
    now: datetime,
) -> None:
    """Writes changed records, and moves those who are in another branch now."""
    if not changed:
        return
    moved = {one: outcome.branch_id for one, outcome in changed.items() if outcome.branch_id != records[one].branch_id}
    await end_memberships(
        transaction, await physical_of(transaction, list(moved)), end_date=today, reason=EndReason.MOVED, now=now
    )
    await _place(transaction, moved, county_code=county_code, today=today, now=now)
    raw = await transaction.raw()
    ordered = sorted(changed.items())
    columns = [_columns(outcome) for _, outcome in ordered]
    await raw.execute(
        """
        update member_record as r set
          branch_id = n.branch_id, status = n.status, status_date = n.status_date, applied_date = n.applied_date,
          admitted_date = n.admitted_date, confirmed_date = n.confirmed_date, occupation = n.occupation,
          version = r.version + 1, update_time = $9
        from unnest($1::text[], $2::text[], $3::int[], $4::date[], $5::date[], $6::date[], $7::date[], $8::int[])
          as n (member_id, branch_id, status, status_date, applied_date, admitted_date, confirmed_date, occupation)
        where r.member_id = n.member_id
        """,
        [member_id for member_id, _ in ordered],
        [outcome.branch_id for _, outcome in ordered],
        [int(outcome.standings.status) for _, outcome in ordered],
        *(
            [one[name] for one in columns]
            for name in ("status_date", "applied_date", "admitted_date", "confirmed_date")
        ),
        [int(outcome.standings.occupation) for _, outcome in ordered],
        now,
    )
    for record in (await records_of(transaction, list(changed))).values():
        transaction.emit(record_changed(record, source=DecisionSource.ROSTER), county_code=county_code)


async def _place(
    transaction: Transaction, branch_of: Mapping[str, str], *, county_code: str, today: date, now: datetime
) -> None:
    if not branch_of:
        return
    values = [
        {
            "membership_id": new_ulid(),
            "member_id": member_id,
            "branch_id": branch_id,
            "county_code": county_code,
            "kind": MembershipKind.PHYSICAL,
            "start_date": today,
            "version": 1,
            "create_time": now,
            "update_time": now,
        }
        for member_id, branch_id in sorted(branch_of.items())
    ]
    for row in await insert_many(transaction, membership, values):
        transaction.emit(membership_changed(membership_of(row), source=DecisionSource.ROSTER), county_code=county_code)


async def _keep_history(
    transaction: Transaction,
    judged: _Judged,
    records: Mapping[str, Record],
    refused: set[str],
    *,
    county_code: str,
    today: date,
    now: datetime,
) -> None:
    """An entry for each record that was opened, and for each status or occupation that changed."""
    entries: list[dict[str, object]] = []
    for member_id, outcome in (*judged.new.items(), *judged.changed.items()):
        if member_id in refused:
            continue
        before = records.get(member_id)
        after = outcome.standings
        status = 0 if before is not None and before.status is after.status else int(after.status)
        occupation = 0 if before is not None and before.occupation is after.occupation else int(after.occupation)
        if before is not None and not status and not occupation:
            continue
        entries.append(
            {
                "decision_id": new_ulid(),
                "member_id": member_id,
                "county_code": county_code,
                "branch_id": outcome.branch_id,
                "decision_date": (after.status_date if status else None) or today,
                "status": status,
                "occupation": occupation,
                "standing": int(Standing.PRESENT) if before is None else 0,
                "document_number": "",
                "document_id": "",
                "source": int(DecisionSource.ROSTER),
                "made_by_member_id": "",
                "create_time": now,
            }
        )
    await insert_many(transaction, member_decision, entries)


async def _keep_conflicts(
    transaction: Transaction,
    rows: Sequence[Row],
    conflicts: Mapping[int, Conflict],
    held_by: Mapping[str, str],
    *,
    roster_id: str,
    county_code: str,
) -> None:
    values = [
        {
            "roster_id": roster_id,
            "row_number": rows[at].row_number,
            "member_id": rows[at].member_id,
            "county_code": county_code,
            "reason": conflict,
            "branch_id": rows[at].branch_id,
            "current_branch_id": held_by.get(rows[at].member_id, ""),
        }
        for at, conflict in conflicts.items()
    ]
    await insert_many(transaction, roster_conflict, values, skip_present=True)


def _columns(outcome: Outcome) -> dict[str, object]:
    standings = outcome.standings
    return {
        "status": standings.status,
        "status_date": standings.status_date,
        "applied_date": standings.applied_date,
        "admitted_date": standings.admitted_date,
        "confirmed_date": standings.confirmed_date,
        "occupation": standings.occupation,
        "standing": standings.standing,
    }


def _at(rows: Sequence[Row], member_id: str) -> int:
    return next(at for at, row in enumerate(rows) if row.member_id == member_id)

"""Checking a roster: the file is read row by row, compared with the records, and staged, five hundred rows a time.

Cut off anywhere, it goes on with the first row that is not staged: reading a file is quick, and always gives the same.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, Final

from sqlalchemy import exists, select
from zhibu_kit.clock import today_in_shanghai
from zhibu_kit.db import Transaction

from zhibu_identity.eids.records import find_living_eids, open_holder
from zhibu_identity.keys.numbers import NumberKind
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.models import application, person
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import PersonDetails, PersonRecord, find_people, open_details, record_of
from zhibu_identity.rosters.differences import Fact, Known, Verdict, judge_row
from zhibu_identity.rosters.models import roster_fact, roster_row
from zhibu_identity.rosters.payloads import (
    Chosen,
    Plan,
    RowPayload,
    open_chosen,
    open_plan,
    seal_plan,
    seal_row,
)
from zhibu_identity.rosters.places import Places, load_places
from zhibu_identity.rosters.reading.cells import text_of
from zhibu_identity.rosters.reading.fields import Field
from zhibu_identity.rosters.reading.files import FileFault, Sheet, UnreadableFileError, inspect, open_rows
from zhibu_identity.rosters.reading.layout import propose, propose_sheet
from zhibu_identity.rosters.reading.people import Judge, Person, PersonRow, read_people
from zhibu_identity.rosters.records import (
    Difference,
    Roster,
    RosterState,
    change_roster,
    find_roster,
    notify,
    read_file,
    renew_lease,
)
from zhibu_identity.rules.application import State

ROWS_PER_STEP: Final = 500
_OPEN_APPLICATIONS: Final = [int(State.SUBMITTED), int(State.QUESTIONED)]
_COUNT_OF: Final = {
    Difference.NEW: "new_count",
    Difference.CHANGED: "changed_count",
    Difference.SAME: "same_count",
    Difference.GONE: "gone_count",
    Difference.PROBLEM: "problem_count",
}
_COLUMNS: Final = {
    "roster_id": "text",
    "county_code": "text",
    "position": "integer",
    "row_number": "integer",
    "difference": "smallint",
    "application_match": "boolean",
    "member_id": "text",
    "missing_branch": "text",
    "missing_committee": "text",
    "branch_id": "text",
    "status": "smallint",
    "applied_date": "text",
    "admitted_date": "text",
    "confirmed_date": "text",
    "occupation": "smallint",
    "payload": "bytea",
    "noticed": "boolean",
}
_INSERT: Final = (
    f"INSERT INTO roster_row ({', '.join(_COLUMNS)}) SELECT * FROM unnest("  # noqa: S608 - constants
    + ", ".join(f"${at}::{kind}[]" for at, kind in enumerate(_COLUMNS.values(), 1))
    + ")"
)


@dataclass(slots=True, kw_only=True)
class _Progress:
    """How far the reading is."""

    position: int = 0
    # Row by number, to find those that stand in the file twice.
    rows: dict[str, int]


async def check(parts: Parts, record: Roster) -> None:
    """Check a leased roster to its end.

    Raises:
        LeaseLostError: when it was cancelled or mapped anew meanwhile.
        ServiceError: when a database does not answer now.
    """
    key = await parts.vault.find_member_key(record.roster_id, record.county_code)
    if key is None:
        await _fail(parts, record, FileFault.DAMAGED)
        return
    content = await read_file(parts, record, key)
    parts.reached("file read")
    file = io.BytesIO(content)
    try:
        plan = open_plan(record.layout, key) if record.checked_count else None
        if plan is None:
            plan = await asyncio.to_thread(_plan, file, open_chosen(record.chosen, key))
            async with parts.database.transaction(record.scope) as transaction:
                await renew_lease(transaction, record, now=parts.clock.now(), values={"layout": seal_plan(plan, key)})
                await notify(transaction)
        if not plan.layout.complete:
            await _fail(parts, record, FileFault.HEADINGS_NOT_FOUND)
            return
        async with parts.database.transaction(record.scope) as transaction:
            places = await load_places(transaction, record.county_code, organisation_id=record.organisation_id)
        position = await _stage_rows(parts, record, key, file=file, plan=plan, places=places)
    except UnreadableFileError as error:
        await _fail(parts, record, error.fault)
        return
    await _stage_gone(parts, record, key, position=position, places=places)
    async with parts.database.transaction(record.scope) as transaction:
        await renew_lease(transaction, record, now=parts.clock.now())
        locked = await find_roster(transaction, record.roster_id, lock=True)
        assert locked is not None, "the lease holds"
        await change_roster(transaction, locked, now=parts.clock.now(), state=RosterState.CHECKED)


def _plan(file: IO[bytes], chosen: Chosen) -> Plan:
    sheets = inspect(file)
    by_name = {sheet.name: sheet for sheet in sheets}
    if chosen.sheet_name:
        sheet = by_name.get(chosen.sheet_name)
        if sheet is None:
            raise UnreadableFileError(FileFault.SHEET_UNKNOWN)
    else:
        sheet = by_name[propose(sheets).sheet_name]
    layout = propose_sheet(sheet, heading_row=chosen.heading_row, chosen=chosen.fields)
    return Plan(sheet_names=tuple(by_name), layout=layout, head=_head(sheet, layout.heading_row))


def _head(sheet: Sheet, heading_row: int) -> tuple[tuple[str, ...], ...]:
    """Return titles and headings; what is merged sideways stands in its first cell alone."""
    head: list[tuple[str, ...]] = []
    for row in sheet.first_rows[:heading_row]:
        texts = [text_of(cell) for cell in row]
        head.append(tuple("" if at and text == texts[at - 1] else text for at, text in enumerate(texts)))
    return tuple(head)


async def _stage_rows(
    parts: Parts, record: Roster, key: MemberKey, *, file: IO[bytes], plan: Plan, places: Places
) -> int:
    """Stage every row with a person; return the position after the last one."""
    layout = plan.layout
    judge = Judge(layout=layout, today=today_in_shanghai(parts.clock), synthetic_allowed=parts.synthetic_allowed)
    filled = [at for field in (Field.BRANCH, Field.COMMITTEE) if (at := layout.column_of(field)) is not None]
    progress = _Progress(rows={})
    with ExitStack() as opened:
        # The file goes through a pipe to a process that has to start first: other calls go on meanwhile.
        rows = await asyncio.to_thread(opened.enter_context, open_rows(file, layout.sheet_name, filled=filled))
        people = read_people(rows, judge)
        # The child process is waited for and rows are judged in a thread: other calls go on.
        while chunk := await asyncio.to_thread(_take, people):
            first = progress.position
            progress.position += len(chunk)
            chunk = [_with_duplicate(row, progress.rows) for row in chunk]
            if progress.position > record.checked_count:
                skipped = max(0, record.checked_count - first)
                await _stage(parts, record, key, chunk[skipped:], first=first + skipped, places=places)
                parts.reached("rows staged")
    return progress.position


def _take(people: Iterator[PersonRow]) -> list[PersonRow]:
    return list(islice(people, ROWS_PER_STEP))


def _with_duplicate(row: PersonRow, rows: dict[str, int]) -> PersonRow:
    number = row.person.resident_number
    first = rows.setdefault(number, row.row_number) if number else row.row_number
    return row if first == row.row_number else row.with_duplicate_of(first)


async def _stage(
    parts: Parts, record: Roster, key: MemberKey, rows: Sequence[PersonRow], *, first: int, places: Places
) -> None:
    numbers = {row.person.resident_number for row in rows if row.person.resident_number}
    here = await parts.vault.numbers.find_here(NumberKind.RESIDENT, numbers, county_code=record.county_code)
    elsewhere = await parts.vault.numbers.find_elsewhere(NumberKind.RESIDENT, numbers, county_code=record.county_code)
    member_ids = [member_id for found in here.values() for member_id in found]
    async with parts.database.transaction(record.scope) as transaction:
        people = await find_people(transaction, member_ids)
        eids = await find_living_eids(transaction, list(people))
        facts = await _facts_of(transaction, list(people))
        applicants = await _applicants_of(transaction, member_ids)
    keys = await parts.vault.member_keys(people, record.county_code)
    known_by_number = {
        number: Known(
            record=people[member_id],
            details=_details_of(people[member_id], keys),
            fact=facts.get(member_id),
            eid_telephone=open_holder(eids[member_id], keys.get(member_id)).telephone if member_id in eids else None,
        )
        for number, found in here.items()
        for member_id in found
        if member_id in people
    }

    def judged() -> list[dict[str, Any]]:
        values: list[dict[str, Any]] = []
        for at, row in enumerate(rows):
            number = row.person.resident_number
            verdict = judge_row(row, known=known_by_number.get(number), elsewhere=number in elsewhere, places=places)
            match = any(member_id in applicants for member_id in here.get(number, ())) if number else False
            values.append(_values(record, key, verdict, position=first + at, match=match))
        return values

    values = await asyncio.to_thread(judged)
    async with parts.database.transaction(record.scope) as transaction:
        counts = _counts(values)
        counts |= {"checked_count": first + len(rows), "row_count": first + len(rows)}
        await renew_lease(transaction, record, now=parts.clock.now(), values=await _added(transaction, record, counts))
        await insert_rows(transaction, values)
        await notify(transaction)


async def _added(transaction: Transaction, record: Roster, counts: Mapping[str, int]) -> dict[str, Any]:
    """Return the new counts: sums grow, how far we are is set."""
    locked = await find_roster(transaction, record.roster_id, lock=True)
    assert locked is not None, "a roster is never deleted"
    absolute = {"checked_count", "row_count"}
    return {name: count if name in absolute else getattr(locked, name) + count for name, count in counts.items()}


def _counts(values: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    counts = dict.fromkeys(_COUNT_OF.values(), 0)
    for row in values:
        counts[_COUNT_OF[Difference(row["difference"])]] += 1
    matches = sum(bool(row["application_match"]) for row in values)
    return {**counts, "application_match_count": matches, "notice_count": sum(bool(row["noticed"]) for row in values)}


async def insert_rows(transaction: Transaction, values: Sequence[Mapping[str, Any]]) -> None:
    """Stage rows."""
    await (await transaction.raw()).execute(_INSERT, *([row[name] for row in values] for name in _COLUMNS))


def _values(record: Roster, key: MemberKey, verdict: Verdict, *, position: int, match: bool) -> dict[str, Any]:
    row = verdict.row
    said = row.person
    payload = RowPayload(
        person=said,
        problems=row.problems,
        notices=verdict.notices,
        changes=verdict.changes,
        cells=tuple(text_of(cell) for cell in row.cells) if row.problems or verdict.notices else (),
        branch_name=verdict.branch_name,
    )
    return {
        "roster_id": record.roster_id,
        "county_code": record.county_code,
        "position": position,
        "row_number": row.row_number,
        "difference": int(verdict.difference),
        "application_match": match,
        "member_id": verdict.member_id,
        "missing_branch": verdict.missing_branch,
        "missing_committee": said.committee if verdict.missing_branch else "",
        "branch_id": verdict.branch_id,
        "status": said.status,
        "applied_date": said.applied_date,
        "admitted_date": said.admitted_date,
        "confirmed_date": said.confirmed_date,
        "occupation": said.occupation,
        "payload": seal_row(payload, key),
        "noticed": bool(verdict.notices),
    }


async def _facts_of(transaction: Transaction, member_ids: Sequence[str]) -> dict[str, Fact]:
    if not member_ids:
        return {}
    rows = await transaction.all(select(roster_fact).where(roster_fact.c.member_id.in_(member_ids)))
    return {
        row.member_id: Fact(
            status=row.status,
            applied_date=row.applied_date,
            admitted_date=row.admitted_date,
            confirmed_date=row.confirmed_date,
            occupation=row.occupation,
        )
        for row in rows
    }


async def _applicants_of(transaction: Transaction, member_ids: Sequence[str]) -> frozenset[str]:
    if not member_ids:
        return frozenset()
    rows = await transaction.all(
        select(application.c.member_id).where(
            application.c.member_id.in_(member_ids), application.c.state.in_(_OPEN_APPLICATIONS)
        )
    )
    return frozenset(row.member_id for row in rows)


def _details_of(record: PersonRecord, keys: Mapping[str, MemberKey]) -> PersonDetails:
    return open_details(record.details, keys.get(record.member_id))


async def _stage_gone(parts: Parts, record: Roster, key: MemberKey, *, position: int, places: Places) -> None:
    """Stage the people of the organisation whom the file does not name."""
    async with parts.database.transaction(record.scope) as transaction:
        # An attempt before this one may have staged some of them.
        done = await transaction.scalar(
            select(roster_row.c.member_id)
            .where(roster_row.c.roster_id == record.roster_id, roster_row.c.difference == int(Difference.GONE))
            .order_by(roster_row.c.member_id.desc())
            .limit(1)
        )
        last = await transaction.scalar(
            select(roster_row.c.position)
            .where(roster_row.c.roster_id == record.roster_id)
            .order_by(roster_row.c.position.desc())
            .limit(1)
        )
    after = str(done or "")
    position = max(position, 0 if last is None else int(last) + 1)
    named = exists().where(roster_row.c.roster_id == record.roster_id, roster_row.c.member_id == person.c.member_id)
    while True:
        async with parts.database.transaction(record.scope) as transaction:
            rows = await transaction.all(
                select(person)
                .where(
                    person.c.county_code == record.county_code,
                    person.c.branch_id.in_(places.branch_ids),
                    person.c.standing.in_((0, 1)),
                    person.c.member_id > after,
                    ~named,
                )
                .order_by(person.c.member_id)
                .limit(ROWS_PER_STEP)
            )
        if not rows:
            return
        people = [record_of(row) for row in rows]
        keys = await parts.vault.member_keys([each.member_id for each in people], record.county_code)
        values: list[dict[str, Any]] = []
        for at, each in enumerate(people):
            details = _details_of(each, keys)
            name = places.name_of(each.branch_id)
            said = Person(real_name=details.real_name, resident_number=details.resident_number)
            row = PersonRow(row_number=0, person=said, problems=(), cells=())
            verdict = Verdict(
                row=row,
                difference=Difference.GONE,
                member_id=each.member_id,
                branch_id=each.branch_id,
                branch_name=name,
            )
            values.append(_values(record, key, verdict, position=position + at, match=False))
        async with parts.database.transaction(record.scope) as transaction:
            counts = await _added(transaction, record, {"gone_count": len(values)})
            await renew_lease(transaction, record, now=parts.clock.now(), values=counts)
            await insert_rows(transaction, values)
            await notify(transaction)
        position += len(values)
        after = people[-1].member_id


async def _fail(parts: Parts, record: Roster, fault: FileFault) -> None:
    async with parts.database.transaction(record.scope) as transaction:
        await renew_lease(transaction, record, now=parts.clock.now())
        locked = await find_roster(transaction, record.roster_id, lock=True)
        assert locked is not None, "the lease holds"
        await change_roster(
            transaction, locked, now=parts.clock.now(), state=RosterState.FAILED, values={"failure": fault.name}
        )

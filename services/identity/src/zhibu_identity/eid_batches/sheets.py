"""Activation codes for many people: who waits for one, branch by branch, and what their sheets say.

As with a single code: the time until which it is good is stored before Keycloak knows the code, and a code stands nowhere
but on the sheet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Select, func, select, update
from zhibu_kit import tables
from zhibu_kit.db import Transaction
from zhibu_kit.errors import UNAVAILABLE
from zhibu_kit.paging import Page

from zhibu_identity import events
from zhibu_identity.eid_batches.sheet import Section, Strip
from zhibu_identity.eids.accounts import AccountsError, Coded
from zhibu_identity.eids.activation import CODE_HOLDS
from zhibu_identity.eids.records import Eid, EidState, open_holder, record_of
from zhibu_identity.errors import NO_EID_WAITING, SHEET_TOO_LARGE
from zhibu_identity.models import eid, person
from zhibu_identity.organisations import Level, Organisation
from zhibu_identity.parts import Parts
from zhibu_identity.people.lists import name_order_of
from zhibu_identity.people.reach import Reach
from zhibu_identity.rules.codes import ACTIVATION_CODE_LENGTH, make_code
from zhibu_identity.tasks.queue import NewTask, TaskKind, add_tasks

# People on one sheet: four hundred pages, some seconds of drawing, twenty or so of setting codes.
MOST_ON_A_SHEET: Final = 2_000
# Section of those whom no branch holds yet.
UNPLACED: Final = "尚未编入党支部"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetCount:
    """A branch in which somebody's e-ID is not yet in use."""

    branch_id: str
    branch_name: str
    waiting_count: int
    coded_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An e-ID that is not yet in use, and the branch under which it is printed."""

    eid: Eid
    branch_id: str
    branch_name: str


async def list_sheets(transaction: Transaction, reach: Reach, *, now: datetime, page: Page) -> list[SheetCount]:
    """Return a page of the branches in which somebody waits, and one more when there is a next page."""
    statement = (
        _waiting_of(reach)
        .with_only_columns(
            person.c.branch_id,
            tables.organisation.c.name,
            func.count().label("waiting"),
            func.count().filter(eid.c.activation_expires_at > now).label("coded"),
        )
        .where(person.c.branch_id != "")
        .group_by(person.c.branch_id, tables.organisation.c.name)
        .order_by(person.c.branch_id)
        .limit(page.size + 1)
    )
    if page.after is not None:
        statement = statement.where(person.c.branch_id > page.after[0])
    return [
        SheetCount(
            branch_id=row.branch_id,
            branch_name=row.name or "",
            waiting_count=row.waiting,
            coded_count=row.coded,
        )
        for row in await transaction.all(statement)
    ]


async def begin_sheet(
    transaction: Transaction, reach: Reach, organisation: Organisation, *, now: datetime, most: int = MOST_ON_A_SHEET
) -> list[Waiting]:
    """Store until when the codes are good that everybody of an organisation is about to get, and return who that is.

    Raises:
        ServiceError: NO_EID_WAITING, SHEET_TOO_LARGE.
    """
    of_one_branch = organisation.level is Level.BRANCH
    statement = _waiting_of(reach).with_only_columns(eid.c.eid_id, person.c.branch_id, tables.organisation.c.name)
    rows = await transaction.all(statement.order_by(eid.c.eid_id).limit(most + 1).with_for_update(of=eid))
    if not rows:
        raise NO_EID_WAITING()
    if len(rows) > most:
        raise SHEET_TOO_LARGE(most=str(most))
    changed = await transaction.all(
        update(eid)
        .where(eid.c.eid_id.in_([row.eid_id for row in rows]), eid.c.state == int(EidState.ISSUED))
        .values(activation_expires_at=now + CODE_HOLDS, version=eid.c.version + 1)
        .returning(eid)
    )
    records = {row.eid_id: record_of(row) for row in changed}
    for record in records.values():
        transaction.emit(events.eid_changed(record, at=now), county_code=record.county_code)
    await add_tasks(
        transaction,
        TaskKind.EXPIRE_ACTIVATION,
        [
            NewTask(member_id=record.member_id, eid_id=record.eid_id, account_id=record.account_id)
            for record in records.values()
        ],
        county_code=reach.county_code,
        due_at=now + CODE_HOLDS,
    )
    # A virtual branch prints its own people on its own sheet, wherever else they belong.
    return [
        Waiting(
            eid=records[row.eid_id],
            branch_id=organisation.organisation_id if of_one_branch else row.branch_id,
            branch_name=organisation.name if of_one_branch else row.name or UNPLACED,
        )
        for row in rows
        if row.eid_id in records
    ]


async def make_sections(parts: Parts, waiting: Sequence[Waiting], *, county_code: str) -> list[Section]:
    """Make the codes and return the sections of a sheet, branch by branch, the people of each by name.

    Raises:
        ServiceError: NO_EID_WAITING when everybody logged in meanwhile; UNAVAILABLE when Keycloak does not do it now.
    """
    keys = await parts.vault.member_keys([one.eid.member_id for one in waiting], county_code)
    codes = {one.eid.account_id: make_code(ACTIVATION_CODE_LENGTH, parts.choose) for one in waiting}
    try:
        done = await parts.accounts.set_activation_codes(codes)
    except AccountsError:
        raise UNAVAILABLE() from None
    ordered = sorted(waiting, key=lambda one: (one.branch_name == UNPLACED, one.branch_id))
    sections: list[Section] = []
    for (_, name), group in groupby(ordered, key=lambda one: (one.branch_id, one.branch_name)):
        strips = [
            _strip(one, codes, done, real_name=holder.real_name, eid_number=holder.eid_number)
            for one in group
            if (key := keys.get(one.eid.member_id)) is not None
            and done[one.eid.account_id] is not Coded.IN_USE
            and (holder := open_holder(one.eid, key))
        ]
        if strips:
            sections.append(
                Section(branch_name=name, strips=sorted(strips, key=lambda strip: name_order_of(strip.real_name)))
            )
    if not sections:
        raise NO_EID_WAITING()
    return sections


def _strip(
    one: Waiting, codes: Mapping[str, str], done: Mapping[str, Coded], *, real_name: str, eid_number: str
) -> Strip:
    account_id = one.eid.account_id
    return Strip(
        real_name=real_name,
        eid_number=eid_number,
        code=codes[account_id] if done[account_id] is Coded.SET else "",
    )


def _waiting_of(reach: Reach) -> Select[Any]:
    """Select e-IDs of a county that are not yet in use, with person and branch."""
    return (
        select(eid.c.eid_id)
        .select_from(
            eid.join(person, person.c.member_id == eid.c.member_id).outerjoin(
                tables.organisation, tables.organisation.c.organisation_id == person.c.branch_id
            )
        )
        .where(
            eid.c.county_code == reach.county_code,
            eid.c.state == int(EidState.ISSUED),
            person.c.county_code == reach.county_code,
            reach.holds(),
        )
    )

"""The first office of an installation or a county: the operator makes a code, a person redeems it on the own case."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit import offices, tables
from zhibu_kit.clock import Clock, today_in_shanghai
from zhibu_kit.db import Database, Transaction
from zhibu_kit.errors import ServiceError
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope

from zhibu_identity.applications.case_keys import OpenedCase, open_case
from zhibu_identity.applications.decisions import approve, lock_application
from zhibu_identity.applications.records import get_application
from zhibu_identity.eids.activation import ActivationCode, make_activation_code
from zhibu_identity.eids.records import Eid, EidState, find_eid
from zhibu_identity.errors import (
    APPLICATION_ALREADY_DECIDED,
    BOOTSTRAP_REFUSED,
    CASE_KEY_WRONG,
    EID_ALREADY_ACTIVE,
    ISSUING_SLOW,
)
from zhibu_identity.grants.granting import new_grant
from zhibu_identity.grants.records import insert_grant
from zhibu_identity.models import bootstrap_code
from zhibu_identity.organisations import find_organisation
from zhibu_identity.parts import Parts
from zhibu_identity.rules.application import State, is_open
from zhibu_identity.rules.codes import BOOTSTRAP_CODE_LENGTH, make_code, normalise_code
from zhibu_identity.rules.grant import GrantFault, read_term
from zhibu_identity.tasks.queue import OTHER_KINDS
from zhibu_identity.tasks.worker import work_once

CODE_HOLDS: Final = timedelta(hours=24)
# A bootstrapped office holds for a year: by then there are officers who were granted theirs by others.
OFFICE_HOLDS: Final = timedelta(days=365)
# The person waits for the account; the gateway waits no longer than half a minute.
ISSUE_TIMEOUT_S: Final = 20.0
LOOK_AGAIN_S: Final = 0.2

_LEVEL_OF_LENGTH: Final = {2: offices.PROVINCE, 4: offices.CITY, 6: offices.COUNTY, 9: offices.TOWNSHIP}
_BRANCH: Final = re.compile(r"^[0-9]{2,6}-b[0-9a-z]{26}$")


class BootstrapError(Exception):
    """The operator asked for a code that cannot be; the text is one sentence for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeCode:
    """A code, shown once to the operator."""

    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """What came of a code."""

    eid: Eid
    activation: ActivationCode | None
    office: str
    organisation_id: str


async def make_bootstrap_code(database: Database, clock: Clock, *, organisation_id: str, office: str) -> MadeCode:
    """Make a code for an office at an organisation, and leave an audit row of it.

    Raises:
        BootstrapError: when there is no such office at organisations of this level.
    """
    _check_office(organisation_id, office)
    now = clock.now()
    made = MadeCode(code=make_code(BOOTSTRAP_CODE_LENGTH, secrets.choice), expires_at=now + CODE_HOLDS)
    async with database.transaction(Scope.none()) as transaction:
        await transaction.execute(
            insert(bootstrap_code).values(
                code_digest=_digest(made.code),
                organisation_id=organisation_id,
                office=office,
                made_at=now,
                expires_at=made.expires_at,
            )
        )
        await transaction.execute(insert(tables.audit).inline().values(_audit_row(organisation_id, office, now=now)))
    return made


async def find_open_code(database: Database, clock: Clock, *, organisation_id: str, office: str) -> datetime | None:
    """Return until when a code for this office is good that nobody has redeemed; None when there is none.

    Raises:
        BootstrapError: when there is no such office at organisations of this level.
    """
    _check_office(organisation_id, office)
    table = bootstrap_code.c
    wanted = (
        select(func.max(table.expires_at).label("expires_at"))
        .where(table.organisation_id == organisation_id, table.office == office)
        .where(table.finished_at.is_(None), table.expires_at > clock.now())
    )
    async with database.transaction(Scope.none()) as transaction:
        return (await transaction.one(wanted)).expires_at


async def redeem(
    parts: Parts,
    code: str,
    *,
    case_number: str,
    case_code: str,
    finish: Callable[[OpenedCase, Redeemed, Callable[[Transaction], Awaitable[None]]], Awaitable[None]],
) -> Redeemed:
    """Approve the case, have the e-ID issued, make an activation code, and give the office.

    Cut off in between, the same code goes on with the same case; `finish` opens the transaction in which the code is used
    up and the office given, because the call's audit row belongs into it.

    Raises:
        ServiceError: BOOTSTRAP_REFUSED, ISSUING_SLOW, APPLICATION_ALREADY_DECIDED.
    """
    try:
        opened = await open_case(parts, case_number, case_code=case_code)
    except ServiceError as error:
        raise (BOOTSTRAP_REFUSED() if error.kind is CASE_KEY_WRONG else error) from None
    async with parts.database.transaction(opened.scope) as transaction:
        wanted = await _bind(transaction, parts, code, case_number=case_number)
        await _approve(transaction, parts, opened)
    parts.reached("bootstrap code bound")
    eid = await _wait_for_eid(parts, opened)
    redeemed = Redeemed(
        eid=eid,
        activation=await _activation_code(parts, eid),
        office=wanted.office,
        organisation_id=wanted.organisation_id,
    )
    parts.reached("activation code made")

    async def use_up(transaction: Transaction) -> None:
        await _use_up(transaction, parts, code, case_number=case_number)
        await _give_office(transaction, parts, redeemed)

    await finish(opened, redeemed, use_up)
    return redeemed


async def _bind(transaction: Transaction, parts: Parts, code: str, *, case_number: str) -> Row[Any]:
    """Bind a living code to a case, for good."""
    row = await transaction.one_or_none(_select(code).with_for_update())
    if (
        row is None
        or row.finished_at is not None
        or row.expires_at <= parts.clock.now()
        or row.case_number not in (None, case_number)
    ):
        raise BOOTSTRAP_REFUSED()
    await transaction.execute(
        update(bootstrap_code).where(bootstrap_code.c.code_digest == _digest(code)).values(case_number=case_number)
    )
    return row


async def _approve(transaction: Transaction, parts: Parts, opened: OpenedCase) -> None:
    record = await lock_application(transaction, opened.application_id, organisation_id=opened.organisation_id)
    if is_open(record.state):
        await approve(
            transaction,
            parts,
            record,
            # There is no officer yet: the operator vouches for the person, and nobody can have claimed the case.
            member_id=(record.claim.member_id if record.claim else record.member_id),
            etag="",
            findings_checked=True,
        )
    elif record.state not in (State.APPROVED, State.ISSUED):
        raise APPLICATION_ALREADY_DECIDED()


async def _wait_for_eid(parts: Parts, opened: OpenedCase) -> Eid:
    """Have the account opened now, by us or by whoever has begun with it."""
    ends_at_s = time.monotonic() + ISSUE_TIMEOUT_S
    while True:
        await work_once(parts, OTHER_KINDS)
        async with parts.database.transaction(opened.scope) as transaction:
            record = await get_application(transaction, opened.application_id, organisation_id=opened.organisation_id)
            eid = await find_eid(transaction, record.eid_id) if record.eid_id else None
        if eid is not None:
            return eid
        if time.monotonic() >= ends_at_s:
            raise ISSUING_SLOW()
        await asyncio.sleep(LOOK_AGAIN_S)


async def _activation_code(parts: Parts, eid: Eid) -> ActivationCode | None:
    """Return a code for an e-ID that waits for its activation; a member who uses theirs needs none."""
    if eid.state is not EidState.ISSUED:
        return None
    try:
        return await make_activation_code(parts, eid)
    except ServiceError as error:
        if error.kind is EID_ALREADY_ACTIVE:
            return None
        raise


async def _use_up(transaction: Transaction, parts: Parts, code: str, *, case_number: str) -> None:
    used = await transaction.execute(
        update(bootstrap_code)
        .where(
            bootstrap_code.c.code_digest == _digest(code),
            bootstrap_code.c.case_number == case_number,
            bootstrap_code.c.finished_at.is_(None),
        )
        .values(finished_at=parts.clock.now())
    )
    if used.rowcount != 1:
        raise BOOTSTRAP_REFUSED()


async def _give_office(transaction: Transaction, parts: Parts, redeemed: Redeemed) -> None:
    organisation = await find_organisation(transaction, redeemed.organisation_id)
    if organisation is None:
        raise BOOTSTRAP_REFUSED()
    today = today_in_shanghai(parts.clock)
    term = read_term(today, today + OFFICE_HOLDS, today=today)
    assert not isinstance(term, GrantFault), "a year is no longer than the longest term"
    grant = new_grant(parts, organisation, redeemed.eid, office=redeemed.office, term=term, made_by_member_id=None)
    await insert_grant(transaction, grant)


def _check_office(organisation_id: str, office: str) -> None:
    known = offices.OFFICES.get(office)
    if known is None:
        raise BootstrapError(f"没有职务 {office} / there is no office {office}")
    level = _LEVEL_OF_LENGTH.get(len(organisation_id)) if organisation_id.isdigit() else None
    if level is None and _BRANCH.match(organisation_id):
        level = offices.BRANCH
    if level not in known.levels:
        raise BootstrapError(
            f"组织 {organisation_id} 没有职务 {office} / there is no office {office} at {organisation_id}"
        )


def _select(code: str) -> Select[*tuple[Any, ...]]:
    table = bootstrap_code.c
    return select(table.organisation_id, table.office, table.expires_at, table.case_number, table.finished_at).where(
        table.code_digest == _digest(code)
    )


def _digest(code: str) -> bytes:
    """Return the digest under which a code is kept; 130 random bits need no key."""
    return hashlib.sha256(normalise_code(code).encode()).digest()


def _audit_row(organisation_id: str, office: str, *, now: datetime) -> dict[str, object]:
    return {
        "audit_id": new_ulid(),
        "action": "identity.bootstrap.code_made",
        "outcome": "done",
        "reason": office,
        "method": "zhibu_identity bootstrap",
        "account_id": "",
        "member_id": "",
        "service": "identity",
        "offices": [],
        "organisation_id": organisation_id,
        "county_code": "",
        "subject_id": organisation_id,
        "subjects_count": 0,
        "subjects_commitment": None,
        "commitment_salt": None,
        "request_id": "",
        "trace_id": "",
        "occurred_at": now,
    }

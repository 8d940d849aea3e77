"""Applications: the record, how it is found, how it changes. Each change has a version, a step and an event."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Transaction
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.paging import Page

from zhibu_identity import events
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.models import application, application_step
from zhibu_identity.rules.application import Claim, State
from zhibu_identity.rules.findings import Finding
from zhibu_identity.rules.resident_number import normalise_resident_number

NOUN: Final = "application"


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application as it is stored: whatever tells who it is about is sealed."""

    application_id: str
    county_code: str
    organisation_id: str
    member_id: str
    case_number: str
    case_code_digest: bytes
    state: State
    real_name: bytes
    resident_number: bytes
    telephone: bytes
    branch_id: str
    membership_claim: int
    consent_version: str
    findings: tuple[Finding, ...]
    claimed_by_member_id: str | None
    claim_expires_at: datetime | None
    question: bytes | None
    answer: bytes | None
    refusal_reason: int
    refusal_note: bytes | None
    undo_reason: bytes | None
    undo_expires_at: datetime | None
    eid_id: str | None
    submitted_at: datetime
    updated_at: datetime
    version: int

    @property
    def claim(self) -> Claim | None:
        """Who has opened the case, whether or not the claim still holds."""
        if self.claimed_by_member_id is None or self.claim_expires_at is None:
            return None
        return Claim(member_id=self.claimed_by_member_id, expires_at=self.claim_expires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is sealed, opened; empty where nothing was written or the person's key was erased."""

    real_name: str
    resident_number: str
    telephone: str
    question: str
    answer: str
    refusal_note: str

    @property
    def birth_date(self) -> date | None:
        """The date of birth, as the resident number says."""
        digits = normalise_resident_number(self.resident_number)[6:14]
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) if digits else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of state."""

    state: State
    step_at: datetime


def open_details(record: Application, key: MemberKey | None) -> Details:
    """Open what is sealed."""

    def text(name: str, sealed: bytes | None) -> str:
        return "" if key is None or sealed is None else key.open(sealed, place=f"application.{name}")

    return Details(
        real_name=text("real_name", record.real_name),
        resident_number=text("resident_number", record.resident_number),
        telephone=text("telephone", record.telephone),
        question=text("question", record.question),
        answer=text("answer", record.answer),
        refusal_note=text("refusal_note", record.refusal_note),
    )


async def get_application(
    transaction: Transaction, application_id: str, *, organisation_id: str, lock: bool = False
) -> Application:
    """Return an application of an organisation.

    Raises:
        ServiceError: NOT_FOUND when there is none, or another organisation's.
    """
    found = await find_application(transaction, application_id, lock=lock)
    if found is None or found.organisation_id != organisation_id:
        raise NOT_FOUND(noun=NOUN)
    return found


async def find_application(transaction: Transaction, application_id: str, *, lock: bool = False) -> Application | None:
    """Return an application, None when there is none within the transaction's scope."""
    return await _find(
        transaction, select(application).where(application.c.application_id == application_id), lock=lock
    )


async def find_by_case_number(transaction: Transaction, case_number: str) -> Application | None:
    """Return the application of a case number within the transaction's scope."""
    return await _find(transaction, select(application).where(application.c.case_number == case_number))


async def has_application(transaction: Transaction, member_id: str) -> bool:
    """Say whether an application within the transaction's scope is a member's."""
    statement = select(application.c.application_id).where(application.c.member_id == member_id)
    return await transaction.scalar(statement.limit(1)) is not None


async def list_applications(
    transaction: Transaction,
    organisation_id: str,
    *,
    states: Collection[State],
    page: Page,
    member_ids: Collection[str] | None = None,
) -> list[Application]:
    """Return a page of applications, oldest first, and one more when there is a next page."""
    statement = _of_organisation(select(application), organisation_id, states)
    if member_ids is not None:
        statement = statement.where(application.c.member_id.in_(member_ids))
    if page.after is not None:
        statement = statement.where(application.c.application_id > page.after[0])
    rows = await transaction.all(statement.order_by(application.c.application_id).limit(page.size + 1))
    return [record_of(row) for row in rows]


async def count_applications(transaction: Transaction, organisation_id: str, *, states: Collection[State]) -> int:
    """Return how many applications of these states there are."""
    statement = _of_organisation(select(func.count()).select_from(application), organisation_id, states)
    return int(await transaction.scalar(statement))


async def list_steps(transaction: Transaction, application_id: str) -> list[Step]:
    """Return the changes of state, oldest first."""
    table = application_step
    rows = await transaction.all(
        select(table.c.state, table.c.step_at)
        .where(table.c.application_id == application_id)
        .order_by(table.c.version)
        .limit(200)
    )
    return [Step(state=State(row.state), step_at=row.step_at) for row in rows]


async def insert_application(transaction: Transaction, record: Application) -> None:
    """Store a new application with its first step and event."""
    values = {name: getattr(record, name) for name in application.c.keys()}  # noqa: SIM118 - a ColumnCollection is no dict
    values["findings"] = [int(finding) for finding in record.findings]
    values["state"] = int(record.state)
    await transaction.execute(insert(application).values(values))
    await _add_step(transaction, record, by_member_id=None)
    transaction.emit(events.application_changed(record), county_code=record.county_code)


async def change_application(
    transaction: Transaction,
    record: Application,
    *,
    now: datetime,
    state: State,
    by_member_id: str | None,
    values: dict[str, Any] | None = None,
) -> Application:
    """Bring a locked application to a state; the version rises, a step and an event tell of it."""
    row = await transaction.one(
        update(application)
        .where(application.c.application_id == record.application_id)
        .values(state=int(state), updated_at=now, version=record.version + 1, **(values or {}))
        .returning(application)
    )
    changed = record_of(row)
    await _add_step(transaction, changed, by_member_id=by_member_id)
    transaction.emit(events.application_changed(changed), county_code=changed.county_code)
    return changed


async def set_claim(transaction: Transaction, record: Application, claim: Claim | None) -> Application:
    """Set or lift the claim; the version stays, because nothing of the case has changed."""
    row = await transaction.one(
        update(application)
        .where(application.c.application_id == record.application_id)
        .values(
            claimed_by_member_id=claim.member_id if claim else None,
            claim_expires_at=claim.expires_at if claim else None,
        )
        .returning(application)
    )
    return record_of(row)


async def _find(transaction: Transaction, statement: Select[Any], *, lock: bool = False) -> Application | None:
    row = await transaction.one_or_none(statement.with_for_update() if lock else statement)
    return None if row is None else record_of(row)


async def _add_step(transaction: Transaction, record: Application, *, by_member_id: str | None) -> None:
    await transaction.execute(
        insert(application_step).values(
            application_id=record.application_id,
            county_code=record.county_code,
            version=record.version,
            state=int(record.state),
            step_at=record.updated_at,
            by_member_id=by_member_id,
        )
    )


def _of_organisation(statement: Select[Any], organisation_id: str, states: Collection[State]) -> Select[Any]:
    statement = statement.where(application.c.organisation_id == organisation_id)
    return statement.where(application.c.state.in_([int(state) for state in states])) if states else statement


def record_of(row: Row[Any]) -> Application:
    """Return an application as a row of its table holds it."""
    values: dict[str, Any] = dict(zip(application.c.keys(), row, strict=True))
    values["state"] = State(values["state"])
    values["findings"] = tuple(Finding(finding) for finding in values["findings"])
    return Application(**values)

"""A case in its applicant's hands: look at it, answer, withdraw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from zhibu_kit.db import Transaction

from zhibu_identity import faults
from zhibu_identity.applications.case_keys import OpenedCase
from zhibu_identity.applications.records import (
    Application,
    Details,
    Step,
    change_application,
    get_application,
    list_steps,
    open_details,
)
from zhibu_identity.applications.submissions import check_person, find_findings
from zhibu_identity.county_settings import find_settings
from zhibu_identity.eids.records import find_eid, open_number
from zhibu_identity.parts import Parts
from zhibu_identity.rules.application import Act, ActFault, State, next_state
from zhibu_identity.tasks.queue import TaskKind, add_task, has_task

# The applicant sees these once they were given; the clerk's other notes stay with the clerks.
_SHOWS_REFUSAL: Final = frozenset({State.REFUSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """What the applicant may see of the own case."""

    application: Application
    details: Details
    steps: Sequence[Step]
    eid_number: str
    activation_sent_to_telephone: bool
    help_telephone: str

    @property
    def shows_question(self) -> bool:
        """Whether an answer is waited for."""
        return self.application.state is State.QUESTIONED

    @property
    def shows_refusal(self) -> bool:
        """Whether there is a reason of refusal to read."""
        return self.application.state in _SHOWS_REFUSAL


async def view_case(transaction: Transaction, parts: Parts, opened: OpenedCase) -> CaseView:
    """Return the case as its applicant sees it."""
    record = await get_application(transaction, opened.application_id, organisation_id=opened.organisation_id)
    return await view_application(transaction, parts, record)


async def view_application(transaction: Transaction, parts: Parts, record: Application) -> CaseView:
    """Return an application as its applicant sees it."""
    key = await parts.vault.find_member_key(record.member_id, record.county_code)
    settings = await find_settings(transaction, record.county_code)
    eid_number, sent = "", False
    if record.state is State.ISSUED and record.eid_id is not None:
        eid = await find_eid(transaction, record.eid_id)
        eid_number = open_number(eid, key) if eid is not None else ""
        sent = await has_task(transaction, TaskKind.SEND_ACTIVATION, eid_id=record.eid_id)
    return CaseView(
        application=record,
        details=open_details(record, key),
        steps=await list_steps(transaction, record.application_id),
        eid_number=eid_number,
        activation_sent_to_telephone=sent,
        help_telephone=settings.help_telephone,
    )


async def answer_question(
    transaction: Transaction, parts: Parts, opened: OpenedCase, *, answer: str, real_name: str, resident_number: str
) -> Application:
    """Give the clerk what they asked for, with a corrected name or number where the slip was there.

    Raises:
        ServiceError: NO_QUESTION_OPEN, APPLICATION_ALREADY_DECIDED, field errors.
    """
    record = await _lock(transaction, opened)
    state = next_state(record.state, Act.ANSWER)
    if isinstance(state, ActFault):
        raise faults.ACT[state]()
    key = await parts.vault.find_member_key(record.member_id, record.county_code)
    assert key is not None, "an open application has its key"
    now = parts.clock.now()
    values: dict[str, Any] = {"answer": key.seal(answer, place="application.answer")}
    if real_name or resident_number:
        details = open_details(record, key)
        person = check_person(
            parts,
            real_name=real_name or details.real_name,
            resident_number=resident_number or details.resident_number,
            telephone=details.telephone,
        )
        findings = await find_findings(parts, record.member_id, record.county_code, person=person)
        values |= {
            "real_name": key.seal(person.name.value, place="application.real_name"),
            "resident_number": key.seal(person.number.value, place="application.resident_number"),
            "findings": [int(finding) for finding in findings],
        }
        await add_task(
            transaction,
            TaskKind.INDEX_PERSON,
            county_code=record.county_code,
            member_id=record.member_id,
            application_id=record.application_id,
            due_at=now,
        )
    return await change_application(transaction, record, now=now, state=state, by_member_id=None, values=values)


async def withdraw(transaction: Transaction, parts: Parts, opened: OpenedCase) -> Application:
    """End the own case before it is decided; its numbers leave the index.

    Raises:
        ServiceError: APPLICATION_ALREADY_DECIDED.
    """
    record = await _lock(transaction, opened)
    state = next_state(record.state, Act.WITHDRAW)
    if isinstance(state, ActFault):
        raise faults.ACT[state]()
    now = parts.clock.now()
    await release_numbers(transaction, parts, record)
    return await change_application(
        transaction,
        record,
        now=now,
        state=state,
        by_member_id=None,
        values={"claimed_by_member_id": None, "claim_expires_at": None},
    )


async def release_numbers(transaction: Transaction, parts: Parts, record: Application) -> None:
    """Have the numbers of an application that came to nothing taken out of the index across counties."""
    await add_task(
        transaction,
        TaskKind.RELEASE_NUMBERS,
        county_code=record.county_code,
        member_id=record.member_id,
        application_id=record.application_id,
        due_at=parts.clock.now(),
    )


async def _lock(transaction: Transaction, opened: OpenedCase) -> Application:
    return await get_application(transaction, opened.application_id, organisation_id=opened.organisation_id, lock=True)

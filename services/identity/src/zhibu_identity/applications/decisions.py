"""What the county's clerks decide: claim, approve, refuse, ask, undo. Nothing is approved twice.

The application's row is locked first, so that of two clerks who decide at once the second sees what the first has done.
"""

from __future__ import annotations

from typing import Any

from zhibu_kit.db import Transaction
from zhibu_kit.errors import NOT_FOUND, field_error
from zhibu_kit.etag import check_etag

from zhibu_identity import faults
from zhibu_identity.applications import records as applications
from zhibu_identity.applications.cases import release_numbers
from zhibu_identity.applications.records import NOUN, Application, change_application, open_details, set_claim
from zhibu_identity.eids.records import EidState, RevocationReason, find_eid
from zhibu_identity.eids.revoking import revoke_eid
from zhibu_identity.errors import EID_REVOKED, NUMBER_HAS_EID, REFUSAL_NOTE_NEEDED
from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import forget_person
from zhibu_identity.rosters.matching import link
from zhibu_identity.rules.application import (
    CLAIM_HOLDS,
    UNDO_HOLDS,
    Act,
    ActFault,
    Claim,
    State,
    find_claim_fault,
    find_findings_fault,
    find_undo_fault,
    is_open,
    next_state,
)
from zhibu_identity.tasks.queue import TaskKind, add_task

# Of the reasons for a refusal, the one that needs words; the number is the contract's.
REASON_OTHER = 5
_NO_CLAIM: dict[str, Any] = {"claimed_by_member_id": None, "claim_expires_at": None}


async def claim(
    transaction: Transaction, parts: Parts, record: Application, *, member_id: str, release: bool
) -> Application:
    """Take a case to work on it, or give it back.

    Raises:
        ServiceError: CLAIMED_BY_ANOTHER, APPLICATION_ALREADY_DECIDED.
    """
    now = parts.clock.now()
    _refuse_if(find_claim_fault(record.claim, member_id, now=now))
    if release:
        return await set_claim(transaction, record, None)
    if not is_open(record.state):
        raise faults.ACT[ActFault.ALREADY_DECIDED]()
    return await set_claim(transaction, record, Claim(member_id=member_id, expires_at=now + CLAIM_HOLDS))


async def approve(
    transaction: Transaction, parts: Parts, record: Application, *, member_id: str, etag: str, findings_checked: bool
) -> Application:
    """Approve; the e-ID is issued by a task that leaves with the commit.

    Raises:
        ServiceError: APPLICATION_ALREADY_DECIDED, ETAG_MISMATCH, CLAIMED_BY_ANOTHER, FINDINGS_NOT_CHECKED,
            NUMBER_HAS_EID.
    """
    state = _decide(record, Act.APPROVE, etag=etag)
    now = parts.clock.now()
    _refuse_if(find_claim_fault(record.claim, member_id, now=now))
    _refuse_if(find_findings_fault(len(record.findings), checked=findings_checked))
    key = await _get_key(parts, record)
    filed_as = record.member_id
    record, key = await link(transaction, parts, record, key=key)
    if record.member_id != filed_as:
        await add_task(
            transaction, TaskKind.RELEASE_NUMBERS, county_code=record.county_code, member_id=filed_as, due_at=now
        )
    # One living e-ID for a number: should this transaction fail, the number stays held for this very application.
    if not await parts.vault.numbers.hold(open_details(record, key).resident_number, record.member_id):
        raise NUMBER_HAS_EID()
    await add_task(
        transaction,
        TaskKind.ISSUE,
        county_code=record.county_code,
        member_id=record.member_id,
        application_id=record.application_id,
        due_at=now,
    )
    return await change_application(
        transaction,
        record,
        now=now,
        state=state,
        by_member_id=member_id,
        values={"undo_expires_at": now + UNDO_HOLDS, "undo_reason": None, **_NO_CLAIM},
    )


async def refuse(
    transaction: Transaction, parts: Parts, record: Application, *, member_id: str, etag: str, reason: int, note: str
) -> Application:
    """Refuse with a reason that the applicant reads.

    Raises:
        ServiceError: APPLICATION_ALREADY_DECIDED, ETAG_MISMATCH, CLAIMED_BY_ANOTHER, a field error.
    """
    state = _decide(record, Act.REFUSE, etag=etag)
    now = parts.clock.now()
    _refuse_if(find_claim_fault(record.claim, member_id, now=now))
    if reason == REASON_OTHER and not note.strip():
        raise field_error("note", REFUSAL_NOTE_NEEDED)
    key = await _get_key(parts, record)
    await release_numbers(transaction, parts, record)
    return await change_application(
        transaction,
        record,
        now=now,
        state=state,
        by_member_id=member_id,
        values={
            "refusal_reason": reason,
            "refusal_note": key.seal(note, place="application.refusal_note"),
            **_NO_CLAIM,
        },
    )


async def ask(
    transaction: Transaction, parts: Parts, record: Application, *, member_id: str, etag: str, question: str
) -> Application:
    """Ask the applicant for more; an earlier answer makes room.

    Raises:
        ServiceError: APPLICATION_ALREADY_DECIDED, ETAG_MISMATCH, CLAIMED_BY_ANOTHER.
    """
    state = _decide(record, Act.ASK, etag=etag)
    now = parts.clock.now()
    _refuse_if(find_claim_fault(record.claim, member_id, now=now))
    key = await _get_key(parts, record)
    return await change_application(
        transaction,
        record,
        now=now,
        state=state,
        by_member_id=member_id,
        values={"question": key.seal(question, place="application.question"), "answer": None, **_NO_CLAIM},
    )


async def undo(
    transaction: Transaction, parts: Parts, record: Application, *, member_id: str, etag: str, reason: str
) -> Application:
    """Take back a wrong approval: the e-ID, if it was issued, is revoked, and the case is open again.

    Raises:
        ServiceError: APPLICATION_NOT_APPROVED, ETAG_MISMATCH, UNDO_TOO_LATE, EID_REVOKED.
    """
    state = _decide(record, Act.UNDO, etag=etag)
    now = parts.clock.now()
    _refuse_if(find_undo_fault(record.undo_expires_at, now))
    key = await _get_key(parts, record)
    if record.eid_id is not None:
        eid = await find_eid(transaction, record.eid_id, lock=True)
        assert eid is not None, "an issued application has its e-ID"
        if eid.state is EidState.REVOKED:
            raise EID_REVOKED()
        await revoke_eid(
            transaction, parts, eid, reason=RevocationReason.WRONGLY_ISSUED, note=None, then=TaskKind.DELETE_ACCOUNT
        )
        await forget_person(transaction, record.member_id)
    return await change_application(
        transaction,
        record,
        now=now,
        state=state,
        by_member_id=member_id,
        values={
            "undo_reason": key.seal(reason, place="application.undo_reason"),
            "undo_expires_at": None,
            "eid_id": None,
            **_NO_CLAIM,
        },
    )


async def lock_application(transaction: Transaction, application_id: str, *, organisation_id: str) -> Application:
    """Return an application and keep other clerks from it until the transaction ends.

    Raises:
        ServiceError: NOT_FOUND.
    """
    return await applications.get_application(transaction, application_id, organisation_id=organisation_id, lock=True)


def _decide(record: Application, act: Act, *, etag: str) -> State:
    """Return the state that is reached. What was decided already is told before what was changed."""
    state = next_state(record.state, act)
    if isinstance(state, ActFault):
        raise faults.ACT[state]()
    check_etag(etag, record.version)
    return state


def _refuse_if(fault: ActFault | None) -> None:
    if fault is not None:
        raise faults.ACT[fault]()


async def _get_key(parts: Parts, record: Application) -> MemberKey:
    key = await parts.vault.find_member_key(record.member_id, record.county_code)
    if key is None:
        # The person's data were erased: there is nobody any more whom the case is about.
        raise NOT_FOUND(noun=NOUN)
    return key

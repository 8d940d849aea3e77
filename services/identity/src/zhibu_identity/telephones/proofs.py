"""Proofs of a telephone: a code goes to it, and whoever brings the code back gets a token for one application.

Whether a number is known makes no difference to any answer. Number, code and token are kept as keyed digests only.
"""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit import tables
from zhibu_kit.db import Transaction
from zhibu_kit.errors import ServiceError, field_error
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope
from zhibu_kit.write import ANONYMOUS

from zhibu_identity import faults
from zhibu_identity.errors import CODE_NOT_SENT, RESEND_TOO_SOON
from zhibu_identity.keys.sealing import same
from zhibu_identity.models import telephone_proof
from zhibu_identity.parts import Parts
from zhibu_identity.rate_windows import lock_window, save_window
from zhibu_identity.rules.codes import make_one_time_code
from zhibu_identity.rules.limits import (
    PROOF_CODE_HOLDS,
    PROOF_CODES_PER_HOUR,
    PROOF_TOKEN_HOLDS,
    RESEND_AFTER,
    WRONG_PROOF_CODES,
    next_window,
    wait_before_next,
)
from zhibu_identity.rules.telephone import find_telephone_fault
from zhibu_identity.telephones.sending import Purpose

WINDOW: Final = "telephone_code"
TOKEN_BYTES: Final = 32
# A proof that led to no application is of no use after this.
KEEP: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedProof:
    """A proof whose code is on its way."""

    telephone_proof_id: str
    expires_at: datetime
    code: str


async def start_proof(transaction: Transaction, parts: Parts, telephone: str) -> StartedProof:
    """Make a code for a telephone; `send_proof_code` sends it after the commit.

    Raises:
        ServiceError: a field error when it is no number that can be called; RESEND_TOO_SOON when it had too many codes.
    """
    fault = find_telephone_fault(telephone, synthetic_allowed=parts.synthetic_allowed)
    if fault is not None:
        raise field_error("telephone", faults.TELEPHONE[fault])
    now = parts.clock.now()
    subject = parts.province.digest("proof-telephone", telephone)
    window = await lock_window(transaction, WINDOW, subject)
    wait = wait_before_next(window, now, most_per_hour=PROOF_CODES_PER_HOUR)
    if wait:
        raise RESEND_TOO_SOON(retry_after_s=f"{math.ceil(wait.total_seconds())}")
    await save_window(transaction, WINDOW, subject, window=next_window(window, now))
    proof = StartedProof(
        telephone_proof_id=new_ulid(parts.clock),
        expires_at=now + PROOF_CODE_HOLDS,
        code=make_one_time_code(parts.choose),
    )
    await transaction.execute(
        insert(telephone_proof).values(
            telephone_proof_id=proof.telephone_proof_id,
            telephone_digest=subject,
            code_digest=_code_digest(parts, proof.telephone_proof_id, proof.code),
            expires_at=proof.expires_at,
        )
    )
    return proof


async def send_proof_code(
    parts: Parts, proof: StartedProof, *, telephone: str, language: str, method: str, request_id: str
) -> None:
    """Send the code; when that fails the proof is void, and the request, sent again, is not answered from memory.

    Raises:
        ServiceError: CODE_NOT_SENT.
    """
    try:
        await parts.telephones.send_code(
            telephone,
            proof.code,
            purpose=Purpose.TELEPHONE_PROOF,
            language=language,
            request_id=proof.telephone_proof_id,
            expires_in=PROOF_CODE_HOLDS,
        )
    except ServiceError:
        async with parts.database.transaction(Scope.none()) as transaction:
            await transaction.execute(
                delete(telephone_proof).where(telephone_proof.c.telephone_proof_id == proof.telephone_proof_id)
            )
            await transaction.execute(
                delete(tables.request).where(
                    tables.request.c.caller == ANONYMOUS,
                    tables.request.c.method == method,
                    tables.request.c.request_id == request_id,
                )
            )
        raise CODE_NOT_SENT() from None


async def confirm_proof(transaction: Transaction, parts: Parts, telephone_proof_id: str, *, code: str) -> str | None:
    """Return a token for the right code; for a wrong one count the try and return None.

    The caller commits in both cases.
    """
    now = parts.clock.now()
    row = await transaction.one_or_none(
        select(telephone_proof).where(telephone_proof.c.telephone_proof_id == telephone_proof_id).with_for_update()
    )
    given = _code_digest(parts, telephone_proof_id, code)
    right = same(given, row.code_digest if row else b"\0" * len(given))
    if row is None or row.used_at is not None or now >= row.expires_at or row.wrong_count >= WRONG_PROOF_CODES:
        return None
    values: dict[str, object] = {"wrong_count": row.wrong_count + 1}
    token = secrets.token_urlsafe(TOKEN_BYTES)
    if right:
        values = {"token_digest": _token_digest(parts, token), "token_expires_at": now + PROOF_TOKEN_HOLDS}
    await transaction.execute(
        update(telephone_proof).where(telephone_proof.c.telephone_proof_id == telephone_proof_id).values(values)
    )
    return token if right else None


async def use_proof(transaction: Transaction, parts: Parts, token: str, *, telephone: str) -> bool:
    """Use up a token for the telephone that it was made for; say whether it was good."""
    now = parts.clock.now()
    used = await transaction.execute(
        update(telephone_proof)
        .where(
            telephone_proof.c.token_digest == _token_digest(parts, token),
            telephone_proof.c.telephone_digest == parts.province.digest("proof-telephone", telephone),
            telephone_proof.c.token_expires_at > now,
            telephone_proof.c.used_at.is_(None),
        )
        .values(used_at=now)
    )
    return used.rowcount == 1


async def purge_proofs(transaction: Transaction, *, now: datetime) -> None:
    """Remove proofs that are of no use any more."""
    await transaction.execute(delete(telephone_proof).where(telephone_proof.c.expires_at < now - KEEP))


def resend_after_s() -> int:
    """Return the seconds between two codes."""
    return int(RESEND_AFTER.total_seconds())


def _code_digest(parts: Parts, telephone_proof_id: str, code: str) -> bytes:
    return parts.province.secret_digest("proof-code", f"{telephone_proof_id}\0{code}")


def _token_digest(parts: Parts, token: str) -> bytes:
    return parts.province.secret_digest("proof-token", token)

"""Certificates of officers: the record, how it is found, stored and marked as revoked."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import Row, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.scope import Scope

from zhibu_identity import events
from zhibu_identity.models import office_grant
from zhibu_identity.signing_models import certificate, revocation_list

NOUN: Final = "certificate"
# Woken by a trigger when an office ends.
CHANNEL: Final = "identity_certificate"
# The state that only certificates reach, not their requests; the number is the contract's.
REVOKED: Final = 6


class RevocationReason(IntEnum):
    """Why a certificate was revoked; the numbers are the contract's."""

    NONE = 0
    KEY_LOST = 1
    KEY_COMPROMISED = 2
    OFFICE_ENDED = 3
    SUPERSEDED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate as it is stored; `certificate` is DER."""

    certificate_id: str
    county_code: str
    organisation_id: str
    member_id: str
    account_id: str
    grant_id: str
    serial_number: str
    key_digest: bytes
    certificate: bytes
    starts_at: datetime
    ends_at: datetime
    revoked_at: datetime | None
    revocation_reason: RevocationReason
    issued_by_member_id: str
    version: int

    @property
    def requested_by_member_id(self) -> str:
        """The officer who asked for it."""
        return self.issued_by_member_id

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, hexadecimal."""
        return hashlib.sha256(self.certificate).hexdigest()


async def insert_certificate(transaction: Transaction, record: Certificate) -> bool:
    """Store a certificate, whose request is confirmed; false when its key has one already, anywhere in the province."""
    values = {name: getattr(record, name) for name in certificate.c.keys()}  # noqa: SIM118 - a ColumnCollection is no dict
    values["revocation_reason"] = int(record.revocation_reason)
    done = await transaction.execute(insert(certificate).values(values).on_conflict_do_nothing())
    return done.rowcount == 1


async def find_certificate(transaction: Transaction, certificate_id: str) -> Certificate | None:
    """Return a certificate, locked; None when there is none within the transaction's scope."""
    statement = select(certificate).where(certificate.c.certificate_id == certificate_id).with_for_update()
    row = await transaction.one_or_none(statement)
    return None if row is None else record_of(row)


async def list_orphaned(database: Database, *, now: datetime, most: int) -> list[tuple[str, str]]:
    """Return (certificate, county) of living certificates whose office has ended or moved, in any county."""
    statement = (
        select(certificate.c.certificate_id, certificate.c.county_code)
        .join(office_grant, office_grant.c.grant_id == certificate.c.grant_id)
        .where(
            certificate.c.revoked_at.is_(None),
            certificate.c.ends_at > now,
            or_(
                office_grant.c.ended_at.is_not(None),
                office_grant.c.ends_at <= now,
                # The e-ID was replaced, and the office moved to another account.
                office_grant.c.account_id != certificate.c.account_id,
            ),
        )
        .limit(most)
    )
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        rows = await transaction.all(statement)
    return [(row.certificate_id, row.county_code) for row in rows]


async def move_to_grant(transaction: Transaction, record: Certificate, grant_id: str) -> None:
    """Let another office of the same officer carry a certificate on."""
    await transaction.execute(
        update(certificate).where(certificate.c.certificate_id == record.certificate_id).values(grant_id=grant_id)
    )


async def mark_revoked(
    transaction: Transaction, record: Certificate, *, reason: RevocationReason, now: datetime
) -> Certificate:
    """Mark a locked certificate as revoked, and the list of revoked ones as out of date."""
    row = await transaction.one(
        update(certificate)
        .where(certificate.c.certificate_id == record.certificate_id)
        .values(revoked_at=now, revocation_reason=int(reason), version=record.version + 1)
        .returning(certificate)
    )
    # Whoever makes the list anew waits here until this revocation is committed.
    await transaction.execute(
        insert(revocation_list)
        .values(only_one=True, is_stale=True)
        .on_conflict_do_update(index_elements=["only_one"], set_={"is_stale": True})
    )
    revoked = record_of(row)
    transaction.emit(events.certificate_changed(revoked, state=REVOKED, at=now), county_code=revoked.county_code)
    return revoked


def record_of(row: Row[Any] | Sequence[Any]) -> Certificate:
    """Return a certificate as a row of its table holds it."""
    values: dict[str, Any] = dict(zip(certificate.c.keys(), row, strict=True))
    values["revocation_reason"] = RevocationReason(values["revocation_reason"])
    return Certificate(**values)

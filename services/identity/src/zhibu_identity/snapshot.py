"""How everything of identity stands now, told again as events: `python -m zhibu_identity reconcile`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from google.protobuf.message import Message
from sqlalchemy import Column, Row, Table, select
from zhibu_kit.db import Transaction

from zhibu_identity import events
from zhibu_identity.applications import records as applications
from zhibu_identity.certificates import records as certificates
from zhibu_identity.certificates import requests as certificate_requests
from zhibu_identity.eids import records as eids
from zhibu_identity.erasures import records as erasures
from zhibu_identity.grants import records as grants
from zhibu_identity.models import (
    application,
    correction,
    eid,
    erasure,
    erasure_proposal,
    office_grant,
    person,
    recovery,
    revocation,
)
from zhibu_identity.people import corrections
from zhibu_identity.people import events as person_events
from zhibu_identity.people import records as people
from zhibu_identity.recoveries import records as recoveries
from zhibu_identity.signing_models import certificate, certificate_request

_BATCH: Final = 500


async def snapshot(transaction: Transaction) -> AsyncIterator[tuple[Message, str]]:
    """Yield the present state of each aggregate as the event that tells of it."""
    async for row in _rows(transaction, application, application.c.application_id):
        record = applications.record_of(row)
        yield events.application_changed(record), record.county_code
    async for row in _rows(transaction, eid, eid.c.eid_id):
        holder = eids.record_of(row)
        at = holder.revoked_at or holder.activated_at or holder.issued_at
        yield events.eid_changed(holder, at=at), holder.county_code
    async for row in _rows(transaction, office_grant, office_grant.c.grant_id):
        grant = grants.record_of(row)
        yield events.grant_changed(grant), grant.county_code
    async for row in _rows(transaction, certificate_request, certificate_request.c.certificate_id):
        yield await _certificate_changed(transaction, certificate_requests.record_of(row))
    async for row in _rows(transaction, recovery, recovery.c.recovery_id):
        given_back = recoveries.record_of(row)
        yield person_events.recovery_changed(given_back, at=given_back.created_at), given_back.county_code
    async for row in _rows(transaction, correction, correction.c.correction_id):
        wish = corrections.record_of(row)
        branch_id = await transaction.scalar(select(person.c.branch_id).where(person.c.member_id == wish.member_id))
        yield person_events.correction_changed(wish, branch_id=branch_id or ""), wish.county_code
    async for row in _rows(transaction, erasure_proposal, erasure_proposal.c.member_id):
        asked = erasures.record_of(row)
        yield person_events.erasure_changed(asked, at=asked.made_at), asked.county_code
    async for row in _rows(transaction, erasure, erasure.c.member_id):
        gone = await transaction.one_or_none(select(person).where(person.c.member_id == row.member_id))
        if gone is not None:
            yield person_events.person_erased(people.record_of(gone), at=row.erased_at), row.county_code
    async for row in _rows(transaction, revocation, revocation.c.account_id):
        revoked_at: datetime = row.revoked_at.astimezone(UTC)
        yield events.access_revoked(row.account_id, revoked_at=revoked_at), ""


async def _certificate_changed(
    transaction: Transaction, asked: certificate_requests.CertificateRequest
) -> tuple[Message, str]:
    row = await transaction.one_or_none(
        select(certificate).where(
            certificate.c.certificate_id == asked.certificate_id, certificate.c.revoked_at.is_not(None)
        )
    )
    if row is None:
        at = asked.decided_at or asked.requested_at
        return events.certificate_changed(asked, state=int(asked.state), at=at), asked.county_code
    record = certificates.record_of(row)
    at = record.revoked_at or asked.requested_at
    return events.certificate_changed(record, state=certificates.REVOKED, at=at), asked.county_code


async def _rows(transaction: Transaction, table: Table, key: Column[Any]) -> AsyncIterator[Row[Any]]:
    """Yield every row of a table in the order of its key, some at a time."""
    after = ""

    while True:
        rows = await transaction.all(select(table).where(key > after).order_by(key).limit(_BATCH))
        for row in rows:
            yield row
        if len(rows) < _BATCH:
            return
        after = str(getattr(rows[-1], key.name))

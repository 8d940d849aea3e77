"""Requests for certificates of officers: what an organisation asked for and the officer decides; with the certificate, once signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, select, update
from sqlalchemy.dialects.postgresql import insert
from zhibu_kit.db import Database, Role, Transaction
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.paging import Page
from zhibu_kit.scope import Scope

from zhibu_identity import events
from zhibu_identity.certificates import records as certificates
from zhibu_identity.certificates.records import NOUN, Certificate
from zhibu_identity.rules.certificate import RequestState
from zhibu_identity.signing_models import certificate, certificate_request

# Nobody has had more certificates; pages of members show the newest.
MOST_OF_MEMBER: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """One request as it is stored; `public_key` is DER and kept while it waits."""

    certificate_id: str
    county_code: str
    organisation_id: str
    member_id: str
    account_id: str
    grant_id: str
    key_digest: bytes
    public_key: bytes | None
    state: RequestState
    requested_by_member_id: str
    requested_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, and the certificate that came of it."""

    request: CertificateRequest
    certificate: Certificate | None

    @property
    def version(self) -> int:
        """The version of what can still change: the request until it is signed, then the certificate."""
        return self.request.version if self.certificate is None else self.certificate.version


async def insert_request(transaction: Transaction, record: CertificateRequest) -> bool:
    """Store a request with its event; False when its key is taken, or another one waits for the same officer here."""
    values = {name: getattr(record, name) for name in certificate_request.c.keys()}  # noqa: SIM118 - a ColumnCollection is no dict
    values["state"] = int(record.state)
    stored = await transaction.execute(insert(certificate_request).values(values).on_conflict_do_nothing())
    if stored.rowcount != 1:
        return False
    _tell(transaction, record, at=record.requested_at)
    return True


async def change_request(
    transaction: Transaction, record: CertificateRequest, *, state: RequestState, now: datetime
) -> CertificateRequest:
    """Bring a locked request out of its waiting; its key is forgotten, and an event tells of it."""
    row = await transaction.one(
        update(certificate_request)
        .where(certificate_request.c.certificate_id == record.certificate_id)
        .values(state=int(state), decided_at=now, public_key=None, version=record.version + 1)
        .returning(certificate_request)
    )
    changed = record_of(row)
    _tell(transaction, changed, at=now)
    return changed


async def get_asked(
    transaction: Transaction, certificate_id: str, *, organisation_id: str, lock: bool = False
) -> Asked:
    """Return what an organisation asked for.

    Raises:
        ServiceError: NOT_FOUND when there is none, or another organisation's.
    """
    statement = _joined().where(
        certificate_request.c.certificate_id == certificate_id,
        certificate_request.c.organisation_id == organisation_id,
    )
    return await _get(transaction, statement, lock=lock)


async def get_asked_of(transaction: Transaction, certificate_id: str, *, member_id: str, lock: bool = False) -> Asked:
    """Return what was asked for a member.

    Raises:
        ServiceError: NOT_FOUND when there is none, or another member's.
    """
    statement = _joined().where(
        certificate_request.c.certificate_id == certificate_id, certificate_request.c.member_id == member_id
    )
    return await _get(transaction, statement, lock=lock)


async def list_asked(transaction: Transaction, organisation_id: str, *, page: Page) -> list[Asked]:
    """Return a page of what an organisation asked for, newest first, and one more when more follow."""
    statement = _joined().where(certificate_request.c.organisation_id == organisation_id)
    if page.after is not None:
        statement = statement.where(certificate_request.c.certificate_id < page.after[0])
    return await _list(transaction, statement, most=page.size + 1)


async def list_asked_of(transaction: Transaction, member_id: str) -> list[Asked]:
    """Return what was asked for a member, newest first."""
    return await _list(transaction, _joined().where(certificate_request.c.member_id == member_id), most=MOST_OF_MEMBER)


async def find_waiting(transaction: Transaction, *, organisation_id: str, member_id: str) -> CertificateRequest | None:
    """Return the request of an organisation that waits for an officer, locked."""
    row = await transaction.one_or_none(
        select(certificate_request)
        .where(
            certificate_request.c.organisation_id == organisation_id,
            certificate_request.c.member_id == member_id,
            certificate_request.c.state == int(RequestState.WAITING),
        )
        .with_for_update()
    )
    return None if row is None else record_of(row)


async def list_late(database: Database, *, now: datetime, most: int) -> list[tuple[str, str]]:
    """Return (certificate, county) of requests that wait although their time is over, in any county."""
    statement = select(certificate_request.c.certificate_id, certificate_request.c.county_code).where(
        certificate_request.c.state == int(RequestState.WAITING), certificate_request.c.expires_at <= now
    )
    async with database.transaction(Scope.none(), role=Role.RELAY) as transaction:
        rows = await transaction.all(statement.limit(most))
    return [(row.certificate_id, row.county_code) for row in rows]


async def find_request(transaction: Transaction, certificate_id: str) -> CertificateRequest | None:
    """Return a request, locked; None when there is none within the transaction's scope."""
    row = await transaction.one_or_none(
        select(certificate_request).where(certificate_request.c.certificate_id == certificate_id).with_for_update()
    )
    return None if row is None else record_of(row)


def _joined() -> Select[Any]:
    return select(certificate_request, certificate).outerjoin(
        certificate, certificate.c.certificate_id == certificate_request.c.certificate_id
    )


async def _get(transaction: Transaction, statement: Select[Any], *, lock: bool) -> Asked:
    row = await transaction.one_or_none(statement.with_for_update(of=certificate_request) if lock else statement)
    if row is None:
        raise NOT_FOUND(noun=NOUN)
    return asked_of(row)


async def _list(transaction: Transaction, statement: Select[Any], *, most: int) -> list[Asked]:
    rows = await transaction.all(statement.order_by(certificate_request.c.certificate_id.desc()).limit(most))
    return [asked_of(row) for row in rows]


def _tell(transaction: Transaction, record: CertificateRequest, *, at: datetime) -> None:
    transaction.emit(events.certificate_changed(record, state=int(record.state), at=at), county_code=record.county_code)


def asked_of(row: Row[Any]) -> Asked:
    """Return a request and its certificate as a row of both tables holds them."""
    width = len(certificate_request.c)
    signed = row[width:]
    return Asked(
        request=record_of(row[:width]), certificate=None if signed[0] is None else certificates.record_of(signed)
    )


def record_of(row: Row[Any] | Sequence[Any]) -> CertificateRequest:
    """Return a request as a row of its table holds it."""
    values: dict[str, Any] = dict(zip(certificate_request.c.keys(), row, strict=True))
    values["state"] = RequestState(values["state"])
    return CertificateRequest(**values)

"""Incidents: places where the log cannot go on by itself, opened by intake and signed by two officers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from zhibu.audit.v1.audit_events_pb2 import IncidentChanged
from zhibu_kit.db import Transaction
from zhibu_kit.errors import NOT_FOUND
from zhibu_kit.etag import check_etag
from zhibu_kit.ids import new_ulid

from zhibu_audit import models
from zhibu_audit.chains import Link
from zhibu_audit.errors import INCIDENT_NOT_OPEN, INCIDENT_SECOND_SIGNER, INCIDENT_STATEMENT_MISSING
from zhibu_audit.rules import GoingOn

GAP: Final = "gap"
CONFLICT: Final = "conflict"
RESTORE: Final = "restore"
OPEN: Final = "open"
SIGNED: Final = "signed"
CLOSED: Final = "closed"
FED: Final = "fed"
# The restore of the whole log is nobody's lane.
WHOLE_LOG: Final = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident as it stands; `link` is where its lane goes on once it is closed."""

    incident_id: str
    kind: str
    state: str
    lane: str
    from_sequence: int
    to_sequence: int
    link: Link
    checkpoint: str
    statement: str
    first_signed_by: str
    first_account_id: str
    second_signed_by: str
    created_at: datetime
    closed_at: datetime | None
    entry_index: int | None
    version: int

    @property
    def is_open(self) -> bool:
        """Whether it can still be signed, or fed."""
        return self.state in {OPEN, SIGNED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """An officer who signs."""

    account_id: str
    member_id: str


async def list_incidents(
    transaction: Transaction, *, before: tuple[datetime, str] | None, count_max: int
) -> Sequence[Incident]:
    """Return incidents, newest first, those before (`created_at`, `incident_id`) of the last one shown."""
    columns = models.incident.c
    statement = select(models.incident).order_by(columns.created_at.desc(), columns.incident_id.desc())
    if before is not None:
        statement = statement.where(tuple_(columns.created_at, columns.incident_id) < tuple_(*before))
    return [_incident(row) for row in await transaction.all(statement.limit(count_max))]


async def find_open_incident(transaction: Transaction, lane: str) -> Incident | None:
    """Return the open incident of a lane, locked."""
    columns = models.incident.c
    statement = select(models.incident).where(columns.lane == lane, columns.state.in_([OPEN, SIGNED]))
    row = await transaction.one_or_none(statement.with_for_update())
    return _incident(row) if row else None


async def get_incident(transaction: Transaction, incident_id: str) -> Incident:
    """Return an incident, locked.

    Raises:
        ServiceError: NOT_FOUND.
    """
    statement = select(models.incident).where(models.incident.c.incident_id == incident_id).with_for_update()
    row = await transaction.one_or_none(statement)
    if row is None:
        raise NOT_FOUND(noun="record")
    return _incident(row)


async def open_incident(
    transaction: Transaction, *, kind: str, lane: str, going_on: GoingOn, now: datetime, checkpoint: str = ""
) -> Incident:
    """Open an incident of a lane that has none, or let the open one say what is known now.

    A signature was given to what was known before, so it is taken back when that changes.
    """
    known = await find_open_incident(transaction, lane)
    if known is not None and (known.kind, known.from_sequence, known.link) == (
        kind,
        going_on.from_sequence,
        going_on.link,
    ):
        return known
    incident = Incident(
        incident_id=known.incident_id if known else new_ulid(),
        kind=kind,
        state=OPEN,
        lane=lane,
        from_sequence=going_on.from_sequence,
        to_sequence=going_on.to_sequence,
        link=going_on.link,
        checkpoint=checkpoint,
        statement="",
        first_signed_by="",
        first_account_id="",
        second_signed_by="",
        created_at=known.created_at if known else now,
        closed_at=None,
        entry_index=None,
        version=known.version + 1 if known else 1,
    )
    await save_incident(transaction, incident, now=now)
    return incident


def signed(incident: Incident, signer: Signer, *, statement: str, etag: str) -> Incident:
    """Return an incident with one more signature.

    Raises:
        ServiceError: ETAG_MISMATCH, INCIDENT_NOT_OPEN, INCIDENT_SECOND_SIGNER, INCIDENT_STATEMENT_MISSING.
    """
    check_etag(etag, incident.version)
    if not incident.is_open:
        raise INCIDENT_NOT_OPEN()
    if incident.state == OPEN:
        if not statement.strip():
            raise INCIDENT_STATEMENT_MISSING()
        return replace(
            incident,
            state=SIGNED,
            statement=statement.strip(),
            first_signed_by=signer.member_id,
            first_account_id=signer.account_id,
            version=incident.version + 1,
        )
    if signer.member_id == incident.first_signed_by or signer.account_id == incident.first_account_id:
        raise INCIDENT_SECOND_SIGNER()
    return replace(incident, state=CLOSED, second_signed_by=signer.member_id, version=incident.version + 1)


def fed(incident: Incident, *, now: datetime) -> Incident:
    """Return an incident whose rows came after all."""
    return replace(incident, state=FED, closed_at=now, version=incident.version + 1)


async def save_incident(transaction: Transaction, incident: Incident, *, now: datetime) -> None:
    """Write an incident that is locked or new, and tell of it."""
    values = {name: getattr(incident, name) for name in Incident.__dataclass_fields__ if name != "link"}
    values |= {"chain_hash": incident.link.chain, "anchored": incident.link.anchored}
    new = insert(models.incident).values(values)
    changed = {name: value for name, value in values.items() if name not in {"incident_id", "created_at"}}
    await transaction.execute(new.on_conflict_do_update(index_elements=["incident_id"], set_=changed))
    event = IncidentChanged(
        incident_id=incident.incident_id,
        version=incident.version,
        kind=incident.kind,
        lane=incident.lane,
        state=incident.state,
    )
    event.change_time.FromDatetime(now)
    transaction.emit(event, county_code="")


def _incident(row: Row[Any]) -> Incident:
    values = dict(row._mapping)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - its public name
    chain, anchored = values.pop("chain_hash"), values.pop("anchored")
    link = Link(sequence=row.to_sequence, chain=bytes(chain or b""), anchored=anchored)
    return Incident(**values, link=link)
